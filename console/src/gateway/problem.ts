/** Errors of the gateway, in the shapes of the four families of interfaces. `ErrorView` shows one as it is. */
import { fieldsOf, listOf, numberOf, textOf } from "./json";

export interface FailedAttempt {
  endpoint: string;
  provider: string;
  status: number | null;
  body: string;
}

export interface GatewayProblem {
  code: string;
  message: string;
  request_id: string;
  /** HTTP status; 0: the answer had begun, or there was none. */
  status: number;
  /** Who refused: the gateway before any model, or the providers. */
  source: "gateway" | "upstream" | "";
  attempts: FailedAttempt[];
}

/** OpenAI and Ark: `{error: {code, ...}}`; Anthropic: `{type: "error", error, request_id}`; DashScope: flat. */
export function readProblem(body: unknown, status: number, requestId: string): GatewayProblem {
  const outer = fieldsOf(body);
  // A stream of the responses interface tells its failure inside the response.
  const nested = outer.error ?? fieldsOf(outer.response).error;
  const error = nested === undefined || nested === null ? outer : fieldsOf(nested);
  const source = textOf(error.source);
  return {
    code: textOf(error.code) || textOf(error.type) || (status ? `HTTP_${status}` : "STREAM_FAILED"),
    message: textOf(error.message) || (typeof body === "string" && body.slice(0, 500)) || `HTTP ${status}`,
    request_id: textOf(error.request_id) || textOf(outer.request_id) || requestId,
    status,
    source: source === "gateway" || source === "upstream" ? source : "",
    attempts: listOf(error.retry_history).map(readAttempt),
  };
}

function readAttempt(value: unknown): FailedAttempt {
  const attempt = fieldsOf(value);
  return {
    endpoint: textOf(attempt.slug_name) || textOf(attempt.endpoint),
    provider: textOf(attempt.provider),
    status: numberOf(attempt.status),
    body: textOf(attempt.body),
  };
}

/** Whether a frame of a stream tells of a failure. */
export function isFailure(json: unknown): boolean {
  const frame = fieldsOf(json);
  if (frame.type === "error" || frame.type === "response.failed") return true;
  return frame.error !== undefined && frame.error !== null;
}
