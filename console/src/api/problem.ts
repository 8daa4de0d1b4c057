/** What went wrong, whatever threw it: an error body of the admin API, a lost connection, a bug. */
export interface Problem {
  /** Stable; what code branches on. */
  code: string;
  message: string;
  requestId: string;
  /** Fields that are at fault, as `field: why`. */
  details: string[];
}

export function toProblem(thrown: unknown): Problem {
  const body = isRecord(thrown) && isRecord(thrown.error) ? thrown.error : thrown;
  if (isRecord(body) && typeof body.code === "string") {
    return {
      code: body.code,
      message: typeof body.message === "string" ? body.message : body.code,
      requestId: typeof body.request_id === "string" ? body.request_id : "",
      details: Array.isArray(body.details) ? body.details.map(readDetail) : [],
    };
  }
  if (thrown instanceof TypeError) {
    return { code: "UNREACHABLE", message: thrown.message, requestId: "", details: [] };
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "UNEXPECTED", message, requestId: "", details: [] };
}

function readDetail(detail: unknown): string {
  if (!isRecord(detail)) return String(detail);
  const field = detail.field ?? detail.where ?? detail.path ?? "";
  const why = detail.message ?? detail.problem ?? "";
  return field ? `${field}: ${why}` : String(why);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
