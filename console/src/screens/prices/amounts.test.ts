import { expect, it } from "vitest";
import { addAmounts, addRepriced, NOTHING } from "./amounts";
import { phaseOf, shareOff } from "./discount";

it.each([
  ["0.1", "0.2", "0.3"],
  ["9007199254740993", "0.000000001", "9007199254740993.000000001"],
  ["-1.5", "0.25", "-1.25"],
  ["1", "-1", "0"],
])("%s and %s are %s", (a, b, sum) => {
  expect(addAmounts(a, b)).toBe(sum);
});

it("adds parts endpoint by endpoint, each currency by itself", () => {
  const part = (currency: string, cost: string) => ({
    examined: 2,
    changed: 1,
    kept: 0,
    endpoints: [
      {
        endpoint: "a@m@open_ai",
        records: 1,
        before: { cost: {}, list: {}, unpriced: 1 },
        after: { cost: { [currency]: cost }, list: { [currency]: cost }, unpriced: 0 },
      },
    ],
  });
  const sum = [part("CNY", "0.1"), part("CNY", "0.2"), part("USD", "1")].reduce(addRepriced, NOTHING);
  expect(sum).toMatchObject({ examined: 6, changed: 3 });
  expect(sum.endpoints).toEqual([
    {
      endpoint: "a@m@open_ai",
      records: 3,
      before: { cost: {}, list: {}, unpriced: 3 },
      after: { cost: { CNY: "0.3", USD: "1" }, list: { CNY: "0.3", USD: "1" }, unpriced: 0 },
    },
  ]);
});

it("says how much a discount takes off, and whether it holds", () => {
  expect(shareOff("0.8")).toBe(0.2);
  expect(shareOff("1.1")).toBe(-0.1);
  const now = new Date("2026-06-01T00:00:00Z");
  expect(phaseOf({ since: "2026-07-01T00:00:00Z", until: null }, now)).toBe("later");
  expect(phaseOf({ since: "2026-01-01T00:00:00Z", until: null }, now)).toBe("holds");
  expect(phaseOf({ since: "2026-01-01T00:00:00Z", until: "2026-06-01T00:00:00Z" }, now)).toBe("over");
});
