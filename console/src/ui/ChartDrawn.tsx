import { BarChart, LineChart, PieChart } from "echarts/charts";
import {
  AriaComponent,
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  TooltipComponent,
} from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import { useIsDark } from "@/app/preferences";
import type { ChartProps } from "./Chart";

echarts.use([
  BarChart,
  LineChart,
  PieChart,
  AriaComponent,
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  TooltipComponent,
  CanvasRenderer,
]);

const COLORS = ["#4f46e5", "#0891b2", "#d97706", "#16a34a", "#db2777", "#7c3aed", "#64748b", "#ca8a04"];

export default function ChartDrawn({ option, height, label, onPick }: ChartProps & { height: number }) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<echarts.ECharts>(null);
  const isDark = useIsDark();
  useEffect(() => {
    if (place.current === null) return;
    const drawn = echarts.init(place.current, isDark ? "dark" : undefined);
    chart.current = drawn;
    const watch = new ResizeObserver(() => drawn.resize());
    watch.observe(place.current);
    return () => {
      watch.disconnect();
      drawn.dispose();
      chart.current = null;
    };
  }, [isDark]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme is a new chart, which is empty
  useEffect(() => {
    chart.current?.setOption(
      { color: COLORS, backgroundColor: "transparent", ...option },
      { notMerge: true },
    );
  }, [option, isDark]);
  useEffect(() => {
    const drawn = chart.current;
    if (!drawn || !onPick) return;
    const told = (event: { seriesName?: string; name?: string }) =>
      onPick(event.seriesName ?? "", event.name ?? "");
    drawn.on("click", told);
    return () => {
      if (!drawn.isDisposed()) drawn.off("click", told);
    };
  }, [onPick]);
  return <div ref={place} role="img" aria-label={label} style={{ width: "100%", height }} />;
}
