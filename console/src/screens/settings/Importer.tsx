/** Whether usage comes into the database, and how far each node is. */
import { Alert, Badge } from "antd";
import type { PlatformSettings } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { WideTable } from "@/screens/platform/WideTable";
import { Empty } from "@/ui/Empty";
import { Time } from "@/ui/Time";
import { useFormat } from "@/ui/useFormat";
import { texts } from "./texts";

type State = PlatformSettings["importer"];

export function Importer({ importer }: { importer: State }) {
  const t = useTexts(texts);
  const format = useFormat();
  return (
    <section className="plat-section">
      <h2>{t.importer}</h2>
      <p style={{ marginTop: 0 }}>
        <Badge
          status={importer.on && !importer.problem ? "success" : "warning"}
          text={importer.on ? t.importing : t.notImporting}
        />
      </p>
      {importer.problem ? <Alert type="error" showIcon title={importer.problem} /> : null}
      {importer.rejected > 0 ? (
        <Alert type="warning" showIcon title={t.rejected(format.count(importer.rejected))} />
      ) : null}
      <WideTable<State["nodes"][number]>
        rowKey="node"
        size="small"
        pagination={false}
        scroll={{ x: 420 }}
        dataSource={importer.nodes}
        columns={[
          { title: t.node, render: (_, one) => <span className="mono">{one.node}</span> },
          { title: t.until, render: (_, one) => <Time at={one.updated_at} /> },
          { title: t.lag, width: 110, align: "right", render: (_, one) => format.duration(one.lag_s * 1000) },
        ]}
        locale={{ emptyText: <Empty title={t.noNode} hint={t.noNodeHint} /> }}
      />
    </section>
  );
}
