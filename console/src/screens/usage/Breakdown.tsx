/** Sums by one dimension, or by all of them together. A name that is clicked becomes a filter. */
import { keepPreviousData } from "@tanstack/react-query";
import { Skeleton, Table } from "antd";
import { $api } from "@/api/client";
import type { BreakdownRow } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { Pager, useCursors } from "@/ui/Pager";
import { useBreakdownColumns } from "./breakdownColumns";
import type { Dimension, UsageState } from "./state";
import { texts } from "./texts";

export function Breakdown({ state, dimension }: { state: UsageState; dimension: Dimension }) {
  const t = useTexts(texts);
  const { query, rows } = state;
  const wanted = { ...query, by: dimension, grain: rows };
  const pages = useCursors([wanted]);
  const asked = $api.useQuery(
    "get",
    "/usage/breakdown",
    { params: { query: { ...wanted, limit: 50, cursor: pages.cursor } } },
    { placeholderData: keepPreviousData },
  );
  const columns = useBreakdownColumns(state, dimension);
  if (asked.error) return <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />;
  if (asked.data === undefined) return <Skeleton active title={false} paragraph={{ rows: 8 }} />;
  return (
    <>
      <Table<BreakdownRow>
        size="small"
        rowKey={rowKey}
        columns={columns}
        dataSource={asked.data.data}
        loading={asked.isPlaceholderData}
        pagination={false}
        scroll={{ x: columns.reduce((sum, column) => sum + Number(column.width ?? 0), 0) }}
        locale={{ emptyText: <Empty title={t.emptyTitle} hint={t.emptyHint} /> }}
      />
      <Pager pages={pages} next={asked.data.next_cursor} />
    </>
  );
}

function rowKey(row: BreakdownRow): string {
  const { start, tenant, model, endpoint, provider, key, user, kind, source, labels } = row;
  return JSON.stringify([start, tenant, model, endpoint, provider, key, user, kind, source, labels]);
}
