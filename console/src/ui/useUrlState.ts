/** Filters that live in the address, so that a link shows the same and Back undoes. */
import { useCallback } from "react";
import { useSearchParams } from "react-router";

export type UrlState = [
  values: Record<string, string>,
  change: (changes: Record<string, string | null | undefined>) => void,
];

/** Empty and null values leave the address. Every change but that of `cursor` or `page` forgets the page. */
export function useUrlState(): UrlState {
  const [search, setSearch] = useSearchParams();
  const change = useCallback(
    (changes: Record<string, string | null | undefined>) => {
      setSearch(
        () => {
          // Not what was rendered: a change that was made a moment ago is in the address before it is on the page.
          const next = new URLSearchParams(window.location.search);
          if (!("page" in changes)) next.delete("page");
          for (const [name, value] of Object.entries(changes)) {
            if (value === null || value === undefined || value === "") next.delete(name);
            else next.set(name, value);
          }
          return next;
        },
        { replace: !("page" in changes) },
      );
    },
    [setSearch],
  );
  return [Object.fromEntries(search), change];
}
