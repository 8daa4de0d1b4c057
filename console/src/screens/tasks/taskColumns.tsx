import { Button, type TableColumnType } from "antd";
import type { TaskView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Money } from "@/ui/Money";
import { useFormat } from "@/ui/useFormat";
import { StateBadge } from "./StateBadge";
import { tookMs } from "./state";
import { texts } from "./texts";

export function useTaskColumns(open: (id: string) => void): TableColumnType<TaskView>[] {
  const t = useTexts(texts);
  const format = useFormat();
  return [
    {
      title: t.columns.created,
      width: 180,
      render: (_, task) => (
        <Button
          type="link"
          size="small"
          className="task-open number"
          aria-label={`${format.time(task.created_at)}: ${t.open(task.task_id)}`}
          onClick={(event) => {
            event.stopPropagation();
            open(task.id);
          }}
        >
          {format.time(task.created_at)}
        </Button>
      ),
    },
    { title: t.columns.state, width: 130, render: (_, task) => <StateBadge state={task.state} /> },
    { title: t.columns.kind, width: 80, render: (_, task) => t.kinds[task.kind] ?? (task.kind || "-") },
    { title: t.columns.model, width: 220, dataIndex: "model" },
    { title: t.columns.key, width: 180, render: (_, task) => task.key_alias || task.key },
    {
      title: t.columns.took,
      width: 100,
      align: "right",
      render: (_, task) => (
        <span className={task.finished_at ? "number" : "number quiet"}>
          {format.duration(tookMs(task, Date.now()))}
        </span>
      ),
    },
    {
      title: t.columns.cost,
      width: 110,
      align: "right",
      render: (_, task) => <TaskCost task={task} />,
    },
    {
      title: t.columns.id,
      width: 340,
      render: (_, task) => <span className="mono">{task.task_id}</span>,
    },
  ];
}

/** What ended without success costs nothing; what has not ended costs what nobody knows yet. */
export function TaskCost({ task }: { task: TaskView }) {
  const t = useTexts(texts);
  if (!task.settled) return <span className="quiet">{t.notYet}</span>;
  if (task.cost === null && task.state !== "succeeded") return <span className="quiet">-</span>;
  return <Money amount={task.cost} currency={task.currency} />;
}
