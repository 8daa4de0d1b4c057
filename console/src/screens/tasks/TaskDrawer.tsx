/** One task; its id stands in the address. */
import { Drawer, Skeleton, Space } from "antd";
import { $api } from "@/api/client";
import type { TaskDetail } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { ErrorView } from "@/ui/ErrorView";
import { CancelTask } from "./CancelTask";
import { StateBadge } from "./StateBadge";
import { ASK_AGAIN_MS, isUnderWay } from "./state";
import { TaskFacts } from "./TaskFacts";
import { TaskResult } from "./TaskResult";
import { TaskTimeline } from "./TaskTimeline";
import { texts } from "./texts";

export function TaskDrawer({ id, onClose }: { id: string | undefined; onClose: () => void }) {
  const t = useTexts(texts);
  const asked = $api.useQuery(
    "get",
    "/tasks/{task}",
    { params: { path: { task: id ?? "" } } },
    {
      enabled: Boolean(id),
      retry: false,
      // Its provider is asked where the files are, so once is enough when it has ended.
      refetchInterval: (found) => (found.state.data && isUnderWay(found.state.data) ? ASK_AGAIN_MS : false),
    },
  );
  return (
    <Drawer title={t.drawer} open={Boolean(id)} onClose={onClose} size="min(680px, 100vw)" destroyOnHidden>
      {asked.data !== undefined ? (
        <Shown task={asked.data} />
      ) : asked.error ? (
        <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />
      ) : (
        <Skeleton active paragraph={{ rows: 12 }} />
      )}
    </Drawer>
  );
}

function Shown({ task }: { task: TaskDetail }) {
  const t = useTexts(texts);
  return (
    <>
      <Space wrap size="large" style={{ marginBottom: 16 }}>
        <StateBadge state={task.state} />
        <CancelTask task={task} />
      </Space>
      <section className="task-section">
        <h3>{t.result}</h3>
        <TaskResult task={task} />
      </section>
      <section className="task-section">
        <h3>{t.timeline}</h3>
        <TaskTimeline task={task} />
      </section>
      <TaskFacts task={task} />
    </>
  );
}
