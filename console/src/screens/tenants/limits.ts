/** Limits as the form edits them. */
import type { LimitsBody } from "@/api/schema";
import { linesOf, type QuotaLine, quotasOf } from "../keys/parts/quota";

export interface LimitsFields {
  quotas: QuotaLine[];
  rpm?: number | null;
  tpm?: number | null;
  concurrency?: number | null;
}

export function fieldsOf(limits: LimitsBody): LimitsFields {
  const { quotas = [], rpm, tpm, concurrency } = limits;
  return { quotas: linesOf(quotas), rpm, tpm, concurrency };
}

export function limitsOf({ quotas, rpm, tpm, concurrency }: LimitsFields): LimitsBody {
  return {
    quotas: quotasOf(quotas),
    rpm: rpm ?? null,
    tpm: tpm ?? null,
    concurrency: concurrency ?? null,
  };
}
