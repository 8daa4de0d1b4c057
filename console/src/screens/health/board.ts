/** Rows of the board: what fails stands first, then what is called most. */
import type { MonitoredEndpoint } from "@/api/schema";

const ORDER = { failing: 0, degraded: 1, healthy: 2, idle: 3 } as const;

export function boardRows(
  endpoints: MonitoredEndpoint[],
  word: string,
  isOnlyCalled: boolean,
): MonitoredEndpoint[] {
  const part = word.trim().toLowerCase();
  return endpoints
    .filter((one) => one.name.toLowerCase().includes(part))
    .filter((one) => !isOnlyCalled || (one.total.requests ?? 0) > 0 || one.now.status !== "idle")
    .sort(
      (a, b) =>
        ORDER[a.now.status] - ORDER[b.now.status] ||
        (b.total.requests ?? 0) - (a.total.requests ?? 0) ||
        a.name.localeCompare(b.name),
    );
}
