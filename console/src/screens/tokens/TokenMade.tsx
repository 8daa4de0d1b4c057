import { Alert, Button, Flex, Modal } from "antd";
import { PREFIX } from "@/api/client";
import type { MadeToken } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { CodeBlock } from "@/ui/CodeBlock";
import { texts } from "./texts";

/** The text of a new token, which is shown nowhere else. */
export function TokenMade({ made, onClose }: { made: MadeToken; onClose: () => void }) {
  const t = useTexts(texts);
  const request = (text: string) =>
    `curl ${window.location.origin}${PREFIX}/keys \\\n  -H "Authorization: Bearer ${text}"\n`;
  return (
    <Modal
      open
      width={640}
      title={t.madeTitle}
      mask={{ closable: false }}
      onCancel={onClose}
      footer={
        <Button type="primary" onClick={onClose}>
          {t.close}
        </Button>
      }
    >
      <Flex vertical gap={12}>
        <Alert type="warning" showIcon title={made.name} description={t.madeHint} />
        <section aria-label={t.textOf}>
          <CodeBlock text={made.text} label={t.copyMade} />
        </section>
        <h2 style={{ fontSize: 14, margin: 0 }}>{t.tryIt}</h2>
        <CodeBlock text={request(made.text)} shown={request(made.masked)} />
      </Flex>
    </Modal>
  );
}
