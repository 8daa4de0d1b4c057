import { Form, Input, Modal } from "antd";
import { $api } from "@/api/client";
import type { KeyView, KeyWithText } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { ErrorView } from "@/ui/ErrorView";
import { texts } from "./texts";
import { useKeysChanged } from "./useKeyChanges";

/** A new key with the terms of another. */
export function CopyKey({
  item,
  onClose,
  onMade,
}: {
  item: KeyView;
  onClose: () => void;
  onMade: (key: KeyWithText) => void;
}) {
  const t = useTexts(texts);
  const changed = useKeysChanged();
  const [form] = Form.useForm<{ alias: string }>();
  const copy = $api.useMutation("post", "/keys/{key_id}/copy", {
    gcTime: 0,
    onSuccess: (key) => {
      void changed();
      onClose();
      onMade(key);
    },
  });
  return (
    <Modal
      open
      title={t.copyTitle(item.alias)}
      okText={t.copy}
      cancelText={t.cancel}
      confirmLoading={copy.isPending}
      onOk={form.submit}
      onCancel={onClose}
    >
      <p>{t.copyHint}</p>
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ alias: `${item.alias} - ${t.copySuffix}`.slice(0, 100) }}
        onFinish={({ alias }) =>
          copy.mutate({ params: { path: { key_id: item.id } }, body: { alias: alias.trim() } })
        }
      >
        <Form.Item
          name="alias"
          label={t.copyName}
          rules={[{ required: true, whitespace: true, message: t.needed }]}
        >
          <Input maxLength={100} autoFocus />
        </Form.Item>
      </Form>
      {copy.error ? <ErrorView error={copy.error} /> : null}
    </Modal>
  );
}
