import type { ReactNode } from "react";
import type { Measures } from "@/api/schema";
import { useTexts } from "@/app/texts";
import "@/screens/platform/platform.css";
import { useFormat } from "@/ui/useFormat";
import { Percent, Spread } from "./Marks";
import { texts } from "./texts";

/** What the endpoints did together. */
export function Cards({ total, atFault }: { total: Measures; atFault?: number }) {
  const t = useTexts(texts);
  const format = useFormat();
  const count = (value: number | null) => (value === null ? "-" : format.short(value));
  const cards: [name: string, value: ReactNode][] = [
    [t.requests, count(total.requests)],
    [t.success, <Percent key="success" value={total.success_rate} />],
    [t.failed, count(total.failed)],
    [t.ttft, <Spread key="ttft" times={total.ttft} />],
    [t.latency, <Spread key="latency" times={total.latency} />],
    [t.throughput, count(total.output_tokens_per_s)],
  ];
  if (atFault !== undefined) cards.push([t.atFault, format.count(atFault)]);
  return (
    <div className="plat-cards">
      {cards.map(([name, value]) => (
        <div key={name} className="plat-card">
          <div className="quiet">{name}</div>
          <div className="plat-card-value number">{value}</div>
        </div>
      ))}
    </div>
  );
}
