import assert from "node:assert/strict";
import OpenAI from "openai";
import { caught, collect, key, runAll, simulator, url } from "./harness.mjs";

const QWEN = "qwen/qwen3.7-max";
const PINNED = `aliyun_bailian_bj@${QWEN}@open_ai`;
const DOUBAO = "doubao-seed-2.0-pro";
const VECTORS = "qwen/text-embedding-v4";
const messages = [{ role: "user", content: "hello" }];
const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      parameters: { type: "object", properties: { city: { type: "string" }, days: { type: "integer" } } },
    },
  },
  {
    type: "function",
    function: { name: "get_time", parameters: { type: "object", properties: { zone: { type: "string" } } } },
  },
];

const client = (path = "/v1", more = {}) =>
  new OpenAI({ baseURL: `${url}/gateway${path}`, apiKey: key, maxRetries: 0, timeout: 20_000, ...more });
const textOf = (chunks) => chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? "").join("");

await runAll({
  async whole() {
    const answer = await client().chat.completions.create({ model: QWEN, messages });
    assert.match(answer.choices[0].message.content, /You said: hello$/);
    assert.ok(answer.usage.prompt_tokens > 0 && answer.usage.completion_tokens > 0);
    assert.ok(answer._request_id);
  },

  async whole_on_the_other_door() {
    const answer = await client("/api/v3").chat.completions.create({ model: DOUBAO, messages });
    assert.match(answer.choices[0].message.content, /You said: hello$/);
    assert.ok(answer.choices[0].message.reasoning_content);
  },

  async streamed() {
    const chunks = await collect(await client().chat.completions.create({ model: QWEN, messages, stream: true }));
    assert.match(textOf(chunks), /You said: hello$/);
    assert.equal(chunks[0].choices[0].delta.role, "assistant");
    assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
    assert.ok(chunks.every((chunk) => chunk.choices.length === 1 && !chunk.usage));
  },

  async streamed_with_usage() {
    const chunks = await collect(
      await client().chat.completions.create({
        model: QWEN,
        messages,
        stream: true,
        stream_options: { include_usage: true },
      }),
    );
    assert.deepEqual(chunks.at(-1).choices, []);
    assert.ok(chunks.at(-1).usage.completion_tokens > 0);
  },

  async stream_helper_assembles_text() {
    const stream = client().chat.completions.stream({ model: QWEN, messages });
    let seen = "";
    stream.on("content", (delta) => (seen += delta));
    const final = await stream.finalChatCompletion();
    assert.equal(final.choices[0].message.content, seen);
    assert.match(seen, /You said: hello$/);
  },

  async stream_helper_assembles_tool_calls() {
    const final = await client()
      .chat.completions.stream({ model: QWEN, messages: [{ role: "user", content: "use tools" }], tools })
      .finalChatCompletion();
    const calls = final.choices[0].message.tool_calls;
    assert.deepEqual(
      calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
      [
        ["get_weather", { city: "simulated", days: 1 }],
        ["get_time", { zone: "simulated" }],
      ],
    );
    assert.equal(final.choices[0].finish_reason, "tool_calls");
  },

  async embeddings_have_their_full_length() {
    // The SDK asks for base64 unasked; floats in return would give it a quarter of the numbers.
    const packed = await client().embeddings.create({ model: VECTORS, input: ["one", "two"] });
    const floats = await client().embeddings.create({
      model: VECTORS,
      input: ["one", "two"],
      encoding_format: "float",
    });
    assert.deepEqual(packed.data.map((entry) => entry.embedding.length), [1024, 1024]);
    for (const at of [0, 1])
      for (const [index, number] of packed.data[at].embedding.entries())
        assert.ok(Math.abs(number - floats.data[at].embedding[index]) < 1e-6);
    assert.ok(packed.usage.total_tokens > 0);
  },

  async models() {
    const names = (await collect(client().models.list())).map((model) => model.id);
    assert.ok(names.includes(QWEN) && names.includes(DOUBAO));
    const one = await client().models.retrieve(QWEN);
    assert.equal(one.id, QWEN);
    assert.equal(one.object, "model");
  },

  async responses_whole_and_streamed() {
    const whole = await client().responses.create({ model: QWEN, input: "hello" });
    assert.match(whole.output_text, /You said: hello$/);
    assert.ok(whole.usage.input_tokens > 0 && whole.usage.output_tokens > 0);
    const stream = client().responses.stream({ model: QWEN, input: "hello" });
    const kinds = (await collect(stream)).map((event) => event.type);
    assert.equal(kinds[0], "response.created");
    assert.equal(kinds.at(-1), "response.completed");
    assert.equal((await stream.finalResponse()).output_text, whole.output_text);
  },

  async responses_on_the_other_door() {
    const events = await collect(
      await client("/api/v3").responses.create({ model: DOUBAO, input: "hello", stream: true }),
    );
    assert.equal(events.at(-1).type, "response.completed");
    assert.ok(events.at(-1).response.usage.output_tokens > 0);
  },

  async images() {
    const answer = await client("/api/v3").images.generate({
      model: "doubao-seedream-4.0",
      prompt: "a house",
      size: "1024x1024",
      n: 1,
    });
    const picture = await fetch(answer.data[0].url);
    const bytes = Buffer.from(await picture.arrayBuffer());
    assert.equal(bytes.subarray(1, 4).toString(), "PNG");
  },

  async request_id_is_readable() {
    const { data, response, request_id: id } = await client()
      .chat.completions.create({ model: QWEN, messages })
      .withResponse();
    assert.ok(data.id && id);
    assert.equal(response.headers.get("x-request-id"), id);
  },

  async wrong_key() {
    const error = await caught(
      () => client("/v1", { apiKey: "ck-wrong" }).chat.completions.create({ model: QWEN, messages }),
      OpenAI.AuthenticationError,
    );
    assert.equal(error.status, 401);
    assert.equal(error.code, "GATEWAY_INVALID_VIRTUAL_KEY");
    assert.equal(error.error.source, "gateway");
    assert.ok(error.requestID);
  },

  async unknown_model() {
    const error = await caught(
      () => client().chat.completions.create({ model: "nobody/nothing", messages }),
      OpenAI.BadRequestError,
    );
    assert.equal(error.code, "GATEWAY_MODEL_NOT_RESOLVED");
    assert.equal(error.param, "model");
    await caught(() => client().models.retrieve("nobody/nothing"), OpenAI.NotFoundError);
  },

  async rate_limit() {
    await simulator.fault("status", { status: 429 });
    const error = await caught(
      () => client().chat.completions.create({ model: QWEN, messages }),
      OpenAI.RateLimitError,
    );
    assert.equal(error.error.source, "upstream");
    assert.equal(error.error.retry_history[0].status, 429);
  },

  async should_retry_false_is_honoured() {
    await simulator.fault("status", { status: 429, headers: { "retry-after": "86400" } });
    await caught(
      () => client("/v1", { maxRetries: 2 }).chat.completions.create({ model: PINNED, messages }),
      OpenAI.RateLimitError,
    );
    assert.equal((await simulator.seen("/chat/completions")).length, 1);
  },

  async upstream_failure_is_retried_by_the_sdk() {
    await simulator.fault("status", { status: 500 });
    const error = await caught(
      () => client("/v1", { maxRetries: 1 }).chat.completions.create({ model: PINNED, messages }),
      OpenAI.InternalServerError,
    );
    assert.equal(error.code, "UPSTREAM_ALL_FAILED");
    assert.equal((await simulator.seen("/chat/completions")).length, 2);
  },

  async a_broken_stream_raises() {
    await simulator.fault("slow_chunks_ms", { n: 5 });
    await simulator.fault("cut_after_chunks", { n: 4 });
    const stream = await client().chat.completions.create({ model: QWEN, messages, stream: true });
    const error = await caught(() => collect(stream), OpenAI.APIError);
    assert.equal(error.error.code, "UPSTREAM_BROKEN_STREAM");
  },

  async timeout() {
    await simulator.fault("head_then_silence");
    await caught(
      () => client("/v1", { timeout: 500 }).chat.completions.create({ model: QWEN, messages }),
      OpenAI.APIConnectionTimeoutError,
    );
  },
});
