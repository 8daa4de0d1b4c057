import { describe, expect, it } from "vitest";
import { doubledLine, freeLine, type QuotaLine, quotasOf, shareOf } from "./quota";

const line = (unit: QuotaLine["unit"], period: QuotaLine["period"], limit: QuotaLine["limit"] = 1) => ({
  unit,
  period,
  limit,
});

describe("quotas", () => {
  it("keep money as text and tokens as numbers, and leave out what says nothing", () => {
    const lines = [
      line("tokens", "daily", 5),
      line("CNY", "total", "9007199254740993.01"),
      line("USD", "daily", null),
    ];
    expect(quotasOf(lines)).toEqual([
      { unit: "tokens", period: "daily", limit: 5 },
      { unit: "CNY", period: "total", limit: "9007199254740993.01" },
    ]);
  });

  it("write small money without an exponent", () => {
    expect(quotasOf([line("USD", "daily", "1e-7")])[0]?.limit).toBe("0.0000001");
  });

  it("find a free place, and one that is taken twice", () => {
    expect(freeLine([line("tokens", "monthly")])).toMatchObject({ unit: "tokens", period: "daily" });
    expect(doubledLine([line("tokens", "daily"), line("CNY", "daily"), line("tokens", "daily")])).toBe(2);
    expect(doubledLine([line("tokens", "daily")])).toBe(-1);
  });

  it("know their used share, or that it is not known", () => {
    const quota = { unit: "CNY", period: "daily", limit: "10.00" } as const;
    expect(shareOf({ ...quota, used: "2.5" })).toBe(0.25);
    expect(shareOf({ ...quota, used: "12" })).toBe(1);
    expect(shareOf({ ...quota, used: null })).toBeNull();
  });
});
