/** Chooses one of what was used: the greatest hundred, or whatever is typed where it is not among them. */
import { Select } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";
import { useTexts } from "@/app/texts";
import { texts } from "./texts";

export type Named = "model" | "provider" | "key" | "user" | "tenant";

interface Props {
  by: Named;
  value: string | undefined;
  onChange: (value: string | null) => void;
  /** The time whose usage is offered. */
  since: string;
  until?: string;
  /** Offered besides: what has no usage yet. */
  more?: { value: string; label: string }[];
}

export function NamedFilter({ by, value, onChange, since, until, more = [] }: Props) {
  const t = useTexts(texts);
  const [isOpen, setIsOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const used = $api.useQuery(
    "get",
    "/usage/top",
    { params: { query: { by, since, until, limit: 100 } } },
    { enabled: isOpen || value !== undefined, staleTime: 60_000 },
  );
  const alias = useAlias(by === "key" && used.isSuccess ? value : undefined);
  const options = (used.data?.data ?? [])
    .filter((row) => row.id !== "")
    .map((row) => ({ value: row.id, label: row.name || row.id }));
  options.push(...more.filter((each) => !options.some((one) => one.value === each.value)));
  if (value !== undefined && !options.some((each) => each.value === value)) {
    options.push({ value, label: alias ?? value });
  }
  if (typed && !options.some((each) => each.label.toLowerCase().includes(typed.toLowerCase()))) {
    options.push({ value: typed, label: t.onlyTyped(typed) });
  }
  return (
    <Select
      aria-label={t.filters[by]}
      allowClear
      placeholder={t.allOf[by]}
      value={value}
      loading={used.isFetching}
      options={options}
      showSearch={{ optionFilterProp: "label", onSearch: (text) => setTyped(text.trim()) }}
      popupMatchSelectWidth={false}
      style={{ width: 168, maxWidth: "100%" }}
      onOpenChange={setIsOpen}
      onChange={(next: string | undefined) => {
        setTyped("");
        onChange(next ?? null);
      }}
    />
  );
}

/** What a key is called that was not used in the time: a link from the list of keys brings its id only. */
function useAlias(id: string | undefined): string | undefined {
  const query = $api.useQuery(
    "get",
    "/keys/{key_id}",
    { params: { path: { key_id: id ?? "" } } },
    { enabled: id?.startsWith("key") ?? false, retry: false, staleTime: 60_000 },
  );
  return query.data?.alias;
}
