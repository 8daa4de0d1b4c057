/** Providers and own provider keys by the names that people know. */
import { useCallback, useMemo } from "react";
import { $api } from "@/api/client";
import { useLanguage } from "@/app/preferences";
import { useMay } from "@/app/session";
import type { NameOf } from "./route";

const ALL = 200;

export function useProviderNames() {
  const language = useLanguage();
  const query = $api.useQuery(
    "get",
    "/providers",
    { params: { query: { limit: ALL } } },
    { staleTime: 300_000 },
  );
  const providers = query.data?.data;
  const names = useMemo(
    () =>
      new Map(
        providers?.map((each) => [each.id, (language === "zh" ? each.title_zh : "") || each.name || each.id]),
      ),
    [providers, language],
  );
  const nameOf: NameOf = useCallback((id) => names.get(id) ?? id, [names]);
  /** Those that can be called now stand first. */
  const options = useMemo(
    () =>
      [...(providers ?? [])]
        .sort((one, other) => Number(other.status === "active") - Number(one.status === "active"))
        .map((each) => ({
          value: each.id,
          label: names.get(each.id) ?? each.id,
          isActive: each.status === "active",
        })),
    [providers, names],
  );
  return { nameOf, options, has: (id: string) => names.has(id), isLoaded: providers !== undefined };
}

/** Own provider keys (BYOK). `credentials` is undefined where this person may not list them. */
export function useCredentials() {
  const isAllowed = useMay()("byok.read");
  const query = $api.useQuery(
    "get",
    "/byok",
    { params: { query: { limit: ALL } } },
    { enabled: isAllowed, staleTime: 30_000 },
  );
  return { credentials: isAllowed ? query.data?.data : undefined, isAllowed };
}
