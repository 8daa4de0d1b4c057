/** Models as rows, for comparing. */
import { Table, type TableColumnsType } from "antd";
import { Link } from "react-router";
import { useTexts } from "@/app/texts";
import { CopyButton } from "@/ui/CopyButton";
import { addressOfModel } from "./address";
import { contextText } from "./contextText";
import { AccessTags, KindTag, ModelStatus, PriceShort } from "./Marks";
import { texts } from "./texts";
import type { ModelView } from "./types";

export function TableView({ models, isLoading }: { models: ModelView[]; isLoading: boolean }) {
  const t = useTexts(texts);
  const columns: TableColumnsType<ModelView> = [
    {
      title: t.name,
      key: "name",
      render: (_, model) => (
        <div className="models-row-name">
          <Link to={addressOfModel(model.name)}>{model.title || model.name}</Link>
          <div>
            <span className="quiet mono">{model.name}</span>
            <CopyButton text={model.name} label={t.copyName(model.name)} />
          </div>
        </div>
      ),
    },
    { title: t.vendor, dataIndex: "vendor", width: 130 },
    { title: t.kind, dataIndex: "kind", width: 110, render: (kind: string) => <KindTag kind={kind} /> },
    {
      title: t.context,
      dataIndex: "context",
      width: 100,
      align: "end",
      render: (context: number | null) => (
        <span className="number">{context === null ? "-" : contextText(context)}</span>
      ),
    },
    { title: t.price, key: "price", width: 270, render: (_, model) => <PriceShort model={model} /> },
    {
      title: t.endpoints,
      key: "endpoints",
      width: 90,
      align: "end",
      render: (_, model) => <span className="number">{model.endpoints.length}</span>,
    },
    { title: t.access, key: "access", width: 140, render: (_, model) => <AccessTags model={model} /> },
    { title: t.status, key: "status", width: 140, render: (_, model) => <ModelStatus model={model} /> },
  ];
  return (
    <Table
      rowKey="name"
      size="middle"
      columns={columns}
      dataSource={models}
      loading={isLoading}
      pagination={false}
      scroll={{ x: 1180 }}
    />
  );
}
