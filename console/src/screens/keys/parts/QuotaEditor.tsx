/** Editor of quotas and money budgets: a controlled field, one line each. */
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Flex, InputNumber, Select, Typography } from "antd";
import { useTexts } from "@/app/texts";
import { doubledLine, freeLine, PERIODS, type QuotaLine, UNITS } from "./quota";
import { texts } from "./texts";

export interface QuotaEditorProps {
  value?: QuotaLine[];
  onChange?: (lines: QuotaLine[]) => void;
  disabled?: boolean;
  /** What stands elsewhere in the form, so that no line repeats it. */
  others?: QuotaLine[];
}

export function QuotaEditor({ value = [], onChange, disabled = false, others = [] }: QuotaEditorProps) {
  const t = useTexts(texts);
  const all = [...others, ...value];
  const free = freeLine(all);
  const doubled = doubledLine(all) - others.length;
  const change = (index: number, changes: Partial<QuotaLine>) =>
    onChange?.(value.map((line, at) => (at === index ? { ...line, ...changes } : line)));
  return (
    <Flex vertical gap={8}>
      {value.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is known by its place; unit and period change
        <div key={index}>
          <Flex gap={8} wrap>
            <Select
              style={{ width: 104 }}
              aria-label={t.unit}
              disabled={disabled}
              value={line.unit}
              options={UNITS.map((unit) => ({ value: unit, label: t.unitNames[unit] }))}
              onChange={(unit) => change(index, { unit, limit: null })}
            />
            <Select
              style={{ flex: "1 1 130px" }}
              aria-label={t.period}
              disabled={disabled}
              value={line.period}
              options={PERIODS.map((period) => ({ value: period, label: t.periodNames[period] }))}
              onChange={(period) => change(index, { period })}
            />
            <Amount line={line} disabled={disabled} onChange={(limit) => change(index, { limit })} />
            <Button
              type="text"
              icon={<DeleteOutlined />}
              aria-label={t.removeQuota}
              disabled={disabled}
              onClick={() => onChange?.(value.filter((_, at) => at !== index))}
            />
          </Flex>
          {doubled === index ? <Typography.Text type="danger">{t.doubled}</Typography.Text> : null}
        </div>
      ))}
      <Button
        type="dashed"
        icon={<PlusOutlined />}
        disabled={disabled || free === null}
        onClick={() => free && onChange?.([...value, free])}
      >
        {t.addQuota}
      </Button>
    </Flex>
  );
}

function Amount({
  line,
  disabled,
  onChange,
}: {
  line: QuotaLine;
  disabled: boolean;
  onChange: (limit: string | number | null) => void;
}) {
  const t = useTexts(texts);
  const isMoney = line.unit !== "tokens";
  return (
    <InputNumber<string | number>
      style={{ flex: "1 1 130px" }}
      aria-label={t.ceiling}
      placeholder={t.ceiling}
      disabled={disabled}
      stringMode={isMoney}
      min={isMoney ? "0.000000001" : 1}
      max={isMoney ? undefined : Number.MAX_SAFE_INTEGER}
      precision={isMoney ? undefined : 0}
      value={line.limit}
      onChange={onChange}
    />
  );
}
