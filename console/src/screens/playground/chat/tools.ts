/** Definitions of tools, as people write them: the interface's own form, or the bare functions. */
import type { ToolDefinition } from "@/gateway/ask";
import { fieldsOf, textOf } from "@/gateway/json";

export const EXAMPLE_TOOLS = JSON.stringify(
  [
    {
      type: "function",
      function: {
        name: "get_weather",
        description: "The weather of a city now",
        parameters: {
          type: "object",
          properties: { city: { type: "string" } },
          required: ["city"],
        },
      },
    },
  ],
  null,
  2,
);

export type ReadTools = { tools: ToolDefinition[] } | { tools: null; json: string | null };

/** `json` is what JSON says of it; null: it is JSON, and no list of functions. */
export function readTools(text: string): ReadTools {
  if (text.trim() === "") return { tools: [] };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return { tools: null, json: error instanceof Error ? error.message : String(error) };
  }
  if (!Array.isArray(parsed)) return { tools: null, json: null };
  const tools = parsed.map(readTool);
  return tools.every((tool) => tool !== null) ? { tools } : { tools: null, json: null };
}

function readTool(value: unknown): ToolDefinition | null {
  const outer = fieldsOf(value);
  const told = outer.function === undefined ? outer : fieldsOf(outer.function);
  const name = textOf(told.name);
  if (name === "") return null;
  const parameters = told.parameters ?? told.input_schema;
  return {
    name,
    ...(textOf(told.description) ? { description: textOf(told.description) } : {}),
    ...(typeof parameters === "object" && parameters !== null ? { parameters } : {}),
  };
}
