import { Badge, Tooltip } from "antd";
import type { HealthNow, Measures } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { useFormat } from "@/ui/useFormat";
import { texts } from "./texts";

const BADGES = { healthy: "success", degraded: "warning", failing: "error", idle: "default" } as const;

export function HealthBadge({ now }: { now: HealthNow }) {
  const t = useTexts(texts);
  return (
    <Tooltip title={t.stateHints[now.status]}>
      <Badge status={BADGES[now.status]} text={t.states[now.status]} />
    </Tooltip>
  );
}

/** Percent as the API counts it: 99.5. */
export function Percent({ value }: { value: number | null }) {
  const format = useFormat();
  if (value === null) return <span className="quiet">-</span>;
  return <span className="number">{format.percent(value / 100)}</span>;
}

/** Median and 95th percentile. */
export function Spread({ times }: { times: Measures["ttft"] }) {
  const format = useFormat();
  if (times.p50_ms === null || times.p95_ms === null) return <span className="quiet">-</span>;
  return (
    <span className="number">
      {format.duration(times.p50_ms)} <span className="quiet">/ {format.duration(times.p95_ms)}</span>
    </span>
  );
}
