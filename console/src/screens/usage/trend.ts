/** The trend as a chart: a bar for each day or hour, stacked by source or model, with a bar below to look closer. */
import type { EChartsCoreOption } from "echarts/core";
import type { UsageTrend } from "@/api/schema";
import { minuteIn } from "./range";

export interface TrendWords {
  series: (name: string) => string;
  /** Amounts as decimal text, other numbers as they are. */
  amount: (text: string) => string;
  axis: (value: number) => string;
}

export function currenciesOf(trend: UsageTrend): string[] {
  return [...new Set(trend.series.flatMap((each) => Object.keys(each.costs)))].sort();
}

/** Numbers of one series as text: cost keeps every digit. */
export function textsOf(trend: UsageTrend, series: UsageTrend["series"][number], currency: string): string[] {
  if (trend.metric !== "cost") return series.values.map(String);
  return costsOf(series, currency) ?? trend.starts.map(() => "0");
}

export function startName(trend: UsageTrend, start: string): string {
  const minute = minuteIn(trend.timezone, start);
  return trend.grain === "day" ? minute.slice(0, 10) : minute;
}

export function isEmptyTrend(trend: UsageTrend): boolean {
  return trend.series.every(
    (each) => each.values.every((value) => value === 0) && Object.keys(each.costs).length === 0,
  );
}

export function trendOption(trend: UsageTrend, currency: string, words: TrendWords): EChartsCoreOption {
  const series = trend.series.map((each) => {
    const shown = textsOf(trend, each, currency);
    return {
      type: "bar",
      name: words.series(each.name),
      stack: "all",
      barMaxWidth: 32,
      data: shown.map(Number),
      tooltip: { valueFormatter: (_: unknown, place: number) => words.amount(shown[place] ?? "0") },
    };
  });
  return {
    animation: false,
    grid: {
      left: 8,
      right: 8,
      top: 36,
      bottom: 48,
      outerBoundsMode: "same",
      outerBoundsContain: "axisLabel",
    },
    legend: { type: "scroll", top: 0, left: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10 },
    tooltip: { trigger: "axis", confine: true, axisPointer: { type: "shadow" } },
    xAxis: {
      type: "category",
      data: trend.starts.map((start) => startName(trend, start)),
      axisLabel: { formatter: (name: string) => name.slice(5), hideOverlap: true },
      axisTick: { show: false },
    },
    yAxis: { type: "value", axisLabel: { formatter: words.axis }, splitNumber: 4 },
    dataZoom: [{ type: "slider", height: 20, bottom: 8, brushSelect: false, showDetail: false }],
    series,
  };
}

function costsOf(series: UsageTrend["series"][number], currency: string): string[] | undefined {
  return Object.entries(series.costs).find(([name]) => name === currency)?.[1];
}
