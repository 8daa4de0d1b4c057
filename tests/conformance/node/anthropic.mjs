import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { caught, collect, key, runAll, simulator, url } from "./harness.mjs";

const CLAUDE = "anthropic/claude-opus-4.6";
const PINNED = `anthropic_global@${CLAUDE}@anthropic`;
const QWEN = "qwen/qwen3.7-max";
const messages = [{ role: "user", content: "hello" }];
const hello = { model: CLAUDE, max_tokens: 256, messages };
const tools = [
  {
    name: "get_weather",
    input_schema: { type: "object", properties: { city: { type: "string" }, days: { type: "integer" } } },
  },
  { name: "get_time", input_schema: { type: "object", properties: { zone: { type: "string" } } } },
];

const client = (path = "", more = {}) =>
  new Anthropic({ baseURL: `${url}/gateway${path}`, apiKey: key, maxRetries: 0, timeout: 20_000, ...more });

await runAll({
  async whole() {
    for (const path of ["", "/v1"])
      for (const model of [CLAUDE, QWEN]) {
        const answer = await client(path).messages.create({ ...hello, model });
        assert.match(answer.content[0].text, /You said: hello$/);
        assert.ok(answer.usage.input_tokens > 0 && answer.usage.output_tokens > 0);
        assert.ok(answer._request_id);
      }
  },

  async streamed() {
    const events = await collect(await client().messages.create({ ...hello, stream: true }));
    const kinds = events.map((event) => event.type).filter((kind) => kind !== "ping");
    assert.equal(kinds[0], "message_start");
    assert.deepEqual(kinds.slice(-3), ["content_block_stop", "message_delta", "message_stop"]);
    assert.ok(events.at(-2).usage.output_tokens > 0);
  },

  async stream_helper() {
    for (const path of ["", "/v1"]) {
      const stream = client(path).messages.stream(hello);
      let seen = "";
      stream.on("text", (delta) => (seen += delta));
      const final = await stream.finalMessage();
      assert.equal(final.content[0].text, seen);
      assert.match(seen, /You said: hello$/);
      assert.equal(final.stop_reason, "end_turn");
    }
  },

  async stream_helper_assembles_tool_calls() {
    for (const model of [CLAUDE, QWEN]) {
      const final = await client()
        .messages.stream({ ...hello, model, messages: [{ role: "user", content: "use tools" }], tools })
        .finalMessage();
      const calls = final.content.filter((block) => block.type === "tool_use");
      assert.deepEqual(
        calls.map((call) => [call.name, call.input]),
        [
          ["get_weather", { city: "simulated", days: 1 }],
          ["get_time", { zone: "simulated" }],
        ],
      );
      assert.equal(final.stop_reason, "tool_use");
    }
  },

  async thinking() {
    const final = await client()
      .messages.stream({ ...hello, max_tokens: 2048, thinking: { type: "adaptive" } })
      .finalMessage();
    assert.deepEqual(
      final.content.map((block) => block.type),
      ["thinking", "text"],
    );
    assert.ok(final.content[0].thinking && final.content[0].signature);
  },

  async count_tokens() {
    for (const path of ["", "/v1"])
      for (const model of [CLAUDE, QWEN]) {
        const counted = await client(path).messages.countTokens({ model, messages });
        assert.ok(counted.input_tokens > 0);
      }
  },

  async models() {
    for (const path of ["", "/v1"]) {
      const names = (await collect(client(path).models.list())).map((model) => model.id);
      assert.ok(names.includes(CLAUDE));
      assert.equal(new Set(names).size, names.length);
      const one = await client(path).models.retrieve(CLAUDE);
      assert.equal(one.type, "model");
      assert.ok(one.display_name);
    }
  },

  async wrong_key() {
    const error = await caught(
      () => client("", { apiKey: "ck-wrong" }).messages.create(hello),
      Anthropic.AuthenticationError,
    );
    assert.equal(error.status, 401);
    assert.equal(error.error.error.code, "GATEWAY_INVALID_VIRTUAL_KEY");
    assert.ok(error.requestID);
  },

  async bad_request() {
    const error = await caught(
      () => client("", { maxRetries: 2 }).messages.create({ ...hello, max_tokens: 0 }),
      Anthropic.BadRequestError,
    );
    assert.equal(error.error.error.source, "upstream");
    assert.equal((await simulator.seen("/messages")).length, 1);
    await caught(() => client().models.retrieve("claude-nobody"), Anthropic.NotFoundError);
  },

  async rate_limit() {
    await simulator.fault("status", { status: 429, headers: { "retry-after": "86400" } });
    const error = await caught(
      () => client("", { maxRetries: 2 }).messages.create({ ...hello, model: PINNED }),
      Anthropic.RateLimitError,
    );
    assert.equal(error.headers.get("x-should-retry"), "false");
    assert.equal((await simulator.seen("/messages")).length, 1);
  },

  async upstream_failure() {
    await simulator.fault("status", { status: 529 });
    const error = await caught(() => client().messages.create(hello), Anthropic.InternalServerError);
    assert.equal(error.error.error.code, "UPSTREAM_ALL_FAILED");
  },

  async a_broken_stream_raises() {
    await simulator.fault("slow_chunks_ms", { n: 5 });
    await simulator.fault("cut_after_chunks", { n: 5 });
    const stream = await client().messages.create({ ...hello, stream: true });
    const error = await caught(() => collect(stream), Anthropic.APIError);
    assert.match(error.message, /UPSTREAM_BROKEN_STREAM/);
  },

  async timeout() {
    await simulator.fault("head_then_silence");
    await caught(
      () => client("", { timeout: 500 }).messages.create(hello),
      Anthropic.APIConnectionTimeoutError,
    );
  },
});
