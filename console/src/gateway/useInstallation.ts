/** What this installation says of itself to everybody who is signed in. */
import { $api } from "@/api/client";

function useInstallation() {
  return $api.useQuery("get", "/installation", {}, { staleTime: 300_000 }).data;
}

/** Whether the provider simulator stands in for every provider; undefined: not known yet. */
export function useSimulator(): boolean | undefined {
  return useInstallation()?.simulator;
}

/** Where callers reach the gateway; until it is known, as this page was reached. */
export function useBaseUrl(): string {
  const [region] = useInstallation()?.regions ?? [];
  return region?.base_url ?? `${window.location.origin}/gateway`;
}
