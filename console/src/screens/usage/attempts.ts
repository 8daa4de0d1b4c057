import type { Attempt, UsageCall } from "@/api/schema";

/** The operation of a record that is no call: how a task ended. */
export const SETTLEMENT = "settle_task";

/** A call whose first attempt served keeps no list of attempts: it is what the call itself says. */
export function attemptsOf(call: UsageCall): readonly Attempt[] {
  if (call.attempts.length > 0 || call.endpoint === "" || call.operation === SETTLEMENT) return call.attempts;
  const { endpoint, credential, duration_ms, status } = call;
  const error =
    call.outcome === "ok" || call.outcome === "client_gone" ? "" : call.error_code || call.outcome;
  return [{ endpoint, credential, started_ms: 0, duration_ms, status, error }];
}

export function isServed(attempt: Attempt): boolean {
  return attempt.error === "";
}

/** An endpoint is named provider@model@interface. */
export function providerOf(endpoint: string): string {
  return endpoint.split("@")[0] ?? "";
}
