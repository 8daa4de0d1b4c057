/** An answer as it is meant to be read. Markup in it is text, never HTML; links leave with no referrer. */
import { lazy, Suspense } from "react";

const Rendered = lazy(() => import("./MarkdownRendered"));

export function Markdown({ text }: { text: string }) {
  return (
    <Suspense fallback={<p style={{ whiteSpace: "pre-wrap" }}>{text}</p>}>
      <Rendered text={text} />
    </Suspense>
  );
}
