import type { Ready } from "./examples";
import { pathOf, taskPathOf } from "./interfaces";
import { isIdentifier, literal } from "./literal";

/** What the SDKs' functions know by name; anything else goes into `extra_body`. */
const KNOWN: Record<string, string> = {
  open_ai:
    "model messages stream stream_options temperature top_p max_tokens max_completion_tokens n stop seed tools tool_choice parallel_tool_calls response_format presence_penalty frequency_penalty logit_bias logprobs top_logprobs user reasoning_effort modalities audio metadata store service_tier",
  anthropic:
    "model messages max_tokens system temperature top_p top_k stop_sequences stream tools tool_choice thinking metadata service_tier",
  responses:
    "model input stream instructions temperature top_p max_output_tokens tools tool_choice parallel_tool_calls reasoning text store previous_response_id include metadata truncation user service_tier",
  open_ai_embedding: "model input dimensions encoding_format user",
  image:
    "model prompt n size quality style response_format background moderation output_format output_compression user",
};

export function pythonExample(call: Ready): string {
  switch (call.interface) {
    case "open_ai":
      return openai(call, "chat.completions.create", call.stream ? CHAT_STREAM : CHAT);
    case "responses":
      return openai(call, "responses.create", call.stream ? RESPONSE_STREAM : RESPONSE);
    case "open_ai_embedding":
      return openai(call, "embeddings.create", EMBEDDING);
    case "open_ai_image":
    case "ark_image":
      return openai(call, "images.generate", IMAGE);
    case "anthropic":
      return anthropic(call);
    default:
      return taskPathOf(call.interface) === null ? requests(call) : polling(call);
  }
}

const CHAT = "print(response.choices[0].message.content)";
const CHAT_STREAM = `for chunk in response:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)`;
const RESPONSE = "print(response.output_text)";
const RESPONSE_STREAM = `for event in response:
    if event.type == "response.output_text.delta":
        print(event.delta, end="", flush=True)`;
const EMBEDDING = "print(len(response.data[0].embedding))";
const IMAGE = `for image in response.data:
    print(image.url or image.b64_json)`;

function openai(call: Ready, method: string, reading: string): string {
  const isArk = call.interface === "ark_image" || (call.interface === "open_ai" && call.isArk);
  const body = call.stream ? { ...call.body, stream: true } : call.body;
  const known = call.interface.endsWith("_image") ? "image" : call.interface;
  return `from openai import OpenAI

client = OpenAI(
    base_url="${call.baseUrl}${isArk ? "/api/v3" : "/v1"}",
    api_key=${keyOf(call)},
)
response = client.${method}(
${argumentsOf(body, known)}
)
${reading}
`;
}

function anthropic(call: Ready): string {
  const head = `import anthropic

client = anthropic.Anthropic(
    base_url="${call.baseUrl}",
    api_key=${keyOf(call)},
)
`;
  const given = argumentsOf(call.body, "anthropic");
  if (!call.stream) {
    return `${head}message = client.messages.create(\n${given}\n)
for block in message.content:
    if block.type == "text":
        print(block.text)
`;
  }
  return `${head}with client.messages.stream(\n${given}\n) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
`;
}

function argumentsOf(body: object, interfaceName: string): string {
  const known = new Set((KNOWN[interfaceName] ?? "").split(" "));
  const entries = Object.entries(body);
  const extra = entries.filter(([name]) => !known.has(name) || !isIdentifier(name));
  const lines = entries.filter((each) => !extra.includes(each)).map(([name, value]) => argument(name, value));
  if (extra.length > 0) lines.push(argument("extra_body", Object.fromEntries(extra)));
  return lines.join("\n");
}

function argument(name: string, value: unknown): string {
  const head = `    ${name}=`;
  return `${head}${literal(value, "python", 4, head.length)},`;
}

function requests(call: Ready): string {
  return `import requests

response = requests.post(
    "${call.baseUrl}${pathOf(call.interface, call.isArk)}",
    headers={"Authorization": "Bearer " + ${keyOf(call)}},
    json=${literal(call.body, "python", 4, 9)},
    timeout=60,
)
print(response.status_code)
print(response.text)
`;
}

function polling(call: Ready): string {
  const isArk = call.interface === "task";
  const id = isArk ? 'created["id"]' : 'created["output"]["task_id"]';
  const state = isArk ? 'task["status"]' : 'task["output"]["task_status"]';
  const waiting = isArk ? '("queued", "running")' : '("PENDING", "RUNNING")';
  return `import time

import requests

BASE_URL = "${call.baseUrl}"
HEADERS = {"Authorization": "Bearer " + ${keyOf(call)}}


def ask(method, path, body=None):
    response = requests.request(method, BASE_URL + path, headers=HEADERS, json=body, timeout=60)
    if not response.ok:
        raise SystemExit(f"{response.status_code} {response.text}")
    return response.json()


created = ask(
    "POST",
    "${pathOf(call.interface)}",
    ${literal(call.body, "python", 4)},
)
while True:
    task = ask("GET", "${taskPathOf(call.interface)}" + ${id})
    print(${state})
    if ${state} not in ${waiting}:
        break
    time.sleep(5)
print(task)
`;
}

/** A shell puts a variable's value in; a program needs a place to write it. */
function keyOf(call: Ready): string {
  return JSON.stringify(call.keyText.startsWith("$") ? "<your-api-key>" : call.keyText);
}
