import { Card, Collapse, Skeleton, Tag } from "antd";
import { useTexts } from "@/app/texts";
import { CallFacts } from "@/gateway/CallFacts";
import { Markdown } from "@/gateway/Markdown";
import { type Run, speedOf } from "@/gateway/runChat";
import { ErrorView } from "@/ui/ErrorView";
import type { ToolResult } from "./conversation";
import { ToolCalls } from "./ToolCalls";
import { texts } from "./texts";

export interface AnswerCardProps {
  run: Run;
  onRetry: () => void;
  onResults: ((results: ToolResult[]) => void) | null;
}

export function AnswerCard({ run, onRetry, onResults }: AnswerCardProps) {
  const t = useTexts(texts);
  const isRunning = run.state === "running";
  return (
    <Card
      size="small"
      role="region"
      aria-label={t.answerOf(run.model)}
      aria-busy={isRunning}
      title={run.model}
      extra={<Tag>{t.interfaces[run.interfaceName] ?? run.interfaceName}</Tag>}
    >
      <AnswerBody run={run} />
      {run.answer.tools.length ? (
        <ToolCalls calls={run.answer.tools} onResults={isRunning ? null : onResults} />
      ) : null}
      {run.problem ? <ErrorView error={run.problem} onRetry={onRetry} /> : null}
      {run.state === "stopped" ? <p className="quiet">{t.stopped}</p> : null}
      {["length", "max_tokens", "incomplete"].includes(run.answer.finish) ? (
        <p className="quiet">{t.cutLong}</p>
      ) : null}
      {isRunning ? null : (
        <CallFacts
          requestId={run.requestId}
          firstMs={run.firstMs}
          totalMs={run.totalMs}
          usage={run.usage}
          speed={speedOf(run)}
        />
      )}
    </Card>
  );
}

function AnswerBody({ run }: { run: Run }) {
  const t = useTexts(texts);
  const { text, reasoning, tools } = run.answer;
  const isWaiting = text === "" && reasoning === "" && tools.length === 0 && run.state === "running";
  return (
    <>
      {isWaiting ? <Skeleton active title={false} paragraph={{ rows: 2 }} /> : null}
      {reasoning ? (
        <Collapse
          size="small"
          ghost
          items={[{ key: "thought", label: t.thought, children: <Markdown text={reasoning} /> }]}
        />
      ) : null}
      {text ? <Markdown text={text} /> : null}
    </>
  );
}
