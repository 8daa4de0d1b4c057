/** Filters of everything on the screen. They combine, and stand in the address. */
import { CloseOutlined } from "@ant-design/icons";
import { Button, Input, Select } from "antd";
import { useState } from "react";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { NamedFilter } from "./NamedFilter";
import { CALL_FILTERS, FILTERS, type UsageState } from "./state";
import { texts } from "./texts";

export function Filters({ state }: { state: UsageState }) {
  const t = useTexts(texts);
  const may = useMay();
  const { values, change, range } = state;
  const named = (["model", "provider", "key", "user", "tenant"] as const).filter(
    (by) => by !== "tenant" || may("any_tenant"),
  );
  const set = [...FILTERS, ...CALL_FILTERS].filter((name) => values[name]);
  return (
    <div className="filters">
      {named.map((by) => (
        <NamedFilter
          key={by}
          by={by}
          value={values[by] || undefined}
          since={range.since}
          until={range.until}
          onChange={(value) => change({ [by]: value })}
        />
      ))}
      <Select
        aria-label={t.filters.source}
        allowClear
        placeholder={t.allOf.source}
        value={state.query.source ?? undefined}
        options={(["system", "byok"] as const).map((value) => ({ value, label: t.sources[value] }))}
        style={{ width: 130 }}
        onChange={(value: string | undefined) => change({ source: value })}
      />
      <LabelFilter key={values.label} value={values.label ?? ""} onChange={(label) => change({ label })} />
      {set.length > 0 ? (
        <Button
          type="text"
          icon={<CloseOutlined />}
          onClick={() => change(Object.fromEntries(set.map((name) => [name, null])))}
        >
          {t.clear}
        </Button>
      ) : null}
    </div>
  );
}

function LabelFilter({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const t = useTexts(texts);
  const [typed, setTyped] = useState(value);
  const isWrong = typed !== "" && !/^[^=]+=/.test(typed);
  const take = () => {
    if (!isWrong && typed !== value) onChange(typed);
  };
  return (
    <Input
      aria-label={t.filters.label}
      placeholder={t.labelHint}
      title={isWrong ? t.labelShape : undefined}
      status={isWrong ? "error" : undefined}
      allowClear
      value={typed}
      style={{ width: 168 }}
      onChange={(event) => {
        setTyped(event.target.value);
        if (event.target.value === "" && value !== "") onChange("");
      }}
      onPressEnter={take}
      onBlur={take}
    />
  );
}
