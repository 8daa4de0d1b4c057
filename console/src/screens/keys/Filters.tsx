import { Button, Input, Select } from "antd";
import { useEffect, useState } from "react";
import { $api } from "@/api/client";
import type { KeyView } from "@/api/schema";
import { useMay } from "@/app/session";
import { useTexts } from "@/app/texts";
import type { UrlState } from "@/ui/useUrlState";
import { texts } from "./texts";

type Address = UrlState[0];
type Change = UrlState[1];
type Status = KeyView["status"];

const NAMES = ["alias", "status", "operator", "label"] as const;
const STATUSES: Status[] = ["active", "disabled", "expired"];

export const NO_FILTERS = Object.fromEntries(NAMES.map((name) => [name, null]));

export function isFiltered(address: Address): boolean {
  return NAMES.some((name) => Boolean(address[name]));
}

/** The filters of the address, as the API takes them. */
export function queryOf({ alias, status, operator, label }: Address) {
  return {
    ...(alias ? { alias } : {}),
    ...(label ? { label } : {}),
    ...(operator ? { operator } : {}),
    ...(STATUSES.includes(status as Status) ? { status: status as Status } : {}),
  };
}

export function Filters({ address, change }: { address: Address; change: Change }) {
  const t = useTexts(texts);
  // A member sees own keys only.
  const isOperatorOffered = useMay()("members.write");
  return (
    <search className="filters">
      <Written name="alias" label={t.searchAlias} address={address} change={change} />
      <Select
        aria-label={t.status}
        style={{ width: 140 }}
        value={address.status ?? ""}
        options={[
          { value: "", label: t.allStatuses },
          ...STATUSES.map((status) => ({ value: status, label: t.statuses[status] })),
        ]}
        onChange={(status: string) => change({ status })}
      />
      {isOperatorOffered ? <Operator address={address} change={change} /> : null}
      <Written name="label" label={t.label} hint={t.labelHint} address={address} change={change} />
      {isFiltered(address) ? (
        <Button type="link" onClick={() => change(NO_FILTERS)}>
          {t.clear}
        </Button>
      ) : null}
    </search>
  );
}

/** Goes into the address when somebody stops writing for a moment. */
function Written({
  name,
  label,
  hint,
  address,
  change,
}: {
  name: string;
  label: string;
  hint?: string;
  address: Address;
  change: Change;
}) {
  const kept = address[name] ?? "";
  const [text, setText] = useState(kept);
  useEffect(() => setText(kept), [kept]);
  useEffect(() => {
    if (text === kept) return;
    const timer = setTimeout(() => change({ [name]: text.trim() }), 300);
    return () => clearTimeout(timer);
  }, [text, kept, name, change]);
  return (
    <Input.Search
      allowClear
      aria-label={label}
      placeholder={hint ? `${label}: ${hint}` : label}
      style={{ width: 240, maxWidth: "100%" }}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onSearch={(value) => change({ [name]: value.trim() })}
    />
  );
}

function Operator({ address, change }: { address: Address; change: Change }) {
  const t = useTexts(texts);
  const [search, setSearch] = useState("");
  const query = $api.useQuery(
    "get",
    "/members",
    { params: { query: { limit: 50, ...(search ? { search } : {}) } } },
    { staleTime: 60_000, placeholderData: (before) => before },
  );
  const people = query.data?.data ?? [];
  return (
    <Select
      aria-label={t.operator}
      style={{ width: 180 }}
      value={address.operator ?? ""}
      loading={query.isFetching}
      showSearch={{ filterOption: false, onSearch: setSearch }}
      options={[
        { value: "", label: t.everybody },
        { value: "me", label: t.me },
        ...people.map((each) => ({ value: each.id, label: each.display_name || each.username })),
      ]}
      onChange={(operator: string) => change({ operator })}
    />
  );
}
