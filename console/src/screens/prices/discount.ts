/** A discount in words: how much is taken off, and whether it holds. */
import type { DiscountAnswer } from "@/api/schema";

/** Share of the list price that is taken off; negative: put on top. */
export function shareOff(factor: string): number {
  return Math.round((1 - Number(factor)) * 10_000) / 10_000;
}

export function phaseOf(
  discount: Pick<DiscountAnswer, "since" | "until">,
  now: Date,
): "later" | "holds" | "over" {
  if (new Date(discount.since) > now) return "later";
  return discount.until !== null && new Date(discount.until) <= now ? "over" : "holds";
}
