import { Alert, Button, Form, Input, Select, Space } from "antd";
import { $api } from "@/api/client";
import type { ProbeAnswer } from "@/api/schema";
import { useLanguage } from "@/app/preferences";
import { useTexts } from "@/app/texts";
import { ErrorView } from "@/ui/ErrorView";
import { useFormat } from "@/ui/useFormat";
import { useSaying } from "@/ui/useSaying";
import { texts } from "./texts";
import { useCredential } from "./useCredential";

interface Fields {
  provider: string;
  secret: string;
}

export function ProviderForm() {
  const t = useTexts(texts);
  const language = useLanguage();
  const say = useSaying();
  const [form] = Form.useForm<Fields>();
  const providers = $api.useQuery("get", "/byok/providers", { params: { query: { limit: 200 } } });
  const credential = useCredential(() => {
    form.resetFields();
    say.done(t.saved);
  });
  const options = (providers.data?.data ?? []).map((each) => ({
    value: each.id,
    label: language === "zh" ? each.title_zh || each.title : each.title,
  }));
  const run = async (what: "test" | "save") => {
    const fields = await form.validateFields().catch(() => null);
    if (fields) credential[what](fields.provider, fields.secret.trim());
  };
  return (
    <Form
      form={form}
      layout="vertical"
      requiredMark={false}
      style={{ maxWidth: 560 }}
      onFinish={() => void run("test")}
    >
      <Form.Item name="provider" label={t.provider} rules={[{ required: true, message: t.missing }]}>
        <Select
          showSearch={{ optionFilterProp: "label" }}
          placeholder={t.chooseProvider}
          loading={providers.isLoading}
          options={options}
          onChange={credential.forget}
        />
      </Form.Item>
      <Form.Item
        name="secret"
        label={t.secret}
        extra={`${t.secretHint} ${credential.isPlatform ? t.forWhom.platform : t.forWhom.own}`}
        rules={[{ required: true, whitespace: true, message: t.missing }]}
      >
        <Input.Password autoComplete="off" onChange={credential.forget} />
      </Form.Item>
      <Space orientation="vertical" style={{ width: "100%" }}>
        {credential.tested ? <Tested answer={credential.tested} /> : null}
        {credential.error ? <ErrorView error={credential.error} /> : null}
        <Space>
          <Button htmlType="submit" loading={credential.isTesting}>
            {t.test}
          </Button>
          <Button
            type={credential.tested?.ok ? "primary" : "default"}
            loading={credential.isSaving}
            onClick={() => void run("save")}
          >
            {t.save}
          </Button>
        </Space>
      </Space>
    </Form>
  );
}

function Tested({ answer }: { answer: ProbeAnswer }) {
  const t = useTexts(texts);
  const format = useFormat();
  if (answer.ok) {
    return (
      <Alert
        type="success"
        showIcon
        title={t.testGood(answer.model, format.duration(answer.latency_ms ?? 0))}
      />
    );
  }
  const status = answer.status ? `HTTP ${answer.status} · ` : "";
  return <Alert type="error" showIcon title={t.testBad} description={`${status}${answer.message}`} />;
}
