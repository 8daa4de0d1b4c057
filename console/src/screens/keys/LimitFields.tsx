/** Quotas, budgets and rates: of one key, or of many at once. */
import { Flex, Form, InputNumber, Select } from "antd";
import { useTexts } from "@/app/texts";
import { type LimitValues, linesIn } from "./form";
import { QuotaEditor } from "./parts/QuotaEditor";
import { doubledLine, PERIODS } from "./parts/quota";
import { texts as parts } from "./parts/texts";
import { texts } from "./texts-form";

/** The quota that most keys have: tokens in one period. */
export function UsualQuota({ hint }: { hint: string }) {
  const t = useTexts(texts);
  const { periodNames } = useTexts(parts);
  return (
    <Flex gap={12} wrap>
      <Form.Item name="period" label={t.period} style={{ flex: "1 1 180px" }}>
        <Select options={PERIODS.map((period) => ({ value: period, label: periodNames[period] }))} />
      </Form.Item>
      <Form.Item name="tokens" label={t.tokens} extra={hint} style={{ flex: "1 1 220px" }}>
        <InputNumber<number>
          style={{ width: "100%" }}
          min={1}
          max={Number.MAX_SAFE_INTEGER}
          precision={0}
          formatter={(value) => `${value ?? ""}`.replace(/\B(?=(\d{3})+(?!\d))/g, ",")}
          parser={(text) => Number((text ?? "").replaceAll(",", "")) || (null as unknown as number)}
        />
      </Form.Item>
    </Flex>
  );
}

export function LimitFields() {
  const t = useTexts(texts);
  const form = Form.useFormInstance<LimitValues>();
  const period = Form.useWatch("period", form) ?? "monthly";
  const tokens = Form.useWatch("tokens", form) ?? null;
  const rates = [
    ["rpm", t.rpm],
    ["tpm", t.tpm],
    ["concurrency", t.concurrency],
  ] as const;
  return (
    <>
      <Form.Item
        name="quotas"
        label={t.moreQuotas}
        extra={t.moreQuotasHint}
        rules={[
          {
            validator: async () => {
              const lines = linesIn(form.getFieldsValue(true)).filter((line) => line.limit !== null);
              if (doubledLine(lines) >= 0) throw new Error(t.doubled);
            },
          },
        ]}
      >
        <QuotaEditor others={tokens === null ? [] : [{ unit: "tokens", period, limit: tokens }]} />
      </Form.Item>
      <Flex gap={12} wrap>
        {rates.map(([name, label]) => (
          <Form.Item key={name} name={name} label={label} style={{ flex: "1 1 130px" }}>
            <InputNumber
              style={{ width: "100%" }}
              min={1}
              max={Number.MAX_SAFE_INTEGER}
              precision={0}
              placeholder={t.noLimit}
            />
          </Form.Item>
        ))}
      </Flex>
    </>
  );
}
