import { Link } from "react-router";
import type { TaskDetail } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Facts } from "@/screens/usage/Facts";
import { CopyButton } from "@/ui/CopyButton";
import { Money } from "@/ui/Money";
import { useFormat } from "@/ui/useFormat";
import { texts } from "./texts";
import "@/screens/usage/usage.css";

export function TaskFacts({ task }: { task: TaskDetail }) {
  const t = useTexts(texts);
  const where = [
    { name: t.model, value: task.model },
    { name: t.key, value: task.key_alias || task.key },
    { name: t.endpoint, value: <span className="mono">{task.endpoint}</span> },
    { name: t.provider, value: task.provider },
    { name: t.source, value: t.sources[task.source] },
    { name: t.word, value: <span className="mono">{task.status}</span> },
    {
      name: t.id,
      value: (
        <>
          <span className="mono">{task.task_id}</span>
          <CopyButton text={task.task_id} label={t.copyId} />
        </>
      ),
    },
  ];
  return (
    <>
      <section className="task-section">
        <h3>{t.asked}</h3>
        <Asked task={task} />
      </section>
      <section className="task-section">
        <h3>{t.used}</h3>
        <Used task={task} />
      </section>
      <section className="task-section">
        <h3>{t.where}</h3>
        <Facts facts={where} />
        <div className="task-file-links">
          <Link to={`/usage?tab=calls&range=30d&call=${encodeURIComponent(task.call)}`}>{t.showCall}</Link>
          <Link to={`/usage?tab=calls&range=30d&task_id=${encodeURIComponent(task.task_id)}`}>
            {t.showUsage}
          </Link>
        </div>
      </section>
    </>
  );
}

function Asked({ task: { asked } }: { task: TaskDetail }) {
  const t = useTexts(texts);
  const format = useFormat();
  const facts = [
    { name: t.seconds, value: asked.video_seconds ? t.secondsOf(format.count(asked.video_seconds)) : "" },
    { name: t.resolution, value: asked.resolution },
    { name: t.ratio, value: asked.ratio },
    { name: t.audio, value: asked.audio ? t.yes : "" },
    { name: t.fromVideo, value: asked.from_video ? t.yes : "" },
    { name: t.variant, value: asked.variant },
  ].filter((fact) => fact.value !== "");
  return facts.length > 0 ? <Facts facts={facts} /> : <p className="quiet">{t.notSaid}</p>;
}

function Used({ task }: { task: TaskDetail }) {
  const t = useTexts(texts);
  const format = useFormat();
  const { usage } = task;
  if (!task.settled) return <p className="quiet">{t.costLater}</p>;
  const length = usage && usage.video_seconds > 0 ? t.secondsOf(format.count(usage.video_seconds)) : "";
  const facts = [
    { name: t.tokens, value: usage && usage.output_tokens > 0 ? format.count(usage.output_tokens) : "" },
    { name: t.seconds, value: length },
    { name: t.resolution, value: length ? (usage?.video_resolution ?? "") : "" },
    { name: t.assets, value: usage && usage.assets > 0 ? format.count(usage.assets) : "" },
  ].filter((fact) => fact.value !== "");
  return (
    <>
      <Facts facts={facts} />
      <Facts
        facts={[
          {
            name: t.cost,
            value: task.cost === null ? t.costUnknown : <Money amount={task.cost} currency={task.currency} />,
          },
          ...(task.list !== null && task.list !== task.cost
            ? [{ name: t.list, value: <Money amount={task.list} currency={task.currency} /> }]
            : []),
        ]}
      />
      {usage?.estimated ? <p className="quiet">{t.estimated}</p> : null}
    </>
  );
}
