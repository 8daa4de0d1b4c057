import { describe, expect, it } from "vitest";
import { readEntry, splitEntry, withoutEmpty, writeEntry } from "./entryJson";

describe("an entry as JSON", () => {
  it("is read back as it was written", () => {
    const entry = { traits: { developer_role: false }, base_urls: { openai: "https://a" } };
    expect(readEntry(writeEntry(entry))).toEqual({ entry });
  });

  it("may be empty", () => {
    expect(readEntry("  ")).toEqual({ entry: {} });
    expect(writeEntry(null)).toBe("");
    expect(writeEntry({})).toBe("");
  });

  it.each([
    ["{", "notJson"],
    ["[]", "notObject"],
    ["null", "notObject"],
    ["3", "notObject"],
  ])("%s is refused", (text, problem) => {
    expect(readEntry(text)).toMatchObject({ problem });
  });

  it("is split by the fields of a form", () => {
    expect(splitEntry({ name: "a", traits: {} }, ["name"])).toEqual({
      known: { name: "a" },
      rest: { traits: {} },
    });
  });

  it("loses what says nothing, and keeps false", () => {
    expect(withoutEmpty({ a: "", b: null, c: [], d: false, e: 0 })).toEqual({ d: false, e: 0 });
  });
});
