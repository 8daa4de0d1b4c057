/** Columns of sums: who, then how much. */
import { Button, type TableColumnType, Tag } from "antd";
import type { ReactNode } from "react";
import type { BreakdownRow } from "@/api/schema";
import { useTexts } from "@/app/texts";
import type { Format } from "@/ui/format";
import { useFormat } from "@/ui/useFormat";
import { Amounts } from "./Amounts";
import { dayIn, minuteIn } from "./range";
import type { Dimension, UsageState } from "./state";
import { texts } from "./texts";
import { tableTexts } from "./texts-tables";

type Column = TableColumnType<BreakdownRow>;
type Change = UsageState["change"];

export function useBreakdownColumns(state: UsageState, dimension: Dimension): Column[] {
  const t = useTexts(tableTexts);
  const time: Column = {
    title: t.columns.time,
    key: "time",
    width: state.rows === "hour" ? 150 : state.rows === "day" ? 110 : 190,
    render: (_, row) => <span className="number">{shownTime(state, row)}</span>,
  };
  const who = useNames(state.change);
  const sums = useSums();
  const calls: Column = {
    title: t.columns.calls,
    key: "calls",
    width: 110,
    render: (_, row) => (
      <Button type="link" size="small" onClick={() => state.change(callsOf(row))}>
        {t.showCalls}
      </Button>
    ),
  };
  if (dimension === "details") {
    const { kind, endpoint, model, key, user, labels, source, provider, tenant } = who;
    const { usage, input, output, requests, cost } = sums;
    return [
      time,
      kind,
      endpoint,
      model,
      key,
      user,
      usage,
      input,
      output,
      requests,
      cost,
      labels,
      source,
      provider,
      tenant,
    ];
  }
  const { tokens, cached, written, input, output, requests, failed, cost } = sums;
  const names = dimension === "key" || dimension === "user" ? [who[dimension], who.tenant] : [who[dimension]];
  return [time, ...names, tokens, cached, written, input, output, requests, failed, cost, calls];
}

function shownTime({ range, rows, zone }: UsageState, row: BreakdownRow): ReactNode {
  if (row.start === null) {
    return range.since === range.until ? range.since : `${range.since} - ${range.until.slice(5)}`;
  }
  return rows === "hour" ? minuteIn(zone, row.start) : dayIn(zone, row.start);
}

function callsOf(row: BreakdownRow): Record<string, string | null> {
  const found: Record<string, string | null> = { tab: "calls" };
  for (const name of ["model", "tenant", "key", "user"] as const) {
    const value = row[name];
    if (value) found[name] = value;
  }
  // A tenant is a filter of those who see several; the key's says enough.
  if (found.key || found.user) delete found.tenant;
  return found;
}

function useNames(change: Change) {
  const t = useTexts(tableTexts);
  const words = useTexts(texts);
  const named = (
    name: "model" | "tenant" | "key" | "user" | "provider",
    width: number,
    shown: (row: BreakdownRow) => string | null,
    nobody: string,
  ): Column => ({
    title: t.columns[name],
    key: name,
    width,
    render: (_, row) => {
      const value = row[name];
      if (!value) return <span className="quiet">{nobody}</span>;
      const text = shown(row) || value;
      return <OnlyButton text={text} onClick={() => change({ [name]: value })} />;
    },
  });
  return {
    model: named("model", 230, (row) => row.model, words.noModel),
    tenant: named("tenant", 120, (row) => row.tenant, "-"),
    key: named("key", 210, (row) => row.key_alias, words.nobody),
    user: named("user", 120, (row) => row.username, words.nobody),
    provider: named("provider", 150, (row) => row.provider, "-"),
    kind: {
      title: t.columns.kind,
      key: "kind",
      width: 120,
      render: (_: unknown, row: BreakdownRow) => t.kinds[row.kind ?? ""] ?? row.kind ?? "-",
    } satisfies Column,
    endpoint: {
      title: t.columns.endpoint,
      key: "endpoint",
      width: 300,
      render: (_: unknown, row: BreakdownRow) => <span className="mono">{row.endpoint || "-"}</span>,
    } satisfies Column,
    source: {
      title: t.columns.source,
      key: "source",
      width: 90,
      render: (_: unknown, row: BreakdownRow) => (row.source ? words.sources[row.source] : "-"),
    } satisfies Column,
    labels: {
      title: t.columns.labels,
      key: "labels",
      width: 200,
      render: (_: unknown, row: BreakdownRow) => <Labels labels={row.labels} change={change} />,
    } satisfies Column,
  };
}

function OnlyButton({ text, onClick }: { text: string; onClick: () => void }) {
  const t = useTexts(texts);
  return (
    <Button type="link" size="small" className="usage-only" title={t.only(text)} onClick={onClick}>
      {text}
    </Button>
  );
}

function Labels({ labels, change }: { labels: Record<string, string> | null; change: Change }) {
  const t = useTexts(texts);
  const several = Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`);
  if (several.length === 0) return <span className="quiet">-</span>;
  return several.map((label) => (
    <button
      key={label}
      type="button"
      className="usage-label"
      title={t.only(label)}
      onClick={() => change({ label })}
    >
      <Tag>{label}</Tag>
    </button>
  ));
}

function useSums() {
  const t = useTexts(tableTexts);
  const format = useFormat();
  const sum = (title: string, key: keyof BreakdownRow, width = 110): Column => ({
    title,
    key,
    width,
    align: "right",
    render: (_, row) => <span className="number">{format.count(Number(row[key]))}</span>,
  });
  return {
    tokens: sum(t.columns.tokens, "tokens", 120),
    cached: sum(t.columns.cached, "cached_tokens"),
    written: sum(t.columns.written, "cache_write_tokens"),
    input: sum(t.columns.input, "input_tokens"),
    output: sum(t.columns.output, "output_tokens"),
    requests: sum(t.columns.requests, "requests", 100),
    failed: sum(t.columns.failed, "failed", 90),
    usage: {
      title: t.columns.usage,
      key: "usage",
      width: 150,
      align: "right",
      render: (_: unknown, row: BreakdownRow) => <span className="number">{usageWords(row, t, format)}</span>,
    } satisfies Column,
    cost: {
      title: t.columns.cost,
      key: "cost",
      width: 170,
      align: "right",
      render: (_: unknown, row: BreakdownRow) => (
        <>
          <Amounts amounts={row.cost} unpriced={row.unpriced} />
          {row.unpriced > 0 ? (
            <div className="quiet usage-small">{t.unpricedRows(format.count(row.unpriced))}</div>
          ) : null}
        </>
      ),
    } satisfies Column,
  };
}

/** Whatever was used, each in its own unit. */
function usageWords(row: BreakdownRow, t: (typeof tableTexts)["en"], format: Format): string {
  const words = [
    row.images > 0 ? t.images(format.count(row.images)) : "",
    row.video_seconds > 0 ? t.seconds(format.count(row.video_seconds)) : "",
    row.assets > 0 ? t.assets(format.count(row.assets)) : "",
  ].filter(Boolean);
  if (row.tokens > 0 || words.length === 0) words.unshift(t.tokenCount(format.count(row.tokens)));
  return words.join(", ");
}
