import { expect, it } from "vitest";
import { toEntry, toFields } from "./modelEntry";

it("comes back as it was", () => {
  const entry = {
    name: "a/b",
    enabled: false,
    aliases: ["c"],
    endpoints: [{ provider: "x", interfaces: ["open_ai"] }],
  };
  expect(toEntry(toFields("a/b", entry))).toEqual(entry);
});

it("says nothing of whether it is callable where nobody chose", () => {
  expect(toEntry(toFields("a/b", null))).toEqual({ name: "a/b" });
});
