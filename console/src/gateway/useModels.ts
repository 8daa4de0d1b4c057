/** Models that can be called, as choices. The list is the server's: there may be thousands. */
import { keepPreviousData } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { $api } from "@/api/client";
import type { Kind, ModelView } from "@/api/schema";
import type { Question } from "./ask";
import { CHAT_INTERFACES } from "./ask";

/** Tried first where nobody chose: quick, cheap, known. */
const PREFERRED = ["qwen/qwen3.7-max", "qwen/qwen3.7-plus", "deepseek/deepseek-v4-flash"];

export interface ModelsAsked {
  kind: Kind;
  /** Id of the key that will call; empty: whichever. */
  keyId: string;
  search?: string;
}

export function useModels({ kind, keyId, search = "" }: ModelsAsked) {
  const query = $api.useQuery(
    "get",
    "/models",
    { params: { query: { kind, key: keyId, search, limit: 100 } } },
    { placeholderData: keepPreviousData, staleTime: 60_000 },
  );
  return {
    /** Undefined: not known yet. */
    models: query.data?.data,
    isLoading: query.isFetching,
    error: query.error,
    refetch: query.refetch,
  };
}

export function defaultModel(models: ModelView[]): ModelView | undefined {
  const all = models.filter(isCallable);
  // What can be asked in words comes before what needs a picture.
  const callable = [...all.filter(takesText), ...all.filter((model) => !takesText(model))];
  const known = PREFERRED.flatMap((name) => callable.filter((model) => model.name === name));
  return known[0] ?? callable[0];
}

export function takesText(model: ModelView): boolean {
  return model.input.includes("text");
}

export function isCallable(model: ModelView): boolean {
  return model.enabled && model.callable && model.interfaces.length > 0;
}

/** The interfaces for a chat, the most common first. */
export function chatInterfaces(model: ModelView): string[] {
  return CHAT_INTERFACES.filter((name) => model.interfaces.includes(name));
}

/** How the providers of a model want thinking switched over chat completions. */
export function thinkingWords(model: ModelView): Question["thinkingWords"] {
  if (!model.abilities.includes("reasoning")) return [];
  if (model.vendor === "OpenAI") return ["reasoning_effort"];
  const providers = model.endpoints
    .filter((each) => each.interface === "open_ai")
    .map((each) => each.provider);
  const isBailian = (provider: string) => provider.startsWith("aliyun");
  return [
    ...(providers.some(isBailian) ? (["enable_thinking"] as const) : []),
    ...(providers.every(isBailian) ? [] : (["thinking"] as const)),
  ];
}

/** A value that follows once it rests: one question to the server, not one for each letter. */
export function useRested(value: string): string {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), 250);
    return () => clearTimeout(timer);
  }, [value]);
  return rested;
}
