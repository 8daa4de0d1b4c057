/** The same question to a chat model, in the words of each interface. */
import type { ToolCall } from "./answer";

export interface Message {
  role: "user" | "assistant" | "tool";
  text: string;
  /** Addresses, or pictures as `data:` addresses. */
  images?: string[];
  /** Of an assistant: what it wanted to call. */
  tools?: ToolCall[];
  /** Of a tool's result: which call it answers. */
  toolId?: string;
}

/** A function as the chat completions interface defines it. */
export interface ToolDefinition {
  name: string;
  description?: string;
  parameters?: object;
}

export type Thinking = "default" | "on" | "off";

export interface Question {
  model: string;
  messages: Message[];
  system: string;
  temperature: number | null;
  maxTokens: number | null;
  thinking: Thinking;
  /** How the providers of this model want thinking switched, over chat completions. */
  thinkingWords: ("enable_thinking" | "thinking" | "reasoning_effort")[];
  tools: ToolDefinition[];
}

/** Messages must say how long an answer may be. */
const ANSWER_TOKENS = 4096;
const THINKING_TOKENS = 2048;

export const CHAT_INTERFACES = ["open_ai", "anthropic", "responses"];

export function bodyFor(interfaceName: string, question: Question): Record<string, unknown> {
  if (interfaceName === "anthropic") return messagesBody(question);
  if (interfaceName === "responses") return responsesBody(question);
  return chatBody(question);
}

function chatBody(q: Question): Record<string, unknown> {
  const system = q.system ? [{ role: "system", content: q.system }] : [];
  return {
    model: q.model,
    messages: [...system, ...q.messages.map(chatMessage)],
    ...(q.temperature === null ? {} : { temperature: q.temperature }),
    ...(q.maxTokens === null ? {} : { max_tokens: q.maxTokens }),
    ...(q.thinking === "default" ? {} : chatThinking(q)),
    ...(q.tools.length ? { tools: q.tools.map((tool) => ({ type: "function", function: tool })) } : {}),
    stream: true,
    stream_options: { include_usage: true },
  };
}

function chatThinking(q: Question): Record<string, unknown> {
  const isOn = q.thinking === "on";
  const all = {
    enable_thinking: isOn,
    thinking: { type: isOn ? "enabled" : "disabled" },
    reasoning_effort: isOn ? "medium" : "none",
  };
  return Object.fromEntries(q.thinkingWords.map((word) => [word, all[word]]));
}

function chatMessage(message: Message): Record<string, unknown> {
  if (message.role === "tool") {
    return { role: "tool", tool_call_id: message.toolId ?? "", content: message.text };
  }
  if (message.role === "assistant") {
    const calls = (message.tools ?? []).map((tool) => ({
      id: tool.id,
      type: "function",
      function: { name: tool.name, arguments: tool.args },
    }));
    return { role: "assistant", content: message.text, ...(calls.length ? { tool_calls: calls } : {}) };
  }
  if (!message.images?.length) return { role: "user", content: message.text };
  const images = message.images.map((url) => ({ type: "image_url", image_url: { url } }));
  return { role: "user", content: [...images, { type: "text", text: message.text }] };
}

function messagesBody(q: Question): Record<string, unknown> {
  const isThinking = q.thinking === "on";
  const most = q.maxTokens ?? ANSWER_TOKENS;
  return {
    model: q.model,
    max_tokens: isThinking ? Math.max(most, THINKING_TOKENS + 1) : most,
    ...(q.system ? { system: q.system } : {}),
    messages: joinResults(q.messages),
    // With thinking on, the interface takes no other temperature than its own.
    ...(q.temperature === null || isThinking ? {} : { temperature: Math.min(q.temperature, 1) }),
    ...(isThinking ? { thinking: { type: "enabled", budget_tokens: THINKING_TOKENS } } : {}),
    ...(q.thinking === "off" ? { thinking: { type: "disabled" } } : {}),
    ...(q.tools.length ? { tools: q.tools.map(messagesTool) } : {}),
    stream: true,
  };
}

function messagesTool(tool: ToolDefinition): Record<string, unknown> {
  const { parameters, ...rest } = tool;
  return { ...rest, input_schema: parameters ?? { type: "object" } };
}

/** Results of several tools stand in one message of the user. */
function joinResults(messages: Message[]): Record<string, unknown>[] {
  const joined: { role: string; content: unknown[] }[] = [];
  for (const message of messages) {
    const role = message.role === "assistant" ? "assistant" : "user";
    const last = joined.at(-1);
    if (last?.role === role && role === "user") last.content.push(...messagesContent(message));
    else joined.push({ role, content: messagesContent(message) });
  }
  return joined.filter((each) => each.content.length > 0);
}

function messagesContent(message: Message): unknown[] {
  if (message.role === "tool") {
    return [{ type: "tool_result", tool_use_id: message.toolId ?? "", content: message.text }];
  }
  const images = (message.images ?? []).map((url) => ({ type: "image", source: imageSource(url) }));
  const text = message.text ? [{ type: "text", text: message.text }] : [];
  const calls = (message.tools ?? []).map((tool) => ({
    type: "tool_use",
    id: tool.id,
    name: tool.name,
    input: parseArgs(tool.args),
  }));
  return [...images, ...text, ...calls];
}

function imageSource(url: string): Record<string, string> {
  const found = /^data:([^;,]+);base64,(.*)$/.exec(url);
  if (!found) return { type: "url", url };
  return { type: "base64", media_type: found[1] ?? "", data: found[2] ?? "" };
}

function parseArgs(args: string): unknown {
  try {
    return JSON.parse(args);
  } catch {
    return {};
  }
}

function responsesBody(q: Question): Record<string, unknown> {
  return {
    model: q.model,
    ...(q.system ? { instructions: q.system } : {}),
    input: q.messages.flatMap(responsesItems),
    ...(q.temperature === null ? {} : { temperature: q.temperature }),
    ...(q.maxTokens === null ? {} : { max_output_tokens: q.maxTokens }),
    ...(q.thinking === "on" ? { reasoning: { effort: "medium", summary: "auto" } } : {}),
    ...(q.thinking === "off" ? { reasoning: { effort: "minimal" } } : {}),
    ...(q.tools.length ? { tools: q.tools.map((tool) => ({ type: "function", ...tool })) } : {}),
    stream: true,
  };
}

function responsesItems(message: Message): unknown[] {
  if (message.role === "tool") {
    return [{ type: "function_call_output", call_id: message.toolId ?? "", output: message.text }];
  }
  if (message.role === "assistant") {
    const text = message.text ? [{ role: "assistant", content: message.text }] : [];
    const calls = (message.tools ?? []).map((tool) => ({
      type: "function_call",
      call_id: tool.id,
      name: tool.name,
      arguments: tool.args,
    }));
    return [...text, ...calls];
  }
  if (!message.images?.length) return [{ role: "user", content: message.text }];
  const images = message.images.map((url) => ({ type: "input_image", image_url: url }));
  return [{ role: "user", content: [...images, { type: "input_text", text: message.text }] }];
}
