import { describe, expect, it } from "vitest";
import { readProblem } from "./problem";
import { readUsage } from "./usage";

const frame = (json: unknown) => ({ event: "", data: JSON.stringify(json), json });

describe("usage", () => {
  it("reads chat completions", () => {
    const body = {
      usage: {
        prompt_tokens: 12,
        completion_tokens: 30,
        prompt_tokens_details: { cached_tokens: 8 },
        completion_tokens_details: { reasoning_tokens: 5 },
      },
    };
    expect(readUsage("open_ai", body)).toMatchObject({ input: 12, output: 30, cached: 8, reasoning: 5 });
    expect(readUsage("open_ai", [frame({ usage: null }), frame(body)])).toMatchObject({ input: 12 });
  });

  it("adds up what a stream of messages tells in parts", () => {
    const frames = [
      frame({
        type: "message_start",
        message: { usage: { input_tokens: 3, cache_read_input_tokens: 10, output_tokens: 1 } },
      }),
      frame({ type: "message_delta", usage: { output_tokens: 25 } }),
    ];
    expect(readUsage("anthropic", frames)).toMatchObject({ input: 13, output: 25, cached: 10 });
  });

  it("reads a completed response", () => {
    const usage = { input_tokens: 4, output_tokens: 9, output_tokens_details: { reasoning_tokens: 2 } };
    const frames = [
      frame({ type: "response.created", response: { usage: null } }),
      frame({ type: "response.completed", response: { usage } }),
    ];
    expect(readUsage("responses", frames)).toMatchObject({ input: 4, output: 9, reasoning: 2 });
  });

  it("is null where nothing is said", () => {
    expect(readUsage("open_ai", { choices: [] })).toBeNull();
    expect(readUsage("open_ai", [])).toBeNull();
  });
});

describe("problems", () => {
  const attempt = { slug_name: "north/qwen", provider: "north", status: 503, body: "busy" };
  it.each([
    [
      "OpenAI",
      { error: { code: "A", message: "m", source: "upstream", retry_history: [attempt], request_id: "r" } },
    ],
    [
      "Anthropic",
      {
        type: "error",
        error: { code: "A", message: "m", source: "upstream", retry_history: [attempt] },
        request_id: "r",
      },
    ],
    ["DashScope", { code: "A", message: "m", request_id: "r", source: "upstream", retry_history: [attempt] }],
    ["Ark", { error: { code: "A", message: "m", source: "upstream", retry_history: [attempt] } }],
  ])("reads the shape of %s", (_name, body) => {
    expect(readProblem(body, 502, "r")).toEqual({
      code: "A",
      message: "m",
      request_id: "r",
      status: 502,
      source: "upstream",
      attempts: [{ endpoint: "north/qwen", provider: "north", status: 503, body: "busy" }],
    });
  });

  it("makes do with what is no error body", () => {
    expect(readProblem("<html>", 504, "r")).toMatchObject({ code: "HTTP_504", message: "<html>" });
  });
});
