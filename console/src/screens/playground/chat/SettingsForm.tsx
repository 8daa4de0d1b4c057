import { Button, Form, Input, InputNumber, Segmented, Select, Slider, Space } from "antd";
import { useTexts } from "@/app/texts";
import { CHAT_INTERFACES, type Thinking } from "@/gateway/ask";
import { texts as common } from "../texts";
import type { ChatSettings } from "./settings";
import { texts } from "./texts";
import { EXAMPLE_TOOLS, readTools } from "./tools";

export interface SettingsFormProps {
  value: ChatSettings;
  onChange: (settings: ChatSettings) => void;
}

export function SettingsForm({ value, onChange }: SettingsFormProps) {
  const t = useTexts(texts);
  const set = (change: Partial<ChatSettings>) => onChange({ ...value, ...change });
  const overs = [
    { value: "", label: t.automatic },
    ...CHAT_INTERFACES.map((name) => ({ value: name, label: t.interfaces[name] ?? name })),
  ];
  const thinkings = (["default", "on", "off"] as const).map((each) => ({
    value: each,
    label: t.thinkingChoices[each],
  }));
  return (
    <Form layout="vertical" component="div">
      <Form.Item label={t.system} extra={t.systemHint} htmlFor="chat-system">
        <Input.TextArea
          id="chat-system"
          value={value.system}
          autoSize={{ minRows: 2, maxRows: 8 }}
          onChange={(event) => set({ system: event.target.value })}
        />
      </Form.Item>
      <Temperature value={value.temperature} onChange={(temperature) => set({ temperature })} />
      <Form.Item label={t.maxTokens} htmlFor="chat-most">
        <MostTokens value={value.maxTokens} onChange={(maxTokens) => set({ maxTokens })} />
      </Form.Item>
      <Form.Item label={t.thinking} extra={t.thinkingHint}>
        <Segmented<Thinking>
          aria-label={t.thinking}
          options={thinkings}
          value={value.thinking}
          onChange={(thinking) => set({ thinking })}
        />
      </Form.Item>
      <Form.Item label={t.over} extra={t.overHint}>
        <Select aria-label={t.over} options={overs} value={value.over} onChange={(over) => set({ over })} />
      </Form.Item>
      <Tools value={value.tools} onChange={(tools) => set({ tools })} />
    </Form>
  );
}

function Temperature({
  value,
  onChange,
}: {
  value: number | null;
  onChange: (value: number | null) => void;
}) {
  const t = useTexts(texts);
  return (
    <Form.Item label={t.temperature} extra={t.temperatureHint} htmlFor="chat-temperature">
      <div style={{ display: "flex", gap: 12, alignItems: "center" }}>
        <Slider
          min={0}
          max={2}
          step={0.1}
          value={value ?? 1}
          onChange={onChange}
          ariaLabelForHandle={t.temperature}
          style={{ flex: 1 }}
        />
        <InputNumber
          id="chat-temperature"
          min={0}
          max={2}
          step={0.1}
          value={value}
          onChange={onChange}
          style={{ width: 80 }}
        />
      </div>
    </Form.Item>
  );
}

function MostTokens({ value, onChange }: { value: number | null; onChange: (value: number | null) => void }) {
  const t = useTexts(common);
  return (
    <InputNumber
      id="chat-most"
      min={1}
      max={1_000_000}
      precision={0}
      value={value}
      placeholder={t.asProvider}
      onChange={onChange}
      style={{ width: "100%" }}
    />
  );
}

function Tools({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const t = useTexts(texts);
  const read = readTools(value);
  const wrong = read.tools ? "" : read.json ? t.toolsWrongJson(read.json) : t.toolsWrong;
  return (
    <Form.Item
      label={t.tools}
      extra={t.toolsHint}
      htmlFor="chat-tools"
      {...(wrong ? { validateStatus: "error" as const, help: wrong } : {})}
    >
      <Space orientation="vertical" style={{ width: "100%" }}>
        <Input.TextArea
          id="chat-tools"
          className="mono"
          spellCheck={false}
          value={value}
          placeholder="[]"
          autoSize={{ minRows: 2, maxRows: 14 }}
          onChange={(event) => onChange(event.target.value)}
        />
        {value === "" ? (
          <Button size="small" onClick={() => onChange(EXAMPLE_TOOLS)}>
            {t.toolsExample}
          </Button>
        ) : null}
      </Space>
    </Form.Item>
  );
}
