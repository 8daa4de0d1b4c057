import { Badge, type BadgeProps } from "antd";
import type { TaskState } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { texts } from "./texts";

const STATUS: Record<TaskState, BadgeProps["status"]> = {
  queued: "default",
  running: "processing",
  succeeded: "success",
  failed: "error",
  cancelled: "default",
  expired: "warning",
};

export function StateBadge({ state }: { state: TaskState }) {
  const t = useTexts(texts);
  return <Badge status={STATUS[state]} text={t.states[state]} />;
}
