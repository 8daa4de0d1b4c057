/** The providers, those with own keys first and open. */
import { PlusOutlined } from "@ant-design/icons";
import { Badge, Button, Skeleton, Table, type TableColumnsType, Tag, Tooltip } from "antd";
import { useState } from "react";
import type { ByokProvider, CredentialView } from "@/api/schema";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { Empty } from "@/ui/Empty";
import { CredentialTable } from "./CredentialTable";
import type { Opened } from "./index";
import { texts } from "./texts";
import { useTitle } from "./useByok";

interface Props {
  providers: ByokProvider[] | undefined;
  credentials: CredentialView[] | undefined;
  open: (what: Opened) => void;
  onClear: () => void;
}

export function ProviderTable({ providers, credentials, open, onClear }: Props) {
  const t = useTexts(texts);
  const columns = useColumns(open);
  const titleOf = useTitle();
  const [changed, setChanged] = useState<Record<string, boolean>>({});
  if (providers === undefined || credentials === undefined) {
    return <Skeleton active paragraph={{ rows: 10 }} title={false} />;
  }
  const rows = [...providers].sort((one, other) => Number(isOwn(other)) - Number(isOwn(one)));
  const isOpen = (row: ByokProvider) => changed[row.id] ?? isOwn(row);
  return (
    <Table
      rowKey="id"
      columns={columns}
      dataSource={rows}
      pagination={false}
      scroll={{ x: 720 }}
      locale={{
        emptyText: (
          <Empty
            title={t.noProvider}
            hint={t.noProviderHint}
            action={<Button onClick={onClear}>{t.clear}</Button>}
          />
        ),
      }}
      expandable={{
        expandedRowKeys: rows.filter(isOpen).map((row) => row.id),
        onExpand: (isExpanded, row) => setChanged((before) => ({ ...before, [row.id]: isExpanded })),
        expandedRowRender: (row) => (
          <CredentialTable
            label={t.show(titleOf(row))}
            credentials={credentials.filter((each) => each.provider === row.id)}
            open={open}
            add={() => open({ provider: row.id })}
          />
        ),
      }}
    />
  );
}

function isOwn(provider: ByokProvider): boolean {
  return provider.configured > 0;
}

function useColumns(open: (what: Opened) => void): TableColumnsType<ByokProvider> {
  const t = useTexts(texts);
  const titleOf = useTitle();
  const may = useMay()("byok.write");
  const columns: TableColumnsType<ByokProvider> = [
    {
      title: t.provider,
      key: "provider",
      render: (_, row) => (
        <>
          <div style={{ fontWeight: 500 }}>{titleOf(row)}</div>
          <span className="mono quiet">{row.id}</span>
          {row.site ? (
            <>
              <span className="quiet"> · </span>
              <a href={row.site} target="_blank" rel="noreferrer" style={{ textDecoration: "underline" }}>
                {t.site}
              </a>
            </>
          ) : null}
        </>
      ),
    },
    { title: t.status, key: "status", width: 170, render: (_, row) => <Status provider={row} /> },
    {
      title: t.builtIn,
      key: "built_in",
      width: 220,
      render: (_, row) =>
        row.built_in ? (
          <Tooltip title={t.builtInHint}>
            <Tag>{t.builtIn}</Tag>
          </Tooltip>
        ) : (
          <span className="quiet">{t.noBuiltIn}</span>
        ),
    },
  ];
  if (!may) return columns;
  return [
    ...columns,
    {
      title: t.actions,
      key: "actions",
      width: 140,
      render: (_, row) => (
        <Button
          size="small"
          icon={<PlusOutlined />}
          aria-label={t.addTo(titleOf(row))}
          onClick={() => open({ provider: row.id })}
        >
          {t.add}
        </Button>
      ),
    },
  ];
}

function Status({ provider }: { provider: ByokProvider }) {
  const t = useTexts(texts);
  if (provider.configured === 0) return <span className="quiet">{t.unconfigured}</span>;
  if (provider.enabled === 0) return <Badge status="warning" text={t.allOff} />;
  return <Badge status="success" text={t.configured(provider.enabled, provider.configured)} />;
}
