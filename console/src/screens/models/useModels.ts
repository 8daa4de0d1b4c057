/** The models that fit the filters in the address, a page of the API at a time. */
import { keepPreviousData } from "@tanstack/react-query";
import { $api } from "@/api/client";
import type { ListModelsParameters, ModelView } from "./types";

const PER_PAGE = 60;

export interface Models {
  models: ModelView[];
  /** That fit by what the API filters; null: not known yet. */
  total: number | null;
  hasMore: boolean;
  isLoading: boolean;
  isLoadingMore: boolean;
  error: unknown;
  retry: () => void;
  loadMore: () => void;
}

export function useModels(filters: Record<string, string>): Models {
  const query = $api.useInfiniteQuery(
    "get",
    "/models",
    { params: { query: { ...asked(filters), limit: PER_PAGE } } },
    {
      pageParamName: "cursor",
      initialPageParam: null,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
      placeholderData: keepPreviousData,
    },
  );
  const pages = query.data?.pages ?? [];
  const models = pages.flatMap((page) => page.data).filter((each) => hasAccess(each, filters.access));
  return {
    models,
    total: pages[0]?.total ?? null,
    hasMore: query.hasNextPage,
    isLoading: query.isPending,
    isLoadingMore: query.isFetchingNextPage,
    error: query.error,
    retry: () => void query.refetch(),
    loadMore: () => {
      if (query.hasNextPage && !query.isFetching) void query.fetchNextPage();
    },
  };
}

function asked(filters: Record<string, string>): ListModelsParameters {
  const { search, vendor, provider, interface: over, key, kind } = filters;
  return {
    ...(search ? { search } : {}),
    ...(vendor ? { vendor } : {}),
    ...(provider ? { provider } : {}),
    ...(over ? { interface: over } : {}),
    ...(key ? { key } : {}),
    // A kind that does not exist is answered with an error that says so.
    ...(kind ? { kind: kind as NonNullable<ListModelsParameters["kind"]> } : {}),
  };
}

/** The API does not filter by this, so it is done to the pages that have come. */
function hasAccess(model: ModelView, access: string | undefined): boolean {
  if (access === "built_in") return model.built_in;
  if (access === "byok") return model.byok;
  return true;
}
