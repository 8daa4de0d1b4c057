import { describe, expect, it } from "vitest";
import { readOutcomes, readState, searchOf } from "./state";

const read = (values: Record<string, string>) => readState(values, "Asia/Shanghai", "2026-06-05");

describe("what the address says", () => {
  it("is the last seven days of everything where it says nothing", () => {
    const state = read({});
    expect(state.query).toEqual({ since: "2026-05-30", until: "2026-06-05" });
    expect([state.tab, state.metric, state.grain, state.rows]).toEqual(["model", "tokens", "day", "whole"]);
  });

  it("filters sums and calls alike", () => {
    const state = read({ key: "key-1", label: "team=search", source: "byok", outcome: "ok,nonsense,lost" });
    expect(state.query).toMatchObject({ key: "key-1", label: ["team=search"], source: "byok" });
    expect(state.calls).toMatchObject({ key: "key-1", outcome: ["ok", "lost"] });
  });

  it("leaves out what nothing knows", () => {
    expect(read({ source: "elsewhere", tab: "x", metric: "y" })).toMatchObject({
      tab: "model",
      metric: "tokens",
    });
    expect(read({ source: "elsewhere" }).query.source).toBeUndefined();
    expect(readOutcomes("")).toEqual([]);
  });

  it("shows hours of short times only", () => {
    expect(read({ range: "today" }).grain).toBe("hour");
    expect(read({ range: "30d", grain: "hour" }).grain).toBe("hour");
    expect(read({ since: "2026-01-01", until: "2026-06-05", grain: "hour" }).grain).toBe("day");
  });

  it("shows details by days", () => {
    expect(read({ tab: "details" }).rows).toBe("day");
    expect(read({ tab: "details", rows: "whole" }).rows).toBe("whole");
  });
});

it("repeats the name of a list", () => {
  expect(searchOf({ a: ["1", "2"], b: undefined, c: "", d: null, e: 5 })).toEqual([
    ["a", "1"],
    ["a", "2"],
    ["e", "5"],
  ]);
});
