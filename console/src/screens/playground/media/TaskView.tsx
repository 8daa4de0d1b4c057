import { App, Badge, type BadgeProps, Button, Skeleton, Space } from "antd";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useTexts } from "@/app/texts";
import { CopyButton } from "@/ui/CopyButton";
import { ErrorView } from "@/ui/ErrorView";
import { useSaying } from "@/ui/useSaying";
import { ENDED, type TaskState } from "./order";
import { TaskCost } from "./TaskCost";
import { texts } from "./texts";
import { useTask } from "./useTask";

const MARKS: Partial<Record<TaskState, BadgeProps["status"]>> = {
  running: "processing",
  succeeded: "success",
  failed: "error",
};

export interface TaskViewProps {
  interfaceName: string;
  id: string;
  keyId: string;
  show: (url: string, task: string, number: number) => ReactNode;
}

export function TaskView({ interfaceName, id, keyId, show }: TaskViewProps) {
  const t = useTexts(texts);
  const { task, error, refetch, cancel } = useTask(interfaceName, id, keyId);
  if (error) return <ErrorView error={error} onRetry={() => void refetch()} />;
  if (task === null) return <Skeleton active />;
  const isRunning = !ENDED.includes(task.state);
  return (
    <Space orientation="vertical" style={{ width: "100%" }}>
      <Space wrap aria-live="polite">
        <Badge status={MARKS[task.state] ?? "default"} text={t.states[task.state]} />
        <span className="quiet">{t.task}</span>
        <span className="mono">{id}</span>
        <CopyButton text={id} label={t.copyTask} />
        <Link to="/tasks">{t.allTasks}</Link>
        {task.state === "queued" ? <Cancel cancel={cancel} /> : null}
      </Space>
      {isRunning ? <Skeleton.Node active style={{ width: "100%", height: 300 }} /> : null}
      {task.problem ? <ErrorView error={task.problem} /> : null}
      {task.files.map((url, at) => (
        <div key={url}>
          {show(url, `${interfaceName}:${id}`, at + 1)}
          <p className="quiet">
            <a href={url} target="_blank" rel="noopener noreferrer" download>
              {t.download}
            </a>{" "}
            <span className="sr-only">{t.resultNumber(at + 1)}</span>
            {t.expires}
          </p>
        </div>
      ))}
      {task.state === "succeeded" ? <TaskCost taskId={id} /> : null}
    </Space>
  );
}

function Cancel({ cancel }: { cancel: () => Promise<void> }) {
  const t = useTexts(texts);
  const say = useSaying();
  const { modal } = App.useApp();
  const ask = () =>
    modal.confirm({
      title: t.cancel,
      content: t.cancelSure,
      okText: t.cancelYes,
      cancelText: t.cancelNo,
      okButtonProps: { danger: true },
      onOk: () => cancel().catch(say.failed),
    });
  return (
    <Button size="small" onClick={ask}>
      {t.cancel}
    </Button>
  );
}
