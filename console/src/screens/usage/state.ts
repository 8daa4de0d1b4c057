/** What the address says about usage: the time, filters, what is open. Everything on the screen is asked for with it. */
import { useMemo } from "react";
import type { Outcome, paths } from "@/api/schema";
import { useUrlState } from "@/ui/useUrlState";
import { MOST_DAYS_BY_HOURS, type Range, readRange, todayIn } from "./range";

export type UsageQuery = NonNullable<paths["/usage/summary"]["get"]["parameters"]["query"]>;
export type CallQuery = NonNullable<paths["/usage/calls"]["get"]["parameters"]["query"]>;

export const METRICS = ["cost", "tokens", "requests"] as const;
export type Metric = (typeof METRICS)[number];
export type Grain = "day" | "hour";
export type RowGrain = "whole" | Grain;

export const DIMENSIONS = ["model", "tenant", "key", "user", "details"] as const;
export type Dimension = (typeof DIMENSIONS)[number];
export type Tab = Dimension | "calls";

export const FILTERS = ["model", "provider", "key", "user", "source", "label", "tenant"] as const;
export const CALL_FILTERS = ["outcome", "request_id", "upstream_request_id", "task_id"] as const;
export const OUTCOMES = [
  "ok",
  "refused_upstream",
  "refused",
  "upstream_failed",
  "broken_stream",
  "client_gone",
  "gateway_error",
  "lost",
] as const satisfies readonly Outcome[];

export interface UsageState {
  values: Record<string, string>;
  change: (changes: Record<string, string | null | undefined>) => void;
  range: Range;
  zone: string;
  metric: Metric;
  grain: Grain;
  rows: RowGrain;
  tab: Tab;
  query: UsageQuery;
  calls: CallQuery;
}

export function useUsageState(zone: string): UsageState {
  const [values, change] = useUrlState();
  const written = JSON.stringify(values);
  const today = todayIn(zone, new Date());
  // biome-ignore lint/correctness/useExhaustiveDependencies: `written` is what `values` holds
  return useMemo(() => ({ ...readState(values, zone, today), change }), [written, zone, today, change]);
}

export function readState(
  values: Record<string, string>,
  zone: string,
  today: string,
): Omit<UsageState, "change"> {
  const range = readRange(values, today);
  const tab = [...DIMENSIONS, "calls" as const].find((each) => each === values.tab) ?? "model";
  const query = readQuery(values, range);
  return {
    values,
    range,
    zone,
    tab,
    query,
    metric: METRICS.find((each) => each === values.metric) ?? "tokens",
    grain: readGrain(values.grain, range),
    rows: readRows(values.rows, tab),
    calls: { ...query, ...readCalls(values) },
  };
}

function readQuery(values: Record<string, string>, range: Range): UsageQuery {
  const { source } = values;
  return {
    since: range.since,
    until: range.until,
    model: values.model,
    provider: values.provider,
    key: values.key,
    user: values.user,
    tenant: values.tenant,
    source: source === "system" || source === "byok" ? source : undefined,
    label: values.label ? [values.label] : undefined,
  };
}

function readCalls(values: Record<string, string>): CallQuery {
  const outcomes = readOutcomes(values.outcome);
  return {
    outcome: outcomes.length > 0 ? outcomes : undefined,
    request_id: values.request_id,
    upstream_request_id: values.upstream_request_id,
    task_id: values.task_id,
  };
}

export function readOutcomes(text: string | undefined): Outcome[] {
  const named = (text ?? "").split(",");
  return OUTCOMES.filter((each) => named.includes(each));
}

function readGrain(text: string | undefined, range: Range): Grain {
  if (range.days > MOST_DAYS_BY_HOURS) return "day";
  if (text === "day" || text === "hour") return text;
  return range.days <= 2 ? "hour" : "day";
}

function readRows(text: string | undefined, tab: Tab): RowGrain {
  if (text === "whole" || text === "day" || text === "hour") return text;
  return tab === "details" ? "day" : "whole";
}

/** As an address takes it: lists are repeated names. */
export function searchOf(
  query: Record<string, string | string[] | number | null | undefined>,
): [string, string][] {
  return Object.entries(query).flatMap(([name, value]): [string, string][] => {
    if (value === null || value === undefined || value === "") return [];
    return Array.isArray(value) ? value.map((each) => [name, each]) : [[name, String(value)]];
  });
}
