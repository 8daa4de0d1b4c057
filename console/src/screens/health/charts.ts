/** Charts of one endpoint, made of its points. */
import type { EChartsCoreOption } from "echarts/core";
import type { MonitoringPoint } from "@/api/schema";

export interface ChartSeries {
  name: string;
  value: (point: MonitoringPoint) => number | null;
  color?: string;
}

export function seriesOption(
  points: MonitoringPoint[],
  series: ChartSeries[],
  kind: "bar" | "line",
  label: (start: string) => string,
): EChartsCoreOption {
  return {
    animation: false,
    tooltip: { trigger: "axis" },
    legend: { top: 0, type: "scroll" },
    grid: { left: 8, right: 16, top: 36, bottom: 8, containLabel: true },
    xAxis: { type: "category", data: points.map((point) => label(point.start)) },
    yAxis: { type: "value", minInterval: kind === "bar" ? 1 : 0 },
    series: series.map(({ name, value, color }) => ({
      name,
      type: kind,
      ...(kind === "bar" ? { stack: "all" } : { showSymbol: points.length < 40, connectNulls: false }),
      ...(color ? { itemStyle: { color } } : {}),
      data: points.map(value),
    })),
  };
}
