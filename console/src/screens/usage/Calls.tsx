/** Single calls, newest first. The columns that are shown are kept in this browser. */
import { SettingOutlined } from "@ant-design/icons";
import { keepPreviousData } from "@tanstack/react-query";
import { Button, Checkbox, Popover, Skeleton, Table } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";
import type { UsageCall } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { Pager, useCursors } from "@/ui/Pager";
import { CallFilters } from "./CallFilters";
import { CALL_COLUMNS, type CallColumn, USUAL_COLUMNS, useCallColumns } from "./callColumns";
import type { UsageState } from "./state";
import { callTexts } from "./texts-calls";

const KEPT = "aimesh.usage.columns";

export function Calls({ state }: { state: UsageState }) {
  const t = useTexts(callTexts);
  const [shown, show] = useState(readColumns);
  return (
    <>
      <div className="filters">
        <CallFilters state={state} />
        <Popover
          trigger="click"
          placement="bottomRight"
          content={
            <Checkbox.Group
              className="usage-columns"
              value={shown}
              options={CALL_COLUMNS.map((value) => ({ value, label: t.columns[value] }))}
              onChange={(several) => {
                show(several);
                localStorage.setItem(KEPT, JSON.stringify(several));
              }}
            />
          }
        >
          <Button icon={<SettingOutlined />}>{t.columnsButton}</Button>
        </Popover>
      </div>
      <Listed state={state} shown={shown} />
    </>
  );
}

function Listed({ state, shown }: { state: UsageState; shown: CallColumn[] }) {
  const t = useTexts(callTexts);
  const { calls, change } = state;
  const pages = useCursors([calls]);
  const asked = $api.useQuery(
    "get",
    "/usage/calls",
    { params: { query: { ...calls, limit: 50, cursor: pages.cursor } } },
    { placeholderData: keepPreviousData },
  );
  const open = (id: string) => change({ call: id });
  const columns = useCallColumns(shown, open);
  if (asked.error) return <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />;
  if (asked.data === undefined) return <Skeleton active title={false} paragraph={{ rows: 10 }} />;
  const isShort = state.range.days < 30;
  return (
    <>
      <Table<UsageCall>
        size="small"
        rowKey="id"
        columns={columns}
        dataSource={asked.data.data}
        loading={asked.isPlaceholderData}
        pagination={false}
        scroll={{ x: columns.reduce((sum, column) => sum + Number(column.width ?? 0), 0) }}
        onRow={(call) => ({ onClick: () => open(call.id), style: { cursor: "pointer" } })}
        locale={{
          emptyText: (
            <Empty
              title={t.empty}
              hint={t.emptyHint}
              action={
                isShort ? (
                  <Button onClick={() => change({ range: "30d", since: null, until: null })}>
                    {t.look30}
                  </Button>
                ) : null
              }
            />
          ),
        }}
      />
      <Pager pages={pages} next={asked.data.next_cursor} />
    </>
  );
}

function readColumns(): CallColumn[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "null");
    if (Array.isArray(kept)) return CALL_COLUMNS.filter((each) => kept.includes(each));
  } catch {
    // A browser without storage, or a stranger's value: the usual ones do.
  }
  return [...USUAL_COLUMNS];
}
