/** Every column of calls. Which are shown is the reader's choice. */
import { Button, type TableColumnType, Tag } from "antd";
import type { ReactNode } from "react";
import type { UsageCall } from "@/api/schema";
import { useTexts } from "@/app/texts";
import type { Format } from "@/ui/format";
import { Money } from "@/ui/Money";
import { useFormat } from "@/ui/useFormat";
import { OutcomeTag } from "./OutcomeTag";
import { texts } from "./texts";
import { callTexts } from "./texts-calls";
import { tableTexts } from "./texts-tables";

export type CallColumn = keyof (typeof callTexts)["en"]["columns"];

export const USUAL_COLUMNS: readonly CallColumn[] = [
  "at",
  "model",
  "key",
  "outcome",
  "input",
  "output",
  "cost",
  "ttft",
  "duration",
  "provider",
  "request",
];
export const CALL_COLUMNS = Object.keys(callTexts.en.columns) as CallColumn[];

const WIDTHS: Partial<Record<CallColumn, number>> = {
  at: 170,
  model: 220,
  key: 200,
  outcome: 160,
  error: 190,
  endpoint: 300,
  provider: 150,
  media: 150,
  labels: 180,
  request: 290,
  upstream: 260,
  task: 290,
  operation: 140,
  ip: 130,
};
const NUMBERS = new Set<CallColumn>([
  "tokens",
  "input",
  "output",
  "cached",
  "written",
  "reasoning",
  "cost",
  "duration",
  "ttft",
  "attempts",
]);

export function useCallColumns(
  shown: CallColumn[],
  open: (id: string) => void,
): TableColumnType<UsageCall>[] {
  const t = useTexts(callTexts);
  const cells = useCells(open);
  return CALL_COLUMNS.filter((name) => shown.includes(name)).map((name) => ({
    key: name,
    title: t.columns[name],
    width: WIDTHS[name] ?? 110,
    align: NUMBERS.has(name) ? "right" : "left",
    render: (_, call) => cells(name, call),
  }));
}

function useCells(open: (id: string) => void): (name: CallColumn, call: UsageCall) => ReactNode {
  const t = useTexts(callTexts);
  const kinds = useTexts(tableTexts).kinds;
  const sources = useTexts(texts).sources;
  const format = useFormat();
  const cells: Record<CallColumn, (call: UsageCall) => ReactNode> = {
    at: (call) => (
      <Button
        type="link"
        size="small"
        className="usage-only number"
        aria-label={`${format.time(call.at)}: ${t.open(call.id)}`}
        onClick={(event) => {
          event.stopPropagation();
          open(call.id);
        }}
      >
        {format.time(call.at)}
      </Button>
    ),
    model: (call) => call.model || call.model_asked || "-",
    key: (call) => call.key_alias || call.key || "-",
    user: (call) => call.username || call.user || "-",
    outcome: (call) => <OutcomeTag call={call} />,
    status: (call) => (call.status === 0 ? "-" : call.status),
    error: (call) => call.error_code || "-",
    tokens: (call) => format.count(call.tokens),
    input: (call) => format.count(call.input_tokens),
    output: (call) => format.count(call.output_tokens),
    cached: (call) => format.count(call.cached_tokens),
    written: (call) => format.count(call.cache_write_tokens),
    reasoning: (call) => format.count(call.reasoning_tokens),
    media: (call) => mediaWords(call, t, format),
    cost: (call) => <Money amount={call.cost} currency={call.currency} />,
    duration: (call) => format.duration(call.duration_ms),
    ttft: (call) => (call.ttft_ms === null ? "-" : format.duration(call.ttft_ms)),
    attempts: (call) => Math.max(1, call.attempts.length),
    operation: (call) => call.operation,
    interface: (call) => call.interface,
    kind: (call) => kinds[call.kind] ?? (call.kind || "-"),
    endpoint: (call) => <span className="mono">{call.endpoint || "-"}</span>,
    provider: (call) => call.provider || "-",
    source: (call) => sources[call.source],
    stream: (call) => (call.stream ? t.yes : t.no),
    labels: (call) =>
      Object.entries(call.labels).map(([name, value]) => <Tag key={name}>{`${name}=${value}`}</Tag>),
    request: (call) => <span className="mono">{call.id}</span>,
    upstream: (call) => <span className="mono">{call.upstream_request_id || "-"}</span>,
    task: (call) => <span className="mono">{call.task_id || "-"}</span>,
    tenant: (call) => call.tenant,
    ip: (call) => call.client_ip || "-",
  };
  return (name, call) =>
    NUMBERS.has(name) ? <span className="number">{cells[name](call)}</span> : cells[name](call);
}

type MediaWords = { images: string; video: string; assets: string };

function mediaWords(call: UsageCall, words: MediaWords, format: Format): string {
  const several = [
    call.images > 0 ? `${words.images} ${format.count(call.images)}` : "",
    call.video_seconds > 0 ? `${words.video} ${format.count(call.video_seconds)} s` : "",
    call.assets > 0 ? `${words.assets} ${format.count(call.assets)}` : "",
  ].filter(Boolean);
  return several.join(", ") || "-";
}
