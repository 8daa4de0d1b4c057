/** What this installation says of itself to everybody who is signed in. */
import { $api } from "@/api/client";
import type { Installation } from "@/api/schema";

/** Undefined: not known yet. */
export function useInstallation(): Installation | undefined {
  return $api.useQuery("get", "/installation", {}, { staleTime: 300_000 }).data;
}

/** Where callers reach the gateway; until it is known, as this page was reached. */
export function useBaseUrl(): string {
  const [region] = useInstallation()?.regions ?? [];
  return region?.base_url ?? `${window.location.origin}/gateway`;
}
