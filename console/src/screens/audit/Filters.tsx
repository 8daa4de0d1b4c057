import { CloseOutlined } from "@ant-design/icons";
import { Button, DatePicker, Input, Select } from "antd";
import dayjs from "dayjs";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { ACTIONS, actionInWords, actionTexts } from "./actions";
import { texts } from "./texts";

interface Props {
  values: Record<string, string>;
  change: (changes: Record<string, string | null>) => void;
}

const NAMES = ["actor", "action", "target", "since", "until"];
/** Kinds of things that belong to the installation; tenants' administrators have no lines of them. */
const OF_INSTALLATION = new Set([
  "credential",
  "model",
  "endpoint",
  "discount",
  "usage",
  "alert_channel",
  "alert_rule",
]);

export function Filters({ values, change }: Props) {
  const t = useTexts(texts);
  return (
    <div className="filters">
      <TextFilter name="actor" values={values} change={change} />
      <ActionFilter value={values.action ?? ""} onChange={(action) => change({ action })} />
      <TextFilter name="target" values={values} change={change} />
      <TimeFilter values={values} change={change} />
      {NAMES.some((name) => values[name]) ? (
        <Button
          type="text"
          icon={<CloseOutlined />}
          onClick={() => change(Object.fromEntries(NAMES.map((name) => [name, null])))}
        >
          {t.filters.clear}
        </Button>
      ) : null}
    </div>
  );
}

function TextFilter({ name, values, change }: Props & { name: "actor" | "target" }) {
  const t = useTexts(texts);
  const value = values[name] ?? "";
  return (
    <Input.Search
      // What a row or the Clear button puts into the address shows here as well.
      key={value}
      aria-label={t.filters[name]}
      placeholder={t.filters[name]}
      allowClear
      defaultValue={value}
      maxLength={200}
      style={{ width: 210 }}
      onSearch={(text) => change({ [name]: text.trim() })}
    />
  );
}

function ActionFilter({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const t = useTexts(texts);
  const words = useTexts(actionTexts);
  const isPlatform = useMay()("any_tenant");
  const options = Object.entries(ACTIONS)
    .filter(([kind]) => isPlatform || !OF_INSTALLATION.has(kind))
    .map(([kind, verbs]) => {
      const title = words.kinds[kind] ?? kind;
      return {
        label: title,
        options: [
          { value: kind, label: words.all(title) },
          ...verbs.map((verb) => ({
            value: `${kind}.${verb}`,
            label: actionInWords(`${kind}.${verb}`, words),
          })),
        ],
      };
    });
  return (
    <Select
      aria-label={t.action}
      placeholder={t.filters.action}
      allowClear
      showSearch={{ optionFilterProp: "label" }}
      value={value || undefined}
      options={options}
      style={{ width: 220 }}
      onChange={(next: string | undefined) => onChange(next ?? "")}
    />
  );
}

function TimeFilter({ values, change }: Props) {
  const t = useTexts(texts);
  const day = (text: string | undefined) => (text && dayjs(text).isValid() ? dayjs(text) : null);
  const last = (days: number) => [dayjs().subtract(days, "day"), null] as [dayjs.Dayjs, null];
  return (
    <DatePicker.RangePicker
      aria-label={t.filters.time}
      showTime={{ format: "HH:mm" }}
      format="YYYY-MM-DD HH:mm"
      allowEmpty={[true, true]}
      placeholder={[t.filters.from, t.filters.to]}
      value={[day(values.since), day(values.until)]}
      style={{ width: 330, maxWidth: "100%" }}
      presets={[
        { label: t.ranges.day, value: last(1) },
        { label: t.ranges.week, value: last(7) },
        { label: t.ranges.month, value: last(30) },
      ]}
      onChange={(range) =>
        change({
          since: range?.[0]?.toISOString() ?? null,
          until: range?.[1]?.toISOString() ?? null,
        })
      }
    />
  );
}
