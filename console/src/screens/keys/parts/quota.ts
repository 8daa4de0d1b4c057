/** Quotas as a form edits them. Amounts of tokens are whole numbers, money is decimal text that no float touches. */
import type { Period, QuotaBody, QuotaUse, Unit } from "@/api/schema";

export const PERIODS: Period[] = ["daily", "weekly", "monthly", "total"];
export const UNITS: Unit[] = ["tokens", "CNY", "USD"];

/** A line of the editor; without a limit nothing is said yet. */
export interface QuotaLine {
  unit: Unit;
  period: Period;
  limit: string | number | null;
}

/** Lines that say something, as the API takes them. */
export function quotasOf(lines: QuotaLine[]): QuotaBody[] {
  return lines.flatMap(({ unit, period, limit }) =>
    limit === null || limit === ""
      ? []
      : [{ unit, period, limit: unit === "tokens" ? Number(limit) : plain(limit) }],
  );
}

export function linesOf(quotas: { unit: Unit; period: Period; limit: string | number }[]): QuotaLine[] {
  return quotas.map(({ unit, period, limit }) => ({ unit, period, limit }));
}

/** Decimal text without an exponent, at most nine digits after the point. */
function plain(limit: string | number): string {
  const text = String(limit);
  if (!/e/i.test(text)) return text;
  return Number(text)
    .toFixed(9)
    .replace(/\.?0+$/, "");
}

/** The first unit and period that has no line; null: all have one. */
export function freeLine(lines: QuotaLine[]): QuotaLine | null {
  for (const unit of UNITS) {
    for (const period of ["monthly", "daily", "weekly", "total"] as const) {
      if (!lines.some((line) => line.unit === unit && line.period === period)) {
        return { unit, period, limit: null };
      }
    }
  }
  return null;
}

/** Index of the first line whose unit and period another one before it has; -1: none. */
export function doubledLine(lines: QuotaLine[]): number {
  return lines.findIndex((line, index) =>
    lines.slice(0, index).some((other) => other.unit === line.unit && other.period === line.period),
  );
}

/** Used share of a quota, 0 to 1; null: not known. */
export function shareOf(quota: QuotaUse): number | null {
  if (quota.used === null || quota.used === undefined) return null;
  const limit = Number(quota.limit);
  return limit > 0 ? Math.min(1, Number(quota.used) / limit) : 1;
}
