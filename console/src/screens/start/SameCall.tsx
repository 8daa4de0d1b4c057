import { Button, Space } from "antd";
import { Link } from "react-router";
import { useTexts } from "@/app/texts";
import { examplesFor } from "@/gateway/examples";
import { heldText } from "@/gateway/heldKeys";
import type { Run } from "@/gateway/runChat";
import { useBaseUrl } from "@/gateway/useInstallation";
import { CodeBlock } from "@/ui/CodeBlock";
import { texts } from "./texts";

/** The call as a terminal would make it: the key is masked on the screen and whole in the copy. */
export function SameCall({ run, keyId, prompt }: { run: Run; keyId: string; prompt: string }) {
  const t = useTexts(texts);
  const baseUrl = useBaseUrl();
  const text = heldText(keyId) ?? "$API_KEY";
  const body = { model: run.model, messages: [{ role: "user", content: prompt }], max_tokens: 1024 };
  const curlWith = (keyText: string) =>
    examplesFor({
      interface: run.interfaceName,
      model: run.model,
      baseUrl,
      keyText,
      ...(run.interfaceName === "responses" ? {} : { body }),
    }).curl;
  const masked = text.startsWith("$") ? text : `${text.slice(0, 4)}****${text.slice(-4)}`;
  return (
    <section style={{ marginTop: 24 }}>
      <h3 style={{ fontSize: 14 }}>{t.sameCall}</h3>
      <CodeBlock text={curlWith(text)} shown={curlWith(masked)} label={t.copyCall} />
      <h3 style={{ fontSize: 14, marginTop: 24 }}>{t.goOn}</h3>
      <Space wrap>
        <Link to={`/playground?model=${encodeURIComponent(run.model)}&key=${keyId}`}>
          <Button>{t.toPlayground}</Button>
        </Link>
        <Link to="/models">
          <Button>{t.toModels}</Button>
        </Link>
        <Link to={`/usage?key=${keyId}`}>
          <Button>{t.toUsage}</Button>
        </Link>
      </Space>
    </section>
  );
}
