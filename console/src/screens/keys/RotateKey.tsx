import { Alert, Form, Modal, Select } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";
import type { KeyView, KeyWithText } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { ErrorView } from "@/ui/ErrorView";
import { texts } from "./texts";
import { useKeysChanged } from "./useKeyChanges";

const GRACES = ["0", "3600", "86400", "604800", "2592000"] as const;
type Grace = (typeof GRACES)[number];

/** A new text for a key; the old one works for a while. */
export function RotateKey({
  item,
  onClose,
  onMade,
}: {
  item: KeyView;
  onClose: () => void;
  onMade: (key: KeyWithText, isRotated: boolean) => void;
}) {
  const t = useTexts(texts);
  const changed = useKeysChanged();
  const [grace, setGrace] = useState<Grace>("86400");
  const rotate = $api.useMutation("post", "/keys/{key_id}/rotate", {
    gcTime: 0,
    onSuccess: (key) => {
      void changed();
      onClose();
      onMade(key, true);
    },
  });
  return (
    <Modal
      open
      title={t.rotateTitle(item.alias)}
      okText={t.rotate}
      okButtonProps={{ danger: grace === "0" }}
      cancelText={t.cancel}
      confirmLoading={rotate.isPending}
      onOk={() => rotate.mutate({ params: { path: { key_id: item.id } }, body: { grace_s: Number(grace) } })}
      onCancel={onClose}
    >
      <p>{t.rotateHint}</p>
      <Form layout="vertical">
        <Form.Item label={t.grace} htmlFor="grace">
          <Select<Grace>
            id="grace"
            value={grace}
            options={GRACES.map((each) => ({ value: each, label: t.graces[each] }))}
            onChange={setGrace}
          />
        </Form.Item>
      </Form>
      {grace === "0" ? (
        <Alert type="warning" showIcon title={t.noGraceHint} style={{ marginBottom: 12 }} />
      ) : null}
      {rotate.error ? <ErrorView error={rotate.error} /> : null}
    </Modal>
  );
}
