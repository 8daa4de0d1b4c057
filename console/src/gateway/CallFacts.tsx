/** What a call took and cost, in one quiet line that wraps. */
import { Tooltip, Typography } from "antd";
import type { ReactNode } from "react";
import { useTexts } from "@/app/texts";
import { CopyButton } from "@/ui/CopyButton";
import { Money } from "@/ui/Money";
import { useFormat } from "@/ui/useFormat";
import "./facts.css";
import { texts } from "./texts-facts";
import type { Usage } from "./usage";
import { useCallRecord } from "./useCallRecord";

export interface CallFactsProps {
  requestId: string;
  firstMs?: number | null;
  totalMs?: number | null;
  usage?: Usage | null;
  /** Output tokens each second. */
  speed?: number | null;
  /** A task costs when it has ended; the call that made it has no cost. */
  hasCost?: boolean;
}

export function CallFacts({ requestId, firstMs, totalMs, usage, speed, hasCost = true }: CallFactsProps) {
  const t = useTexts(texts);
  const format = useFormat();
  const time = (value: number | null | undefined) => (value == null ? null : format.duration(value));
  return (
    <dl className="facts">
      <Fact name={t.first} hint={t.firstHint} value={time(firstMs)} />
      <Fact name={t.took} value={time(totalMs)} />
      <Fact
        name={t.speed}
        value={speed == null ? null : t.perSecond(format.count(Math.round(speed * 10) / 10))}
      />
      {usage ? <Tokens usage={usage} /> : null}
      {requestId && hasCost ? <Cost requestId={requestId} /> : null}
      {requestId ? (
        <Fact
          name={t.requestId}
          value={
            <>
              <Typography.Text className="mono" ellipsis={{ tooltip: requestId }} style={{ maxWidth: 120 }}>
                {requestId}
              </Typography.Text>
              <CopyButton text={requestId} label={t.copyRequestId} />
            </>
          }
        />
      ) : null}
    </dl>
  );
}

function Tokens({ usage }: { usage: Usage }) {
  const t = useTexts(texts);
  const format = useFormat();
  const count = (value: number | null) => (value === null ? null : format.count(value));
  const ifAny = (value: number | null) => (value ? format.count(value) : null);
  return (
    <>
      <Fact name={t.input} value={count(usage.input)} />
      <Fact name={t.cached} hint={t.cachedHint} value={ifAny(usage.cached)} />
      <Fact name={t.cacheWrite} value={ifAny(usage.cacheWrite)} />
      <Fact name={t.output} value={count(usage.output)} />
      <Fact name={t.reasoning} hint={t.reasoningHint} value={ifAny(usage.reasoning)} />
      <Fact name={t.images} value={ifAny(usage.images)} />
      <Fact name={t.seconds} value={ifAny(usage.seconds)} />
    </>
  );
}

function Cost({ requestId }: { requestId: string }) {
  const t = useTexts(texts);
  const { call, isWaiting } = useCallRecord(requestId);
  if (isWaiting) return <Fact name={t.cost} value={<span className="quiet">{t.counting}</span>} />;
  if (call === null) return null;
  return <Fact name={t.cost} value={<Money amount={call.cost} currency={call.currency} />} />;
}

function Fact({ name, hint, value }: { name: string; hint?: string; value: ReactNode }) {
  if (value === null) return null;
  return (
    <div>
      <dt>{hint ? <Tooltip title={hint}>{name}</Tooltip> : name}</dt>
      <dd className="number">{value}</dd>
    </div>
  );
}
