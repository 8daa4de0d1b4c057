/** Changes one endpoint: only what somebody touched is sent, the rest stays as it is. */
import { Button, Form, Input, InputNumber, Space } from "antd";
import { $api } from "@/api/client";
import type { EndpointPatch, EndpointView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { writeEntry } from "@/screens/platform/entryJson";
import { FormDrawer } from "@/screens/platform/FormDrawer";
import { fieldErrors } from "@/screens/platform/fieldErrors";
import { JsonField } from "@/screens/platform/JsonField";
import { CATALOGUE, useRefresh, versionTag } from "@/screens/platform/useRefresh";
import { useSaying } from "@/ui/useSaying";
import { type EndpointFields, PRICE_EXAMPLES, toPatch } from "./patch";
import { texts } from "./texts";

const FIELDS = ["upstream", "price", "rpm", "tpm", "concurrency"] as const;
const CEILINGS = ["rpm", "tpm", "concurrency"] as const;

export function EndpointForm({ endpoint, onClose }: { endpoint: EndpointView; onClose: () => void }) {
  const t = useTexts(texts);
  const say = useSaying();
  const refresh = useRefresh(...CATALOGUE);
  const [form] = Form.useForm<EndpointFields>();
  const before: EndpointFields = {
    upstream: endpoint.upstream,
    ...endpoint.limits,
    price: writeEntry(endpoint.price),
  };
  const save = $api.useMutation("patch", "/endpoints/{name}", {
    onSuccess: async () => {
      say.done(t.form.saved);
      onClose();
      await refresh();
    },
    onError: (error) => form.setFields(fieldErrors(error, FIELDS, "price") as never),
  });
  const send = (fields: EndpointFields) => {
    const params = { path: { name: endpoint.name }, header: { "if-match": versionTag(endpoint.version) } };
    // What a price may say is checked by the server.
    save.mutate({ params, body: toPatch(before, fields) as EndpointPatch });
  };
  return (
    <FormDrawer
      title={t.changeTitle}
      isOpen
      isBusy={save.isPending}
      error={save.error}
      onSave={form.submit}
      onClose={onClose}
    >
      <p className="mono">{endpoint.name}</p>
      <Form form={form} layout="vertical" requiredMark={false} initialValues={before} onFinish={send}>
        <Form.Item name="upstream" label={t.form.upstream} extra={t.form.upstreamHint}>
          <Input className="mono" autoComplete="off" />
        </Form.Item>
        <Space wrap align="start">
          {CEILINGS.map((name) => (
            <Form.Item key={name} name={name} label={t.form[name]}>
              <InputNumber min={1} precision={0} style={{ width: 150 }} />
            </Form.Item>
          ))}
        </Space>
        <p className="quiet" style={{ marginTop: -8 }}>
          {t.form.limitsHint}
        </p>
        <JsonField name="price" label={t.form.price} extra={t.form.priceHint} rows={8} />
        <Space wrap size={4}>
          <span className="quiet">{t.form.example}</span>
          {(["perTokens", "perImage", "perSecond"] as const).map((kind) => (
            <Button
              key={kind}
              size="small"
              onClick={() => form.setFieldValue("price", writeEntry(PRICE_EXAMPLES[kind]))}
            >
              {t.form[kind]}
            </Button>
          ))}
        </Space>
      </Form>
    </FormDrawer>
  );
}
