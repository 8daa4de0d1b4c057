/**
 * Prices as the catalogue writes them, read for the screen: decimal text stays text, what is absent is not known.
 * Amounts of two currencies are never compared.
 */
import { type Fields, fieldsOf, listOf, numberOf, textOf } from "@/gateway/json";

export const TOKEN_KINDS = [
  "input",
  "output",
  "cached_input",
  "explicit_cached_input",
  "cache_write",
  "cache_write_1h",
  "input_image",
  "input_audio",
  "output_audio",
  "reasoning",
] as const;

export type TokenKind = (typeof TOKEN_KINDS)[number];

export interface Tier {
  /** Most input tokens of a request that it holds for; null: any. */
  upTo: number | null;
  outputUpTo: number | null;
  /** Per million tokens. */
  rates: Partial<Record<TokenKind, string>>;
}

export interface TimeWindow {
  name: string;
  utcOffset: string;
  days: string[];
  hours: string[];
  tiers: Tier[];
}

export interface VideoRate {
  rate: string;
  resolutions: string[];
  inputVideo: boolean | null;
  audio: boolean | null;
  variant: string;
}

export interface Terms {
  currency: string;
  source: string;
  date: string;
  since: string;
  until: string;
  tiers: Tier[];
  windows: TimeWindow[];
  perImage: string | null;
  perSecond: [resolution: string, amount: string][];
  perAsset: [variant: string, amount: string][];
  videoTokens: VideoRate[];
}

export interface Price extends Terms {
  /** Of limited times; the first that holds counts instead. */
  dated: Terms[];
}

export function readPrice(price: unknown): Price | null {
  const fields = fieldsOf(price);
  if (textOf(fields.currency) === "") return null;
  return { ...readTerms(fields), dated: listOf(fields.dated).map((each) => readTerms(fieldsOf(each))) };
}

function readTerms(fields: Fields): Terms {
  return {
    currency: textOf(fields.currency),
    source: textOf(fields.source),
    date: textOf(fields.date),
    since: textOf(fields.since),
    until: textOf(fields.until),
    tiers: readTiers(fields.tiers),
    windows: listOf(fields.windows).map((each) => {
      const window = fieldsOf(each);
      return {
        name: textOf(window.name),
        utcOffset: textOf(window.utc_offset),
        days: listOf(window.days).map(textOf),
        hours: listOf(window.hours).map(textOf),
        tiers: readTiers(window.tiers),
      };
    }),
    perImage: textOf(fields.per_image) || null,
    perSecond: readAmounts(fields.per_second),
    perAsset: readAmounts(fields.per_asset),
    videoTokens: listOf(fields.video_tokens).map((each) => {
      const rate = fieldsOf(each);
      return {
        rate: textOf(rate.rate),
        resolutions: listOf(rate.resolutions).map(textOf),
        inputVideo: typeof rate.input_video === "boolean" ? rate.input_video : null,
        audio: typeof rate.audio === "boolean" ? rate.audio : null,
        variant: textOf(rate.variant),
      };
    }),
  };
}

function readTiers(tiers: unknown): Tier[] {
  return listOf(tiers).map((each) => {
    const tier = fieldsOf(each);
    const rates: Tier["rates"] = {};
    for (const kind of TOKEN_KINDS) {
      const rate = textOf(tier[kind]);
      if (rate !== "") rates[kind] = rate;
    }
    return { upTo: numberOf(tier.up_to), outputUpTo: numberOf(tier.output_up_to), rates };
  });
}

function readAmounts(amounts: unknown): [string, string][] {
  return Object.entries(fieldsOf(amounts)).map(([name, amount]) => [name, textOf(amount)]);
}

/** The terms that hold now; null: none does. */
export function termsNow(price: Price, now: Date): Terms | null {
  return [...price.dated, price].find((each) => holds(each, now)) ?? null;
}

function holds(terms: Terms, now: Date): boolean {
  const isBegun = terms.since === "" || new Date(terms.since) <= now;
  return isBegun && (terms.until === "" || now < new Date(terms.until));
}

export type PriceUnit = "tokens" | "video_tokens" | "second" | "image" | "asset";

/** The lowest amounts of a model, in the currency that most of its endpoints have. */
export interface LowestPrice {
  unit: PriceUnit;
  currency: string;
  /** The amount, or the one of input tokens. */
  amount: string;
  /** Of output tokens, at the same endpoint and tier. */
  output: string | null;
  /** Other amounts exist: this is where they begin. */
  isFrom: boolean;
}

interface Offer {
  unit: PriceUnit;
  currency: string;
  amount: string;
  output: string | null;
}

export function lowestPrice(prices: unknown[], now: Date): LowestPrice | null {
  const offers = prices.flatMap((each) => {
    const price = readPrice(each);
    const terms = price && termsNow(price, now);
    return terms ? offersOf(terms) : [];
  });
  const currency = commonest(offers.map((each) => each.currency));
  const fitting = offers.filter((each) => each.currency === currency);
  const [first, ...others] = fitting.toSorted(
    (a, b) => Number(a.amount) - Number(b.amount) || Number(a.output ?? 0) - Number(b.output ?? 0),
  );
  if (!first) return null;
  const isFrom =
    offers.length > fitting.length ||
    others.some((each) => each.amount !== first.amount || each.output !== first.output);
  return { ...first, isFrom };
}

function offersOf(terms: Terms): Offer[] {
  const { currency } = terms;
  const one = (unit: PriceUnit, amount: string): Offer => ({ unit, currency, amount, output: null });
  const tokens = [...terms.tiers, ...terms.windows.flatMap((each) => each.tiers)].flatMap((tier) => {
    const { input, output } = tier.rates;
    return input === undefined
      ? []
      : [{ unit: "tokens" as const, currency, amount: input, output: output ?? null }];
  });
  return [
    ...tokens,
    ...terms.videoTokens.map((each) => one("video_tokens", each.rate)),
    ...terms.perSecond.map(([, amount]) => one("second", amount)),
    ...terms.perAsset.map(([, amount]) => one("asset", amount)),
    ...(terms.perImage === null ? [] : [one("image", terms.perImage)]),
  ];
}

function commonest(names: string[]): string | undefined {
  const count = (name: string) => names.filter((each) => each === name).length;
  return [...new Set(names)].toSorted((a, b) => count(b) - count(a))[0];
}

const SIGNS: Record<string, string> = { CNY: "¥", USD: "$" };

/** Every digit that is written, and two after the point at least: a price is not rounded. */
export function amountText(amount: string, currency: string): string {
  const [units = "0", fraction = ""] = amount.split(".");
  const kept = fraction.replace(/0+$/, "").padEnd(2, "0");
  return `${SIGNS[currency] ?? `${currency} `}${units}.${kept}`;
}
