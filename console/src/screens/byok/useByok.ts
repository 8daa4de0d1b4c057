/** What the screen reads, and reading it again after a change. */
import { useQueryClient } from "@tanstack/react-query";
import { $api, api } from "@/api/client";
import type { ByokProvider, CredentialView, UsedBy } from "@/api/schema";
import { useLanguage } from "@/app/preferences";

/** A page of the API; there are some dozen providers, and as many credentials. */
const ALL = 200;
const ONE = "/byok/{credential_id}";

export function useProviders() {
  return $api.useQuery("get", "/byok/providers", { params: { query: { limit: ALL } } });
}

export function useCredentials() {
  return $api.useQuery("get", "/byok", { params: { query: { limit: ALL } } });
}

/**
 * What depends on own keys as well: providers, models, endpoints and warnings of keys. After a deletion single ones
 * are left alone: the row of the one that is gone still stands, and would ask for it.
 */
export function useRefresh(): (after?: "deletion") => Promise<void> {
  const client = useQueryClient();
  return (after) =>
    client.invalidateQueries({
      predicate: ({ queryKey }) =>
        /^\/(byok|providers|models|endpoints|keys)/.test(String(queryKey[1])) &&
        !(after === "deletion" && queryKey[1] === ONE),
    });
}

export function useTitle(): (provider: ByokProvider) => string {
  const language = useLanguage();
  return (provider) => (language === "zh" && provider.title_zh) || provider.title;
}

/** As it is now, with the keys whose routing names it. Throws what the API answered. */
export async function readCredential(id: string): Promise<{ credential: CredentialView; users: UsedBy[] }> {
  const { data, error } = await api.GET("/byok/{credential_id}", { params: { path: { credential_id: id } } });
  if (data === undefined) throw error;
  return { credential: data, users: data.used_by ?? [] };
}
