/** Options of the monitoring charts, from the points of the API. */
import type { EChartsCoreOption } from "echarts/core";
import type { MonitoringPoint } from "@/api/schema";

export type Value = number | null;

export interface Line {
  name: string;
  of: (point: MonitoringPoint) => Value;
  /** Bars of one stack instead of a line. */
  isBar?: boolean;
  color?: string;
}

export function timeOption(
  points: MonitoringPoint[],
  lines: Line[],
  show: (value: number) => string,
  most?: number,
): EChartsCoreOption {
  return {
    animation: false,
    grid: { left: 8, right: 12, top: lines.length > 1 ? 34 : 12, bottom: 4, containLabel: true },
    legend: lines.length > 1 ? { top: 0, left: 0, itemHeight: 8, itemWidth: 14 } : { show: false },
    tooltip: {
      trigger: "axis",
      valueFormatter: (value: unknown) => (typeof value === "number" ? show(value) : "-"),
    },
    xAxis: { type: "time", axisLabel: { hideOverlap: true } },
    yAxis: {
      type: "value",
      min: 0,
      ...(most === undefined ? { minInterval: 1, splitNumber: 4 } : { max: most, interval: most / 4 }),
      axisLabel: { formatter: show },
    },
    series: lines.map((line) => ({
      name: line.name,
      type: line.isBar ? "bar" : "line",
      ...(line.isBar
        ? { stack: "all", barMaxWidth: 12 }
        : { showSymbol: hasLonePoints(points, line.of), symbolSize: 5 }),
      ...(line.color ? { itemStyle: { color: line.color } } : {}),
      connectNulls: false,
      data: points.map((point) => [point.start, line.of(point)]),
    })),
  };
}

/** Where calls are few: a single point has no line beside it: without a mark it would not be seen. */
export function hasLonePoints(points: MonitoringPoint[], of: Line["of"]): boolean {
  return points.some((point, place) => {
    const before = points[place - 1];
    const after = points[place + 1];
    const isAlone = (each: MonitoringPoint | undefined) => each === undefined || of(each) === null;
    return of(point) !== null && isAlone(before) && isAlone(after);
  });
}
