/** A conversation with several models at once: everybody hears the same questions and remembers own answers. */
import type { Message } from "@/gateway/ask";
import type { Run } from "@/gateway/runChat";

export interface ToolResult {
  toolId: string;
  name: string;
  text: string;
}

export interface Turn {
  id: number;
  text: string;
  images: string[];
  /** Results of tools, for one model alone; then there is no question. */
  results: { model: string; items: ToolResult[] } | null;
  /** By the model's name. */
  runs: Record<string, Run>;
}

/** What `model` has heard and said, the last turn's question included. */
export function messagesFor(turns: Turn[], model: string): Message[] {
  const mine = turns.filter((turn) => turn.results === null || turn.results.model === model);
  return mine.flatMap((turn, at) => {
    const messages = questionOf(turn);
    const answer = turn.runs[model]?.answer;
    if (answer === undefined || at === mine.length - 1) return messages;
    // Calls without results would be refused: only those that were answered are told.
    const isAnswered = mine[at + 1]?.results != null;
    const tools = isAnswered ? answer.tools : [];
    if (answer.text === "" && tools.length === 0) return messages;
    return [...messages, { role: "assistant" as const, text: answer.text, tools }];
  });
}

function questionOf(turn: Turn): Message[] {
  if (turn.results === null) return [{ role: "user", text: turn.text, images: turn.images }];
  return turn.results.items.map((item) => ({ role: "tool", text: item.text, toolId: item.toolId }));
}
