/** How the endpoints of a model do: those that are left alone for a while, and the last day's figures. */
import { $api } from "@/api/client";
import type { MonitoredEndpoint } from "@/api/schema";

const EVERY = 30_000;

export interface EndpointStates {
  cooling: Set<string>;
  measured: Map<string, MonitoredEndpoint>;
}

export function useEndpointStates(model: string): EndpointStates {
  const circuits = $api.useQuery(
    "get",
    "/circuits",
    { params: { query: { limit: 200 } } },
    { refetchInterval: EVERY },
  );
  const overview = $api.useQuery(
    "get",
    "/monitoring/overview",
    { params: { query: { model } } },
    { refetchInterval: EVERY },
  );
  return {
    cooling: new Set(circuits.data?.data.filter((each) => each.cooling).map((each) => each.endpoint)),
    measured: new Map(overview.data?.endpoints.map((each) => [each.name, each])),
  };
}
