/** Filters of the address, and how a task looks. */
import type { Kind, paths, TaskState, TaskView } from "@/api/schema";

export type TaskQuery = NonNullable<paths["/tasks"]["get"]["parameters"]["query"]>;

export const STATES = [
  "queued",
  "running",
  "succeeded",
  "failed",
  "cancelled",
  "expired",
] as const satisfies readonly TaskState[];
export const KINDS = ["video", "image", "3d"] as const satisfies readonly Kind[];

/** While something goes on, the page asks again by itself. */
export const ASK_AGAIN_MS = 3000;

export function readStates(text: string | undefined): TaskState[] {
  const named = (text ?? "").split(",");
  return STATES.filter((each) => named.includes(each));
}

export function readQuery(values: Record<string, string>): TaskQuery {
  const states = readStates(values.state);
  return {
    state: states.length > 0 ? states : undefined,
    kind: KINDS.find((each) => each === values.kind),
    model: values.model,
    key: values.key,
    provider: values.provider,
    tenant: values.tenant,
    since: startOf(values.since, 0),
    until: startOf(values.until, 1),
  };
}

export function isUnderWay(task: TaskView): boolean {
  return task.state === "queued" || task.state === "running" || !task.settled;
}

/** Milliseconds from its making to its end; to now where it has not ended. */
export function tookMs(task: TaskView, now: number): number {
  const end = task.finished_at === null ? now : Date.parse(task.finished_at);
  return Math.max(0, end - Date.parse(task.created_at));
}

/** The beginning of a day of the browser's time zone, some days later. */
function startOf(day: string | undefined, later: number): string | undefined {
  if (day === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  const date = new Date(`${day}T00:00:00`);
  if (Number.isNaN(date.getTime())) return undefined;
  date.setDate(date.getDate() + later);
  return date.toISOString();
}
