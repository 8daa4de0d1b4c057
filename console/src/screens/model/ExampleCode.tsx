import { useTexts } from "@/app/texts";
import { useKeyText } from "@/gateway/useKeyText";
import { CopyButton } from "@/ui/CopyButton";
import { useSaying } from "@/ui/useSaying";
import { callTexts } from "./texts-calls";

interface Props {
  /** With the masked key. */
  shown: string;
  keyId: string;
  withKey: (keyText: string) => string;
}

/** The key is asked for when the code is copied, not before: each reveal is in the audit log. */
export function ExampleCode({ shown, keyId, withKey }: Props) {
  const t = useTexts(callTexts);
  const say = useSaying();
  const keyText = useKeyText();
  const whole = async () => {
    if (keyId === "") return withKey("$API_KEY");
    try {
      return withKey(await keyText(keyId));
    } catch (error) {
      say.failed(error);
      say.done(t.keyNotRevealed);
      return withKey("$API_KEY");
    }
  };
  return (
    <div className="code-wrap">
      <CopyButton className="code-copy" text={whole} label={t.copyCode} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <pre className="code" tabIndex={0}>
        {shown}
      </pre>
    </div>
  );
}
