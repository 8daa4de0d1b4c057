import { useQueryClient } from "@tanstack/react-query";
import { App, Button } from "antd";
import { $api } from "@/api/client";
import { toProblem } from "@/api/problem";
import type { TaskView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { useSaying } from "@/ui/useSaying";
import { texts } from "./texts";

/** Only a task that waits can be cancelled; of others it says why not. */
export function CancelTask({ task }: { task: TaskView }) {
  const t = useTexts(texts);
  const { modal } = App.useApp();
  const saying = useSaying();
  const client = useQueryClient();
  const cancel = $api.useMutation("post", "/tasks/{task}/cancel", {
    onSuccess: () => saying.done(t.cancelDone),
    onError: (error) => {
      const reason = t.reasons[toProblem(error).code];
      saying.failed(
        reason
          ? { error: { ...toProblem(error), message: reason, request_id: toProblem(error).requestId } }
          : error,
      );
    },
    onSettled: () =>
      client.invalidateQueries({ predicate: (each) => String(each.queryKey[1]).startsWith("/tasks") }),
  });
  if (!task.can_cancel) {
    if (task.state !== "queued" && task.state !== "running") return null;
    return <span className="quiet">{t.cannot[task.state]}</span>;
  }
  const ask = () =>
    modal.confirm({
      title: t.cancelAsk,
      content: t.cancelSays,
      okText: t.cancel,
      okButtonProps: { danger: true },
      cancelText: t.keep,
      onOk: () => cancel.mutate({ params: { path: { task: task.id } } }),
    });
  return (
    <Button danger size="small" loading={cancel.isPending} onClick={() => void ask()}>
      {t.cancel}
    </Button>
  );
}
