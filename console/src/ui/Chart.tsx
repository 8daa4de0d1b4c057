/** A chart that loads its library when it is first shown. `label` says in words what it shows. */
import { Skeleton } from "antd";
import type { EChartsCoreOption } from "echarts/core";
import { lazy, Suspense } from "react";

const Drawn = lazy(() => import("./ChartDrawn"));

export interface ChartProps {
  option: EChartsCoreOption;
  height?: number;
  label: string;
  /** A click on a point or a bar: the series' and the category's name. */
  onPick?: (series: string, name: string) => void;
}

export function Chart(props: ChartProps) {
  const height = props.height ?? 280;
  return (
    <Suspense fallback={<Skeleton.Node active style={{ width: "100%", height }} />}>
      <Drawn {...props} height={height} />
    </Suspense>
  );
}
