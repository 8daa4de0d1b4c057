/** The four sums, each with what it is made of and its change against the time before. */
import { Card, Skeleton, Tooltip } from "antd";
import type { ReactNode } from "react";
import type { UsageSummary } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { useFormat } from "@/ui/useFormat";
import { Amounts } from "./Amounts";
import { Change } from "./Change";
import { dayIn } from "./range";
import { texts } from "./texts";

interface CardProps {
  title: string;
  value: ReactNode;
  change: ReactNode;
  parts?: { id: string; name: ReactNode; value: ReactNode }[];
  note?: ReactNode;
}

export function Cards({ summary }: { summary: UsageSummary | undefined }) {
  if (summary === undefined) {
    return (
      <div className="usage-cards">
        {["tokens", "requests", "cost", "average"].map((name) => (
          <Card key={name} size="small" className="usage-card" style={{ minHeight: 158 }}>
            <Skeleton active paragraph={{ rows: 3 }} />
          </Card>
        ))}
      </div>
    );
  }
  return (
    <div className="usage-cards">
      <TokensCard summary={summary} />
      <RequestsCard summary={summary} />
      <CostCard summary={summary} />
      <AverageCard summary={summary} />
    </div>
  );
}

function TokensCard({ summary }: { summary: UsageSummary }) {
  const t = useTexts(texts);
  const format = useFormat();
  const { tokens } = summary;
  return (
    <SumCard
      title={t.tokens}
      value={<Tooltip title={format.count(tokens.total)}>{format.short(tokens.total)}</Tooltip>}
      change={<Change percent={tokens.change} before={before(summary)} />}
      parts={[
        { id: "system", name: t.sources.system, value: format.count(tokens.system) },
        { id: "byok", name: t.sources.byok, value: format.count(tokens.byok) },
      ]}
    />
  );
}

function RequestsCard({ summary }: { summary: UsageSummary }) {
  const t = useTexts(texts);
  const format = useFormat();
  const { requests } = summary;
  const rate = (percent: number | null) => (percent === null ? "-" : format.percent(percent / 100));
  const parts: CardProps["parts"] = [
    { id: "system", name: t.sources.system, value: format.count(requests.system) },
    { id: "byok", name: t.sources.byok, value: format.count(requests.byok) },
    {
      id: "success",
      name: t.success,
      value: `${rate(requests.success_rate)} (${format.count(requests.succeeded)})`,
    },
    {
      id: "failure",
      name: t.failure,
      value: `${rate(requests.failure_rate)} (${format.count(requests.failed)})`,
    },
  ];
  if (requests.abandoned > 0) {
    parts.push({
      id: "abandoned",
      name: <Tooltip title={t.abandonedHint}>{t.abandoned}</Tooltip>,
      value: format.count(requests.abandoned),
    });
  }
  return (
    <SumCard
      title={t.requests}
      value={<Tooltip title={format.count(requests.total)}>{format.short(requests.total)}</Tooltip>}
      change={<Change percent={requests.change} before={before(summary)} />}
      parts={parts}
      note={requests.estimated > 0 ? t.estimated(format.count(requests.estimated)) : null}
    />
  );
}

function CostCard({ summary }: { summary: UsageSummary }) {
  const t = useTexts(texts);
  const format = useFormat();
  const { cost } = summary;
  return (
    <SumCard
      title={t.cost}
      value={<Amounts amounts={cost.total} unpriced={cost.unpriced} />}
      change={<Changes changes={cost.change} before={before(summary)} />}
      parts={[
        { id: "system", name: t.systemCost, value: <Amounts amounts={cost.system} /> },
        {
          id: "byok",
          name: <Tooltip title={t.byokHint}>{t.byokCost}</Tooltip>,
          value: <Amounts amounts={cost.byok} />,
        },
      ]}
      note={cost.unpriced > 0 ? t.unpriced(format.count(cost.unpriced)) : null}
    />
  );
}

function AverageCard({ summary }: { summary: UsageSummary }) {
  const t = useTexts(texts);
  const { average, cost } = summary;
  return (
    <SumCard
      title={t.average}
      value={<Amounts amounts={average.total} unpriced={cost.unpriced} />}
      change={<Changes changes={average.change} before={before(summary)} />}
      note={t.averageHint}
    />
  );
}

function Changes({ changes, before }: { changes: Record<string, number | null>; before: string }) {
  const several = Object.entries(changes);
  if (several.length < 2) return <Change percent={several[0]?.[1]} before={before} />;
  return (
    <span className="usage-amounts">
      {several.map(([currency, percent]) => (
        <span key={currency}>
          <span className="quiet">{currency}</span> <Change percent={percent} before={before} />
        </span>
      ))}
    </span>
  );
}

function SumCard({ title, value, change, parts, note }: CardProps) {
  return (
    <Card size="small" className="usage-card" role="group" aria-label={title}>
      <h2>{title}</h2>
      <div className="usage-card-value number">{value}</div>
      <div>{change}</div>
      {parts ? (
        <dl className="usage-parts">
          {parts.map((part) => (
            <div key={part.id} className="usage-part">
              <dt>{part.name}</dt>
              <dd className="number">{part.value}</dd>
            </div>
          ))}
        </dl>
      ) : null}
      {note ? (
        <p className="quiet" style={{ margin: "8px 0 0", fontSize: 12 }}>
          {note}
        </p>
      ) : null}
    </Card>
  );
}

function before(summary: UsageSummary): string {
  return dayIn(summary.timezone, summary.before);
}
