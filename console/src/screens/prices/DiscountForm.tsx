import { DatePicker, Form, Input, Select } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { $api } from "@/api/client";
import type { DiscountAnswer } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { FormDrawer } from "@/screens/platform/FormDrawer";
import { fieldErrors } from "@/screens/platform/fieldErrors";
import { platformTexts } from "@/screens/platform/texts";
import { useRefresh, versionTag } from "@/screens/platform/useRefresh";
import { useSaying } from "@/ui/useSaying";
import { texts } from "./texts";

interface Fields {
  scope: DiscountAnswer["scope"];
  name?: string;
  factor: string;
  since?: Dayjs | null;
  until?: Dayjs | null;
}

const FIELDS = ["scope", "name", "factor", "since", "until"] as const;
const SCOPES = ["all", "provider", "model"] as const;

interface Props {
  tenant: string;
  /** Null: a new one. */
  discount: DiscountAnswer | null;
  onClose: () => void;
}

export function DiscountForm({ tenant, discount, onClose }: Props) {
  const t = useTexts(texts).discount;
  const say = useSaying();
  const refresh = useRefresh("/discounts");
  const [form] = Form.useForm<Fields>();
  const saved = {
    onSuccess: async () => {
      say.done(t.saved);
      onClose();
      await refresh();
    },
    onError: (error: unknown) => form.setFields(fieldErrors(error, FIELDS) as never),
  };
  const add = $api.useMutation("post", "/discounts", saved);
  const change = $api.useMutation("patch", "/discounts/{discount_id}", saved);
  const send = (fields: Fields) => {
    const terms = {
      factor: fields.factor.trim(),
      since: fields.since?.toISOString() ?? null,
      until: fields.until?.toISOString() ?? null,
    };
    const query = { tenant };
    if (discount === null) {
      const name = fields.scope === "all" ? "" : (fields.name?.trim() ?? "");
      return add.mutate({ params: { query }, body: { scope: fields.scope, name, ...terms } });
    }
    const header = { "if-match": versionTag(discount.version) };
    change.mutate({ params: { path: { discount_id: discount.id }, query, header }, body: terms });
  };
  return (
    <FormDrawer
      title={discount ? t.change : t.add}
      isOpen
      width={460}
      isBusy={add.isPending || change.isPending}
      error={add.error ?? change.error}
      onSave={form.submit}
      onClose={onClose}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={
          discount
            ? {
                scope: discount.scope,
                name: discount.name,
                factor: discount.factor,
                since: dayjs(discount.since),
                until: discount.until ? dayjs(discount.until) : null,
              }
            : { scope: "all" }
        }
        onFinish={send}
      >
        <DiscountFields isNew={discount === null} />
      </Form>
    </FormDrawer>
  );
}

function DiscountFields({ isNew }: { isNew: boolean }) {
  const t = useTexts(texts).discount;
  const common = useTexts(platformTexts);
  const scope: Fields["scope"] | undefined = Form.useWatch("scope");
  return (
    <>
      <Form.Item name="scope" label={t.scope}>
        <Select disabled={!isNew} options={SCOPES.map((value) => ({ value, label: t.scopes[value] }))} />
      </Form.Item>
      {scope === undefined || scope === "all" ? null : (
        <Form.Item
          name="name"
          label={t.nameHints[scope]}
          rules={[{ required: true, message: common.missing }]}
        >
          <Input className="mono" disabled={!isNew} autoComplete="off" />
        </Form.Item>
      )}
      <Form.Item
        name="factor"
        label={t.factor}
        extra={t.factorHint}
        rules={[
          { required: true, message: common.missing },
          { pattern: /^\s*[0-9]{1,3}(\.[0-9]{1,9})?\s*$/, message: t.factorPattern },
        ]}
      >
        <Input inputMode="decimal" autoComplete="off" placeholder="0.8" />
      </Form.Item>
      <Form.Item name="since" label={t.since} extra={isNew ? t.sinceHint : undefined}>
        <DatePicker showTime allowClear={isNew} style={{ width: "100%" }} />
      </Form.Item>
      <Form.Item name="until" label={t.until} extra={t.untilHint}>
        <DatePicker showTime style={{ width: "100%" }} />
      </Form.Item>
    </>
  );
}
