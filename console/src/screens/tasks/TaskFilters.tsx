import { DatePicker, Select } from "antd";
import dayjs from "dayjs";
import { $api } from "@/api/client";
import { useTexts } from "@/app/texts";
import { NamedFilter } from "@/screens/usage/NamedFilter";
import { addDays } from "@/screens/usage/range";
import type { UrlState } from "@/ui/useUrlState";
import { KINDS, readStates, STATES } from "./state";
import { texts } from "./texts";

/** Tasks are kept for long, but what was made this long ago is hardly looked for by name. */
const OFFERED_DAYS = 90;

export function TaskFilters({ values, change }: { values: Record<string, string>; change: UrlState[1] }) {
  const t = useTexts(texts);
  const since = addDays(dayjs().format("YYYY-MM-DD"), -OFFERED_DAYS);
  return (
    <div className="filters">
      <Select
        mode="multiple"
        aria-label={t.state}
        placeholder={t.anyState}
        allowClear
        maxTagCount="responsive"
        value={readStates(values.state)}
        options={STATES.map((value) => ({ value, label: t.states[value] }))}
        style={{ width: 220, maxWidth: "100%" }}
        onChange={(several) => change({ state: several.join(",") })}
      />
      <Select
        aria-label={t.kind}
        placeholder={t.anyKind}
        allowClear
        value={KINDS.find((each) => each === values.kind)}
        options={KINDS.map((value) => ({ value, label: t.kinds[value] }))}
        style={{ width: 130 }}
        onChange={(kind: string | undefined) => change({ kind })}
      />
      <ModelFilter value={values.model} onChange={(model) => change({ model })} />
      {(["key", "provider"] as const).map((by) => (
        <NamedFilter
          key={by}
          by={by}
          value={values[by] || undefined}
          since={since}
          onChange={(value) => change({ [by]: value })}
        />
      ))}
      <DatePicker.RangePicker
        aria-label={t.made}
        value={values.since && values.until ? [dayjs(values.since), dayjs(values.until)] : null}
        onChange={(days) =>
          change({ since: days?.[0]?.format("YYYY-MM-DD"), until: days?.[1]?.format("YYYY-MM-DD") })
        }
      />
    </div>
  );
}

/** Only models that make tasks are offered. */
function ModelFilter({ value, onChange }: { value?: string; onChange: (value: string | undefined) => void }) {
  const t = useTexts(texts);
  const several = KINDS.map((kind) => ({ params: { query: { kind, limit: 200 } } }));
  const [video, image, solid] = several;
  const queries = [
    $api.useQuery("get", "/models", video ?? {}, { staleTime: 60_000 }),
    $api.useQuery("get", "/models", image ?? {}, { staleTime: 60_000 }),
    $api.useQuery("get", "/models", solid ?? {}, { staleTime: 60_000 }),
  ];
  const names = queries.flatMap((query) => query.data?.data.map((each) => each.name) ?? []);
  if (value && !names.includes(value)) names.push(value);
  return (
    <Select
      aria-label={t.model}
      placeholder={t.model}
      allowClear
      showSearch
      value={value || undefined}
      options={names.map((name) => ({ value: name, label: name }))}
      popupMatchSelectWidth={false}
      style={{ width: 190 }}
      onChange={onChange}
    />
  );
}
