import { Badge, Tooltip } from "antd";
import type { UsageCall } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { SETTLEMENT } from "./attempts";
import { callTexts } from "./texts-calls";

const STATUS: Partial<Record<UsageCall["outcome"], "success" | "default" | "warning">> = {
  ok: "success",
  client_gone: "default",
  refused: "warning",
  refused_upstream: "warning",
};

/** How a call ended. A settlement is told from calls: it is none. */
export function OutcomeTag({ call }: { call: UsageCall }) {
  const t = useTexts(callTexts);
  const badge = <Badge status={STATUS[call.outcome] ?? "error"} text={t.outcomes[call.outcome]} />;
  if (call.operation !== SETTLEMENT) return badge;
  const isGood = call.outcome === "ok";
  return (
    <Tooltip title={t.settlementHint}>
      <span>
        <Badge status={isGood ? "default" : "error"} text={isGood ? t.settlement : t.settlementFailed} />
      </span>
    </Tooltip>
  );
}
