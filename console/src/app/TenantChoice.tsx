/** Whose things a platform administrator looks at; kept for this tab. */
import { useQueryClient } from "@tanstack/react-query";
import { Select } from "antd";
import { useState } from "react";
import { $api, setTenant } from "@/api/client";
import { useSession } from "./session";
import { useTexts } from "./texts";
import { texts } from "./texts-shell";

const NAME = "aimesh.tenant";

export function TenantChoice() {
  const t = useTexts(texts);
  const session = useSession();
  const client = useQueryClient();
  const [tenant, choose] = useState(() => begin(session.tenant.id));
  const query = $api.useQuery("get", "/tenants", { params: { query: { limit: 200 } } });
  const tenants = query.data?.data ?? [];
  if (tenants.length < 2) return null;
  return (
    <Select
      aria-label={t.tenant}
      value={tenant || session.tenant.id}
      showSearch={{ optionFilterProp: "label" }}
      style={{ width: 180 }}
      options={tenants.map((each) => ({ value: each.id, label: each.name }))}
      onChange={(next: string) => {
        const wanted = next === session.tenant.id ? "" : next;
        sessionStorage.setItem(NAME, wanted);
        setTenant(wanted);
        choose(wanted);
        void client.invalidateQueries({ predicate: (each) => each.queryKey[1] !== "/session" });
      }}
    />
  );
}

function begin(own: string): string {
  const kept = sessionStorage.getItem(NAME) ?? "";
  const wanted = kept === own ? "" : kept;
  setTenant(wanted);
  return wanted;
}
