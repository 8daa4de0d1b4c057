import { Button, type TableColumnsType } from "antd";
import { $api } from "@/api/client";
import type { ProviderView } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { catalogNames } from "@/screens/models/names";
import { SourceTag, SupplyStatus } from "@/screens/platform/Marks";
import { platformTexts } from "@/screens/platform/texts";
import { WideTable } from "@/screens/platform/WideTable";
import { Empty } from "@/ui/Empty";
import { texts } from "./texts";
import { useProviderTitle } from "./useProviderTitle";

export function ProviderTable({
  providers,
  onOpen,
  onClear,
}: {
  providers: ProviderView[];
  onOpen: (id: string) => void;
  onClear: () => void;
}) {
  const t = useTexts(texts);
  const common = useTexts(platformTexts);
  const names = useTexts(catalogNames);
  const title = useProviderTitle();
  const columns: TableColumnsType<ProviderView> = [
    {
      title: t.name,
      width: 280,
      render: (_, one) => (
        <>
          <Button
            type="link"
            style={{ padding: 0, height: "auto", whiteSpace: "normal", textAlign: "start" }}
          >
            {title(one)}
          </Button>
          <div className="quiet mono">{one.id}</div>
        </>
      ),
    },
    { title: common.status, width: 140, render: (_, one) => <SupplyStatus status={one.status} /> },
    { title: t.credentials, width: 100, render: (_, one) => <CredentialCount provider={one.id} /> },
    { title: t.models, width: 80, align: "right", render: (_, one) => one.models },
    {
      title: t.interfaces,
      render: (_, one) => (
        <span className="quiet">
          {one.interfaces.map((each) => names.interfaces[each] ?? each).join(" · ")}
        </span>
      ),
    },
    { title: t.source, width: 110, render: (_, one) => <SourceTag source={one.source} /> },
  ];
  return (
    <WideTable<ProviderView>
      rowKey="id"
      columns={columns}
      dataSource={providers}
      pagination={false}
      scroll={{ x: 960 }}
      onRow={(one) => ({ onClick: () => onOpen(one.id), style: { cursor: "pointer" } })}
      locale={{
        emptyText: (
          <Empty title={t.none} hint={t.noneHint} action={<Button onClick={onClear}>{t.clear}</Button>} />
        ),
      }}
    />
  );
}

/** One question for all rows: the platform's credentials are few. */
function CredentialCount({ provider }: { provider: string }) {
  const t = useTexts(texts);
  const asked = $api.useQuery("get", "/credentials", { params: { query: { limit: 200 } } });
  if (asked.data === undefined) return <span className="quiet">-</span>;
  const own = asked.data.data.filter((each) => each.provider === provider);
  if (own.length === 0) return <span className="quiet">{t.noCredential}</span>;
  return (
    <span className="number">{t.credentialCount(own.filter((each) => each.enabled).length, own.length)}</span>
  );
}
