/** Filters that only calls have. */
import { Input, Select, Space, Tag } from "antd";
import { useState } from "react";
import { useTexts } from "@/app/texts";
import { OUTCOMES, readOutcomes, type UsageState } from "./state";
import { callTexts } from "./texts-calls";

const IDS = ["request_id", "upstream_request_id", "task_id"] as const;

export function CallFilters({ state }: { state: UsageState }) {
  const t = useTexts(callTexts);
  const { values, change } = state;
  return (
    <>
      <Select
        mode="multiple"
        aria-label={t.outcome}
        placeholder={t.anyOutcome}
        allowClear
        maxTagCount="responsive"
        value={readOutcomes(values.outcome)}
        options={OUTCOMES.map((value) => ({ value, label: t.outcomes[value] }))}
        style={{ width: 220, maxWidth: "100%" }}
        onChange={(several) => change({ outcome: several.join(",") })}
      />
      <IdSearch onFind={(name, id) => change({ [name]: id })} />
      {IDS.filter((name) => values[name]).map((name) => (
        <Tag key={name} closable onClose={() => change({ [name]: null })} style={{ alignSelf: "center" }}>
          {t.ids[name]}: <span className="mono">{values[name]}</span>
        </Tag>
      ))}
    </>
  );
}

function IdSearch({ onFind }: { onFind: (name: (typeof IDS)[number], id: string) => void }) {
  const t = useTexts(callTexts);
  const [name, choose] = useState<(typeof IDS)[number]>("request_id");
  const [typed, setTyped] = useState("");
  return (
    <Space.Compact style={{ maxWidth: "100%" }}>
      <Select
        aria-label={t.find}
        value={name}
        options={IDS.map((value) => ({ value, label: t.ids[value] }))}
        style={{ width: 120 }}
        onChange={choose}
      />
      <Input.Search
        aria-label={t.ids[name]}
        placeholder={t.ids[name]}
        enterButton={t.search}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onSearch={(text) => {
          if (text.trim() === "") return;
          onFind(name, text.trim());
          setTyped("");
        }}
      />
    </Space.Compact>
  );
}
