import { describe, expect, it } from "vitest";
import type { TaskView } from "@/api/schema";
import { isUnderWay, readQuery, readStates, tookMs } from "./state";

const task = (changes: Partial<TaskView>) =>
  ({
    state: "succeeded",
    settled: true,
    created_at: "2026-01-31T08:00:00Z",
    finished_at: null,
    ...changes,
  }) as TaskView;

describe("filters of the address", () => {
  it("keep what is known and leave out the rest", () => {
    expect(readStates("queued,nonsense,failed")).toEqual(["queued", "failed"]);
    expect(readQuery({ kind: "sculpture", state: "" })).toEqual({});
    expect(readQuery({ kind: "3d", key: "film" })).toMatchObject({ kind: "3d", key: "film" });
  });

  it("hold the last day whole", () => {
    const { since, until } = readQuery({ since: "2026-01-31", until: "2026-01-31" });
    expect(Date.parse(until ?? "") - Date.parse(since ?? "")).toBe(86_400_000);
    expect(readQuery({ since: "yesterday" }).since).toBeUndefined();
  });
});

describe("a task", () => {
  it("is under way until its usage is recorded", () => {
    expect(isUnderWay(task({ state: "queued" }))).toBe(true);
    expect(isUnderWay(task({ settled: false }))).toBe(true);
    expect(isUnderWay(task({}))).toBe(false);
  });

  it("took until its end, or takes until now", () => {
    expect(tookMs(task({ finished_at: "2026-01-31T08:01:24Z" }), 0)).toBe(84_000);
    expect(tookMs(task({}), Date.parse("2026-01-31T08:00:05Z"))).toBe(5000);
  });
});
