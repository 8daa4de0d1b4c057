/** Keeps a new credential, or puts a new key in the place of an old one. The key lives in this form only. */
import { Alert, Button, Form, Input } from "antd";
import { $api } from "@/api/client";
import type { CredentialView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { FormDrawer } from "@/screens/platform/FormDrawer";
import { fieldErrors } from "@/screens/platform/fieldErrors";
import { platformTexts } from "@/screens/platform/texts";
import { CATALOGUE, useRefresh, versionTag } from "@/screens/platform/useRefresh";
import { useFormat } from "@/ui/useFormat";
import { useSaying } from "@/ui/useSaying";
import { texts } from "./texts";

interface Fields {
  name: string;
  secret: string;
  model?: string;
}

interface Props {
  provider: string;
  /** Null: a new one. */
  credential: CredentialView | null;
  onClose: () => void;
}

const FIELDS = ["name", "secret", "model"] as const;

export function CredentialForm({ provider, credential, onClose }: Props) {
  const t = useTexts(texts).keep;
  const common = useTexts(platformTexts);
  const [form] = Form.useForm<Fields>();
  const { test, add, replace } = useKeeping(credential, onClose);
  const error = test.error ?? add.error ?? replace.error;
  const refused = (thrown: unknown) => form.setFields(fieldErrors(thrown, FIELDS) as never);
  const save = (fields: Fields) => {
    const secret = fields.secret.trim();
    if (credential === null) {
      add.mutate({ body: { provider, name: fields.name, secret, enabled: true } }, { onError: refused });
      return;
    }
    const params = {
      path: { credential_id: credential.id },
      header: { "if-match": versionTag(credential.version) },
    };
    replace.mutate({ params, body: { secret } }, { onError: refused });
  };
  const tryOut = async () => {
    const fields = await form.validateFields(["secret", "model"]).catch(() => null);
    if (fields === null) return;
    const body = { provider, secret: fields.secret.trim(), model: fields.model || null };
    test.mutate({ body }, { onError: refused });
  };
  return (
    <FormDrawer
      title={credential ? `${t.replace} · ${credential.name}` : t.add}
      isOpen
      width={480}
      isBusy={add.isPending || replace.isPending}
      error={error}
      onSave={form.submit}
      onClose={onClose}
      others={
        <Button loading={test.isPending} onClick={() => void tryOut()}>
          {t.testNew}
        </Button>
      }
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ name: credential?.name ?? "" }}
        onFinish={save}
        onValuesChange={test.reset}
      >
        {credential ? (
          <p className="quiet">{t.replaceHint}</p>
        ) : (
          <Form.Item
            name="name"
            label={t.name}
            extra={t.nameHint}
            rules={[{ required: true, whitespace: true, message: common.missing }]}
          >
            <Input autoComplete="off" />
          </Form.Item>
        )}
        <Form.Item
          name="secret"
          label={credential ? t.newSecret : t.secret}
          extra={t.secretHint}
          rules={[{ required: true, whitespace: true, message: common.missing }]}
        >
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Form.Item name="model" label={t.model} extra={t.modelHint}>
          <Input className="mono" autoComplete="off" />
        </Form.Item>
      </Form>
      {test.data ? <Tested answer={test.data} /> : null}
    </FormDrawer>
  );
}

function useKeeping(credential: CredentialView | null, onClose: () => void) {
  const t = useTexts(texts).keep;
  const say = useSaying();
  const refresh = useRefresh(...CATALOGUE);
  const kept = {
    onSuccess: async () => {
      say.done(credential ? t.replaced : t.added);
      onClose();
      await refresh();
    },
  };
  return {
    // gcTime 0: the key is not kept after the form.
    test: $api.useMutation("post", "/credentials/test", { gcTime: 0 }),
    add: $api.useMutation("post", "/credentials", { ...kept, gcTime: 0 }),
    replace: $api.useMutation("patch", "/credentials/{credential_id}", { ...kept, gcTime: 0 }),
  };
}

function Tested({
  answer,
}: {
  answer: { ok: boolean; model: string; latency_ms: number | null; status: number | null; message: string };
}) {
  const t = useTexts(texts).keep;
  const format = useFormat();
  if (answer.ok) {
    const time = format.duration(answer.latency_ms ?? 0);
    return <Alert type="success" showIcon title={t.testGood(answer.model, time)} />;
  }
  const status = answer.status ? `HTTP ${answer.status} · ` : "";
  return (
    <Alert
      type="error"
      showIcon
      title={t.testBad}
      description={
        <>
          <div>{`${status}${answer.message}`}</div>
          <div>{t.testBadHint}</div>
        </>
      }
    />
  );
}
