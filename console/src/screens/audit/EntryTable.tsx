import { Button, Skeleton, Table, type TableColumnsType } from "antd";
import type { AuditEntry } from "@/api/schema";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { CopyButton } from "@/ui/CopyButton";
import { Empty } from "@/ui/Empty";
import { Time } from "@/ui/Time";
import { actionInWords, actionTexts } from "./actions";
import { Changes } from "./Changes";
import { texts } from "./texts";

interface Props {
  entries: AuditEntry[] | undefined;
  change: (changes: Record<string, string>) => void;
}

export function EntryTable({ entries, change }: Props) {
  const t = useTexts(texts);
  const columns = useColumns(change);
  if (entries === undefined) return <Skeleton active paragraph={{ rows: 12 }} title={false} />;
  return (
    <Table
      rowKey="id"
      size="middle"
      columns={columns}
      dataSource={entries}
      pagination={false}
      scroll={{ x: 1000 }}
      locale={{ emptyText: <Empty title={t.none} hint={t.noneHint} /> }}
      expandable={{
        expandRowByClick: false,
        rowExpandable: (entry) => Object.keys(entry.changes).length > 0,
        expandedRowRender: (entry) => <Changes changes={entry.changes} />,
      }}
    />
  );
}

function useColumns(change: Props["change"]): TableColumnsType<AuditEntry> {
  const t = useTexts(texts);
  const words = useTexts(actionTexts);
  const isPlatform = useMay()("any_tenant");
  const columns: TableColumnsType<AuditEntry> = [
    { title: t.at, dataIndex: "at", width: 180, render: (at: string) => <Time at={at} /> },
    {
      title: t.actor,
      key: "actor",
      width: 150,
      render: (_, { actor }) => (
        <>
          <Narrow text={actor.name || t.nobody} onClick={() => change({ actor: actor.id || actor.name })} />
          <div className="quiet">{t.kinds[actor.kind]}</div>
        </>
      ),
    },
    {
      title: t.action,
      dataIndex: "action",
      width: 210,
      render: (action: string) => (
        <>
          <div>{actionInWords(action, words)}</div>
          <span className="mono quiet">{action}</span>
        </>
      ),
    },
    {
      title: t.target,
      key: "target",
      render: (_, { target }) =>
        target.id || target.name ? (
          <>
            <Narrow text={target.name || target.id} onClick={() => change({ target: target.id })} />
            <div className="mono quiet">{target.name ? target.id : ""}</div>
          </>
        ) : (
          <span className="quiet">{t.nobody}</span>
        ),
    },
  ];
  if (isPlatform) {
    columns.push({
      title: t.tenant,
      dataIndex: "tenant",
      width: 130,
      render: (tenant: string) => tenant || <span className="quiet">{t.installation}</span>,
    });
  }
  columns.push(
    { title: t.ip, dataIndex: "ip", width: 120, render: (ip: string) => <span className="mono">{ip}</span> },
    {
      title: t.request,
      dataIndex: "request_id",
      width: 140,
      render: (id: string) =>
        id ? (
          <span title={id} style={{ whiteSpace: "nowrap" }}>
            <span className="mono">{`${id.slice(0, 8)}…`}</span>
            <CopyButton text={id} label={t.copyRequest} />
          </span>
        ) : null,
    },
  );
  return columns;
}

/** Shows only lines with it. */
function Narrow({ text, onClick }: { text: string; onClick: () => void }) {
  return (
    <Button
      type="link"
      size="small"
      style={{ padding: 0, height: "auto", whiteSpace: "normal" }}
      onClick={onClick}
    >
      {text}
    </Button>
  );
}
