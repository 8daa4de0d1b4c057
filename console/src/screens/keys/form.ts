/** A key as its form edits it, and the bodies that the admin API takes. Pure. */
import dayjs, { type Dayjs } from "dayjs";
import type { KeyCreate, KeyPatch, KeyView, LimitsBody, Period } from "@/api/schema";
import { linesOf, type QuotaLine, quotasOf } from "./parts/quota";
import { type Route, tidyRoute } from "./parts/route";

export interface LimitValues {
  /** The usual quota: tokens in one period. */
  period: Period;
  tokens: number | null;
  /** The others. */
  quotas: QuotaLine[];
  rpm: number | null;
  tpm: number | null;
  concurrency: number | null;
}

export interface KeyValues extends LimitValues {
  alias: string;
  models: string[];
  networks: string[];
  expires_at: Dayjs | null;
  /** `name=value` */
  labels: string[];
  /** Null: the tenant's default, for a new key. */
  route: Route | null;
}

export const NO_LIMITS: LimitValues = {
  period: "monthly",
  tokens: null,
  quotas: [],
  rpm: null,
  tpm: null,
  concurrency: null,
};

export const NEW_KEY: KeyValues = {
  ...NO_LIMITS,
  alias: "",
  models: [],
  networks: [],
  expires_at: null,
  labels: [],
  route: null,
};

export function valuesOf(key: KeyView): KeyValues {
  const { quotas } = key.limits;
  const first = quotas.find((quota) => quota.unit === "tokens");
  return {
    alias: key.alias,
    period: first?.period ?? "monthly",
    tokens: first === undefined ? null : Number(first.limit),
    quotas: linesOf(quotas.filter((quota) => quota !== first)),
    rpm: key.limits.rpm,
    tpm: key.limits.tpm,
    concurrency: key.limits.concurrency,
    models: key.models,
    networks: key.networks,
    expires_at: key.expires_at ? dayjs(key.expires_at) : null,
    labels: Object.entries(key.labels).map(([name, value]) => `${name}=${value}`),
    route: null,
  };
}

export function linesIn(values: LimitValues): QuotaLine[] {
  return [{ unit: "tokens", period: values.period, limit: values.tokens }, ...values.quotas];
}

export function limitsOf(values: LimitValues): LimitsBody {
  const { rpm, tpm, concurrency } = values;
  return { quotas: quotasOf(linesIn(values)), rpm, tpm, concurrency };
}

export function hasLimits(limits: LimitsBody): boolean {
  const { quotas = [], rpm, tpm, concurrency } = limits;
  return quotas.length > 0 || [rpm, tpm, concurrency].some((rate) => rate !== null && rate !== undefined);
}

/** `name=value` texts as an object. The value may hold further `=`. */
export function labelsOf(texts: string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
    }),
  );
}

/** The first that is no `name=value`. */
export function badLabel(texts: string[]): string | undefined {
  return texts.find((text) => text.indexOf("=") < 1 || text.trim().startsWith("="));
}

/** What is left empty is left out: the tenant's defaults apply. */
export function createBody(values: KeyValues): KeyCreate {
  const limits = limitsOf(values);
  return {
    alias: values.alias.trim(),
    ...(hasLimits(limits) ? { limits } : {}),
    ...(values.route ? { route: tidyRoute(values.route) } : {}),
    ...(values.models.length > 0 ? { models: values.models } : {}),
    ...(values.networks.length > 0 ? { networks: values.networks } : {}),
    ...(values.expires_at ? { expires_at: values.expires_at.toISOString() } : {}),
    ...(values.labels.length > 0 ? { labels: labelsOf(values.labels) } : {}),
  };
}

/** Only what differs: what is not named is not checked again, and stays as it is. */
export function patchBody(key: KeyView, values: KeyValues): KeyPatch {
  const before = wholeBody(valuesOf(key));
  const after = wholeBody(values);
  const isChanged = (name: keyof typeof after) =>
    JSON.stringify(before[name]) !== JSON.stringify(after[name]);
  const names = (Object.keys(after) as (keyof typeof after)[]).filter(isChanged);
  return Object.fromEntries(names.map((name) => [name, after[name]]));
}

function wholeBody(values: KeyValues) {
  return {
    alias: values.alias.trim(),
    limits: limitsOf(values),
    models: values.models,
    networks: values.networks,
    expires_at: values.expires_at?.toISOString() ?? null,
    labels: labelsOf(values.labels),
  };
}
