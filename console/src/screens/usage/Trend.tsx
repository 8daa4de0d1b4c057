import { keepPreviousData } from "@tanstack/react-query";
import { Card, Segmented, Select, Skeleton } from "antd";
import { useCallback, useMemo } from "react";
import { $api } from "@/api/client";
import type { UsageTrend } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Chart } from "@/ui/Chart";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { useFormat } from "@/ui/useFormat";
import { METRICS, type UsageState } from "./state";
import { TrendTable } from "./TrendTable";
import { texts } from "./texts";
import { currenciesOf, isEmptyTrend, type TrendWords, trendOption } from "./trend";

const HEIGHT = 320;

export function Trend({ state }: { state: UsageState }) {
  const t = useTexts(texts);
  const { query, metric, grain, values } = state;
  const split = values.split === "model" ? "model" : "source";
  const asked = $api.useQuery(
    "get",
    "/usage/trend",
    { params: { query: { ...query, metric, grain, by: split } } },
    { placeholderData: keepPreviousData },
  );
  const trend = asked.data;
  const currencies = trend?.metric === "cost" ? currenciesOf(trend) : [];
  const currency = currencies.find((each) => each === values.currency) ?? currencies[0] ?? "";
  return (
    <Card size="small" role="group" aria-label={t.trend}>
      <div className="usage-panel-head">
        <h2>{t.trend}</h2>
        <TrendTools state={state} split={split} currencies={currencies} currency={currency} />
      </div>
      <div style={{ minHeight: HEIGHT + 26 }}>
        {asked.error ? (
          <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />
        ) : trend === undefined ? (
          <Skeleton.Node active style={{ width: "100%", height: HEIGHT }} />
        ) : isEmptyTrend(trend) ? (
          <Empty title={t.emptyTitle} hint={t.emptyHint} />
        ) : (
          <Shown state={state} trend={trend} currency={currency} />
        )}
      </div>
    </Card>
  );
}

function Shown({ state, trend, currency }: { state: UsageState; trend: UsageTrend; currency: string }) {
  const t = useTexts(texts);
  const { range, change } = state;
  const words = useTrendWords(trend.metric, currency);
  const option = useMemo(() => trendOption(trend, currency, words), [trend, currency, words]);
  const openDay = useCallback(
    (_: string, name: string) => {
      const day = name.slice(0, 10);
      change({ range: null, since: day, until: day, grain: null });
    },
    [change],
  );
  if (state.values.view === "table") {
    return <TrendTable trend={trend} currency={currency} words={words} onOpen={openDay} />;
  }
  const span = t.span(range.since, range.until, range.days);
  return (
    <>
      <Chart
        option={option}
        height={HEIGHT}
        label={t.trendLabel(t.metrics[trend.metric], t.grains[trend.grain], span)}
        onPick={openDay}
      />
      <div className="quiet" style={{ fontSize: 12 }}>
        {t.trendHint}
      </div>
    </>
  );
}

interface ToolsProps {
  state: UsageState;
  split: "source" | "model";
  currencies: string[];
  currency: string;
}

function TrendTools({ state, split, currencies, currency }: ToolsProps) {
  const t = useTexts(texts);
  const { metric, change, values } = state;
  return (
    <div className="usage-panel-tools">
      <Segmented
        size="small"
        aria-label={t.metric}
        value={metric}
        options={METRICS.map((value) => ({ value, label: t.metrics[value] }))}
        onChange={(value) => change({ metric: value })}
      />
      {currencies.length > 1 ? (
        <Segmented
          size="small"
          aria-label={t.currency}
          value={currency}
          options={currencies}
          onChange={(value) => change({ currency: value })}
        />
      ) : null}
      <Select
        size="small"
        aria-label={t.split}
        value={split}
        options={(["source", "model"] as const).map((value) => ({ value, label: t.splits[value] }))}
        style={{ width: 136 }}
        onChange={(value) => change({ split: value === "source" ? null : value })}
      />
      <Segmented
        size="small"
        aria-label={t.view}
        value={values.view === "table" ? "table" : "chart"}
        options={(["chart", "table"] as const).map((value) => ({ value, label: t.views[value] }))}
        onChange={(value) => change({ view: value === "chart" ? null : value })}
      />
    </div>
  );
}

function useTrendWords(metric: UsageTrend["metric"], currency: string): TrendWords {
  const t = useTexts(texts);
  const format = useFormat();
  return useMemo(
    () => ({
      series: (name) => (name === "system" || name === "byok" ? t.sources[name] : name || t.others),
      amount: (text) => (metric === "cost" ? format.money(text, currency) : format.count(Number(text))),
      axis: (value) => format.short(value),
    }),
    [t, format, metric, currency],
  );
}
