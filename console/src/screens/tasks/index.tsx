/** Long jobs. While one is under way the list asks again by itself. */
import { ReloadOutlined } from "@ant-design/icons";
import { keepPreviousData } from "@tanstack/react-query";
import { Button, Skeleton, Table } from "antd";
import { Link } from "react-router";
import { $api } from "@/api/client";
import type { TaskView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { PageHead } from "@/ui/PageHead";
import { Pager, useCursors } from "@/ui/Pager";
import { useUrlState } from "@/ui/useUrlState";
import { ASK_AGAIN_MS, isUnderWay, readQuery } from "./state";
import { TaskDrawer } from "./TaskDrawer";
import { TaskFilters } from "./TaskFilters";
import { useTaskColumns } from "./taskColumns";
import { texts } from "./texts";
import "./tasks.css";

export default function Tasks() {
  const t = useTexts(texts);
  const [values, change] = useUrlState();
  const query = readQuery(values);
  const pages = useCursors([query]);
  const asked = $api.useQuery(
    "get",
    "/tasks",
    { params: { query: { ...query, limit: 50, cursor: pages.cursor } } },
    {
      placeholderData: keepPreviousData,
      refetchInterval: (found) => (found.state.data?.data.some(isUnderWay) ? ASK_AGAIN_MS : false),
    },
  );
  const open = (id: string) => change({ task: id });
  const columns = useTaskColumns(open);
  return (
    <>
      <PageHead
        title={t.title}
        about={t.about}
        actions={
          <Button icon={<ReloadOutlined />} onClick={() => void asked.refetch()}>
            {t.refresh}
          </Button>
        }
      />
      <TaskFilters values={values} change={change} />
      {asked.error ? (
        <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />
      ) : asked.data === undefined ? (
        <Skeleton active title={false} paragraph={{ rows: 8 }} />
      ) : (
        <>
          <Table<TaskView>
            rowKey="id"
            columns={columns}
            dataSource={asked.data.data}
            pagination={false}
            scroll={{ x: 1340 }}
            onRow={(task) => ({ onClick: () => open(task.id), style: { cursor: "pointer" } })}
            locale={{
              emptyText: (
                <Empty
                  title={t.empty}
                  hint={t.emptyHint}
                  action={<Link to="/playground">{t.playground}</Link>}
                />
              ),
            }}
          />
          <Pager pages={pages} next={asked.data.next_cursor} />
        </>
      )}
      <TaskDrawer id={values.task} onClose={() => change({ task: null })} />
    </>
  );
}
