import { CopyButton } from "./CopyButton";

/** Code to be read and copied. `shown` differs from `text` where a secret is masked on the screen. */
export function CodeBlock({ text, shown, label }: { text: string; shown?: string; label?: string }) {
  return (
    <div className="code-wrap">
      <CopyButton className="code-copy" text={text} label={label} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <pre className="code" tabIndex={0}>
        {shown ?? text}
      </pre>
    </div>
  );
}
