/** Tenants of the installation, for who runs it. */
import { PlusOutlined } from "@ant-design/icons";
import { keepPreviousData } from "@tanstack/react-query";
import { Badge, Button, Skeleton, Table, type TableColumnsType, Tooltip } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";
import type { LimitsBody, TenantAnswer, TenantStatus } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { PageHead } from "@/ui/PageHead";
import { Pager, useCursors } from "@/ui/Pager";
import { Time } from "@/ui/Time";
import { useFormat } from "@/ui/useFormat";
import { RouteShort } from "../keys/parts";
import { TenantDrawer } from "./TenantDrawer";
import { texts } from "./texts";

export default function Tenants() {
  const t = useTexts(texts);
  const [edited, edit] = useState<TenantAnswer | "new" | null>(null);
  const pages = useCursors([]);
  const query = $api.useQuery(
    "get",
    "/tenants",
    { params: { query: { limit: 50, cursor: pages.cursor } } },
    { placeholderData: keepPreviousData },
  );
  return (
    <>
      <PageHead
        title={t.title}
        about={t.about}
        actions={
          <Button type="primary" icon={<PlusOutlined />} onClick={() => edit("new")}>
            {t.add}
          </Button>
        }
      />
      {query.error ? (
        <ErrorView error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <>
          <TenantTable tenants={query.data?.data} edit={edit} />
          <Pager pages={pages} next={query.data?.next_cursor} total={query.data?.total} />
        </>
      )}
      {edited ? <TenantDrawer tenant={edited === "new" ? null : edited} onClose={() => edit(null)} /> : null}
    </>
  );
}

function TenantTable({
  tenants,
  edit,
}: {
  tenants: TenantAnswer[] | undefined;
  edit: (tenant: TenantAnswer) => void;
}) {
  const t = useTexts(texts);
  if (tenants === undefined) return <Skeleton active paragraph={{ rows: 6 }} title={false} />;
  const columns: TableColumnsType<TenantAnswer> = [
    {
      title: t.tenant,
      key: "tenant",
      render: (_, row) => (
        <>
          <strong>{row.name}</strong>
          <div className="mono quiet">{row.id}</div>
        </>
      ),
    },
    {
      title: t.status,
      dataIndex: "status",
      width: 120,
      render: (status: TenantStatus) => <Status status={status} />,
    },
    { title: t.limits, key: "limits", width: 220, render: (_, row) => <Limits limits={row.limits} /> },
    {
      title: t.defaults,
      key: "defaults",
      width: 220,
      render: (_, row) => (
        <>
          <RouteShort route={row.default_route} />
          <div className="quiet">
            <Limits limits={row.default_limits} />
          </div>
        </>
      ),
    },
    { title: t.updated, dataIndex: "updated_at", width: 180, render: (at: string) => <Moment at={at} /> },
    {
      title: t.actions,
      key: "actions",
      width: 90,
      render: (_, row) => (
        <Button size="small" aria-label={t.editOf(row.name)} onClick={() => edit(row)}>
          {t.edit}
        </Button>
      ),
    },
  ];
  return (
    <Table
      rowKey="id"
      columns={columns}
      dataSource={tenants}
      pagination={false}
      scroll={{ x: 1000 }}
      locale={{ emptyText: <Empty title={t.none} /> }}
    />
  );
}

const COLOURS = { active: "success", overdue: "warning", disabled: "default" } as const;

function Status({ status }: { status: TenantStatus }) {
  const t = useTexts(texts);
  return (
    <Tooltip title={t.statusHints[status]}>
      <Badge status={COLOURS[status]} text={t.statuses[status]} />
    </Tooltip>
  );
}

/** The tenant that an installation begins with was never made: its time is the epoch. */
function Moment({ at }: { at: string }) {
  return <Time at={at.startsWith("1970-") ? null : at} />;
}

function Limits({ limits }: { limits: LimitsBody }) {
  const t = useTexts(texts);
  const format = useFormat();
  const words = [
    limits.quotas?.length ? t.quotas(limits.quotas.length) : "",
    limits.rpm ? `${format.short(limits.rpm)} RPM` : "",
    limits.tpm ? `${format.short(limits.tpm)} TPM` : "",
    limits.concurrency ? `${t.concurrency}: ${format.count(limits.concurrency)}` : "",
  ].filter(Boolean);
  if (words.length === 0) return <span className="quiet">{t.noLimits}</span>;
  return <span className="number">{words.join(" · ")}</span>;
}
