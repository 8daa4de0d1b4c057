/** Who runs the model: one row for each provider and interface. */
import { Badge, Button, Space, Table, type TableColumnsType, Tag, Tooltip, Typography } from "antd";
import type { MonitoredEndpoint } from "@/api/schema";
import { useLanguage } from "@/app/preferences";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { AccessTags, PriceShort } from "@/screens/models/Marks";
import { catalogNames } from "@/screens/models/names";
import type { EndpointView, ModelDetail } from "@/screens/models/types";
import { CopyButton } from "@/ui/CopyButton";
import { useFormat } from "@/ui/useFormat";
import { useUrlState } from "@/ui/useUrlState";
import { SwitchEndpoint } from "./SwitchEndpoint";
import { texts } from "./texts";
import { useEndpointStates } from "./useEndpointStates";

export function Endpoints({ model }: { model: ModelDetail }) {
  const t = useTexts(texts);
  const names = useTexts(catalogNames);
  const states = useEndpointStates(model.name);
  const columns: TableColumnsType<EndpointView> = [
    { title: t.endpoint, key: "name", width: 310, render: (_, each) => <Name endpoint={each} /> },
    {
      title: t.interface,
      dataIndex: "interface",
      width: 140,
      render: (code: string) => <Tooltip title={code}>{names.interfaces[code] ?? code}</Tooltip>,
    },
    {
      title: t.status,
      key: "status",
      width: 170,
      render: (_, each) => (
        <Space orientation="vertical" size={2}>
          <EndpointStatus endpoint={each} isCooling={states.cooling.has(each.name)} />
          <Tooltip title={t.day}>
            <LastDay measured={states.measured.get(each.name)} />
          </Tooltip>
        </Space>
      ),
    },
    {
      title: t.price,
      key: "price",
      width: 200,
      render: (_, each) => <PriceShort model={{ endpoints: [each] }} />,
    },
    {
      title: t.actions,
      key: "actions",
      width: 130,
      render: (_, each) => <Actions endpoint={each} isModelOn={model.enabled} />,
    },
  ];
  return (
    <section aria-labelledby="endpoints">
      <Typography.Title level={2} id="endpoints" className="model-section">
        {t.endpoints}
      </Typography.Title>
      <p className="quiet model-section-about">{t.endpointsAbout}</p>
      <Table
        rowKey="name"
        size="middle"
        columns={columns}
        dataSource={model.endpoints}
        pagination={false}
        scroll={{ x: 950 }}
      />
    </section>
  );
}

function Name({ endpoint }: { endpoint: EndpointView }) {
  const t = useTexts(texts);
  const language = useLanguage();
  return (
    <>
      <span className="model-endpoint-name">
        <span className="mono">{endpoint.name}</span>
        <CopyButton text={endpoint.name} label={t.copyEndpoint(endpoint.name)} />
      </span>
      <span className="model-endpoint-provider quiet">
        {(language === "zh" && endpoint.provider_title_zh) || endpoint.provider_name}{" "}
        <AccessTags model={endpoint} />
      </span>
    </>
  );
}

const BADGES = { active: "success", cooling: "error", unconfigured: "warning", disabled: "default" } as const;

function EndpointStatus({ endpoint, isCooling }: { endpoint: EndpointView; isCooling: boolean }) {
  const t = useTexts(texts);
  const status = isCooling && endpoint.status === "active" ? "cooling" : endpoint.status;
  return (
    <Tooltip title={t.statusHints[status]}>
      <Badge status={BADGES[status]} text={t.statuses[status]} />
    </Tooltip>
  );
}

function LastDay({ measured }: { measured: MonitoredEndpoint | undefined }) {
  const t = useTexts(texts);
  const format = useFormat();
  const total = measured?.total;
  if (!measured || !total || total.success_rate === null) return <span className="quiet">{t.noCalls}</span>;
  const { status } = measured.now;
  return (
    <Space orientation="vertical" size={0} className="number">
      <span>
        {t.ok(format.percent(total.success_rate / 100))}{" "}
        {status === "failing" || status === "degraded" ? (
          <Tag color={status === "failing" ? "error" : "warning"}>{t.health[status]}</Tag>
        ) : null}
      </span>
      {total.ttft.p50_ms === null ? null : (
        <span className="quiet">{t.first(format.duration(total.ttft.p50_ms))}</span>
      )}
    </Space>
  );
}

function Actions({ endpoint, isModelOn }: { endpoint: EndpointView; isModelOn: boolean }) {
  const t = useTexts(texts);
  const may = useMay();
  const [, change] = useUrlState();
  return (
    <Space orientation="vertical" size={0}>
      <Button type="link" size="small" onClick={() => change({ billing: endpoint.name })}>
        {t.billing}
      </Button>
      {may("monitoring.read") ? (
        <Button
          type="link"
          size="small"
          onClick={() => change({ tab: "monitoring", endpoint: endpoint.name })}
        >
          {t.monitoring}
        </Button>
      ) : null}
      {may("catalog.write") && isModelOn ? <SwitchEndpoint endpoint={endpoint} /> : null}
    </Space>
  );
}
