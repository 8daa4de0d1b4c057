/** Whether the provider simulator stands in for every provider; undefined: not known. */
import { useQuery } from "@tanstack/react-query";
import { PREFIX } from "@/api/client";

export function useSimulator(): boolean | undefined {
  const query = useQuery({
    queryKey: ["get", "/installation"],
    queryFn: async () => {
      const answer = await fetch(`${PREFIX}/installation`);
      if (!answer.ok) return {};
      return (await answer.json()) as { simulator?: unknown };
    },
    staleTime: 300_000,
  });
  const told = query.data?.simulator;
  return typeof told === "boolean" ? told : undefined;
}
