import { expect, it } from "vitest";
import { toPatch } from "./patch";

const before = { upstream: "qwen-max", rpm: 60, tpm: null, concurrency: null, price: "" };

it("sends nothing that stayed", () => {
  expect(toPatch(before, { ...before })).toEqual({});
});

it("sends what changed", () => {
  const after = { ...before, upstream: " ep-1 ", rpm: 30, price: '{"currency":"CNY","per_image":"0.2"}' };
  expect(toPatch(before, after)).toEqual({
    upstream: "ep-1",
    limits: { rpm: 30, tpm: null, concurrency: null },
    price: { currency: "CNY", per_image: "0.2" },
  });
});

it("sends null for what was emptied: as it was built in", () => {
  const priced = { ...before, price: '{"currency":"CNY"}' };
  expect(toPatch(priced, { ...priced, upstream: "", rpm: null, price: " " })).toEqual({
    upstream: null,
    limits: null,
    price: null,
  });
});
