/** What was tried, one after the other, along the time that the whole call took. */
import { Timeline } from "antd";
import type { Attempt, UsageCall } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { useFormat } from "@/ui/useFormat";
import { attemptsOf, isServed, providerOf } from "./attempts";
import { callTexts } from "./texts-calls";

export function Attempts({ call }: { call: UsageCall }) {
  const attempts = attemptsOf(call);
  const whole = Math.max(call.duration_ms, ...attempts.map((each) => each.started_ms + each.duration_ms), 1);
  if (attempts.length === 0) return <span className="quiet">-</span>;
  return (
    <Timeline
      items={attempts.map((attempt, place) => ({
        key: place,
        color: isServed(attempt) ? "green" : "red",
        content: <Tried attempt={attempt} whole={whole} />,
      }))}
    />
  );
}

function Tried({ attempt, whole }: { attempt: Attempt; whole: number }) {
  const t = useTexts(callTexts);
  const format = useFormat();
  const good = isServed(attempt);
  const words = [
    providerOf(attempt.endpoint),
    attempt.status > 0 ? `HTTP ${attempt.status}` : t.noAnswer,
    t.after(format.duration(attempt.started_ms)),
    t.took(format.duration(attempt.duration_ms)),
  ];
  return (
    <div>
      <div className="mono">{attempt.endpoint}</div>
      <div>
        {good ? t.served : `${t.failed}: ${attempt.error}`}
        <span className="quiet number"> · {words.join(" · ")}</span>
      </div>
      <div className="usage-attempt-bar" aria-hidden>
        <span
          style={{
            insetInlineStart: `${(100 * attempt.started_ms) / whole}%`,
            width: `${(100 * attempt.duration_ms) / whole}%`,
            background: good ? "var(--ant-color-success)" : "var(--ant-color-error)",
          }}
        />
      </div>
      <div className="quiet usage-small">
        {t.credential}: {attempt.credential || "-"}
      </div>
    </div>
  );
}
