import { Button, Input, Modal, Space } from "antd";
import { useTexts } from "@/app/texts";
import { CopyButton } from "@/ui/CopyButton";
import { Time } from "@/ui/Time";
import { texts } from "./texts";
import type { MadeLink } from "./useLinks";

/** Shows a one-time link, once. */
export function LinkDialog({ name, link, onClose }: MadeLink & { onClose: () => void }) {
  const t = useTexts(texts);
  return (
    <Modal
      open
      title={t.linkTitle(name)}
      onCancel={onClose}
      footer={
        <Button type="primary" onClick={onClose}>
          {t.close}
        </Button>
      }
    >
      <p>{t.linkHint}</p>
      <Space.Compact block>
        <Input readOnly value={link.url} aria-label={t.linkTitle(name)} className="mono" />
        <CopyButton text={link.url} label={t.copyLink} type="default" size="middle" />
      </Space.Compact>
      <p className="quiet">
        {t.linkExpires} <Time at={link.expires_at} />
      </p>
    </Modal>
  );
}
