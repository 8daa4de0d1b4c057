/** What every sort of work gets, and the models it works with. */
import { useQueries } from "@tanstack/react-query";
import { useEffect } from "react";
import { $api } from "@/api/client";
import type { Kind, ModelView } from "@/api/schema";
import { defaultModel, useModels } from "@/gateway/useModels";

export interface WorkProps {
  /** Names of the chosen models, from the address. */
  names: string[];
  onNames: (names: string[]) => void;
  keyId: string;
}

export interface Chosen {
  models: ModelView[];
  isLoading: boolean;
  error: unknown;
  /** There is none of this kind that can be called. */
  isNone: boolean;
}

/** The chosen models in full; where none is chosen, a good one is. */
export function useChosen({ names, onNames, keyId }: WorkProps, kind: Kind): Chosen {
  const offered = useModels({ kind, keyId });
  const fallback = offered.models && defaultModel(offered.models)?.name;
  useEffect(() => {
    if (names.length === 0 && fallback) onNames([fallback]);
  }, [names, fallback, onNames]);
  const queries = useQueries({
    queries: names.map((name) => ({
      ...$api.queryOptions("get", "/models/{name}", { params: { path: { name } } }),
      staleTime: 60_000,
    })),
  });
  return {
    models: queries.flatMap((query) => (query.data ? [query.data] : [])),
    isLoading:
      queries.some((query) => query.isLoading) || (names.length === 0 && offered.models === undefined),
    error: queries.find((query) => query.error)?.error ?? offered.error,
    isNone: names.length === 0 && offered.models !== undefined && fallback === undefined,
  };
}
