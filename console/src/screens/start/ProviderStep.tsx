/** The first step: a provider to send calls to, or the simulator. */
import { Alert, Collapse, Radio, Skeleton, Space } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { useSimulator } from "@/gateway/useSimulator";
import { ErrorView } from "@/ui/ErrorView";
import { ProviderForm } from "./ProviderForm";
import { Step } from "./Step";
import { texts } from "./texts";

export function ProviderStep() {
  const t = useTexts(texts);
  const may = useMay();
  const isSimulated = useSimulator();
  const query = $api.useQuery("get", "/providers", { params: { query: { limit: 200 } } });
  const connected = query.data?.data.filter((each) => each.status === "active").length ?? 0;
  const mayConnect = may("credentials") || may("byok.write");
  let content = <Skeleton active paragraph={{ rows: 2 }} title={false} />;
  if (query.error) {
    content = <ErrorView error={query.error} onRetry={() => void query.refetch()} />;
  } else if (query.data && !mayConnect) {
    const words = connected ? t.providerDone(connected) : `${t.providerNone} ${t.providerAsk}`;
    content = <p style={{ margin: 0 }}>{isSimulated ? t.simulatorHint : words}</p>;
  } else if (query.data) {
    content = <Choice isSimulated={isSimulated === true} connected={connected} />;
  }
  return (
    <Step number={1} title={t.providerTitle} isDone={connected > 0}>
      {content}
    </Step>
  );
}

function Choice({ isSimulated, connected }: { isSimulated: boolean; connected: number }) {
  const t = useTexts(texts);
  const [isOwn, setIsOwn] = useState(false);
  if (!isSimulated) {
    return (
      <Space orientation="vertical" style={{ width: "100%" }}>
        <span>{connected ? t.providerDone(connected) : t.providerNone}</span>
        {connected ? (
          <Collapse
            ghost
            size="small"
            items={[{ key: "another", label: t.another, children: <ProviderForm /> }]}
          />
        ) : (
          <ProviderForm />
        )}
      </Space>
    );
  }
  return (
    <Space orientation="vertical" style={{ width: "100%" }} size="middle">
      <Radio.Group value={isOwn} onChange={(event) => setIsOwn(event.target.value)}>
        <Space orientation="vertical">
          <Radio value={false}>
            {t.simulator}
            <div className="quiet">{t.simulatorHint}</div>
          </Radio>
          <Radio value={true}>
            {t.ownProvider}
            <div className="quiet">{t.ownProviderHint}</div>
          </Radio>
        </Space>
      </Radio.Group>
      {isOwn ? (
        <>
          <Alert type="info" showIcon title={t.simulatorOn} />
          <ProviderForm />
        </>
      ) : null}
    </Space>
  );
}
