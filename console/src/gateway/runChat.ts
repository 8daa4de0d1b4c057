/** One question to one chat model, run to its end; what is known of it so far is told as it grows. */
import { type Answer, addFrame, NO_ANSWER } from "./answer";
import { bodyFor, type Question } from "./ask";
import { type CallResult, callGateway } from "./call";
import { pathOf } from "./interfaces";
import type { GatewayProblem } from "./problem";
import { readUsage, type Usage } from "./usage";

export interface Run {
  interfaceName: string;
  model: string;
  /** As it was sent; what the code beside shows. */
  body: Record<string, unknown>;
  answer: Answer;
  state: "running" | "done" | "stopped" | "failed";
  problem: GatewayProblem | null;
  requestId: string;
  /** Until the first word, of the thinking or of the answer. */
  firstMs: number | null;
  totalMs: number | null;
  usage: Usage | null;
}

export function beginRun(interfaceName: string, question: Question): Run {
  return {
    interfaceName,
    model: question.model,
    body: bodyFor(interfaceName, question),
    answer: NO_ANSWER,
    state: "running",
    problem: null,
    requestId: "",
    firstMs: null,
    totalMs: null,
    usage: null,
  };
}

export async function runChat(
  begun: Run,
  keyText: string,
  signal: AbortSignal,
  onChange: (run: Run) => void,
): Promise<void> {
  let run = begun;
  let isTold = true;
  const tell = () => {
    isTold = true;
    onChange(run);
  };
  const result = await callGateway({
    path: pathOf(run.interfaceName),
    body: run.body,
    keyText,
    signal,
    onFrame: (frame, atMs) => {
      const answer = addFrame(run.interfaceName, run.answer, frame.json);
      if (answer === run.answer) return;
      run = { ...run, answer, firstMs: run.firstMs ?? atMs };
      // At most once a picture of the screen; a background tab has no pictures, so a timer does it.
      if (isTold) setTimeout(tell, 16);
      isTold = false;
    },
  });
  isTold = true;
  run = finishRun(run, result);
  onChange(run);
}

function finishRun(run: Run, result: CallResult): Run {
  return {
    ...run,
    state: result.isStopped ? "stopped" : result.problem ? "failed" : "done",
    problem: result.problem,
    requestId: result.requestId,
    totalMs: result.totalMs,
    usage: readUsage(run.interfaceName, result.frames.length ? result.frames : result.body),
  };
}

/** Output tokens for each second after the first word; null: too little to tell. */
export function speedOf(run: Run): number | null {
  const tokens = run.usage?.output ?? null;
  if (tokens === null || run.firstMs === null || run.totalMs === null) return null;
  const seconds = (run.totalMs - run.firstMs) / 1000;
  return tokens > 1 && seconds > 0.01 ? (tokens - 1) / seconds : null;
}
