/** What a call that was run here answered: the text as it comes, pictures, or the JSON. */
import { Collapse, Space, Spin, Tag, Typography } from "antd";
import { Link } from "react-router";
import { useTexts } from "@/app/texts";
import { fieldsOf, listOf, textOf } from "@/gateway/json";
import { readUsage } from "@/gateway/usage";
import { CodeBlock } from "@/ui/CodeBlock";
import { ErrorView } from "@/ui/ErrorView";
import { useFormat } from "@/ui/useFormat";
import { callTexts } from "./texts-calls";
import type { Runner } from "./useRun";

const MOST_JSON = 20_000;

export function RunAnswer({ runner, isSimulated }: { runner: Runner; isSimulated: boolean }) {
  const t = useTexts(callTexts);
  const { result, answer } = runner;
  if (!runner.hasBegun) return null;
  return (
    <section className="model-answer" aria-label={t.answer} aria-live="polite" aria-busy={runner.isRunning}>
      <Facts runner={runner} />
      {isSimulated ? <p className="quiet">{t.simulated}</p> : null}
      {runner.error ? <ErrorView error={runner.error} /> : null}
      {runner.isRunning && !answer.text && !answer.reasoning ? (
        <Space>
          <Spin size="small" /> {t.waiting}
        </Space>
      ) : null}
      {answer.reasoning ? (
        <Collapse
          ghost
          size="small"
          items={[{ key: "thinking", label: t.thinking, children: answer.reasoning }]}
        />
      ) : null}
      {answer.text ? <div className="model-answer-text">{answer.text}</div> : null}
      {result?.problem ? <ErrorView error={result.problem} /> : null}
      {result?.isOk && result.body !== null ? (
        <WholeAnswer over={runner.interface} body={result.body} />
      ) : null}
    </section>
  );
}

function Facts({ runner }: { runner: Runner }) {
  const t = useTexts(callTexts);
  const format = useFormat();
  const { result } = runner;
  if (result === null) return null;
  const usage = readUsage(runner.interface, result.body ?? result.frames);
  const color = result.isOk ? "success" : result.isStopped ? "default" : "error";
  const count = (value: number | null) => (value === null ? "-" : format.count(value));
  return (
    <Space wrap className="number" size="middle">
      <Tag color={color}>{result.isStopped ? t.stopped : result.status || "-"}</Tag>
      {result.firstMs === null ? null : <span>{t.first(format.duration(result.firstMs))}</span>}
      <span>{t.whole(format.duration(result.totalMs))}</span>
      {usage && (usage.input !== null || usage.output !== null) ? (
        <span>{t.used(count(usage.input), count(usage.output))}</span>
      ) : null}
      {result.requestId && !result.problem ? (
        <span>
          {t.requestId}{" "}
          <Typography.Text code copyable>
            {result.requestId}
          </Typography.Text>
        </span>
      ) : null}
    </Space>
  );
}

function WholeAnswer({ over, body }: { over: string; body: unknown }) {
  const t = useTexts(callTexts);
  const isTask = over === "task" || over === "dashscope_video";
  const text = JSON.stringify(body, null, 2) ?? "";
  return (
    <>
      {isTask ? (
        <p>
          {t.taskMade} <Link to="/tasks">{t.openTasks}</Link>
        </p>
      ) : null}
      <Pictures body={body} />
      <CodeBlock text={text} shown={text.length > MOST_JSON ? `${text.slice(0, MOST_JSON)}\n...` : text} />
    </>
  );
}

function Pictures({ body }: { body: unknown }) {
  const t = useTexts(callTexts);
  const addresses = listOf(fieldsOf(body).data).flatMap((each) => {
    const { url, b64_json } = fieldsOf(each);
    if (/^https?:/.test(textOf(url))) return [textOf(url)];
    return textOf(b64_json) === "" ? [] : [`data:image/png;base64,${textOf(b64_json)}`];
  });
  return addresses.map((address, place) => (
    <img key={address.slice(0, 200)} src={address} alt={t.picture(place + 1)} className="model-picture" />
  ));
}
