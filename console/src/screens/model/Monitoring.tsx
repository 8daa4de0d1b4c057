/** How calls of the model, or of one of its endpoints, went over time. */
import { ReloadOutlined } from "@ant-design/icons";
import { keepPreviousData } from "@tanstack/react-query";
import { Button, Card, Segmented, Select, Skeleton, Table, Tag, Tooltip } from "antd";
import { useMemo } from "react";
import { $api } from "@/api/client";
import type { ErrorType, Monitored } from "@/api/schema";
import { useTexts } from "@/app/texts";
import type { ModelDetail } from "@/screens/models/types";
import { Chart } from "@/ui/Chart";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { useFormat } from "@/ui/useFormat";
import { useUrlState } from "@/ui/useUrlState";
import { type Line, timeOption } from "./charts";
import { Figures } from "./Figures";
import { ScrollBox } from "./ScrollBox";
import { monitoringTexts } from "./texts-monitoring";

const HOUR = 3_600_000;
const MINUTE = 60_000;
const LENGTHS: Record<string, number> = {
  "1h": HOUR,
  "24h": 24 * HOUR,
  "7d": 168 * HOUR,
  "60d": 1440 * HOUR,
};
const USUAL = "24h";

export function Monitoring({ model }: { model: ModelDetail }) {
  const t = useTexts(monitoringTexts);
  const [values, change] = useUrlState();
  const range = values.range && values.range in LENGTHS ? values.range : USUAL;
  const endpoint = model.endpoints.some((each) => each.name === values.endpoint) ? values.endpoint : "";
  const query = useMonitored(model.name, endpoint ?? "", range);
  return (
    <>
      <div className="filters">
        <Select
          className="model-monitored"
          aria-label={t.of}
          value={endpoint}
          onChange={(next) => change({ endpoint: next })}
          popupMatchSelectWidth={false}
          options={[
            { value: "", label: t.whole },
            ...model.endpoints.map((each) => ({ value: each.name, label: each.name })),
          ]}
        />
        <Segmented
          aria-label={t.range}
          value={range}
          onChange={(next) => change({ range: next === USUAL ? null : next })}
          options={Object.keys(LENGTHS).map((each) => ({ value: each, label: t.ranges[each] }))}
        />
        <Button icon={<ReloadOutlined />} loading={query.isFetching} onClick={() => void query.refetch()}>
          {t.refresh}
        </Button>
      </div>
      <p className="quiet model-section-about">{t.about}</p>
      {query.error ? (
        <ErrorView error={query.error} onRetry={() => void query.refetch()} />
      ) : query.data ? (
        <Measured monitored={query.data} />
      ) : (
        <Skeleton active paragraph={{ rows: 12 }} />
      )}
    </>
  );
}

function useMonitored(model: string, endpoint: string, range: string) {
  const length = LENGTHS[range] ?? HOUR;
  // Once for each choice, so that drawing again does not ask again; until when is left to the API: now.
  const since = useMemo(() => new Date(Date.now() - length + MINUTE).toISOString(), [length]);
  const options = { placeholderData: keepPreviousData, refetchInterval: MINUTE };
  const query = { since };
  const ofModel = $api.useQuery(
    "get",
    "/monitoring/models/{name}",
    { params: { path: { name: model }, query } },
    { ...options, enabled: endpoint === "" },
  );
  const ofEndpoint = $api.useQuery(
    "get",
    "/monitoring/endpoints/{name}",
    { params: { path: { name: endpoint }, query } },
    { ...options, enabled: endpoint !== "" },
  );
  return endpoint === "" ? ofModel : ofEndpoint;
}

const HEALTH = { healthy: "success", degraded: "warning", failing: "error", idle: "default" } as const;

function Measured({ monitored }: { monitored: Monitored }) {
  const t = useTexts(monitoringTexts);
  if (monitored.total.success_rate === null) return <Empty title={t.idle} hint={t.idleHint} />;
  return (
    <>
      <Figures
        total={monitored.total}
        health={
          <Tooltip title={t.now}>
            <Tag color={HEALTH[monitored.now.status]}>{t.health[monitored.now.status]}</Tag>
          </Tooltip>
        }
      />
      <Charts monitored={monitored} />
      <Card size="small" title={t.errors} className="model-errors">
        <Errors errors={monitored.errors} />
      </Card>
    </>
  );
}

function Charts({ monitored }: { monitored: Monitored }) {
  const t = useTexts(monitoringTexts);
  const format = useFormat();
  const hasCounts = monitored.total.requests !== null;
  const charts = useMemo(() => {
    const percent = (value: number) => format.percent(value / 100);
    const quantiles = (of: "ttft" | "latency"): Line[] => [
      { name: t.p50, of: (point) => point[of].p50_ms },
      { name: t.p95, of: (point) => point[of].p95_ms },
      { name: t.p99, of: (point) => point[of].p99_ms },
    ];
    const counts: Line[] = [
      { name: t.succeeded, of: (point) => point.succeeded, isBar: true, color: "#16a34a" },
      { name: t.failed, of: (point) => point.failed, isBar: true, color: "#dc2626" },
      { name: t.abandoned, of: (point) => point.abandoned, isBar: true, color: "#64748b" },
    ];
    const draw = (title: string, lines: Line[], show: (value: number) => string, most?: number) => ({
      title,
      option: timeOption(monitored.points, lines, show, most),
    });
    return [
      hasCounts
        ? draw(t.requests, counts, format.short)
        : draw(t.errorRate, [{ name: t.errorRate, of: (point) => point.error_rate }], percent, 100),
      draw(t.successRate, [{ name: t.successRate, of: (point) => point.success_rate }], percent, 100),
      draw(t.ttft, quantiles("ttft"), format.duration),
      draw(t.latency, quantiles("latency"), format.duration),
      ...(monitored.total.speed === null
        ? []
        : [draw(t.speed, [{ name: t.speed, of: (point) => point.speed }], format.short)]),
    ];
  }, [monitored, hasCounts, t, format]);
  return (
    <div className="model-charts">
      {charts.map((each) => (
        <Card key={each.title} size="small" title={each.title}>
          <Chart option={each.option} height={220} label={t.chart(each.title)} />
        </Card>
      ))}
    </div>
  );
}

function Errors({ errors }: { errors: ErrorType[] }) {
  const t = useTexts(monitoringTexts);
  const format = useFormat();
  if (errors.length === 0) return <Empty title={t.noErrors} />;
  const hasCounts = errors.some((each) => each.requests !== null);
  return (
    <ScrollBox label={t.errors} width={560}>
      <Table
        rowKey={(each) => `${each.outcome} ${each.code}`}
        size="small"
        dataSource={errors}
        pagination={false}
        columns={[
          { title: t.outcome, dataIndex: "outcome" },
          {
            title: t.code,
            dataIndex: "code",
            render: (code: string) => <span className="mono">{code}</span>,
          },
          ...(hasCounts ? [{ title: t.requests, dataIndex: "requests", align: "end" as const }] : []),
          {
            title: t.share,
            dataIndex: "share",
            align: "end",
            render: (share: number | null) => (share === null ? "-" : format.percent(share / 100)),
          },
        ]}
      />
    </ScrollBox>
  );
}
