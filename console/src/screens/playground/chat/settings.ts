import type { ModelView } from "@/api/schema";
import type { Message, Question, Thinking } from "@/gateway/ask";
import { chatInterfaces, thinkingWords } from "@/gateway/useModels";
import { readTools } from "./tools";

export interface ChatSettings {
  system: string;
  temperature: number | null;
  maxTokens: number | null;
  thinking: Thinking;
  /** Interface to call over; empty: the model's first. */
  over: string;
  /** As it is written; not valid while it is typed. */
  tools: string;
}

export const DEFAULTS: ChatSettings = {
  system: "",
  temperature: null,
  maxTokens: null,
  thinking: "default",
  over: "",
  tools: "",
};

export function interfaceOf(model: ModelView, settings: ChatSettings): string {
  const offered = chatInterfaces(model);
  return offered.find((name) => name === settings.over) ?? offered[0] ?? "open_ai";
}

export function questionFor(model: ModelView, messages: Message[], settings: ChatSettings): Question {
  const isThinker = model.abilities.includes("reasoning");
  return {
    model: model.name,
    messages,
    system: settings.system.trim(),
    temperature: settings.temperature,
    maxTokens: settings.maxTokens,
    thinking: isThinker ? settings.thinking : "default",
    thinkingWords: thinkingWords(model),
    tools: readTools(settings.tools).tools ?? [],
  };
}
