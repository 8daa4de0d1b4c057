/** The conversation and who is answering at the moment. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { ModelView } from "@/api/schema";
import { beginRun, type Run, runChat } from "@/gateway/runChat";
import { useKeyText } from "@/gateway/useKeyText";
import { messagesFor, type Turn } from "./conversation";
import { type ChatSettings, interfaceOf, questionFor } from "./settings";

export type Asked = Pick<Turn, "text" | "images" | "results">;

export function useChat(keyId: string, settings: ChatSettings) {
  const keyText = useKeyText();
  const [turns, setTurns] = useState<Turn[]>([]);
  const [error, setError] = useState<unknown>(null);
  const control = useRef(new AbortController());
  useEffect(() => {
    control.current = new AbortController();
    return () => control.current.abort();
  }, []);

  const put = useCallback((turnId: number, run: Run) => {
    setTurns((all) =>
      all.map((turn) => (turn.id === turnId ? { ...turn, runs: { ...turn.runs, [run.model]: run } } : turn)),
    );
  }, []);

  /** Asks every model of `models`; answers come in one by one. */
  const ask = async (asked: Asked, models: ModelView[]) => {
    setError(null);
    const turn: Turn = { ...asked, id: (turns.at(-1)?.id ?? 0) + 1, runs: {} };
    const all = [...turns, turn];
    const runs = models.map((model) =>
      beginRun(interfaceOf(model, settings), questionFor(model, messagesFor(all, model.name), settings)),
    );
    turn.runs = Object.fromEntries(runs.map((run) => [run.model, run]));
    control.current = new AbortController();
    const { signal } = control.current;
    setTurns(all);
    try {
      const text = await keyText(keyId);
      await Promise.all(runs.map((run) => runChat(run, text, signal, (next) => put(turn.id, next))));
    } catch (thrown) {
      setTurns(turns);
      setError(thrown);
    }
  };

  /** The same question once more, to one model: its last answer failed. */
  const retry = async (turnId: number, model: ModelView) => {
    const heard = turns.filter((turn) => turn.id <= turnId);
    const run = beginRun(
      interfaceOf(model, settings),
      questionFor(model, messagesFor(heard, model.name), settings),
    );
    put(turnId, run);
    const text = await keyText(keyId);
    await runChat(run, text, control.current.signal, (next) => put(turnId, next));
  };

  const isRunning = turns.some((turn) => Object.values(turn.runs).some((run) => run.state === "running"));
  const stop = () => {
    control.current.abort();
    control.current = new AbortController();
  };
  const clear = () => {
    stop();
    setTurns([]);
    setError(null);
  };
  return { turns, error, isRunning, ask, retry, stop, clear };
}
