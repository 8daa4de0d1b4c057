/** One endpoint in a drawer: its sums, charts of its points, its errors. */
import { keepPreviousData } from "@tanstack/react-query";
import { Drawer, Space } from "antd";
import { useMemo } from "react";
import { Link } from "react-router";
import { $api } from "@/api/client";
import type { Monitored } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Loaded } from "@/screens/platform/Loaded";
import { Chart } from "@/ui/Chart";
import { Empty } from "@/ui/Empty";
import { useFormat } from "@/ui/useFormat";
import { Cards } from "./Cards";
import { type ChartSeries, seriesOption } from "./charts";
import { Errors } from "./Errors";
import { HealthBadge } from "./Marks";
import type { Range } from "./range";
import { texts } from "./texts";

interface Props {
  name: string | undefined;
  range: Range;
  since: string;
  onClose: () => void;
}

export function EndpointHealth({ name, range, since, onClose }: Props) {
  const t = useTexts(texts);
  const asked = $api.useQuery(
    "get",
    "/monitoring/endpoints/{name}",
    { params: { path: { name: name ?? "" }, query: { since } } },
    { enabled: Boolean(name), retry: false, placeholderData: keepPreviousData },
  );
  return (
    <Drawer
      title={<span className="mono">{name}</span>}
      extra={<span className="quiet">{t.ranges[range]}</span>}
      open={Boolean(name)}
      onClose={onClose}
      size="min(860px, 100vw)"
      destroyOnHidden
    >
      {name ? (
        <Loaded asked={asked} rows={12}>
          {(monitored) => <Shown monitored={monitored} />}
        </Loaded>
      ) : null}
    </Drawer>
  );
}

function Shown({ monitored }: { monitored: Monitored }) {
  const t = useTexts(texts);
  const name = encodeURIComponent(monitored.name);
  return (
    <>
      <Space wrap style={{ marginBottom: 16 }}>
        <HealthBadge now={monitored.now} />
        <Link to={`/platform/endpoints?endpoint=${name}`}>{t.detail.endpoint}</Link>
        <Link to={`/usage?tab=calls&range=7d&endpoint=${name}`}>{t.detail.calls}</Link>
      </Space>
      <Cards total={monitored.total} />
      {monitored.total.requests === 0 ? <Empty title={t.noCalls} /> : <Charts monitored={monitored} />}
      <Errors errors={monitored.errors} />
    </>
  );
}

function Charts({ monitored }: { monitored: Monitored }) {
  const t = useTexts(texts).detail;
  const requests: ChartSeries[] = [
    { name: t.succeeded, value: (point) => point.succeeded, color: "#16a34a" },
    { name: t.failed, value: (point) => point.failed, color: "#dc2626" },
    { name: t.abandoned, value: (point) => point.abandoned, color: "#94a3b8" },
  ];
  const times: ChartSeries[] = [
    { name: t.ttft50, value: (point) => point.ttft.p50_ms },
    { name: t.ttft95, value: (point) => point.ttft.p95_ms },
    { name: t.latency50, value: (point) => point.latency.p50_ms },
    { name: t.latency95, value: (point) => point.latency.p95_ms },
  ];
  const speed: ChartSeries[] = [{ name: t.speed, value: (point) => point.speed }];
  return (
    <>
      <Lines monitored={monitored} title={t.requests} series={requests} kind="bar" />
      <Lines monitored={monitored} title={t.times} series={times} kind="line" />
      {monitored.total.speed === null ? null : (
        <Lines monitored={monitored} title={t.speed} series={speed} kind="line" />
      )}
    </>
  );
}

function Lines({
  monitored,
  title,
  series,
  kind,
}: {
  monitored: Monitored;
  title: string;
  series: ChartSeries[];
  kind: "bar" | "line";
}) {
  const t = useTexts(texts).detail;
  const format = useFormat();
  const option = useMemo(
    () => seriesOption(monitored.points, series, kind, (start) => format.time(start).slice(11, 16)),
    [monitored.points, series, kind, format],
  );
  return (
    <section className="plat-section">
      <h3>{title}</h3>
      <Chart option={option} height={220} label={t.label(title, monitored.name)} />
    </section>
  );
}
