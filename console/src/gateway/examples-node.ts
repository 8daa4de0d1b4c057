import type { Ready } from "./examples";
import { pathOf, taskPathOf } from "./interfaces";
import { literal } from "./literal";

export function nodeExample(call: Ready): string {
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
      return taskPathOf(call.interface) === null ? fetched(call) : polling(call);
  }
}

const CHAT = "console.log(response.choices[0].message.content);";
const CHAT_STREAM = `for await (const chunk of response) {
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
}`;
const RESPONSE = "console.log(response.output_text);";
const RESPONSE_STREAM = `for await (const event of response) {
  if (event.type === "response.output_text.delta") process.stdout.write(event.delta);
}`;
const EMBEDDING = "console.log(response.data[0].embedding.length);";
const IMAGE = "for (const image of response.data) console.log(image.url ?? image.b64_json);";

function openai(call: Ready, method: string, reading: string): string {
  const isArk = call.interface === "ark_image" || (call.interface === "open_ai" && call.isArk);
  const body = call.stream ? { ...call.body, stream: true } : call.body;
  return `import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "${call.baseUrl}${isArk ? "/api/v3" : "/v1"}",
  apiKey: ${keyOf(call)},
});
const response = await client.${method}(${literal(body, "js", 0, 50)});
${reading}
`;
}

function anthropic(call: Ready): string {
  const head = `import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({
  baseURL: "${call.baseUrl}",
  apiKey: ${keyOf(call)},
});
`;
  const given = literal(call.body, "js", 0, 50);
  if (!call.stream) {
    return `${head}const message = await client.messages.create(${given});
for (const block of message.content) {
  if (block.type === "text") console.log(block.text);
}
`;
  }
  return `${head}const stream = client.messages.stream(${given});
stream.on("text", (text) => process.stdout.write(text));
await stream.finalMessage();
`;
}

function fetched(call: Ready): string {
  return `const response = await fetch("${call.baseUrl}${pathOf(call.interface, call.isArk)}", {
  method: "POST",
  headers: {
    Authorization: "Bearer " + ${keyOf(call)},
    "Content-Type": "application/json",
  },
  body: JSON.stringify(${literal(call.body, "js", 2, 23)}),
});
console.log(response.status, await response.text());
`;
}

function polling(call: Ready): string {
  const isArk = call.interface === "task";
  const id = isArk ? "created.id" : "created.output.task_id";
  const state = isArk ? "task.status" : "task.output.task_status";
  const waiting = isArk ? '["queued", "running"]' : '["PENDING", "RUNNING"]';
  return `const BASE_URL = "${call.baseUrl}";
const HEADERS = {
  Authorization: "Bearer " + ${keyOf(call)},
  "Content-Type": "application/json",
};

async function ask(method, path, body) {
  const response = await fetch(BASE_URL + path, {
    method,
    headers: HEADERS,
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(\`\${response.status} \${text}\`);
  return JSON.parse(text);
}

const created = await ask(
  "POST",
  "${pathOf(call.interface)}",
  ${literal(call.body, "js", 2)},
);
let task;
do {
  await new Promise((resolve) => setTimeout(resolve, 5000));
  task = await ask("GET", "${taskPathOf(call.interface)}" + ${id});
  console.log(${state});
} while (${waiting}.includes(${state}));
console.log(JSON.stringify(task));
`;
}

/** A shell puts a variable's value in; a program needs a place to write it. */
function keyOf(call: Ready): string {
  return JSON.stringify(call.keyText.startsWith("$") ? "<your-api-key>" : call.keyText);
}
