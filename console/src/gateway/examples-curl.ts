import type { Ready } from "./examples";
import { pathOf, taskPathOf } from "./interfaces";
import { literal } from "./literal";

export function curlExample(call: Ready): string {
  const create = [
    `curl${call.stream ? " -N" : ""} -X POST ${call.baseUrl}${pathOf(call.interface, call.isArk)}`,
    ...credential(call),
    '  -H "Content-Type: application/json"',
    `  -d ${quoted(literal(call.stream ? { ...call.body, stream: true } : call.body, "json", 0, 20))}`,
  ].join(" \\\n");
  const taskPath = taskPathOf(call.interface);
  return `${taskPath === null ? create : withPolling(call, create, taskPath)}\n`;
}

function credential(call: Ready): string[] {
  if (call.interface !== "anthropic") return [`  -H "Authorization: Bearer ${call.keyText}"`];
  return [`  -H "x-api-key: ${call.keyText}"`, '  -H "anthropic-version: 2023-06-01"'];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Every answer is shown (tee), and read for the id and the end by what every system has. */
function withPolling(call: Ready, create: string, taskPath: string): string {
  const [id, ends] =
    call.interface === "task"
      ? ["id", '"status": *"(succeeded|failed|expired|cancelled)"']
      : ["task_id", '"task_status": *"(SUCCEEDED|FAILED|CANCELED|UNKNOWN)"'];
  return [
    `TASK=$(${create.replace("curl", "curl -sS")} \\`,
    `  | tee /dev/stderr | sed -n 's/.*"${id}": *"\\([^"]*\\)".*/\\1/p')`,
    "",
    `[ -n "$TASK" ] && until curl -sS "${call.baseUrl}${taskPath}$TASK" \\`,
    ...credential(call).map((each) => `${each} \\`),
    `  | tee /dev/stderr | grep -qE '${ends}'; do echo >&2; sleep 5; done`,
  ].join("\n");
}
