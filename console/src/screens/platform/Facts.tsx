import { Descriptions } from "antd";
import type { ReactNode } from "react";

/** Names and values, one below the other. */
export function Facts({ facts, label }: { facts: { name: string; value: ReactNode }[]; label?: string }) {
  return (
    <section aria-label={label}>
      <Descriptions
        bordered
        column={1}
        size="small"
        styles={{ label: { width: 190 }, content: { minWidth: 0 } }}
        items={facts.map(({ name, value }) => ({ key: name, label: name, children: value }))}
      />
    </section>
  );
}
