import { Segmented } from "antd";
import { useState } from "react";
import { useTexts } from "@/app/texts";
import { type Examples, examplesFor } from "@/gateway/examples";
import { heldText } from "@/gateway/heldKeys";
import { useBaseUrl } from "@/gateway/useInstallation";
import { CodeBlock } from "@/ui/CodeBlock";
import { shorten } from "./shorten";
import { texts } from "./texts";

export interface CodePanelProps {
  interfaceName: string;
  model: string;
  body: object;
  keyId: string;
}

/** The call as a program makes it; the key is masked on the screen and whole in the copy. */
export function CodePanel({ interfaceName, model, body, keyId }: CodePanelProps) {
  const t = useTexts(texts);
  const [language, setLanguage] = useState<keyof Examples>("curl");
  const baseUrl = useBaseUrl();
  const keyText = heldText(keyId) ?? "$API_KEY";
  const masked = keyText.startsWith("$") ? keyText : `${keyText.slice(0, 4)}****${keyText.slice(-4)}`;
  const codeWith = (text: string) =>
    examplesFor({
      interface: interfaceName,
      model,
      baseUrl,
      keyText: text,
      body: shorten(body) as object,
    })[language];
  return (
    <div>
      <p className="quiet" style={{ marginTop: 0 }}>
        {t.codeHint}
      </p>
      <Segmented
        aria-label={t.language}
        value={language}
        onChange={setLanguage}
        options={(["curl", "python", "node"] as const).map((value) => ({ value, label: t.languages[value] }))}
        style={{ marginBottom: 8 }}
      />
      <CodeBlock text={codeWith(keyText)} shown={codeWith(masked)} label={t.copyCode} />
    </div>
  );
}
