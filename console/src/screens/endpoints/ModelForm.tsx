/** Adds a model, or changes what is set for one. The server checks the entry as a whole. */
import { Alert, Button, Form, Input, Select } from "antd";
import { $api } from "@/api/client";
import type { ModelDetail, operations } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { catalogNames } from "@/screens/models/names";
import { FormDrawer } from "@/screens/platform/FormDrawer";
import { fieldErrors } from "@/screens/platform/fieldErrors";
import { JsonField } from "@/screens/platform/JsonField";
import { Loaded } from "@/screens/platform/Loaded";
import { platformTexts } from "@/screens/platform/texts";
import { useConfirm } from "@/screens/platform/useConfirm";
import { CATALOGUE, useRefresh, useRefreshLists, versionTag } from "@/screens/platform/useRefresh";
import { useSaying } from "@/ui/useSaying";
import { FIELDS, type ModelFields, NEW_MODEL, toEntry, toFields } from "./modelEntry";
import { texts } from "./texts";

type Body = operations["set_model"]["requestBody"]["content"]["application/json"];
const KINDS = ["chat", "embedding", "image", "video", "3d"] as const;

interface Props {
  /** Null: a new one. */
  model: ModelDetail | null;
  onClose: () => void;
  onSaved: (name: string) => void;
}

export function OpenModel({ name, onClose }: { name: string; onClose: () => void }) {
  const asked = $api.useQuery("get", "/models/{name}", { params: { path: { name } } }, { retry: false });
  if (asked.data) return <ModelForm model={asked.data} onClose={onClose} onSaved={onClose} />;
  return (
    <FormDrawer title={name} isOpen isBusy={false} error={null} onSave={onClose} onClose={onClose}>
      <Loaded asked={asked}>{() => null}</Loaded>
    </FormDrawer>
  );
}

export function ModelForm({ model, onClose, onSaved }: Props) {
  const t = useTexts(texts).model;
  const common = useTexts(platformTexts);
  const say = useSaying();
  const refresh = useRefresh(...CATALOGUE);
  const [form] = Form.useForm<ModelFields>();
  const save = $api.useMutation("put", "/models/{name}", {
    onSuccess: async (saved) => {
      say.done(t.saved);
      onSaved(saved.name);
      await refresh();
    },
    onError: (error) => form.setFields(fieldErrors(error, FIELDS, "rest") as never),
  });
  const send = (fields: ModelFields) => {
    const name = model?.name ?? fields.name.trim();
    save.mutate({
      params: { path: { name }, header: { "if-match": versionTag(model?.version ?? 0) } },
      // What the form cannot know of is checked by the server.
      body: toEntry({ ...fields, name }) as Body,
    });
  };
  return (
    <FormDrawer
      title={model ? `${t.title} · ${model.name}` : `${common.add} · ${t.title}`}
      isOpen
      isBusy={save.isPending}
      error={save.error}
      onSave={form.submit}
      onClose={onClose}
      others={model?.source === "database" ? <Reset model={model} onDone={onClose} /> : undefined}
    >
      <Alert
        type={model?.source === "file" ? "warning" : "info"}
        showIcon
        title={model?.source === "file" ? common.fileWins : model ? t.about : t.newAbout}
        style={{ marginBottom: 16 }}
      />
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={model ? toFields(model.name, model.entry) : NEW_MODEL}
        onFinish={send}
      >
        <ModelFieldsets model={model} />
        <JsonField name="rest" label={common.restOfEntry} extra={t.restHint} rows={6} />
      </Form>
    </FormDrawer>
  );
}

function ModelFieldsets({ model }: { model: ModelDetail | null }) {
  const t = useTexts(texts).model;
  const all = useTexts(texts);
  const common = useTexts(platformTexts);
  const names = useTexts(catalogNames);
  return (
    <>
      {model ? null : (
        <Form.Item
          name="name"
          label={t.name}
          extra={t.nameHint}
          rules={[
            { required: true, message: common.missing },
            { pattern: /^[A-Za-z0-9][A-Za-z0-9._/:+-]*$/, message: t.namePattern },
          ]}
        >
          <Input className="mono" autoComplete="off" />
        </Form.Item>
      )}
      <Form.Item name="enabled" label={t.enabled}>
        <Select
          allowClear
          placeholder={t.asIs}
          options={[
            { value: "yes", label: all.yes },
            { value: "no", label: all.no },
          ]}
        />
      </Form.Item>
      <Form.Item name="title" label={t.display}>
        <Input placeholder={model?.title} />
      </Form.Item>
      <Form.Item name="vendor" label={t.vendor}>
        <Input placeholder={model?.vendor} />
      </Form.Item>
      <Form.Item name="kind" label={t.kind}>
        <Select
          allowClear
          placeholder={model ? (names.kinds[model.kind] ?? model.kind) : undefined}
          options={KINDS.map((value) => ({ value, label: names.kinds[value] ?? value }))}
        />
      </Form.Item>
      <Form.Item name="description" label={t.description}>
        <Input.TextArea autoSize={{ minRows: 1, maxRows: 4 }} placeholder={model?.description} />
      </Form.Item>
      <Form.Item name="description_zh" label={t.description_zh}>
        <Input.TextArea autoSize={{ minRows: 1, maxRows: 4 }} placeholder={model?.description_zh} />
      </Form.Item>
      <Form.Item name="aliases" label={t.aliases} extra={t.aliasesHint}>
        <Select mode="tags" open={false} suffixIcon={null} placeholder={model?.aliases.join(", ")} />
      </Form.Item>
    </>
  );
}

function Reset({ model, onDone }: { model: ModelDetail; onDone: () => void }) {
  const t = useTexts(texts).model;
  const confirm = useConfirm();
  const refreshLists = useRefreshLists(...CATALOGUE);
  const refreshEndpoints = useRefresh("/endpoints");
  const reset = $api.useMutation("delete", "/models/{name}");
  const run = async () => {
    const params = { path: { name: model.name }, header: { "if-match": versionTag(model.version) } };
    await reset.mutateAsync({ params });
    onDone();
    await Promise.all([refreshLists(), refreshEndpoints()]);
  };
  const ask = () =>
    confirm({
      title: t.resetTitle(model.name),
      content: t.resetHint,
      ok: t.reset,
      isDanger: true,
      run,
      done: t.resetDone,
    });
  return (
    <Button danger onClick={ask}>
      {t.reset}
    </Button>
  );
}
