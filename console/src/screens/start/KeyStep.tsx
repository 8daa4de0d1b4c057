/** The second step: a key with the tenant's defaults. Who has one already goes on with it. */
import { PlusOutlined } from "@ant-design/icons";
import { Button, Skeleton, Space, Typography } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";
import type { KeyWithText } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { KeyChoice } from "@/gateway/KeyChoice";
import { useMakeKey } from "@/gateway/useMakeKey";
import { CopyButton } from "@/ui/CopyButton";
import { ErrorView } from "@/ui/ErrorView";
import { Step } from "./Step";
import { texts } from "./texts";

export function KeyStep({ keyId, onKey }: { keyId: string; onKey: (keyId: string) => void }) {
  const t = useTexts(texts);
  const [made, setMade] = useState<KeyWithText | null>(null);
  const query = $api.useQuery("get", "/keys", {
    params: { query: { operator: "me", status: "active", limit: 200 } },
  });
  const { make, isMaking, error } = useMakeKey((key) => {
    setMade(key);
    onKey(key.id);
  });
  const hasKeys = (query.data?.data.length ?? 0) > 0;
  let content = <Skeleton active paragraph={{ rows: 1 }} title={false} />;
  if (made && made.id === keyId) content = <Made made={made} />;
  else if (hasKeys || query.error) {
    content = (
      <div style={{ maxWidth: 560 }}>
        <KeyChoice value={keyId} onChange={onKey} />
      </div>
    );
  } else if (query.data) {
    content = (
      <Space orientation="vertical">
        <span className="quiet">{t.keyHint}</span>
        <Button type="primary" icon={<PlusOutlined />} loading={isMaking} onClick={() => make("first")}>
          {t.create}
        </Button>
        {error ? <ErrorView error={error} onRetry={() => make("first")} /> : null}
      </Space>
    );
  }
  return (
    <Step number={2} title={t.keyTitle} isDone={keyId !== ""}>
      {content}
    </Step>
  );
}

function Made({ made }: { made: KeyWithText }) {
  const t = useTexts(texts);
  return (
    <Space orientation="vertical" size={4} style={{ maxWidth: "100%" }}>
      <span>{t.keyNow(made.alias)}</span>
      <span>
        <Typography.Text code>{made.text}</Typography.Text>
        <CopyButton text={made.text} label={t.copyKey} />
      </span>
      <span className="quiet">{t.keyShown}</span>
    </Space>
  );
}
