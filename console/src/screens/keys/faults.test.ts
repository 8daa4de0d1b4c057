import { expect, it } from "vitest";
import { fieldFaults, keyField } from "./faults";

it("shows faults at their fields, with what to write instead", () => {
  const thrown = {
    error: {
      details: [
        { path: "models.0", message: "unknown model 'qwen/x'", hint: "qwen/y" },
        { path: "models.1", message: "unknown model 'z'", hint: "" },
        { path: "limits.quotas.0.limit", message: "too small" },
        { path: "elsewhere", message: "wrong" },
      ],
    },
  };
  expect(fieldFaults(thrown, keyField)).toEqual([
    { name: "models", errors: ["unknown model 'qwen/x' - qwen/y", "unknown model 'z'"] },
    { name: "quotas", errors: ["too small"] },
  ]);
});

it("is empty for what has no details", () => {
  expect(fieldFaults(new TypeError("away"), keyField)).toEqual([]);
});
