/** Who uses most. A click shows only theirs. */
import { keepPreviousData } from "@tanstack/react-query";
import { Card, Select, Skeleton } from "antd";
import { $api } from "@/api/client";
import type { TopRow, UsageTop } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { useFormat } from "@/ui/useFormat";
import type { UsageState } from "./state";
import { texts } from "./texts";

const RANKED = ["model", "key", "user", "provider"] as const;

export function Top({ state }: { state: UsageState }) {
  const t = useTexts(texts);
  const { query, metric, values, change } = state;
  const by = RANKED.find((each) => each === values.top) ?? "model";
  const currency = values.currency === "CNY" || values.currency === "USD" ? values.currency : undefined;
  const asked = $api.useQuery(
    "get",
    "/usage/top",
    { params: { query: { ...query, by, metric, currency: metric === "cost" ? currency : undefined } } },
    { placeholderData: keepPreviousData },
  );
  return (
    <Card size="small" role="group" aria-label={t.top}>
      <div className="usage-panel-head">
        <h2>
          {t.top}
          {asked.data?.currency ? <span className="quiet"> {asked.data.currency}</span> : null}
        </h2>
        <Select
          size="small"
          aria-label={t.topBy}
          value={by}
          options={RANKED.map((value) => ({ value, label: t.topOf[value] }))}
          style={{ width: 112 }}
          onChange={(value) => change({ top: value === "model" ? null : value })}
        />
      </div>
      {asked.error ? (
        <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />
      ) : asked.data === undefined ? (
        <Skeleton active paragraph={{ rows: 8 }} title={false} />
      ) : asked.data.data.length === 0 ? (
        <Empty title={t.emptyTitle} />
      ) : (
        <ol className="usage-top">
          {asked.data.data.map((row) => (
            <TopLine key={row.id} row={row} top={asked.data} onOnly={() => change({ [by]: row.id })} />
          ))}
        </ol>
      )}
    </Card>
  );
}

function TopLine({ row, top, onOnly }: { row: TopRow; top: UsageTop; onOnly: () => void }) {
  const t = useTexts(texts);
  const format = useFormat();
  const name = row.name || row.id || t.nobody;
  return (
    <li>
      <button
        type="button"
        disabled={row.id === ""}
        title={row.id ? t.only(name) : undefined}
        onClick={onOnly}
      >
        <span className="usage-top-bar" style={{ width: `${row.share ?? 0}%` }} />
        <span className="usage-top-name">{name}</span>
        <span className="number">{shownAmount(row, top, format)}</span>
        <span className="quiet number">{row.share === null ? "" : format.percent(row.share / 100)}</span>
      </button>
    </li>
  );
}

function shownAmount(row: TopRow, top: UsageTop, format: ReturnType<typeof useFormat>): string {
  if (top.metric !== "cost") return format.short(row[top.metric]);
  const amount = top.currency ? row.cost[top.currency] : undefined;
  return top.currency && amount !== undefined ? format.money(amount, top.currency) : "-";
}
