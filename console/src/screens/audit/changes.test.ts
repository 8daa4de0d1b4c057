import { describe, expect, it } from "vitest";
import { readChanges } from "./changes";

describe("changes of an audit line", () => {
  it("has a field before and after", () => {
    expect(readChanges({ enabled: { from: true, to: false } })).toEqual([
      { path: "enabled", before: "true", after: "false", isSecret: false },
    ]);
  });

  it("goes into objects and shows only what differs", () => {
    const from = { mode: "default", providers: [], affinity: true };
    const to = { mode: "provider", providers: ["one", "two"], affinity: true };
    expect(readChanges({ route: { from, to } })).toEqual([
      { path: "route.mode", before: "default", after: "provider", isSecret: false },
      { path: "route.providers", before: "", after: "one\ntwo", isSecret: false },
    ]);
  });

  it("shows quotas as a line each", () => {
    const to = [{ unit: "tokens", period: "daily", limit: 5 }];
    expect(readChanges({ quotas: { from: [], to } })[0]?.after).toBe("unit: tokens, period: daily, limit: 5");
  });

  it("never has a value of a secret", () => {
    expect(readChanges({ secret: { changed: true } })).toEqual([{ path: "secret", isSecret: true }]);
  });

  it("shows what a new thing is made with", () => {
    expect(readChanges({ terms: { name: "acme", limits: { rpm: null } }, forced: false })).toEqual([
      { path: "name", after: "acme", isSecret: false },
      { path: "limits.rpm", after: "", isSecret: false },
      { path: "forced", after: "false", isSecret: false },
    ]);
  });

  it("has nothing where nothing changed", () => {
    expect(readChanges({})).toEqual([]);
  });
});
