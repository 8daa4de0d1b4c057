/** Adds an own key, or changes one. The key's text lives in the form only, which ends with the dialog. */
import { Button, Form, Input, Modal, Select, Space, Switch } from "antd";
import type { ByokProvider } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { Refusal } from "../members/Refusal";
import type { Opened } from "./index";
import { TestResult, useTestModels } from "./Testing";
import { texts } from "./texts";
import { useTitle } from "./useByok";
import { type Fields, useDialog } from "./useDialog";

interface Props {
  opened: Opened;
  providers: ByokProvider[];
  onClose: () => void;
}

export function CredentialDialog({ opened, providers, onClose }: Props) {
  const t = useTexts(texts);
  const [form] = Form.useForm<Fields>();
  const dialog = useDialog(opened, onClose);
  const run = async (what: "test" | "save") => {
    const names = what === "test" ? (["provider", "secret", "model"] as const) : undefined;
    const isFine = await form.validateFields(names ? [...names] : undefined).catch(() => null);
    if (isFine) dialog[what](form.getFieldsValue(true));
  };
  const isTested = dialog.tested?.ok === true;
  const isSecretNew = Boolean(Form.useWatch("secret", form));
  const needsTest = (opened.credential === undefined || isSecretNew) && !isTested;
  return (
    <Modal
      open
      title={opened.credential ? t.dialog.edit : t.dialog.add}
      onCancel={onClose}
      destroyOnHidden
      footer={
        <Space wrap>
          <Button onClick={onClose}>{t.dialog.cancel}</Button>
          <Button loading={dialog.isTesting} onClick={() => void run("test")}>
            {t.dialog.test}
          </Button>
          <Button
            type={needsTest ? "default" : "primary"}
            loading={dialog.isSaving}
            onClick={() => void run("save")}
          >
            {needsTest ? t.dialog.saveUntested : t.dialog.save}
          </Button>
        </Space>
      }
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{
          provider: opened.credential?.provider ?? opened.provider,
          name: opened.credential?.name,
          enabled: opened.credential?.enabled ?? true,
        }}
        onFinish={() => void run(needsTest ? "test" : "save")}
      >
        <DialogFields opened={opened} providers={providers} forget={dialog.forget} users={dialog.users} />
        <Space orientation="vertical" style={{ width: "100%" }} aria-live="polite">
          {dialog.tested ? <TestResult answer={dialog.tested} /> : null}
          {dialog.error ? <Refusal error={dialog.error} words={t.refusals} /> : null}
        </Space>
        {/* Enter in a field tests, or saves what was tested. */}
        <button type="submit" hidden />
      </Form>
    </Modal>
  );
}

function DialogFields({
  opened,
  providers,
  forget,
  users,
}: Omit<Props, "onClose"> & { forget: () => void; users: string[] }) {
  const t = useTexts(texts).dialog;
  const outer = useTexts(texts);
  const titleOf = useTitle();
  const form = Form.useFormInstance<Fields>();
  const { credential } = opened;
  const provider = Form.useWatch<string | undefined>("provider");
  const { models, isBilled } = useTestModels(providers.find((each) => each.id === provider));
  const needed = { required: true, whitespace: true, message: t.missing };
  return (
    <>
      <Form.Item name="provider" label={outer.provider} rules={[needed]}>
        <Select
          showSearch={{ optionFilterProp: "label" }}
          placeholder={t.chooseProvider}
          disabled={credential !== undefined}
          options={providers.map((each) => ({ value: each.id, label: titleOf(each) }))}
          onChange={() => {
            // A test model belongs to its provider.
            form.setFieldValue("model", undefined);
            forget();
          }}
        />
      </Form.Item>
      <Form.Item
        name="name"
        label={outer.name}
        extra={users.length > 0 ? t.nameFixed(users.join(", ")) : t.nameHint}
        rules={[needed]}
      >
        <Input maxLength={100} autoComplete="off" disabled={users.length > 0} />
      </Form.Item>
      <Form.Item
        name="secret"
        label={credential ? t.newKey : t.key}
        extra={credential ? `${t.newKeyHint(credential.masked)} ${t.keyHint}` : t.keyHint}
        rules={credential ? [] : [needed]}
      >
        <Input.Password autoComplete="new-password" maxLength={8192} onChange={forget} />
      </Form.Item>
      <Form.Item name="enabled" label={outer.enabled} valuePropName="checked" extra={t.enabledHint}>
        <Switch />
      </Form.Item>
      <Form.Item name="model" label={t.testModel} extra={isBilled ? t.billed : t.testHint}>
        <Select
          allowClear
          showSearch
          placeholder={t.cheapest}
          options={models.map((name) => ({ value: name, label: name }))}
          onChange={forget}
        />
      </Form.Item>
    </>
  );
}
