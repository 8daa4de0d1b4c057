import { Timeline } from "antd";
import type { TaskView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Time } from "@/ui/Time";
import { useFormat } from "@/ui/useFormat";
import { tookMs } from "./state";
import { texts } from "./texts";

export function TaskTimeline({ task }: { task: TaskView }) {
  const t = useTexts(texts);
  const format = useFormat();
  const { state } = task;
  const items = [{ key: "made", color: "gray", content: <Moment words={t.madeAt} at={task.created_at} /> }];
  if (state === "queued" || state === "running") {
    const words = `${t.states[state]} · ${t.lastHeard}`;
    items.push({ key: "now", color: "blue", content: <Moment words={words} at={task.updated_at} /> });
  } else {
    const words = `${t.ended[state]} (${format.duration(tookMs(task, Date.now()))})`;
    const color = state === "succeeded" ? "green" : state === "failed" ? "red" : "gray";
    items.push({ key: "end", color, content: <Moment words={words} at={task.finished_at} /> });
    items.push({
      key: "settled",
      color: task.settled ? "green" : "gray",
      content: <span>{task.settled ? t.settledAs : t.notSettled}</span>,
    });
  }
  return <Timeline items={items} />;
}

function Moment({ words, at }: { words: string; at: string | null }) {
  return (
    <>
      {words} <span className="quiet">{at ? <Time at={at} /> : null}</span>
    </>
  );
}
