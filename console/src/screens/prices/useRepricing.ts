/** Asks for re-pricing part by part until all is done; shows the sum so far. */
import { useState } from "react";
import { api } from "@/api/client";
import type { Reprice } from "@/api/schema";
import { useRefresh } from "@/screens/platform/useRefresh";
import { addRepriced, NOTHING, type Repriced } from "./amounts";

export interface Wanted {
  body: Omit<Reprice, "cursor" | "dry_run">;
  tenant: string | undefined;
}

export function useRepricing() {
  const [sum, setSum] = useState<Repriced | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  /** What was shown, so that exactly this is done. */
  const [shown, setShown] = useState<Wanted | null>(null);
  const refresh = useRefresh("/usage", "/price-versions");

  const walk = async (wanted: Wanted, isDry: boolean): Promise<Repriced> => {
    let all = NOTHING;
    let cursor: string | null = null;
    do {
      const answer: Awaited<ReturnType<typeof part>> = await part(wanted, isDry, cursor);
      all = addRepriced(all, answer);
      cursor = answer.next_cursor;
      if (isDry) setSum(all);
    } while (cursor !== null);
    return all;
  };
  const show = async (wanted: Wanted) => {
    setIsBusy(true);
    setError(null);
    setShown(null);
    setSum(null);
    try {
      setSum(await walk(wanted, true));
      setShown(wanted);
    } catch (thrown) {
      setError(thrown);
      setSum(null);
    } finally {
      setIsBusy(false);
    }
  };
  const run = async () => {
    if (shown === null) return;
    const done = await walk(shown, false);
    setSum({ ...done, endpoints: [], changed: 0 });
    setShown(null);
    await refresh();
  };
  const forget = () => {
    setShown(null);
    setSum(null);
  };
  return { sum, error, isBusy, isShown: shown !== null, show, run, forget };
}

async function part(wanted: Wanted, isDry: boolean, cursor: string | null) {
  const { data, error } = await api.POST("/usage/reprice", {
    params: { query: { tenant: wanted.tenant } },
    body: { ...wanted.body, dry_run: isDry, cursor },
  });
  if (data === undefined) throw error;
  return data;
}
