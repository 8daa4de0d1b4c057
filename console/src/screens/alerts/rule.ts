/** A rule as its form has it, and in one line. */
import type { RuleAnswer, RuleBody } from "@/api/schema";

export type RuleKind = RuleAnswer["kind"];

export const KINDS: readonly RuleKind[] = [
  "error_rate",
  "provider_down",
  "credential_failing",
  "quota_used",
  "budget_used",
  "import_lag",
];

export interface RuleFields {
  name: string;
  kind: RuleKind;
  channels: string[];
  enabled?: boolean;
  /** Of quotas and budgets. */
  percents?: (string | number)[];
  /** Of failures. */
  percent?: number | null;
  minutes?: number | null;
  least?: number | null;
  lag_s?: number | null;
  cooldown_min?: number | null;
  model?: string;
  endpoint?: string;
  provider?: string;
  tenant?: string;
  key?: string;
}

export const NEW_RULE: RuleFields = {
  name: "",
  kind: "error_rate",
  channels: [],
  enabled: true,
  percents: [80, 100],
  percent: 50,
  minutes: 5,
  least: 10,
  lag_s: 300,
  cooldown_min: 60,
  tenant: "default",
};

export function isOfQuota(kind: RuleKind): boolean {
  return kind === "quota_used" || kind === "budget_used";
}

export function toFields(rule: RuleAnswer): RuleFields {
  const { percents, cooldown_s, ...others } = rule;
  return {
    ...NEW_RULE,
    ...others,
    ...(isOfQuota(rule.kind) ? { percents } : { percent: percents[0] ?? 50 }),
    cooldown_min: cooldown_s / 60,
  };
}

/** Only what its kind looks at; the rest is as usual. */
export function ruleBody(fields: RuleFields): RuleBody {
  const { kind } = fields;
  const isQuota = isOfQuota(kind);
  const isLag = kind === "import_lag";
  const percents = isQuota ? (fields.percents ?? []).map(Number) : isLag ? null : [fields.percent ?? 50];
  return {
    name: fields.name.trim(),
    kind,
    channels: fields.channels,
    enabled: fields.enabled ?? true,
    cooldown_s: (fields.cooldown_min ?? 60) * 60,
    model: kind === "error_rate" ? (fields.model?.trim() ?? "") : "",
    endpoint: kind === "error_rate" ? (fields.endpoint?.trim() ?? "") : "",
    provider: kind === "provider_down" ? (fields.provider ?? "") : "",
    tenant: fields.tenant?.trim() || "default",
    key: isQuota ? (fields.key?.trim() ?? "") : "",
    percents,
    minutes: fields.minutes ?? 5,
    least: fields.least ?? 10,
    lag_s: fields.lag_s ?? 300,
  };
}
