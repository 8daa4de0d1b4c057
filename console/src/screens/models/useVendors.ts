/** Who made the models, with how many each: read by walking the pages of the list, once somebody wants to choose. */
import { useQuery } from "@tanstack/react-query";
import { api } from "@/api/client";

const MOST_PAGES = 20;

export function useVendors(isWanted: boolean): {
  vendors: [name: string, count: number][];
  isLoading: boolean;
} {
  const query = useQuery({
    queryKey: ["get", "/models", "vendors"],
    enabled: isWanted,
    staleTime: 300_000,
    queryFn: async () => {
      const counts = new Map<string, number>();
      let cursor: string | null | undefined;
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const { data, error } = await api.GET("/models", { params: { query: { limit: 200, cursor } } });
        if (data === undefined) throw error;
        for (const model of data.data) counts.set(model.vendor, (counts.get(model.vendor) ?? 0) + 1);
        cursor = data.next_cursor;
        if (!cursor) break;
      }
      return [...counts].filter(([name]) => name !== "").toSorted(([a], [b]) => a.localeCompare(b));
    },
  });
  return { vendors: query.data ?? [], isLoading: query.isLoading };
}
