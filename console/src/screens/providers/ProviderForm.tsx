/** Adds a provider, or changes what is set for one. The server checks the entry as a whole. */
import { Alert, Form, Input, Select } from "antd";
import { $api } from "@/api/client";
import type { operations, ProviderDetail } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { catalogNames } from "@/screens/models/names";
import { FormDrawer } from "@/screens/platform/FormDrawer";
import { fieldErrors } from "@/screens/platform/fieldErrors";
import { JsonField } from "@/screens/platform/JsonField";
import { platformTexts } from "@/screens/platform/texts";
import { CATALOGUE, useRefresh, versionTag } from "@/screens/platform/useRefresh";
import { useSaying } from "@/ui/useSaying";
import { FIELDS, type ProviderFields, toEntry, toFields } from "./entry";
import { texts } from "./texts";

type Body = operations["set_provider"]["requestBody"]["content"]["application/json"];

interface Props {
  /** Null: a new one. */
  provider: ProviderDetail | null;
  onClose: () => void;
  onSaved: (id: string) => void;
}

export function ProviderForm({ provider, onClose, onSaved }: Props) {
  const t = useTexts(texts);
  const common = useTexts(platformTexts);
  const say = useSaying();
  const refresh = useRefresh(...CATALOGUE);
  const [form] = Form.useForm<ProviderFields>();
  const save = $api.useMutation("put", "/providers/{provider_id}", {
    onSuccess: async (saved) => {
      say.done(provider ? t.saved : t.added);
      await refresh();
      onSaved(saved.id);
    },
    onError: (error) => form.setFields(fieldErrors(error, FIELDS, "rest") as never),
  });
  const send = (fields: ProviderFields) => {
    const provider_id = provider?.id ?? fields.id ?? "";
    save.mutate({
      params: { path: { provider_id }, header: { "if-match": versionTag(provider?.version ?? 0) } },
      // What the form cannot know of is checked by the server.
      body: toEntry(fields) as Body,
    });
  };
  return (
    <FormDrawer
      title={provider ? `${common.change} · ${provider.id}` : t.add}
      isOpen
      isBusy={save.isPending}
      error={save.error}
      onSave={form.submit}
      onClose={onClose}
    >
      <Alert type="info" showIcon title={provider ? t.formHint : t.newHint} style={{ marginBottom: 16 }} />
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={toFields(provider?.entry ?? null)}
        onFinish={send}
      >
        {provider ? null : (
          <Form.Item
            name="id"
            label={t.form.id}
            extra={t.form.idHint}
            rules={[
              { required: true, message: common.missing },
              { pattern: /^[a-z0-9][a-z0-9_]*$/, message: t.form.idPattern },
            ]}
          >
            <Input autoComplete="off" />
          </Form.Item>
        )}
        <UsualFields provider={provider} />
        <JsonField name="rest" label={common.restOfEntry} extra={t.form.restHint} rows={4} />
      </Form>
    </FormDrawer>
  );
}

function UsualFields({ provider }: { provider: ProviderDetail | null }) {
  const t = useTexts(texts);
  const names = useTexts(catalogNames);
  const usual = (text: string | null | undefined) => text || (provider ? t.form.asBuilt : "");
  return (
    <>
      <Form.Item name="name" label={t.form.name}>
        <Input placeholder={usual(provider?.name)} />
      </Form.Item>
      <Form.Item name="title_zh" label={t.form.title_zh}>
        <Input placeholder={usual(provider?.title_zh)} />
      </Form.Item>
      <Form.Item name="base_url" label={t.form.base_url} extra={t.form.base_urlHint}>
        <Input placeholder={provider ? t.form.asBuilt : "https://"} inputMode="url" />
      </Form.Item>
      <Form.Item name="origin" label={t.form.origin} extra={t.form.originHint}>
        <Input placeholder="https://" inputMode="url" />
      </Form.Item>
      <Form.Item name="auth" label={t.form.auth}>
        <Select
          allowClear
          placeholder={provider ? (t.auths[provider.auth] ?? provider.auth) : t.auths.bearer}
          options={Object.entries(t.auths).map(([value, label]) => ({ value, label }))}
        />
      </Form.Item>
      <Form.Item name="speaks" label={t.form.speaks} extra={t.form.speaksHint}>
        <Select
          mode="multiple"
          placeholder={provider?.interfaces.map((each) => names.interfaces[each] ?? each).join(" · ")}
          options={Object.entries(names.interfaces).map(([value, label]) => ({ value, label }))}
        />
      </Form.Item>
      <Form.Item name="environment" label={t.form.environment}>
        <Input className="mono" placeholder={usual(provider?.environment)} />
      </Form.Item>
      <Form.Item name="site" label={t.form.site}>
        <Input placeholder={usual(provider?.site)} inputMode="url" />
      </Form.Item>
    </>
  );
}
