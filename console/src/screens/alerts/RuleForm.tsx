/** Makes or changes a rule: which fields there are depends on its kind. */
import { Form, Input, InputNumber, Select, Space, Switch } from "antd";
import { $api } from "@/api/client";
import type { ChannelAnswer, RuleAnswer } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { FormDrawer } from "@/screens/platform/FormDrawer";
import { fieldErrors } from "@/screens/platform/fieldErrors";
import { platformTexts } from "@/screens/platform/texts";
import { useRefresh, versionTag } from "@/screens/platform/useRefresh";
import { useProviderTitle } from "@/screens/providers/useProviderTitle";
import { useSaying } from "@/ui/useSaying";
import { isOfQuota, KINDS, NEW_RULE, type RuleFields, type RuleKind, ruleBody, toFields } from "./rule";
import { texts } from "./texts";
import { ruleTexts } from "./texts-rules";

const FIELDS = [
  "name",
  "channels",
  "model",
  "endpoint",
  "provider",
  "tenant",
  "key",
  "percents",
  "minutes",
  "least",
  "lag_s",
] as const;

interface Props {
  rule: RuleAnswer | null;
  channels: ChannelAnswer[];
  onClose: () => void;
}

export function RuleForm({ rule, channels, onClose }: Props) {
  const all = useTexts(texts);
  const t = useTexts(ruleTexts);
  const say = useSaying();
  const refresh = useRefresh("/alert");
  const [form] = Form.useForm<RuleFields>();
  const kind = Form.useWatch("kind", form) ?? rule?.kind ?? NEW_RULE.kind;
  const saved = {
    onSuccess: async () => {
      say.done(all.saved);
      onClose();
      await refresh();
    },
    onError: (error: unknown) => form.setFields(fieldErrors(error, FIELDS) as never),
  };
  const add = $api.useMutation("post", "/alert-rules", saved);
  const set = $api.useMutation("put", "/alert-rules/{rule_id}", saved);
  const send = (fields: RuleFields) => {
    const body = ruleBody(fields);
    if (rule === null) return add.mutate({ body });
    const params = { path: { rule_id: rule.id }, header: { "if-match": versionTag(rule.version) } };
    set.mutate({ params, body });
  };
  return (
    <FormDrawer
      title={rule ? t.change : t.add}
      isOpen
      isBusy={add.isPending || set.isPending}
      error={add.error ?? set.error}
      onSave={form.submit}
      onClose={onClose}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={
          rule ? toFields(rule) : { ...NEW_RULE, channels: channels.slice(0, 1).map((one) => one.id) }
        }
        onFinish={send}
      >
        <Form.Item
          name="name"
          label={all.name}
          rules={[{ required: true, whitespace: true, message: all.needed }]}
        >
          <Input autoComplete="off" />
        </Form.Item>
        <Form.Item name="kind" label={all.kind} extra={t.kindHints[kind]}>
          <Select options={KINDS.map((value) => ({ value, label: t.kinds[value] }))} />
        </Form.Item>
        <OfKind kind={kind} />
        <Form.Item name="channels" label={t.channels} rules={[{ required: true, message: all.needed }]}>
          <Select mode="multiple" options={channels.map((one) => ({ value: one.id, label: one.name }))} />
        </Form.Item>
        <Form.Item name="cooldown_min" label={t.cooldown} extra={t.cooldownHint}>
          <InputNumber min={0} max={43200} />
        </Form.Item>
        <Form.Item name="enabled" label={t.enabled} valuePropName="checked" layout="horizontal" colon={false}>
          <Switch />
        </Form.Item>
      </Form>
    </FormDrawer>
  );
}

function OfKind({ kind }: { kind: RuleKind }) {
  const all = useTexts(texts);
  const t = useTexts(ruleTexts);
  const needed = [{ required: true, message: all.needed }];
  if (kind === "import_lag") {
    return (
      <Form.Item name="lag_s" label={t.lag} rules={needed}>
        <InputNumber min={10} max={80000} />
      </Form.Item>
    );
  }
  if (isOfQuota(kind)) {
    return (
      <>
        <Form.Item name="percents" label={t.percents} extra={t.percentsHint} rules={needed}>
          <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[",", " "]} />
        </Form.Item>
        <Form.Item name="tenant" label={t.tenant} rules={needed}>
          <Input autoComplete="off" />
        </Form.Item>
        <Form.Item name="key" label={t.key} extra={t.keyHint}>
          <Input className="mono" autoComplete="off" />
        </Form.Item>
      </>
    );
  }
  return (
    <>
      <Space wrap align="start">
        <Form.Item name="percent" label={t.percent} rules={needed}>
          <InputNumber min={1} max={100} />
        </Form.Item>
        <Form.Item name="minutes" label={t.minutes} rules={needed}>
          <InputNumber min={1} max={1440} precision={0} />
        </Form.Item>
        <Form.Item name="least" label={t.least} rules={needed}>
          <InputNumber min={1} precision={0} />
        </Form.Item>
      </Space>
      <Scope kind={kind} />
    </>
  );
}

function Scope({ kind }: { kind: RuleKind }) {
  const t = useTexts(ruleTexts);
  const common = useTexts(platformTexts);
  const title = useProviderTitle();
  const providers = $api.useQuery("get", "/providers", { params: { query: { limit: 200 } } });
  if (kind === "provider_down") {
    const options = (providers.data?.data ?? []).map((each) => ({ value: each.id, label: title(each) }));
    return (
      <Form.Item name="provider" label={`${t.scope}: ${common.provider}`} extra={t.scopeHint}>
        <Select allowClear showSearch={{ optionFilterProp: "label" }} options={options} />
      </Form.Item>
    );
  }
  if (kind !== "error_rate") return null;
  return (
    <>
      <Form.Item name="model" label={`${t.scope}: ${common.model}`} extra={t.scopeHint}>
        <Input className="mono" autoComplete="off" />
      </Form.Item>
      <Form.Item name="endpoint" label={`${t.scope}: ${common.endpoint}`}>
        <Input className="mono" autoComplete="off" />
      </Form.Item>
    </>
  );
}
