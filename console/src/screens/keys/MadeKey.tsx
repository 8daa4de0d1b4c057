/** The text of a key that was just made or rotated, a call that works with it, and the way to the playground. */
import { Alert, Button, Flex, Modal, Skeleton } from "antd";
import { useEffect } from "react";
import { useNavigate } from "react-router";
import { $api } from "@/api/client";
import type { KeyWithText } from "@/api/schema";
import { useSession } from "@/app/session";
import { useTexts } from "@/app/texts";
import { examplesFor } from "@/gateway/examples";
import { holdFor, holdText } from "@/gateway/heldKeys";
import { CodeBlock } from "@/ui/CodeBlock";
import { ErrorView } from "@/ui/ErrorView";
import { texts } from "./texts";

export function MadeKey({
  made,
  isRotated,
  onClose,
}: {
  made: KeyWithText;
  isRotated: boolean;
  onClose: () => void;
}) {
  const t = useTexts(texts);
  const navigate = useNavigate();
  const session = useSession();
  // The playground needs not ask for it again, and knows that it is new.
  useEffect(() => {
    holdFor(`${session.tenant.id}/${session.name}`);
    holdText(made.id, made.text, true);
  }, [made, session]);
  return (
    <Modal
      open
      width={640}
      title={isRotated ? t.rotatedTitle : t.madeTitle}
      mask={{ closable: false }}
      onCancel={onClose}
      footer={
        <>
          <Button onClick={() => void navigate(`/playground?key=${encodeURIComponent(made.id)}`)}>
            {t.playground}
          </Button>
          <Button type="primary" onClick={onClose}>
            {t.close}
          </Button>
        </>
      }
    >
      <Flex vertical gap={12}>
        <Alert type="info" showIcon title={made.alias} description={t.madeHint} />
        <section aria-label={t.textOf}>
          <CodeBlock text={made.text} label={t.copyMade} />
        </section>
        <h2 style={{ fontSize: 14, margin: 0 }}>{t.tryIt}</h2>
        <Call made={made} />
      </Flex>
    </Modal>
  );
}

function Call({ made }: { made: KeyWithText }) {
  const t = useTexts(texts);
  const installation = $api.useQuery("get", "/installation", {}, { staleTime: 300_000 });
  const models = $api.useQuery("get", "/models", {
    params: { query: { key: made.id, interface: "open_ai", limit: 100 } },
  });
  const error = installation.error ?? models.error;
  if (error) return <ErrorView error={error} />;
  if (!installation.data || !models.data) return <Skeleton active paragraph={{ rows: 3 }} />;
  const model = models.data.data.find((each) => each.callable);
  const region = installation.data.regions[0];
  if (!model || !region) return <span className="quiet">{t.noModel}</span>;
  const call = { interface: "open_ai", model: model.name, baseUrl: region.base_url, kind: model.kind };
  return (
    <CodeBlock
      text={examplesFor({ ...call, keyText: made.text }).curl}
      shown={examplesFor({ ...call, keyText: made.key }).curl}
    />
  );
}
