/** Chat with up to four models at once. */
import { Button, Card, Skeleton, Space, Tabs } from "antd";
import { useState } from "react";
import type { ModelView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { bodyFor } from "@/gateway/ask";
import { Empty } from "@/ui/Empty";
import { ErrorView } from "@/ui/ErrorView";
import { CodePanel } from "../CodePanel";
import { NoModels } from "../NoModels";
import { texts as common } from "../texts";
import { useChosen, type WorkProps } from "../work";
import { Composer } from "./Composer";
import { ModelRow } from "./ModelRow";
import { SettingsForm } from "./SettingsForm";
import { type ChatSettings, DEFAULTS, interfaceOf, questionFor } from "./settings";
import { TurnView } from "./TurnView";
import { texts } from "./texts";
import { useChat } from "./useChat";

export default function ChatWork(props: WorkProps) {
  const chosen = useChosen(props, "chat");
  if (chosen.isNone) return <NoModels />;
  if (chosen.error) {
    return (
      <>
        <ModelRow {...props} />
        <ErrorView error={chosen.error} />
      </>
    );
  }
  if (chosen.models.length === 0) return <Skeleton active />;
  return <Chat {...props} models={chosen.models} />;
}

function Chat(props: WorkProps & { models: ModelView[] }) {
  const { models, keyId } = props;
  const words = useTexts(common);
  const [settings, setSettings] = useState<ChatSettings>(DEFAULTS);
  const chat = useChat(keyId, settings);
  return (
    <div className="work">
      <div>
        <ModelRow {...props} />
        <Conversation chat={chat} models={models} keyId={keyId} />
      </div>
      <Card size="small" className="work-side">
        <Tabs
          size="small"
          items={[
            {
              key: "settings",
              label: words.settings,
              children: <SettingsForm value={settings} onChange={setSettings} />,
            },
            { key: "code", label: words.code, children: <Code {...props} chat={chat} settings={settings} /> },
          ]}
        />
      </Card>
    </div>
  );
}

type ChatState = ReturnType<typeof useChat>;

function Conversation({ chat, models, keyId }: { chat: ChatState; models: ModelView[]; keyId: string }) {
  const t = useTexts(texts);
  const words = useTexts(common);
  const last = chat.turns.at(-1);
  const ask = (text: string, images: string[] = []) => void chat.ask({ text, images, results: null }, models);
  const modelOf = (name: string) => models.find((model) => model.name === name);
  return (
    <>
      {chat.turns.length === 0 ? <Begin isReady={keyId !== ""} onPick={ask} /> : null}
      {chat.turns.map((turn) => (
        <TurnView
          key={turn.id}
          turn={turn}
          onRetry={(name) => {
            const model = modelOf(name);
            if (model) void chat.retry(turn.id, model);
          }}
          onResults={
            turn === last
              ? (name, items) => {
                  const model = modelOf(name);
                  if (model)
                    void chat.ask({ text: "", images: [], results: { model: name, items } }, [model]);
                }
              : null
          }
        />
      ))}
      {chat.error ? <ErrorView error={chat.error} /> : null}
      {models.some((model) => !model.input.includes("image")) && last?.images.length ? (
        <p className="quiet">{t.noPictures}</p>
      ) : null}
      <Composer
        onSend={ask}
        onStop={chat.stop}
        onClear={chat.turns.length ? chat.clear : null}
        isRunning={chat.isRunning}
        hindrance={keyId === "" ? words.noKeyYet : ""}
      />
    </>
  );
}

function Begin({ isReady, onPick }: { isReady: boolean; onPick: (text: string) => void }) {
  const t = useTexts(texts);
  return (
    <div style={{ padding: "32px 0" }}>
      <Empty
        title={t.emptyTitle}
        hint={t.emptyHint}
        action={
          <Space wrap style={{ justifyContent: "center" }}>
            {t.suggestions.map((text) => (
              <Button
                key={text}
                disabled={!isReady}
                style={{ height: "auto", whiteSpace: "normal" }}
                onClick={() => onPick(text)}
              >
                {text}
              </Button>
            ))}
          </Space>
        }
      />
    </div>
  );
}

/** Of the last call of the first model, or of the call that the next message makes. */
function Code(props: { chat: ChatState; settings: ChatSettings; models: ModelView[]; keyId: string }) {
  const t = useTexts(texts);
  const [model] = props.models;
  if (model === undefined) return null;
  const run = props.chat.turns.at(-1)?.runs[model.name];
  const interfaceName = run?.interfaceName ?? interfaceOf(model, props.settings);
  const sample = [{ role: "user" as const, text: t.suggestions[0] ?? "" }];
  const body = run?.body ?? bodyFor(interfaceName, questionFor(model, sample, props.settings));
  return <CodePanel interfaceName={interfaceName} model={model.name} body={body} keyId={props.keyId} />;
}
