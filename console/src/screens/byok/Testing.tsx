import { Alert } from "antd";
import { $api } from "@/api/client";
import type { ByokProvider, ProbeAnswer } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { useFormat } from "@/ui/useFormat";
import { texts } from "./texts";

/** What a provider can be tested with; where nothing is cheap, all that it runs, which is billed. */
export function useTestModels(provider: ByokProvider | undefined): { models: string[]; isBilled: boolean } {
  const isBilled = provider !== undefined && provider.test_models.length === 0;
  const query = $api.useQuery(
    "get",
    "/models",
    { params: { query: { provider: provider?.id ?? "", limit: 200 } } },
    { enabled: isBilled },
  );
  if (!isBilled) return { models: provider?.test_models ?? [], isBilled };
  return { models: (query.data?.data ?? []).map((each) => each.name), isBilled };
}

export function TestResult({ answer }: { answer: ProbeAnswer }) {
  const t = useTexts(texts).dialog;
  const format = useFormat();
  if (answer.ok) {
    return (
      <Alert type="success" showIcon title={t.good(answer.model, format.duration(answer.latency_ms ?? 0))} />
    );
  }
  const facts = [
    answer.model,
    answer.status ? `HTTP ${answer.status}` : "",
    answer.latency_ms === null ? "" : format.duration(answer.latency_ms),
  ].filter(Boolean);
  return (
    <Alert
      type="error"
      showIcon
      title={t.bad}
      description={
        <>
          <div>{answer.message}</div>
          <div className="quiet">{facts.join(" · ")}</div>
        </>
      }
    />
  );
}
