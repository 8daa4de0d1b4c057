import { describe, expect, it, vi } from "vitest";
import { DEFAULT_ROUTE, routeInShort, routeSteps, tidyRoute } from "./route";
import { texts } from "./texts";

// The real one asks the browser for its language.
vi.mock("@/app/texts", () => ({ defineTexts: (texts: unknown) => texts }));

const t = texts.en;
const nameOf = (id: string) => id.toUpperCase();
const short = (route: object) => routeInShort({ ...DEFAULT_ROUTE, ...route }, t.words, nameOf);
const steps = (route: object) => routeSteps({ ...DEFAULT_ROUTE, ...route }, t.steps, nameOf, () => "north");

describe("a route in short", () => {
  it.each([
    [{}, "Cheapest first"],
    [{ rank_by: "latency", providers: ["a", "b"] }, "Lowest latency first · 2 providers"],
    [{ mode: "provider", providers: ["b", "a"] }, "B > A"],
    [{ mode: "provider" }, "No provider chosen"],
    [{ mode: "byok" }, "BYOK only, ranked"],
    [{ mode: "byok", credentials: ["mine", "spare"] }, "BYOK only: mine > spare"],
  ])("%j reads %s", (route, words) => {
    expect(short(route)).toBe(words);
  });
});

describe("a route step by step", () => {
  it("tells the order of providers, and that nothing follows", () => {
    expect(steps({ mode: "provider", providers: ["b", "a"] })).toEqual([
      "B: your own keys first, then the built-in one.",
      "A: your own keys first, then the built-in one.",
      t.steps.providerEnd,
    ]);
  });

  it("tells whose key a BYOK name is", () => {
    expect(steps({ mode: "byok", credentials: ["mine"] })).toEqual(["mine (north)", t.steps.byokEnd]);
  });

  it("puts tiers in their order, with all others at 0", () => {
    const told = steps({ tiers: { slow: 2, near: -1, here: 0 }, weights: { near: 3 } });
    expect(told.slice(0, 6)).toEqual([
      t.steps.candidatesAll,
      "Tier -1: NEAR.",
      "Tier 0: HERE, and all others.",
      "Tier 2: SLOW.",
      t.steps.rank.price,
      "Of equal rank, shares are NEAR 3; the others have 1.",
    ]);
  });
});

describe("tidying", () => {
  const full = { ...DEFAULT_ROUTE, providers: ["a"], credentials: ["k"], tiers: { a: 1 }, weights: { a: 2 } };
  it("leaves what the mode uses", () => {
    expect(tidyRoute({ ...full, mode: "provider" })).toEqual({
      ...DEFAULT_ROUTE,
      mode: "provider",
      providers: ["a"],
    });
    expect(tidyRoute({ ...full, mode: "byok" })).toEqual({
      ...DEFAULT_ROUTE,
      mode: "byok",
      credentials: ["k"],
    });
    expect(tidyRoute(full)).toEqual({ ...full, credentials: [] });
  });
});
