import type { ReactNode } from "react";

export type DotColor = "success" | "processing" | "default" | "error" | "warning";

/** A state: a coloured dot and its word. */
export function Dot({ color, children }: { color: DotColor; children: ReactNode }) {
  return (
    <span className="dot" data-color={color}>
      {children}
    </span>
  );
}
