/** A route in words: short for a list, and step by step for who edits it. */
import type { RouteBody } from "@/api/schema";
import type { PartsTexts } from "./texts";

/** A route with nothing left out. */
export type Route = Required<RouteBody>;

export const DEFAULT_ROUTE: Route = {
  mode: "default",
  rank_by: "price",
  providers: [],
  credentials: [],
  tiers: {},
  weights: {},
  affinity: true,
};

export type NameOf = (id: string) => string;

export function wholeRoute(route: Partial<RouteBody>): Route {
  return { ...DEFAULT_ROUTE, ...route };
}

/** Without what its mode does not use, so that a change of mode leaves nothing hidden behind. */
export function tidyRoute(route: Route): Route {
  const { mode, affinity } = route;
  if (mode === "provider") return { ...DEFAULT_ROUTE, mode, affinity, providers: route.providers };
  if (mode === "default") return { ...route, credentials: [] };
  const { credentials, rank_by, tiers, weights } = route;
  if (credentials.length > 0) return { ...DEFAULT_ROUTE, mode, affinity, credentials };
  return { ...DEFAULT_ROUTE, mode, affinity, rank_by, tiers, weights };
}

/** For a list: "Cheapest first, 3 providers". */
export function routeInShort(body: RouteBody, t: PartsTexts["words"], nameOf: NameOf): string {
  const route = wholeRoute(body);
  if (route.mode === "provider") return route.providers.map(nameOf).join(" > ") || t.noProvider;
  if (route.mode === "byok") {
    return route.credentials.length > 0 ? `${t.byok}: ${route.credentials.join(" > ")}` : t.byokRanked;
  }
  const rank = { price: t.cheapest, throughput: t.fastest, latency: t.soonest }[route.rank_by];
  return route.providers.length > 0 ? `${rank} · ${t.among(route.providers.length)}` : rank;
}

/** What a call tries, in order, one sentence each. `providerOf` tells whose a BYOK key is; empty: not known. */
export function routeSteps(
  body: RouteBody,
  t: PartsTexts["steps"],
  nameOf: NameOf,
  providerOf: NameOf,
): string[] {
  const route = wholeRoute(body);
  if (route.mode === "provider") {
    if (route.providers.length === 0) return [t.providerNone];
    return [...route.providers.map((id) => t.provider(nameOf(id))), t.providerEnd];
  }
  if (route.mode === "byok") {
    const keys = route.credentials.map((name) => t.credential(name, providerOf(name)));
    return [...(keys.length > 0 ? keys : [t.byokAll, ...rankedSteps(route, t, nameOf)]), t.byokEnd];
  }
  const { providers } = route;
  const scope = providers.length > 0 ? t.candidatesSome(joined(providers, nameOf)) : t.candidatesAll;
  const affinity = route.affinity ? [t.affinity] : [];
  return [scope, ...rankedSteps(route, t, nameOf), t.inside, ...affinity, t.failure];
}

function rankedSteps(route: Route, t: PartsTexts["steps"], nameOf: NameOf): string[] {
  const shares = Object.entries(route.weights).map(([id, share]) => `${nameOf(id)} ${share}`);
  const weights = shares.length > 0 ? [t.weights(shares.join(", "))] : [];
  return [...tierSteps(route, t, nameOf), t.rank[route.rank_by], ...weights];
}

function tierSteps(route: Route, t: PartsTexts["steps"], nameOf: NameOf): string[] {
  const numbers = new Set(Object.values(route.tiers));
  if (numbers.size === 0) return [];
  return [...numbers.add(0)]
    .sort((one, other) => one - other)
    .map((number) => {
      const ids = Object.keys(route.tiers).filter((id) => route.tiers[id] === number);
      const names = joined(ids, nameOf);
      if (number !== 0) return t.tier(number, names);
      return names ? t.tierZero(names) : t.tierOthers;
    });
}

function joined(ids: string[], nameOf: NameOf): string {
  return ids.map(nameOf).join(", ");
}
