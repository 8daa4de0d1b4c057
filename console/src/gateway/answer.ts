/** What a chat answers, put together from the frames of its stream, whichever interface it came over. */
import { type Fields, fieldsOf, listOf, numberOf, textOf } from "./json";

export interface ToolCall {
  /** Place in the answer; what later frames of the same call are known by. */
  index: number;
  id: string;
  name: string;
  /** JSON as text; not whole while it streams. */
  args: string;
}

export interface Answer {
  text: string;
  reasoning: string;
  tools: ToolCall[];
  /** Why it ended, in the interface's own word. */
  finish: string;
}

export const NO_ANSWER: Answer = { text: "", reasoning: "", tools: [], finish: "" };

/** The answer with one more frame; the same object when the frame adds nothing. */
export function addFrame(interfaceName: string, answer: Answer, json: unknown): Answer {
  const frame = fieldsOf(json);
  if (interfaceName === "anthropic") return addMessagesFrame(answer, frame);
  if (interfaceName === "responses") return addResponsesFrame(answer, frame);
  return addChatFrame(answer, frame);
}

function addChatFrame(answer: Answer, frame: Fields): Answer {
  const choice = fieldsOf(listOf(frame.choices)[0]);
  const delta = fieldsOf(choice.delta);
  const text = textOf(delta.content);
  const reasoning = textOf(delta.reasoning_content) || textOf(delta.reasoning);
  const finish = textOf(choice.finish_reason);
  const tools = listOf(delta.tool_calls).map(fieldsOf);
  if (!text && !reasoning && !finish && tools.length === 0) return answer;
  return {
    text: answer.text + text,
    reasoning: answer.reasoning + reasoning,
    finish: finish || answer.finish,
    tools: tools.reduce<ToolCall[]>((all, tool) => {
      const told = fieldsOf(tool.function);
      return addTool(all, numberOf(tool.index) ?? 0, tool.id, told.name, told.arguments);
    }, answer.tools),
  };
}

function addMessagesFrame(answer: Answer, frame: Fields): Answer {
  const index = numberOf(frame.index) ?? 0;
  const delta = fieldsOf(frame.delta);
  switch (frame.type) {
    case "content_block_start": {
      const block = fieldsOf(frame.content_block);
      if (block.type !== "tool_use") return answer;
      return { ...answer, tools: addTool(answer.tools, index, block.id, block.name, "") };
    }
    case "content_block_delta":
      if (delta.type === "text_delta") return { ...answer, text: answer.text + textOf(delta.text) };
      if (delta.type === "thinking_delta") {
        return { ...answer, reasoning: answer.reasoning + textOf(delta.thinking) };
      }
      if (delta.type === "input_json_delta") {
        return { ...answer, tools: addTool(answer.tools, index, "", "", delta.partial_json) };
      }
      return answer;
    case "message_delta":
      return { ...answer, finish: textOf(delta.stop_reason) || answer.finish };
    default:
      return answer;
  }
}

function addResponsesFrame(answer: Answer, frame: Fields): Answer {
  const index = numberOf(frame.output_index) ?? 0;
  const delta = textOf(frame.delta);
  switch (frame.type) {
    case "response.output_text.delta":
      return { ...answer, text: answer.text + delta };
    case "response.reasoning_summary_text.delta":
    case "response.reasoning_text.delta":
      return { ...answer, reasoning: answer.reasoning + delta };
    case "response.output_item.added": {
      const item = fieldsOf(frame.item);
      if (item.type !== "function_call") return answer;
      return { ...answer, tools: addTool(answer.tools, index, item.call_id, item.name, "") };
    }
    case "response.function_call_arguments.delta":
      return { ...answer, tools: addTool(answer.tools, index, "", "", delta) };
    case "response.completed":
    case "response.incomplete":
      return { ...answer, finish: textOf(fieldsOf(frame.response).status) };
    default:
      return answer;
  }
}

/** Begins the call at `index`, or adds to it. */
function addTool(all: ToolCall[], index: number, id: unknown, name: unknown, args: unknown): ToolCall[] {
  const known = all.find((each) => each.index === index);
  const next = {
    index,
    id: known?.id || textOf(id),
    name: known?.name || textOf(name),
    args: (known?.args ?? "") + textOf(args),
  };
  return known ? all.map((each) => (each === known ? next : each)) : [...all, next];
}
