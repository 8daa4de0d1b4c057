import { useQueryClient } from "@tanstack/react-query";

/** Forgets what was read below these paths, after a change of it. */
export function useRefresh(...paths: string[]): () => Promise<void> {
  const client = useQueryClient();
  return () =>
    client.invalidateQueries({
      predicate: ({ queryKey }) => paths.some((path) => String(queryKey[1]).startsWith(path)),
    });
}

/** As above, but of lists alone: after a delete nothing may ask for the thing again, whose page is about to close. */
export function useRefreshLists(...paths: string[]): () => Promise<void> {
  const client = useQueryClient();
  return () =>
    client.invalidateQueries({
      predicate: ({ queryKey }) => paths.some((path) => queryKey[1] === path),
    });
}

/** What depends on the catalogue or on its credentials. */
export const CATALOGUE = [
  "/providers",
  "/models",
  "/endpoints",
  "/credentials",
  "/byok",
  "/circuits",
] as const;

/** The version of what was read, as `If-Match` wants it. */
export function versionTag(version: number): string {
  return `"${version}"`;
}
