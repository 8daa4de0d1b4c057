import { describe, expect, it } from "vitest";
import { amountText, lowestPrice, readPrice, termsNow } from "./price";

const NOW = new Date("2026-06-01T00:00:00Z");

function tokens(currency: string, ...tiers: object[]) {
  return { currency, tiers };
}

describe("the lowest price", () => {
  it("is unknown where none is known", () => {
    expect(lowestPrice([null, undefined, {}], NOW)).toBeNull();
  });

  it("keeps the digits as they were written", () => {
    expect(lowestPrice([tokens("CNY", { input: "0.70", output: "8.0" })], NOW)).toEqual({
      unit: "tokens",
      currency: "CNY",
      amount: "0.70",
      output: "8.0",
      isFrom: false,
    });
  });

  it("says that it is where prices begin", () => {
    const price = tokens("CNY", { up_to: 32000, input: "10", output: "20" }, { input: "9", output: "30" });
    expect(lowestPrice([price], NOW)).toMatchObject({ amount: "9", output: "30", isFrom: true });
  });

  it("compares within the commonest currency", () => {
    const prices = [
      tokens("USD", { input: "1" }),
      tokens("CNY", { input: "7" }),
      tokens("CNY", { input: "8" }),
    ];
    expect(lowestPrice(prices, NOW)).toMatchObject({ currency: "CNY", amount: "7", isFrom: true });
  });

  it.each([
    ["image", { per_image: "0.2" }, "0.2"],
    ["second", { per_second: { "720p": "0.9", "1080p": "1.6" } }, "0.9"],
    ["asset", { per_asset: { default: "1.80" } }, "1.80"],
    ["video_tokens", { video_tokens: [{ rate: "15" }, { rate: "7.5", variant: "flex" }] }, "7.5"],
  ])("is told by the %s", (unit, terms, amount) => {
    expect(lowestPrice([{ currency: "CNY", ...terms }], NOW)).toMatchObject({ unit, amount });
  });

  it("is of what holds now", () => {
    const price = {
      ...tokens("CNY", { input: "4" }),
      dated: [{ ...tokens("CNY", { input: "1" }), until: "2026-05-01T00:00:00Z" }],
    };
    expect(lowestPrice([price], NOW)).toMatchObject({ amount: "4" });
    expect(lowestPrice([price], new Date("2026-04-01T00:00:00Z"))).toMatchObject({ amount: "1" });
  });
});

it("knows that no terms hold", () => {
  const price = readPrice({ ...tokens("CNY", { input: "4" }), since: "2027-01-01T00:00:00Z" });
  expect(price && termsNow(price, NOW)).toBeNull();
});

it.each([
  ["3.125", "¥3.125"],
  ["8", "¥8.00"],
  ["0.10", "¥0.10"],
  ["0.0005", "¥0.0005"],
])("shows %s as %s", (amount, shown) => {
  expect(amountText(amount, "CNY")).toBe(shown);
});
