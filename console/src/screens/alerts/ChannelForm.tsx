/** Makes or changes a channel. What it keeps secret is written here, and never comes back. */
import { Form, Input, InputNumber, Select, Space, Switch } from "antd";
import { $api } from "@/api/client";
import type { ChannelAnswer } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { FormDrawer } from "@/screens/platform/FormDrawer";
import { fieldErrors } from "@/screens/platform/fieldErrors";
import { useRefresh, versionTag } from "@/screens/platform/useRefresh";
import { useSaying } from "@/ui/useSaying";
import { type ChannelFields, channelBody, NEW_CHANNEL, toFields } from "./channel";
import { texts } from "./texts";
import { channelTexts } from "./texts-channels";

const FIELDS = ["name", "kind", "url", "secret", "host", "port", "sender", "recipients", "username"] as const;
const KINDS = ["webhook", "dingtalk", "feishu", "wecom", "smtp"] as const;

export function ChannelForm({ channel, onClose }: { channel: ChannelAnswer | null; onClose: () => void }) {
  const all = useTexts(texts);
  const t = useTexts(channelTexts);
  const say = useSaying();
  const refresh = useRefresh("/alert");
  const [form] = Form.useForm<ChannelFields>();
  const kind = Form.useWatch("kind", form) ?? channel?.kind ?? "webhook";
  const saved = {
    // The secret is not kept after the form.
    gcTime: 0,
    onSuccess: async () => {
      say.done(all.saved);
      onClose();
      await refresh();
    },
    onError: (error: unknown) => form.setFields(fieldErrors(error, FIELDS) as never),
  };
  const add = $api.useMutation("post", "/alert-channels", saved);
  const set = $api.useMutation("put", "/alert-channels/{channel_id}", saved);
  const send = (fields: ChannelFields) => {
    const body = channelBody(fields);
    if (channel === null) return add.mutate({ body });
    const path = { channel_id: channel.id };
    set.mutate({ params: { path, header: { "if-match": versionTag(channel.version) } }, body });
  };
  return (
    <FormDrawer
      title={channel ? t.change : t.add}
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
        initialValues={channel ? toFields(channel) : NEW_CHANNEL}
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
        {kind === "smtp" ? <MailFields /> : <UrlField isNew={channel?.kind !== kind} />}
        {kind === "wecom" ? null : (
          <Form.Item
            name="secret"
            label={t.secrets[kind]}
            extra={channel?.kind === kind ? t.keep : t.optional}
          >
            <Input.Password autoComplete="new-password" />
          </Form.Item>
        )}
        <Form.Item
          name="allow_private"
          label={t.private}
          extra={t.privateHint}
          valuePropName="checked"
          layout="horizontal"
          colon={false}
        >
          <Switch />
        </Form.Item>
        <Form.Item name="enabled" label={t.enabled} valuePropName="checked" layout="horizontal" colon={false}>
          <Switch />
        </Form.Item>
      </Form>
    </FormDrawer>
  );
}

function UrlField({ isNew }: { isNew: boolean }) {
  const all = useTexts(texts);
  const t = useTexts(channelTexts);
  return (
    <Form.Item
      name="url"
      label={t.url}
      extra={isNew ? t.urlHint : t.keep}
      rules={isNew ? [{ required: true, message: all.needed }] : []}
    >
      <Input placeholder="https://" inputMode="url" autoComplete="off" />
    </Form.Item>
  );
}

function MailFields() {
  const all = useTexts(texts);
  const t = useTexts(channelTexts);
  const needed = [{ required: true, message: all.needed }];
  return (
    <>
      <Form.Item name="host" label={t.host} rules={needed}>
        <Input placeholder="smtp.example.com" autoComplete="off" />
      </Form.Item>
      <Space wrap align="start">
        <Form.Item name="port" label={t.port}>
          <InputNumber min={1} max={65535} precision={0} />
        </Form.Item>
        <Form.Item name="security" label={t.security}>
          <Select
            style={{ width: 180 }}
            options={Object.entries(t.securities).map(([value, label]) => ({ value, label }))}
          />
        </Form.Item>
      </Space>
      <Form.Item name="username" label={t.username} extra={t.optional}>
        <Input autoComplete="off" />
      </Form.Item>
      <Form.Item name="sender" label={t.sender} rules={needed}>
        <Input placeholder="aimesh@example.com" inputMode="email" autoComplete="off" />
      </Form.Item>
      <Form.Item name="recipients" label={t.recipients} extra={t.recipientsHint} rules={needed}>
        <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[",", " "]} />
      </Form.Item>
    </>
  );
}
