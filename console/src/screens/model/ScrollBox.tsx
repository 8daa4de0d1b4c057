import type { ReactNode } from "react";

/** A table without anything to press that is wider than a phone: the keyboard must be able to scroll it. */
export function ScrollBox({ label, width, children }: { label: string; width: number; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
    <section className="model-scroll" aria-label={label} tabIndex={0}>
      <div style={{ minWidth: width }}>{children}</div>
    </section>
  );
}
