import { expect, it } from "vitest";
import { fieldErrors } from "./fieldErrors";

const refused = (...details: object[]) => ({ error: { code: "INVALID_ENTRY", details } });

it("puts details at their fields, with the hint", () => {
  const error = refused(
    { path: "base_url", message: "no address", hint: "" },
    { path: "speaks.bad", message: "unknown name", hint: "one of: open_ai" },
    { path: "channels.0", message: "no such channel", hint: "" },
  );
  expect(fieldErrors(error, ["base_url", "channels"], "rest")).toEqual([
    { name: "base_url", errors: ["no address"] },
    { name: "rest", errors: ["speaks.bad: unknown name · one of: open_ai"] },
    { name: "channels", errors: ["channels.0: no such channel"] },
  ]);
});

it("leaves what has no field to the words above the form", () => {
  expect(fieldErrors(refused({ path: "", message: "a whole", hint: "" }), ["name"], "rest")).toEqual([]);
  expect(fieldErrors(refused({ path: "elsewhere", message: "no", hint: "" }), ["name"])).toEqual([]);
  expect(fieldErrors(new TypeError("away"), ["name"])).toEqual([]);
});
