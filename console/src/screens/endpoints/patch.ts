/** A change of an endpoint, made of what a form was and what it is. */
import { type Entry, readEntry } from "@/screens/platform/entryJson";

export interface EndpointFields {
  upstream?: string;
  rpm?: number | null;
  tpm?: number | null;
  concurrency?: number | null;
  /** As JSON. */
  price?: string;
}

export interface Patch {
  upstream?: string | null;
  limits?: { rpm: number | null; tpm: number | null; concurrency: number | null } | null;
  price?: Entry | null;
}

export function toPatch(before: EndpointFields, after: EndpointFields): Patch {
  const patch: Patch = {};
  const upstream = after.upstream?.trim() ?? "";
  if (upstream !== (before.upstream ?? "")) patch.upstream = upstream || null;
  const limits = { rpm: after.rpm ?? null, tpm: after.tpm ?? null, concurrency: after.concurrency ?? null };
  const isLimited = Object.values(limits).some((each) => each !== null);
  if (
    limits.rpm !== (before.rpm ?? null) ||
    limits.tpm !== (before.tpm ?? null) ||
    limits.concurrency !== (before.concurrency ?? null)
  ) {
    patch.limits = isLimited ? limits : null;
  }
  if ((after.price ?? "").trim() !== (before.price ?? "")) {
    const read = readEntry(after.price ?? "");
    const price = "entry" in read ? read.entry : {};
    patch.price = Object.keys(price).length > 0 ? price : null;
  }
  return patch;
}

export const PRICE_EXAMPLES = {
  perTokens: { currency: "CNY", tiers: [{ input: "2.4", output: "9.6", cached_input: "0.48" }] },
  perImage: { currency: "CNY", per_image: "0.2" },
  perSecond: { currency: "CNY", per_second: { "720p": "0.9", "1080p": "1.6" } },
} satisfies Record<string, Entry>;
