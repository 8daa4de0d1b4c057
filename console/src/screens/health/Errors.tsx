import type { ErrorType } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { WideTable } from "@/screens/platform/WideTable";
import { Empty } from "@/ui/Empty";
import { useFormat } from "@/ui/useFormat";
import { Percent } from "./Marks";
import { texts } from "./texts";

export function Errors({ errors }: { errors: ErrorType[] }) {
  const t = useTexts(texts);
  const format = useFormat();
  return (
    <section className="plat-section">
      <h2>{t.errors}</h2>
      <WideTable<ErrorType>
        rowKey={(one) => `${one.outcome} ${one.code}`}
        size="small"
        pagination={false}
        scroll={{ x: 560 }}
        dataSource={errors}
        columns={[
          { title: t.outcome, render: (_, one) => t.outcomes[one.outcome] ?? one.outcome },
          { title: t.code, render: (_, one) => <span className="mono">{one.code || "-"}</span> },
          {
            title: t.requests,
            width: 110,
            align: "right",
            render: (_, one) => format.count(one.requests ?? 0),
          },
          { title: t.share, width: 90, align: "right", render: (_, one) => <Percent value={one.share} /> },
        ]}
        locale={{ emptyText: <Empty title={t.noErrors} hint={t.noErrorsHint} /> }}
      />
    </section>
  );
}
