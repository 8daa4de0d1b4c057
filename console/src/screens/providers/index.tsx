/** Providers: who runs models, and with which credentials. */
import { PlusOutlined } from "@ant-design/icons";
import { keepPreviousData } from "@tanstack/react-query";
import { Button, Input, Select } from "antd";
import { $api } from "@/api/client";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import { Loaded } from "@/screens/platform/Loaded";
import { platformTexts } from "@/screens/platform/texts";
import { PageHead } from "@/ui/PageHead";
import { Pager, useCursors } from "@/ui/Pager";
import { useUrlState } from "@/ui/useUrlState";
import { ProviderDrawer } from "./ProviderDrawer";
import { ProviderForm } from "./ProviderForm";
import { ProviderTable } from "./ProviderTable";
import { texts } from "./texts";

const STATUSES = ["active", "unconfigured"] as const;

export default function Providers() {
  const t = useTexts(texts);
  const common = useTexts(platformTexts);
  const mayWrite = useMay()("catalog.write");
  const [values, change] = useUrlState();
  const search = values.search ?? "";
  const pages = useCursors([search]);
  const asked = $api.useQuery(
    "get",
    "/providers",
    { params: { query: { search, limit: 200, cursor: pages.cursor } } },
    { placeholderData: keepPreviousData },
  );
  return (
    <>
      <PageHead
        title={t.title}
        about={t.about}
        actions={
          mayWrite ? (
            <Button type="primary" icon={<PlusOutlined />} onClick={() => change({ add: "1" })}>
              {t.add}
            </Button>
          ) : undefined
        }
      />
      <search className="filters">
        <Input.Search
          key={search}
          allowClear
          defaultValue={search}
          aria-label={t.searchHint}
          placeholder={t.searchHint}
          style={{ width: 280 }}
          onSearch={(text) => change({ search: text.trim() })}
        />
        <Select
          allowClear
          aria-label={common.status}
          placeholder={common.status}
          style={{ width: 170 }}
          value={values.status ?? null}
          options={STATUSES.map((value) => ({ value, label: common.supply[value] }))}
          onChange={(status) => change({ status })}
        />
      </search>
      <Loaded asked={asked}>
        {(found) => (
          <>
            <ProviderTable
              providers={found.data.filter((each) => !values.status || each.status === values.status)}
              onOpen={(provider) => change({ provider, tab: null })}
              onClear={() => change({ search: null, status: null })}
            />
            <Pager pages={pages} next={found.next_cursor} total={values.status ? null : found.total} />
          </>
        )}
      </Loaded>
      <ProviderDrawer
        id={values.provider}
        tab={values.tab ?? "overview"}
        onTab={(tab) => change({ tab })}
        onClose={() => change({ provider: null, tab: null })}
      />
      {mayWrite && values.add ? (
        <ProviderForm
          provider={null}
          onClose={() => change({ add: null })}
          onSaved={(provider) => change({ add: null, provider, tab: "credentials" })}
        />
      ) : null}
    </>
  );
}
