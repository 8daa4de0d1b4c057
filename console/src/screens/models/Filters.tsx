/** What narrows the list; every choice is in the address. */
import { SearchOutlined } from "@ant-design/icons";
import { Button, Input, Select, type SelectProps } from "antd";
import { useEffect, useState } from "react";
import { $api } from "@/api/client";
import { useLanguage } from "@/app/preferences";
import { useTexts } from "@/app/texts";
import type { UrlState } from "@/ui/useUrlState";
import { catalogNames } from "./names";
import { texts } from "./texts";
import { useVendors } from "./useVendors";

const NAMES = ["search", "vendor", "kind", "provider", "interface", "access", "key"] as const;
const KINDS = ["chat", "embedding", "image", "video", "3d"];
const TYPING = 300;

export function isFiltered(values: Record<string, string>): boolean {
  return NAMES.some((name) => values[name]);
}

export function Filters({ state }: { state: UrlState }) {
  const t = useTexts(texts);
  const names = useTexts(catalogNames);
  const [values, change] = state;
  const pick = (name: string) => ({
    value: values[name] || null,
    onChange: (value: string | null) => change({ [name]: value }),
  });
  const labelled = (words: Record<string, string>, codes: string[]) =>
    codes.map((code) => ({ value: code, label: words[code] ?? code }));
  return (
    <search className="filters">
      <SearchField value={values.search ?? ""} onSearch={(search) => change({ search })} />
      <Choice label={t.kind} options={labelled(names.kinds, KINDS)} {...pick("kind")} />
      <VendorChoice {...pick("vendor")} />
      <ProviderChoice {...pick("provider")} />
      <Choice
        label={t.interface}
        options={labelled(names.interfaces, Object.keys(names.interfaces))}
        {...pick("interface")}
      />
      <Choice
        label={t.access}
        options={[
          { value: "built_in", label: t.builtIn },
          { value: "byok", label: t.byok },
        ]}
        {...pick("access")}
      />
      <KeyFilter {...pick("key")} />
      {isFiltered(values) ? (
        <Button type="link" onClick={() => change(Object.fromEntries(NAMES.map((name) => [name, null])))}>
          {t.clear}
        </Button>
      ) : null}
    </search>
  );
}

/** The address follows when the typing rests. */
function SearchField({ value, onSearch }: { value: string; onSearch: (value: string) => void }) {
  const t = useTexts(texts);
  const [typed, setTyped] = useState(value);
  const [shown, setShown] = useState(value);
  if (shown !== value) {
    setShown(value);
    setTyped(value);
  }
  useEffect(() => {
    const wanted = typed.trim();
    if (wanted === value) return;
    const timer = setTimeout(() => onSearch(wanted), TYPING);
    return () => clearTimeout(timer);
  }, [typed, value, onSearch]);
  return (
    <Input
      className="models-search"
      prefix={<SearchOutlined />}
      allowClear
      maxLength={100}
      placeholder={t.search}
      aria-label={t.search}
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
    />
  );
}

interface Picked {
  value: string | null;
  onChange: (value: string | null) => void;
}

function Choice({
  label,
  value,
  onChange,
  ...rest
}: Picked & { label: string } & Omit<SelectProps<string | null>, "value" | "onChange">) {
  return (
    <Select<string | null>
      className="models-choice"
      aria-label={label}
      placeholder={label}
      allowClear
      showSearch={{ optionFilterProp: "label" }}
      popupMatchSelectWidth={false}
      value={value}
      onChange={(next) => onChange(next ?? null)}
      {...rest}
    />
  );
}

function VendorChoice(picked: Picked) {
  const t = useTexts(texts);
  const [isWanted, setIsWanted] = useState(false);
  const { vendors, isLoading } = useVendors(isWanted);
  return (
    <Choice
      label={t.vendor}
      loading={isLoading}
      onOpenChange={(isOpen) => setIsWanted((before) => before || isOpen)}
      options={vendors.map(([name, count]) => ({ value: name, label: name, count }))}
      optionRender={(option) => <Counted label={option.label} count={option.data.count as number} />}
      {...picked}
    />
  );
}

function ProviderChoice(picked: Picked) {
  const t = useTexts(texts);
  const language = useLanguage();
  const query = $api.useQuery("get", "/providers", { params: { query: { limit: 200 } } });
  const options = (query.data?.data ?? []).map((each) => ({
    value: each.id,
    label: (language === "zh" && each.title_zh) || each.name,
    count: each.models,
  }));
  return (
    <Choice
      label={t.provider}
      loading={query.isLoading}
      options={options}
      optionRender={(option) => <Counted label={option.label} count={option.data.count} />}
      {...picked}
    />
  );
}

function Counted({ label, count }: { label: React.ReactNode; count: number }) {
  return (
    <span className="models-counted">
      <span>{label}</span>
      <span className="quiet number">{count}</span>
    </span>
  );
}

function KeyFilter(picked: Picked) {
  const t = useTexts(texts);
  const query = $api.useQuery("get", "/keys", { params: { query: { status: "active", limit: 200 } } });
  return (
    <Choice
      label={t.key}
      title={t.keyHint}
      loading={query.isLoading}
      options={(query.data?.data ?? []).map((each) => ({ value: each.id, label: each.alias }))}
      {...picked}
    />
  );
}
