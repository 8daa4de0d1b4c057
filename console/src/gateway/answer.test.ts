import { describe, expect, it } from "vitest";
import { addFrame, NO_ANSWER } from "./answer";

const answerOf = (interfaceName: string, frames: unknown[]) =>
  frames.reduce<typeof NO_ANSWER>((answer, frame) => addFrame(interfaceName, answer, frame), NO_ANSWER);

describe("answers", () => {
  it("come over chat completions", () => {
    const delta = (fields: object, finish: string | null = null) => ({
      choices: [{ delta: fields, finish_reason: finish }],
    });
    const answer = answerOf("open_ai", [
      delta({ role: "assistant", content: "" }),
      delta({ reasoning_content: "Let me " }),
      delta({ reasoning_content: "see" }),
      delta({ content: "Hel" }),
      delta({ content: "lo" }),
      delta({ tool_calls: [{ index: 0, id: "c1", function: { name: "weather", arguments: '{"ci' } }] }),
      delta({ tool_calls: [{ index: 0, function: { arguments: 'ty":1}' } }] }),
      delta({}, "tool_calls"),
      { choices: [], usage: {} },
    ]);
    expect(answer).toEqual({
      text: "Hello",
      reasoning: "Let me see",
      tools: [{ index: 0, id: "c1", name: "weather", args: '{"city":1}' }],
      finish: "tool_calls",
    });
  });

  it("come over messages", () => {
    const answer = answerOf("anthropic", [
      { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "hm" } },
      { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "Hi" } },
      { type: "content_block_start", index: 2, content_block: { type: "tool_use", id: "t", name: "f" } },
      { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: "{}" } },
      { type: "message_delta", delta: { stop_reason: "tool_use" } },
    ]);
    expect(answer).toEqual({
      text: "Hi",
      reasoning: "hm",
      tools: [{ index: 2, id: "t", name: "f", args: "{}" }],
      finish: "tool_use",
    });
  });

  it("come over responses", () => {
    const answer = answerOf("responses", [
      { type: "response.reasoning_summary_text.delta", output_index: 0, delta: "hm" },
      { type: "response.output_text.delta", output_index: 1, delta: "Hi" },
      {
        type: "response.output_item.added",
        output_index: 2,
        item: { type: "function_call", call_id: "c", name: "f" },
      },
      { type: "response.function_call_arguments.delta", output_index: 2, delta: "{}" },
      { type: "response.completed", response: { status: "completed" } },
    ]);
    expect(answer).toEqual({
      text: "Hi",
      reasoning: "hm",
      tools: [{ index: 2, id: "c", name: "f", args: "{}" }],
      finish: "completed",
    });
  });

  it("stay what they are when a frame adds nothing", () => {
    expect(addFrame("open_ai", NO_ANSWER, { choices: [] })).toBe(NO_ANSWER);
    expect(addFrame("anthropic", NO_ANSWER, { type: "ping" })).toBe(NO_ANSWER);
    expect(addFrame("responses", NO_ANSWER, undefined)).toBe(NO_ANSWER);
  });
});
