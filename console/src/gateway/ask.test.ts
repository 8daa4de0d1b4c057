import { describe, expect, it } from "vitest";
import { bodyFor, type Question } from "./ask";

const question: Question = {
  model: "m",
  messages: [{ role: "user", text: "What is it?", images: ["data:image/png;base64,AAAA"] }],
  system: "Be brief.",
  temperature: 0.5,
  maxTokens: 100,
  thinking: "on",
  thinkingWords: ["enable_thinking"],
  tools: [{ name: "f", parameters: { type: "object" } }],
};
const tool = { index: 0, id: "c1", name: "f", args: '{"a":1}' };
const told: Question = {
  ...question,
  messages: [
    { role: "user", text: "Call f." },
    { role: "assistant", text: "", tools: [tool] },
    { role: "tool", text: "42", toolId: "c1" },
    { role: "user", text: "And?" },
  ],
};

describe("questions", () => {
  it("are put as chat completions", () => {
    expect(bodyFor("open_ai", question)).toEqual({
      model: "m",
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
            { type: "text", text: "What is it?" },
          ],
        },
      ],
      temperature: 0.5,
      max_tokens: 100,
      enable_thinking: true,
      tools: [{ type: "function", function: { name: "f", parameters: { type: "object" } } }],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it("are put as messages", () => {
    expect(bodyFor("anthropic", question)).toMatchObject({
      system: "Be brief.",
      max_tokens: 2049,
      thinking: { type: "enabled", budget_tokens: 2048 },
      messages: [
        {
          role: "user",
          content: [
            { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
            { type: "text", text: "What is it?" },
          ],
        },
      ],
      tools: [{ name: "f", input_schema: { type: "object" } }],
    });
    expect(bodyFor("anthropic", question)).not.toHaveProperty("temperature");
  });

  it("are put as responses", () => {
    expect(bodyFor("responses", question)).toMatchObject({
      instructions: "Be brief.",
      max_output_tokens: 100,
      reasoning: { effort: "medium" },
      tools: [{ type: "function", name: "f" }],
    });
  });

  it("carry what tools answered", () => {
    expect(bodyFor("open_ai", told).messages).toContainEqual({
      role: "tool",
      tool_call_id: "c1",
      content: "42",
    });
    expect(bodyFor("anthropic", told).messages).toEqual([
      { role: "user", content: [{ type: "text", text: "Call f." }] },
      { role: "assistant", content: [{ type: "tool_use", id: "c1", name: "f", input: { a: 1 } }] },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "c1", content: "42" },
          { type: "text", text: "And?" },
        ],
      },
    ]);
    expect(bodyFor("responses", told).input).toContainEqual({
      type: "function_call_output",
      call_id: "c1",
      output: "42",
    });
  });

  it("leave out what was not chosen", () => {
    const plain = {
      ...question,
      temperature: null,
      maxTokens: null,
      thinking: "default" as const,
      tools: [],
      system: "",
    };
    expect(Object.keys(bodyFor("open_ai", plain))).toEqual(["model", "messages", "stream", "stream_options"]);
    expect(bodyFor("anthropic", plain)).toMatchObject({ max_tokens: 4096 });
  });
});
