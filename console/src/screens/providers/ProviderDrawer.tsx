/** One provider: what the catalogue says, its credentials, and what can be changed. */
import { Button, Drawer, Space, Tabs } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { $api } from "@/api/client";
import type { ProviderDetail } from "@/api/schema";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { catalogNames } from "@/screens/models/names";
import { Facts } from "@/screens/platform/Facts";
import { Loaded } from "@/screens/platform/Loaded";
import { SourceTag, SupplyStatus } from "@/screens/platform/Marks";
import { platformTexts } from "@/screens/platform/texts";
import { useConfirm } from "@/screens/platform/useConfirm";
import { CATALOGUE, useRefresh, useRefreshLists, versionTag } from "@/screens/platform/useRefresh";
import { Credentials } from "./Credentials";
import { ProviderForm } from "./ProviderForm";
import { texts } from "./texts";
import { useProviderTitle } from "./useProviderTitle";

interface Props {
  id: string | undefined;
  tab: string;
  onTab: (tab: string) => void;
  onClose: () => void;
}

export function ProviderDrawer({ id, tab, onTab, onClose }: Props) {
  const t = useTexts(texts);
  const title = useProviderTitle();
  const asked = $api.useQuery(
    "get",
    "/providers/{provider_id}",
    { params: { path: { provider_id: id ?? "" } } },
    { enabled: Boolean(id), retry: false },
  );
  return (
    <Drawer
      title={asked.data && id ? title(asked.data) : id}
      open={Boolean(id)}
      onClose={onClose}
      size="min(760px, 100vw)"
      destroyOnHidden
    >
      {id ? (
        <Loaded asked={asked}>
          {(provider) => (
            <Tabs
              activeKey={tab}
              onChange={onTab}
              items={[
                {
                  key: "overview",
                  label: t.overview,
                  children: <Overview provider={provider} onGone={onClose} />,
                },
                {
                  key: "credentials",
                  label: t.credentials,
                  children: <Credentials provider={provider.id} />,
                },
              ]}
            />
          )}
        </Loaded>
      ) : null}
    </Drawer>
  );
}

function Overview({ provider, onGone }: { provider: ProviderDetail; onGone: () => void }) {
  const t = useTexts(texts);
  const common = useTexts(platformTexts);
  const names = useTexts(catalogNames);
  const facts = [
    { name: t.id, value: <span className="mono">{provider.id}</span> },
    { name: common.status, value: <SupplyStatus status={provider.status} /> },
    { name: t.source, value: <SourceTag source={provider.source} /> },
    { name: t.addresses, value: <Addresses addresses={provider.base_urls} /> },
    { name: t.auth, value: t.auths[provider.auth] ?? provider.auth },
    {
      name: t.environment,
      value: provider.environment ? (
        <>
          <code>{provider.environment}</code>
          <div className="quiet">{t.environmentHint}</div>
        </>
      ) : (
        "-"
      ),
    },
    {
      name: t.interfaces,
      value: provider.interfaces.map((each) => names.interfaces[each] ?? each).join(" · ") || "-",
    },
    {
      name: t.models,
      value: (
        <Space wrap>
          {provider.models}
          <Link to={`/platform/endpoints?provider=${encodeURIComponent(provider.id)}`}>
            {t.showEndpoints}
          </Link>
        </Space>
      ),
    },
    { name: t.byok, value: provider.byok ? t.yes : t.no },
    {
      name: t.site,
      value: provider.site ? (
        <a href={provider.site} target="_blank" rel="noreferrer">
          {provider.site}
        </a>
      ) : (
        "-"
      ),
    },
    { name: t.checked, value: provider.checked || "-" },
  ];
  return (
    <Space orientation="vertical" size="middle" style={{ width: "100%" }}>
      <Facts facts={facts} />
      <Changes provider={provider} onGone={onGone} />
    </Space>
  );
}

function Addresses({ addresses }: { addresses: ProviderDetail["base_urls"] }) {
  const shown = Object.entries(addresses ?? {});
  if (shown.length === 0) return "-";
  return shown.map(([family, address]) => (
    <div key={family}>
      <span className="quiet">{family}</span> <span className="mono">{address}</span>
    </div>
  ));
}

function Changes({ provider, onGone }: { provider: ProviderDetail; onGone: () => void }) {
  const t = useTexts(texts);
  const common = useTexts(platformTexts);
  const may = useMay();
  const confirm = useConfirm();
  const refresh = useRefresh(...CATALOGUE);
  const refreshLists = useRefreshLists(...CATALOGUE);
  const title = useProviderTitle();
  const [isChanging, setIsChanging] = useState(false);
  const reset = $api.useMutation("delete", "/providers/{provider_id}");
  if (!may("catalog.write")) return null;
  if (provider.source === "file") return <p className="quiet">{common.fileWins}</p>;
  const forget = async () => {
    await reset.mutateAsync({
      params: {
        path: { provider_id: provider.id },
        header: { "if-match": versionTag(provider.version) },
      },
    });
    // One that was added here is gone.
    const isGone = provider.entry?.speaks !== undefined;
    if (isGone) onGone();
    await (isGone ? refreshLists() : refresh());
  };
  return (
    <Space wrap>
      <Button onClick={() => setIsChanging(true)}>{common.change}</Button>
      {provider.source === "database" ? (
        <Button
          danger
          onClick={() =>
            confirm({
              title: t.resetTitle(title(provider)),
              content: t.resetHint,
              ok: t.reset,
              isDanger: true,
              run: forget,
              done: t.resetDone,
            })
          }
        >
          {t.reset}
        </Button>
      ) : null}
      {isChanging ? (
        <ProviderForm
          provider={provider}
          onClose={() => setIsChanging(false)}
          onSaved={() => setIsChanging(false)}
        />
      ) : null}
    </Space>
  );
}
