import { Input, Select } from "antd";
import { $api } from "@/api/client";
import { useTexts } from "@/app/texts";
import { platformTexts } from "@/screens/platform/texts";
import { useProviderTitle } from "@/screens/providers/useProviderTitle";
import type { UrlState } from "@/ui/useUrlState";
import { texts } from "./texts";

export function EndpointFilters({ values, change }: { values: UrlState[0]; change: UrlState[1] }) {
  const t = useTexts(texts);
  const common = useTexts(platformTexts);
  const title = useProviderTitle();
  const providers = $api.useQuery("get", "/providers", { params: { query: { limit: 200 } } });
  return (
    <search className="filters">
      <Input.Search
        key={values.search}
        allowClear
        defaultValue={values.search}
        aria-label={t.searchHint}
        placeholder={t.searchHint}
        style={{ width: 280 }}
        onSearch={(text) => change({ search: text.trim() })}
      />
      <Select
        allowClear
        showSearch={{ optionFilterProp: "label" }}
        aria-label={common.provider}
        placeholder={common.provider}
        style={{ width: 260 }}
        value={values.provider ?? null}
        loading={providers.isLoading}
        options={(providers.data?.data ?? []).map((each) => ({ value: each.id, label: title(each) }))}
        onChange={(provider) => change({ provider })}
      />
      <Select
        allowClear
        aria-label={common.status}
        placeholder={common.status}
        style={{ width: 160 }}
        value={values.status ?? null}
        options={Object.entries(common.supply).map(([value, label]) => ({ value, label }))}
        onChange={(status) => change({ status })}
      />
    </search>
  );
}
