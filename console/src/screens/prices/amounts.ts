/** Sums of re-pricing that come in parts. Money is decimal text of at most nine digits after the point; no float. */
import type { PricedSum, RepricedAnswer, RepricedEndpoint } from "@/api/schema";

const DIGITS = 9;
const UNIT = 10n ** BigInt(DIGITS);

export function addAmounts(a: string, b: string): string {
  const sum = toNano(a) + toNano(b);
  const positive = sum < 0n ? -sum : sum;
  const fraction = (positive % UNIT).toString().padStart(DIGITS, "0").replace(/0+$/, "");
  return `${sum < 0n ? "-" : ""}${positive / UNIT}${fraction ? `.${fraction}` : ""}`;
}

function toNano(text: string): bigint {
  const [units = "0", fraction = ""] = text.replace("-", "").split(".");
  const nano = BigInt(units) * UNIT + BigInt(fraction.padEnd(DIGITS, "0").slice(0, DIGITS));
  return text.startsWith("-") ? -nano : nano;
}

export type Repriced = Omit<RepricedAnswer, "next_cursor">;

export const NOTHING: Repriced = { examined: 0, changed: 0, kept: 0, endpoints: [] };

export function addRepriced(a: Repriced, b: Repriced): Repriced {
  const all = new Map<string, RepricedEndpoint>();
  for (const one of [...a.endpoints, ...b.endpoints]) {
    const before = all.get(one.endpoint);
    all.set(one.endpoint, before ? addEndpoint(before, one) : one);
  }
  return {
    examined: a.examined + b.examined,
    changed: a.changed + b.changed,
    kept: a.kept + b.kept,
    endpoints: [...all.values()],
  };
}

function addEndpoint(a: RepricedEndpoint, b: RepricedEndpoint): RepricedEndpoint {
  return {
    endpoint: a.endpoint,
    records: a.records + b.records,
    before: addSums(a.before, b.before),
    after: addSums(a.after, b.after),
  };
}

function addSums(a: PricedSum, b: PricedSum): PricedSum {
  return {
    cost: addCurrencies(a.cost, b.cost),
    list: addCurrencies(a.list, b.list),
    unpriced: a.unpriced + b.unpriced,
  };
}

function addCurrencies(a: PricedSum["cost"], b: PricedSum["cost"]): PricedSum["cost"] {
  const sum = { ...a };
  for (const [currency, amount] of Object.entries(b)) {
    sum[currency] = addAmounts(sum[currency] ?? "0", amount);
  }
  return sum;
}
