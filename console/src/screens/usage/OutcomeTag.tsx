import { Tag, Tooltip } from "antd";
import type { UsageCall } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { callTexts } from "./texts-calls";

export const SETTLEMENT = "settle_task";

const COLORS: Partial<Record<UsageCall["outcome"], string>> = {
  ok: "success",
  client_gone: "default",
  refused: "warning",
  refused_upstream: "warning",
};

/** How a call ended. A settlement is told from calls: it is none. */
export function OutcomeTag({ call }: { call: UsageCall }) {
  const t = useTexts(callTexts);
  const tag = <Tag color={COLORS[call.outcome] ?? "error"}>{t.outcomes[call.outcome]}</Tag>;
  if (call.operation !== SETTLEMENT) return tag;
  return (
    <>
      {call.outcome === "ok" ? null : tag}
      <Tooltip title={t.settlementHint}>
        <Tag>{t.settlement}</Tag>
      </Tooltip>
    </>
  );
}
