/** What the chosen time adds up to. */
import type { ReactNode } from "react";
import type { Measures } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { useFormat } from "@/ui/useFormat";
import { monitoringTexts } from "./texts-monitoring";

export function Figures({ total, health }: { total: Measures; health: ReactNode }) {
  const t = useTexts(monitoringTexts);
  const format = useFormat();
  const percent = (share: number | null) => (share === null ? null : format.percent(share / 100));
  const duration = (ms: number | null) => (ms === null ? null : format.duration(ms));
  const figures: [string, string | null, ReactNode?][] = [
    [t.requests, total.requests === null ? null : format.count(total.requests)],
    [t.successRate, percent(total.success_rate), health],
    [t.errorRate, percent(total.error_rate)],
    [`${t.ttft}, ${t.p50}`, duration(total.ttft.p50_ms)],
    [`${t.latency}, ${t.p50}`, duration(total.latency.p50_ms)],
    [t.speed, total.speed === null ? null : format.short(total.speed)],
  ];
  return (
    <dl className="model-figures">
      {figures
        .filter(([, value]) => value !== null)
        .map(([label, value, more]) => (
          <div key={label}>
            <dt className="quiet">{label}</dt>
            <dd className="number">
              {value} {more}
            </dd>
          </div>
        ))}
    </dl>
  );
}
