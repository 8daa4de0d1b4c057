import type { ReactNode } from "react";
import "./platform.css";

/** Names and values, one below the other. */
export function Facts({ facts }: { facts: { name: string; value: ReactNode }[] }) {
  return (
    <dl className="plat-facts">
      {facts.map(({ name, value }) => (
        <div key={name} className="plat-fact">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
