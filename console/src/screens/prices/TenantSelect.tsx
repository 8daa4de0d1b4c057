import { Select } from "antd";
import { $api } from "@/api/client";

/** Of all tenants; `value` and `onChange` as a form gives them. */
export function TenantSelect({
  value,
  onChange,
  label,
  placeholder,
}: {
  value?: string | null;
  onChange?: (tenant: string | undefined) => void;
  label: string;
  placeholder?: string;
}) {
  const asked = $api.useQuery("get", "/tenants", { params: { query: { limit: 200 } } });
  const options = (asked.data?.data ?? []).map((each) => ({
    value: each.id,
    label: each.name && each.name !== each.id ? `${each.name} (${each.id})` : each.id,
  }));
  return (
    <Select
      allowClear={placeholder !== undefined}
      showSearch={{ optionFilterProp: "label" }}
      aria-label={label}
      placeholder={placeholder}
      style={{ width: 240 }}
      value={value ?? null}
      loading={asked.isLoading}
      options={options}
      onChange={(tenant: string | undefined) => onChange?.(tenant)}
    />
  );
}
