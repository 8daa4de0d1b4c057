/** A call of the gateway from the page, streamed or whole. */

import { type Frame, makeFrameReader } from "./frames";
import { ageOf } from "./heldKeys";
import { type GatewayProblem, isFailure, readProblem } from "./problem";

export interface Call {
  /** Below `/gateway`: `/v1/chat/completions`. */
  path: string;
  method?: "GET" | "POST" | "DELETE";
  body?: object;
  keyText: string;
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** Every frame of a stream, as it comes in, with the milliseconds since the call began. */
  onFrame?: (frame: Frame, atMs: number) => void;
}

export interface CallResult {
  isOk: boolean;
  /** It was stopped by `signal`: neither good nor a failure. */
  isStopped: boolean;
  status: number;
  requestId: string;
  /** The JSON of the answer (text where it is none); null when it was a stream. */
  body: unknown;
  frames: Frame[];
  problem: GatewayProblem | null;
  /** Until the first frame of a stream, or the head of an answer; null: nothing came. */
  firstMs: number | null;
  totalMs: number;
}

/** Workers hear of a new key within a second; a call before that would be refused. */
const NEW_KEY_WAIT = 1_200;
const END_MARKS = new Set([
  "message_stop",
  "response.completed",
  "response.incomplete",
  "response.failed",
  "image_generation.completed",
]);

export async function callGateway(call: Call): Promise<CallResult> {
  const age = ageOf(call.keyText);
  if (age !== null) await pause(NEW_KEY_WAIT - age);
  const result = await callOnce(call);
  const isTooNew = result.problem?.code === "GATEWAY_INVALID_VIRTUAL_KEY" && ageOf(call.keyText) !== null;
  if (!isTooNew || call.signal?.aborted) return result;
  await pause(NEW_KEY_WAIT);
  return callOnce(call);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
}

async function callOnce(call: Call): Promise<CallResult> {
  const began = performance.now();
  const result: CallResult = {
    isOk: false,
    isStopped: false,
    status: 0,
    requestId: "",
    body: null,
    frames: [],
    problem: null,
    firstMs: null,
    totalMs: 0,
  };
  try {
    const answer = await send(call);
    result.status = answer.status;
    result.requestId = answer.headers.get("x-request-id") ?? "";
    if (answer.ok && answer.body !== null && isStream(answer)) {
      await readStream(answer.body, call, began, result);
    } else {
      result.firstMs = performance.now() - began;
      result.body = await readBody(answer);
      if (!answer.ok) result.problem = readProblem(result.body, answer.status, result.requestId);
    }
    result.isOk = result.problem === null;
  } catch (thrown) {
    if (call.signal?.aborted) result.isStopped = true;
    else result.problem = lost(thrown, result);
  }
  result.totalMs = performance.now() - began;
  return result;
}

function send(call: Call): Promise<Response> {
  const isAnthropic = call.path.startsWith("/v1/messages");
  return fetch(`/gateway${call.path}`, {
    method: call.method ?? "POST",
    // The key is the credential; the session of the console is none of the gateway's business.
    credentials: "omit",
    headers: {
      authorization: `Bearer ${call.keyText}`,
      ...(call.body ? { "content-type": "application/json" } : {}),
      ...(isAnthropic ? { "anthropic-version": "2023-06-01" } : {}),
      ...call.headers,
    },
    ...(call.body ? { body: JSON.stringify(call.body) } : {}),
    ...(call.signal ? { signal: call.signal } : {}),
  });
}

function isStream(answer: Response): boolean {
  return (answer.headers.get("content-type") ?? "").includes("text/event-stream");
}

async function readBody(answer: Response): Promise<unknown> {
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function readStream(
  stream: ReadableStream<Uint8Array>,
  call: Call,
  began: number,
  result: CallResult,
): Promise<void> {
  const reader = makeFrameReader();
  const decoder = new TextDecoder();
  let isWhole = false;
  const take = (frames: Frame[]) => {
    const atMs = performance.now() - began;
    for (const frame of frames) {
      result.firstMs ??= atMs;
      result.frames.push(frame);
      const type = (frame.json as { type?: unknown } | null | undefined)?.type;
      if (frame.data === "[DONE]" || END_MARKS.has(String(type))) isWhole = true;
      if (isFailure(frame.json)) result.problem = readProblem(frame.json, 0, result.requestId);
      call.onFrame?.(frame, atMs);
    }
  };
  const source = stream.getReader();
  for (;;) {
    const { done, value } = await source.read();
    if (done) break;
    take(reader.push(decoder.decode(value, { stream: true })));
  }
  take([...reader.push(decoder.decode()), ...reader.end()]);
  if (!isWhole && result.problem === null) result.problem = cut(result.requestId);
}

/** The gateway never invents an end mark: a stream without one is not the whole answer. */
function cut(requestId: string): GatewayProblem {
  const message = "The stream ended before the answer was whole.";
  return { code: "STREAM_CUT", message, request_id: requestId, status: 0, source: "", attempts: [] };
}

function lost(thrown: unknown, result: CallResult): GatewayProblem {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code = result.status === 0 ? "UNREACHABLE" : "CONNECTION_LOST";
  return { code, message, request_id: result.requestId, status: 0, source: "", attempts: [] };
}
