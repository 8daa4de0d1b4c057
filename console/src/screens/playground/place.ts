/** What a link to the playground carries: the sort of work, the models, the id of the key. */
import { useCallback, useMemo } from "react";
import type { Kind } from "@/api/schema";
import { useUrlState } from "@/ui/useUrlState";

export const TABS: Kind[] = ["chat", "image", "video", "3d", "embedding"];
export const MOST_MODELS = 4;

export interface Place {
  /** Null: the address does not say; it follows the model. */
  tab: Kind | null;
  models: string[];
  keyId: string;
}

export function readPlace(values: Record<string, string>): Place {
  const names = (values.model ?? "").split(",").filter((name) => name !== "");
  return {
    tab: TABS.find((tab) => tab === values.tab) ?? null,
    models: [...new Set(names)].slice(0, MOST_MODELS),
    keyId: values.key ?? "",
  };
}

export function usePlace() {
  const [values, change] = useUrlState();
  const { model = "", tab = "", key = "" } = values;
  const place = useMemo(() => readPlace({ model, tab, key }), [model, tab, key]);
  return {
    place,
    setTab: useCallback((next: Kind) => change({ tab: next, model: null, task: null }), [change]),
    setModels: useCallback((names: string[]) => change({ model: names.join(",") }), [change]),
    setKey: useCallback((keyId: string) => change({ key: keyId }), [change]),
  };
}
