import { useEffect, useRef, useState } from "react";
import type { Question } from "@/gateway/ask";
import { beginRun, type Run, runChat } from "@/gateway/runChat";
import { useKeyText } from "@/gateway/useKeyText";

/** One call at a time; leaving the page ends it. */
export function useFirstCall() {
  const keyText = useKeyText();
  const [run, setRun] = useState<Run | null>(null);
  const [error, setError] = useState<unknown>(null);
  const control = useRef<AbortController | null>(null);
  useEffect(() => () => control.current?.abort(), []);
  const send = async (keyId: string, interfaceName: string, question: Question) => {
    control.current?.abort();
    const mine = new AbortController();
    control.current = mine;
    setError(null);
    const begun = beginRun(interfaceName, question);
    setRun(begun);
    try {
      const text = await keyText(keyId);
      await runChat(begun, text, mine.signal, (next) => {
        if (control.current === mine) setRun(next);
      });
    } catch (thrown) {
      setRun(null);
      setError(thrown);
    }
  };
  return { run, error, isRunning: run?.state === "running", send, stop: () => control.current?.abort() };
}
