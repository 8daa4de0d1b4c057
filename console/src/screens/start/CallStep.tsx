/** The third step: a call, whose answer streams in. */
import { SendOutlined, StopOutlined } from "@ant-design/icons";
import { Button, Form, Input, Space } from "antd";
import { useState } from "react";
import { useTexts } from "@/app/texts";
import { ModelSelect } from "@/gateway/ModelSelect";
import { chatInterfaces, defaultModel, thinkingWords, useModels } from "@/gateway/useModels";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { FirstAnswer } from "./FirstAnswer";
import { SameCall } from "./SameCall";
import { Step } from "./Step";
import { texts } from "./texts";
import { useFirstCall } from "./useFirstCall";

export function CallStep({ keyId }: { keyId: string }) {
  const t = useTexts(texts);
  const [chosen, setChosen] = useState<string | null>(null);
  const [prompt, setPrompt] = useState<string | null>(null);
  const { models, error } = useModels({ kind: "chat", keyId });
  const call = useFirstCall();
  const model = models?.find((each) => each.name === chosen) ?? defaultModel(models ?? []);
  const text = prompt ?? t.firstPrompt;
  const interfaceName = model ? (chatInterfaces(model)[0] ?? "open_ai") : "open_ai";
  const send = () => {
    if (!model) return;
    void call.send(keyId, interfaceName, {
      model: model.name,
      messages: [{ role: "user", text }],
      system: "",
      temperature: null,
      maxTokens: null,
      thinking: "default",
      thinkingWords: thinkingWords(model),
      tools: [],
    });
  };
  const isDone = call.run?.state === "done";
  return (
    <Step number={3} title={t.callTitle} isDone={isDone}>
      {error ? <ErrorView error={error} /> : null}
      {models && !model ? <Empty title={t.noModel} /> : null}
      {model ? (
        <Form layout="vertical" onFinish={send}>
          <div style={{ maxWidth: 560, marginBottom: 12 }}>
            <ModelSelect kind="chat" keyId={keyId} value={model.name} onChange={setChosen} />
          </div>
          <Input.TextArea
            aria-label={t.prompt}
            value={text}
            autoSize={{ minRows: 2, maxRows: 8 }}
            onChange={(event) => setPrompt(event.target.value)}
          />
          <Space style={{ marginTop: 12 }}>
            {call.isRunning ? (
              <Button icon={<StopOutlined />} onClick={call.stop}>
                {t.stop}
              </Button>
            ) : (
              <Button
                type="primary"
                htmlType="submit"
                icon={<SendOutlined />}
                disabled={keyId === "" || text.trim() === ""}
              >
                {call.run ? t.again : t.send}
              </Button>
            )}
            {keyId === "" ? <span className="quiet">{t.needsKey}</span> : null}
          </Space>
        </Form>
      ) : null}
      {call.error ? <ErrorView error={call.error} onRetry={send} /> : null}
      {call.run ? <FirstAnswer run={call.run} onRetry={send} /> : null}
      {call.run && !call.isRunning ? <SameCall run={call.run} keyId={keyId} prompt={text} /> : null}
    </Step>
  );
}
