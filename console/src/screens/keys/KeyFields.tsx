/** Fields of a key. What most keys do without is folded away, unless it is set. */
import { Collapse, DatePicker, Form, Input, Segmented, Select } from "antd";
import dayjs from "dayjs";
import { useTexts } from "@/app/texts";
import { badLabel, type KeyValues } from "./form";
import { LimitFields, UsualQuota } from "./LimitFields";
import { ModelPatterns } from "./ModelPatterns";
import { RouteEditor } from "./parts/RouteEditor";
import { DEFAULT_ROUTE, type Route } from "./parts/route";
import { texts } from "./texts-form";

export function KeyFields({ isNew }: { isNew: boolean }) {
  const t = useTexts(texts);
  const values = Form.useFormInstance<KeyValues>().getFieldsValue(true);
  return (
    <>
      <Form.Item
        name="alias"
        label={t.name}
        extra={t.nameHint}
        rules={[{ required: true, whitespace: true, message: t.needed }]}
      >
        <Input maxLength={100} placeholder={t.namePlaceholder} autoFocus={isNew} autoComplete="off" />
      </Form.Item>
      <UsualQuota hint={isNew ? t.tokensHintNew : t.tokensHint} />
      <Collapse
        ghost
        defaultActiveKey={isNew && !hasMore(values) ? [] : ["more"]}
        items={[{ key: "more", label: t.more, forceRender: true, children: <More isNew={isNew} /> }]}
      />
    </>
  );
}

function hasMore(values: Partial<KeyValues>): boolean {
  return Boolean(values.quotas?.length || values.models?.length || values.networks?.length);
}

function More({ isNew }: { isNew: boolean }) {
  const t = useTexts(texts);
  return (
    <>
      <LimitFields />
      <Form.Item name="models" label={t.models} extra={t.modelsHint}>
        <ModelPatterns />
      </Form.Item>
      <Form.Item name="networks" label={t.networks} extra={t.networksHint}>
        <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[",", " "]} />
      </Form.Item>
      <Form.Item name="expires_at" label={t.expires} extra={t.expiresHint}>
        <DatePicker
          showTime={{ defaultValue: dayjs().endOf("day") }}
          style={{ width: "100%" }}
          disabledDate={(day) => day.isBefore(dayjs(), "day")}
        />
      </Form.Item>
      <LabelsField />
      {isNew ? (
        <Form.Item name="route" label={t.route}>
          <OwnRoute />
        </Form.Item>
      ) : null}
    </>
  );
}

export function LabelsField() {
  const t = useTexts(texts);
  return (
    <Form.Item
      name="labels"
      label={t.labels}
      extra={t.labelsHint}
      rules={[
        {
          validator: async (_, labels: string[]) => {
            const bad = badLabel(labels ?? []);
            if (bad !== undefined) throw new Error(t.badLabel(bad));
          },
        },
      ]}
    >
      <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[","]} />
    </Form.Item>
  );
}

/** The tenant's default, or a route of its own. */
function OwnRoute({ value, onChange }: { value?: Route | null; onChange?: (route: Route | null) => void }) {
  const t = useTexts(texts);
  return (
    <>
      <Segmented
        value={value ? "own" : "default"}
        options={[
          { value: "default", label: t.routeDefault },
          { value: "own", label: t.routeOwn },
        ]}
        onChange={(choice) => onChange?.(choice === "own" ? DEFAULT_ROUTE : null)}
        style={{ marginBottom: 12 }}
      />
      {value ? <RouteEditor value={value} onChange={onChange} /> : null}
    </>
  );
}
