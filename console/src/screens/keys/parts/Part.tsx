import { type ReactNode, useId } from "react";
import type { Route } from "./route";

/** What every part of the routing editor takes. */
export interface RoutePartProps {
  route: Route;
  change: (changes: Partial<Route>) => void;
  disabled: boolean;
}

/** A label, fields and a hint, where no form item holds them. */
export function Part({ label, hint, children }: { label: string; hint?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <div id={id} style={{ marginBottom: 6, fontWeight: 500 }}>
        {label}
      </div>
      {children}
      {hint ? (
        <div className="quiet" style={{ marginTop: 4 }}>
          {hint}
        </div>
      ) : null}
    </section>
  );
}
