/** Files of what is on the screen. */
import { addressOf } from "@/api/client";
import { searchOf, type UsageState } from "./state";

export const VIEWS = ["table", "calls", "trend", "top", "summary"] as const;
export type ExportView = (typeof VIEWS)[number];
export type FileFormat = "csv" | "xlsx";

export function exportAddress(state: UsageState, view: ExportView, format: FileFormat): string {
  const search = new URLSearchParams(searchOf({ ...wantedOf(state, view), format }));
  // `addressOf` adds the tenant that is looked at, where no filter names one.
  const [path, added] = addressOf("/usage/export", { tenant: search.get("tenant") ?? undefined }).split("?");
  search.delete("tenant");
  return `${path}?${[added, search.toString()].filter(Boolean).join("&")}`;
}

function wantedOf(state: UsageState, view: ExportView): Record<string, string | string[] | null | undefined> {
  const { query, metric, values } = state;
  const { currency } = values;
  switch (view) {
    case "summary":
      return { ...query, view };
    case "calls":
      return { ...query, ...callFilters(state), view };
    case "trend":
      return {
        ...query,
        view,
        metric,
        grain: state.grain,
        by: values.split === "model" ? "model" : "source",
      };
    case "top":
      return { ...query, view, metric, by: values.top ?? "model", currency };
    case "table":
      return state.tab === "calls"
        ? { ...query, ...callFilters(state), view: "calls" }
        : { ...query, view: "breakdown", by: state.tab, grain: state.rows };
  }
}

function callFilters({ calls }: UsageState) {
  return {
    outcome: calls.outcome,
    request_id: calls.request_id,
    upstream_request_id: calls.upstream_request_id,
    task_id: calls.task_id,
  };
}

/** Asks first whether there is a file: a link would show the words of an error as a page. */
export async function download(address: string): Promise<void> {
  const asking = new AbortController();
  const answer = await fetch(address, { signal: asking.signal, credentials: "same-origin" });
  if (!answer.ok) throw await answer.json();
  asking.abort();
  window.location.assign(address);
}
