import { Alert, Button, Space, Typography } from "antd";
import { toProblem } from "@/api/problem";
import { useTexts } from "@/app/texts";
import { texts } from "./texts";

/** Loaded by `ErrorView`: a first screen has no error. */

/** An error where the thing would be: what happened, the request id, a way on. */
export function ErrorView({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const t = useTexts(texts);
  const problem = toProblem(error);
  const isAway = problem.code === "UNREACHABLE";
  return (
    <Alert
      type="error"
      showIcon
      title={isAway ? t.unreachable : (t.codes[problem.code] ?? problem.message)}
      description={
        <Space orientation="vertical" size={4}>
          {isAway ? <span>{t.unreachableHint}</span> : <ProblemWords error={error} />}
          {onRetry ? (
            <Button size="small" onClick={onRetry}>
              {t.retry}
            </Button>
          ) : null}
        </Space>
      }
    />
  );
}

/** Code, fields and request id of an error, for a place that has said the rest. */
export function ProblemWords({ error }: { error: unknown }) {
  const t = useTexts(texts);
  const problem = toProblem(error);
  return (
    <Space orientation="vertical" size={2}>
      {problem.details.map((detail) => (
        <span key={detail}>{detail}</span>
      ))}
      <Typography.Text type="secondary">
        {problem.code}
        {problem.requestId ? ` · ${t.requestId} ` : null}
        {problem.requestId ? (
          <Typography.Text code copyable>
            {problem.requestId}
          </Typography.Text>
        ) : null}
      </Typography.Text>
    </Space>
  );
}
