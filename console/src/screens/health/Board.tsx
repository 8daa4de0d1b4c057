import { Button, type TableColumnsType } from "antd";
import type { MonitoredEndpoint } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { platformTexts } from "@/screens/platform/texts";
import { WideTable } from "@/screens/platform/WideTable";
import { Empty } from "@/ui/Empty";
import { useFormat } from "@/ui/useFormat";
import { HealthBadge, Percent, Spread } from "./Marks";
import { texts } from "./texts";

export function Board({
  rows,
  isFiltered,
  onOpen,
}: {
  rows: MonitoredEndpoint[];
  isFiltered: boolean;
  onOpen: (name: string) => void;
}) {
  const t = useTexts(texts);
  const columns = useBoardColumns();
  return (
    <WideTable<MonitoredEndpoint>
      rowKey="name"
      size="small"
      columns={columns}
      dataSource={rows}
      pagination={{ pageSize: 25, hideOnSinglePage: true, showSizeChanger: false }}
      scroll={{ x: 960 }}
      onRow={(one) => ({ onClick: () => onOpen(one.name), style: { cursor: "pointer" } })}
      locale={{ emptyText: <Empty title={isFiltered ? t.noneFits : t.none} hint={t.noneHint} /> }}
    />
  );
}

function useBoardColumns(): TableColumnsType<MonitoredEndpoint> {
  const t = useTexts(texts);
  const common = useTexts(platformTexts);
  const format = useFormat();
  return [
    {
      title: common.endpoint,
      render: (_, one) => (
        <Button
          type="link"
          className="mono"
          style={{ padding: 0, height: "auto", whiteSpace: "normal", textAlign: "start" }}
        >
          {one.name}
        </Button>
      ),
    },
    { title: t.now, width: 110, render: (_, one) => <HealthBadge now={one.now} /> },
    {
      title: t.requests,
      width: 100,
      align: "right",
      render: (_, one) => format.count(one.total.requests ?? 0),
    },
    {
      title: t.success,
      width: 110,
      align: "right",
      render: (_, one) => <Percent value={one.total.success_rate} />,
    },
    { title: t.failed, width: 80, align: "right", render: (_, one) => format.count(one.total.failed ?? 0) },
    { title: t.ttft, width: 150, align: "right", render: (_, one) => <Spread times={one.total.ttft} /> },
    {
      title: t.latency,
      width: 150,
      align: "right",
      render: (_, one) => <Spread times={one.total.latency} />,
    },
    {
      title: t.speed,
      width: 90,
      align: "right",
      render: (_, one) => (one.total.speed === null ? "-" : format.count(Math.round(one.total.speed))),
    },
  ];
}
