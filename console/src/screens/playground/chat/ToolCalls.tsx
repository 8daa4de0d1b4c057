import { ToolOutlined } from "@ant-design/icons";
import { Button, Input, Space } from "antd";
import { useState } from "react";
import { useTexts } from "@/app/texts";
import type { ToolCall } from "@/gateway/answer";
import { CodeBlock } from "@/ui/CodeBlock";
import type { ToolResult } from "./conversation";
import { texts } from "./texts";

export interface ToolCallsProps {
  calls: ToolCall[];
  /** Null: they were answered, or are not whole yet. */
  onResults: ((results: ToolResult[]) => void) | null;
}

/** What the model wants to call. Whoever reads plays the program, and says what the functions gave. */
export function ToolCalls({ calls, onResults }: ToolCallsProps) {
  const t = useTexts(texts);
  const [given, setGiven] = useState<Record<string, string>>({});
  const results = calls.map((call) => ({ toolId: call.id, name: call.name, text: given[call.id] ?? "" }));
  return (
    <Space orientation="vertical" style={{ width: "100%", marginTop: 8 }}>
      {calls.map((call) => (
        <div key={call.index}>
          <Space size="small">
            <ToolOutlined />
            <strong>{t.toolCall(call.name)}</strong>
          </Space>
          <CodeBlock text={readable(call.args)} />
          {onResults ? (
            <Input.TextArea
              aria-label={t.toolResult(call.name)}
              placeholder={t.toolResult(call.name)}
              autoSize={{ minRows: 1, maxRows: 6 }}
              style={{ marginTop: 8 }}
              value={given[call.id] ?? ""}
              onChange={(event) => setGiven({ ...given, [call.id]: event.target.value })}
            />
          ) : null}
        </div>
      ))}
      {onResults ? (
        <Button
          size="small"
          disabled={results.some((each) => each.text === "")}
          onClick={() => onResults(results)}
        >
          {t.sendResults}
        </Button>
      ) : null}
    </Space>
  );
}

function readable(args: string): string {
  try {
    return JSON.stringify(JSON.parse(args), null, 2);
  } catch {
    return args;
  }
}
