import { describe, expect, it } from "vitest";
import { makeFormat, readableAmount } from "./format";

describe("money", () => {
  it.each([
    ["0", "0.00"],
    ["1.2", "1.20"],
    ["1234567.891", "1,234,567.89"],
    ["1.995", "2.00"],
    ["999.999", "1,000.00"],
    ["0.000012345", "0.00001235"],
    ["0.5", "0.50"],
    ["-0.25", "-0.25"],
    ["9007199254740993.01", "9,007,199,254,740,993.01"],
  ])("shows %s as %s", (amount, shown) => {
    expect(readableAmount(amount)).toBe(shown);
  });

  it("has the sign of its currency", () => {
    expect(makeFormat("en").money("3.1", "CNY")).toBe("¥3.10");
    expect(makeFormat("en").money("3.1", "USD")).toBe("$3.10");
  });
});

describe("durations", () => {
  it.each([
    [12.4, "12 ms"],
    [1240, "1.24 s"],
    [125_000, "2 min 5 s"],
    [7_320_000, "2 h 2 min"],
  ])("shows %s ms as %s", (milliseconds, shown) => {
    expect(makeFormat("en").duration(milliseconds)).toBe(shown);
  });
});
