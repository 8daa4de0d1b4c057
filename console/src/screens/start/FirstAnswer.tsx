import { Alert, Collapse, Skeleton } from "antd";
import { useTexts } from "@/app/texts";
import { CallFacts } from "@/gateway/CallFacts";
import { Markdown } from "@/gateway/Markdown";
import { type Run, speedOf } from "@/gateway/runChat";
import { useSimulator } from "@/gateway/useSimulator";
import { ErrorView } from "@/ui/ErrorView";
import { texts } from "./texts";

export function FirstAnswer({ run, onRetry }: { run: Run; onRetry: () => void }) {
  const t = useTexts(texts);
  const isSimulated = useSimulator();
  const { text, reasoning } = run.answer;
  const isEmpty = text === "" && reasoning === "";
  return (
    <section aria-label={t.answer} aria-busy={run.state === "running"} style={{ marginTop: 16 }}>
      {isSimulated && !isEmpty ? (
        <Alert type="info" showIcon title={t.simulated} style={{ marginBottom: 12 }} />
      ) : null}
      {isEmpty && run.state === "running" ? <Skeleton active title={false} paragraph={{ rows: 2 }} /> : null}
      {reasoning ? (
        <Collapse
          size="small"
          ghost
          items={[{ key: "thinking", label: t.thinking, children: <Markdown text={reasoning} /> }]}
        />
      ) : null}
      {text ? <Markdown text={text} /> : null}
      {run.problem ? <ErrorView error={run.problem} onRetry={onRetry} /> : null}
      {run.state === "running" ? null : (
        <CallFacts
          requestId={run.requestId}
          firstMs={run.firstMs}
          totalMs={run.totalMs}
          usage={run.usage}
          speed={speedOf(run)}
        />
      )}
    </section>
  );
}
