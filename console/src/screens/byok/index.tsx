/** Own keys towards providers: which providers can have them, and those that there are. */
import { PlusOutlined, ReloadOutlined } from "@ant-design/icons";
import { Alert, Button, Input, Select, Space } from "antd";
import { useState } from "react";
import type { ByokProvider, CredentialView } from "@/api/schema";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { useSimulator } from "@/gateway/useSimulator";
import { ErrorView } from "@/ui/ErrorView";
import { PageHead } from "@/ui/PageHead";
import { useUrlState } from "@/ui/useUrlState";
import { CredentialDialog } from "./CredentialDialog";
import { HowItWorks } from "./HowItWorks";
import { ProviderTable } from "./ProviderTable";
import { texts } from "./texts";
import { useCredentials, useProviders, useRefresh } from "./useByok";

/** What the dialog is open for: a new key (of a provider), or one that there is. */
export type Opened = { provider?: string; credential?: CredentialView };

export default function Byok() {
  const t = useTexts(texts);
  const may = useMay()("byok.write");
  const [values, change] = useUrlState();
  const [opened, open] = useState<Opened | null>(null);
  const isSimulated = useSimulator();
  const providers = useProviders();
  const credentials = useCredentials();
  const refresh = useRefresh();
  const error = providers.error ?? credentials.error;
  return (
    <>
      <PageHead
        title={t.title}
        about={t.about}
        actions={
          <Space>
            <Button
              icon={<ReloadOutlined />}
              loading={providers.isFetching || credentials.isFetching}
              onClick={() => void refresh()}
            >
              {t.refresh}
            </Button>
            {may ? (
              <Button type="primary" icon={<PlusOutlined />} onClick={() => open({})}>
                {t.add}
              </Button>
            ) : null}
          </Space>
        }
      />
      {isSimulated ? <Alert type="info" showIcon title={t.simulator} style={{ marginBottom: 16 }} /> : null}
      <HowItWorks />
      <div className="filters">
        <Input.Search
          aria-label={t.search}
          placeholder={t.search}
          allowClear
          value={values.search ?? ""}
          style={{ width: 260 }}
          onChange={(event) => change({ search: event.target.value })}
        />
        <Select
          aria-label={t.statusFilter}
          value={values.status ?? ""}
          style={{ width: 170 }}
          options={[
            { value: "", label: t.allStatuses },
            { value: "configured", label: t.statuses.configured },
            { value: "unconfigured", label: t.statuses.unconfigured },
          ]}
          onChange={(status: string) => change({ status })}
        />
      </div>
      {error ? (
        <ErrorView error={error} onRetry={() => void refresh()} />
      ) : (
        <ProviderTable
          providers={providers.data?.data.filter((each) => fits(each, values))}
          credentials={credentials.data?.data}
          open={open}
          onClear={() => change({ search: null, status: null })}
        />
      )}
      {opened ? (
        <CredentialDialog opened={opened} providers={providers.data?.data ?? []} onClose={() => open(null)} />
      ) : null}
    </>
  );
}

function fits(provider: ByokProvider, { search = "", status = "" }: Record<string, string>): boolean {
  const word = search.trim().toLowerCase();
  const isFound = [provider.id, provider.title, provider.title_zh].some((text) =>
    text.toLowerCase().includes(word),
  );
  if (status === "") return isFound;
  return isFound && (status === "configured") === provider.configured > 0;
}
