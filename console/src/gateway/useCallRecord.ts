/** The record of a call: it is there some seconds after the call, with its cost. */
import { $api } from "@/api/client";
import type { UsageCall } from "@/api/schema";

const EVERY = 1_500;
const MOST_QUESTIONS = 20;

export interface CallRecord {
  call: UsageCall | null;
  /** It is still being counted. */
  isWaiting: boolean;
}

/** `requestId` empty: nothing to ask for yet. */
export function useCallRecord(requestId: string): CallRecord {
  const query = $api.useQuery(
    "get",
    "/usage/calls",
    { params: { query: { request_id: requestId, limit: 1 } } },
    {
      enabled: requestId !== "",
      // It is there for good once it is there.
      staleTime: Number.POSITIVE_INFINITY,
      refetchInterval: ({ state }) =>
        (state.data?.data.length ?? 0) === 0 && state.dataUpdateCount < MOST_QUESTIONS ? EVERY : false,
    },
  );
  const call = query.data?.data[0] ?? null;
  return { call, isWaiting: requestId !== "" && call === null && !query.isError };
}
