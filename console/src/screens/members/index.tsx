/** People of a tenant: who may work with it, and what each may do. */
import { PlusOutlined } from "@ant-design/icons";
import { keepPreviousData } from "@tanstack/react-query";
import { Button, Input, Select } from "antd";
import { useState } from "react";
import { $api } from "@/api/client";
import type { Member } from "@/api/schema";
import { useTexts } from "@/app/texts";
import { texts as shell } from "@/app/texts-shell";
import { ErrorView } from "@/ui/ErrorView";
import { PageHead } from "@/ui/PageHead";
import { Pager, useCursors } from "@/ui/Pager";
import { useUrlState } from "@/ui/useUrlState";
import { LinkDialog } from "./LinkDialog";
import { MemberDialog } from "./MemberDialog";
import { MemberTable } from "./MemberTable";
import { ROLES } from "./roles";
import { texts } from "./texts";
import { useLinks } from "./useLinks";

export default function Members() {
  const t = useTexts(texts);
  const [values, change] = useUrlState();
  const [edited, edit] = useState<Member | "new" | null>(null);
  const links = useLinks();
  const filters = {
    search: values.search ?? "",
    role: ROLES.find((each) => each === values.role),
    enabled: values.enabled === undefined ? undefined : values.enabled === "true",
  };
  const pages = useCursors([filters]);
  const query = $api.useQuery(
    "get",
    "/members",
    { params: { query: { ...filters, limit: 50, cursor: pages.cursor } } },
    { placeholderData: keepPreviousData },
  );
  return (
    <>
      <PageHead
        title={t.title}
        about={t.about}
        actions={
          <Button type="primary" icon={<PlusOutlined />} onClick={() => edit("new")}>
            {t.add}
          </Button>
        }
      />
      <Filters values={values} change={change} />
      {query.error ? (
        <ErrorView error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <>
          <MemberTable
            members={query.data?.data}
            edit={edit}
            makeLink={links.make}
            onClear={() => change({ search: null, role: null, enabled: null })}
          />
          <Pager pages={pages} next={query.data?.next_cursor} total={query.data?.total} />
        </>
      )}
      {edited ? (
        <MemberDialog
          member={edited === "new" ? null : edited}
          onClose={() => edit(null)}
          onAdded={links.make}
        />
      ) : null}
      {links.made ? <LinkDialog {...links.made} onClose={links.forget} /> : null}
    </>
  );
}

function Filters({
  values,
  change,
}: {
  values: Record<string, string>;
  change: (changes: Record<string, string>) => void;
}) {
  const t = useTexts(texts);
  const { roles } = useTexts(shell);
  return (
    <div className="filters">
      <Input.Search
        aria-label={t.search}
        placeholder={t.search}
        allowClear
        defaultValue={values.search ?? ""}
        style={{ width: 260 }}
        onSearch={(search) => change({ search: search.trim() })}
      />
      <Select
        aria-label={t.role}
        value={values.role ?? ""}
        style={{ width: 200 }}
        options={[
          { value: "", label: t.allRoles },
          ...ROLES.map((role) => ({ value: role as string, label: roles[role] })),
        ]}
        onChange={(role) => change({ role })}
      />
      <Select
        aria-label={t.state}
        value={values.enabled ?? ""}
        style={{ width: 140 }}
        options={[
          { value: "", label: t.allStates },
          { value: "true", label: t.enabled },
          { value: "false", label: t.disabled },
        ]}
        onChange={(enabled) => change({ enabled })}
      />
    </div>
  );
}
