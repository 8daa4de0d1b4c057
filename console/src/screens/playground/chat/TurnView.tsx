import { Space } from "antd";
import type { CSSProperties } from "react";
import { useTexts } from "@/app/texts";
import { texts as common } from "../texts";
import { AnswerCard } from "./AnswerCard";
import type { ToolResult, Turn } from "./conversation";
import { texts } from "./texts";

export interface TurnViewProps {
  turn: Turn;
  onRetry: (model: string) => void;
  /** Null: a later turn has begun. */
  onResults: ((model: string, results: ToolResult[]) => void) | null;
}

export function TurnView({ turn, onRetry, onResults }: TurnViewProps) {
  const runs = Object.values(turn.runs);
  return (
    <section>
      <Asked turn={turn} />
      <div className="answers" style={{ "--columns": runs.length } as CSSProperties}>
        {runs.map((run) => (
          <AnswerCard
            key={run.model}
            run={run}
            onRetry={() => onRetry(run.model)}
            onResults={onResults && ((results) => onResults(run.model, results))}
          />
        ))}
      </div>
    </section>
  );
}

function Asked({ turn }: { turn: Turn }) {
  const t = useTexts(texts);
  const words = useTexts(common);
  if (turn.results) {
    return (
      <div className="asked">
        <div className="quiet">{t.gaveResults}</div>
        {turn.results.items.map((item) => (
          <div key={item.toolId} className="mono">
            {item.name}: {item.text}
          </div>
        ))}
      </div>
    );
  }
  return (
    <div className="asked">
      {turn.images.length ? (
        <Space wrap style={{ marginBottom: 8 }}>
          {turn.images.map((url, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the same picture may be there twice
            <span key={at} className="picture">
              <img src={url} alt={words.imageNumber(at + 1)} />
            </span>
          ))}
        </Space>
      ) : null}
      <div>{turn.text}</div>
    </div>
  );
}
