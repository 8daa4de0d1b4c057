import { useEffect, useRef, useState } from "react";
import { type CallResult, callGateway } from "@/gateway/call";
import { useKeyText } from "@/gateway/useKeyText";

/** One call at a time that answers as a whole; leaving the page ends it. */
export function useCall(keyId: string) {
  const keyText = useKeyText();
  const [result, setResult] = useState<CallResult | null>(null);
  const [isRunning, setIsRunning] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const control = useRef<AbortController | null>(null);
  useEffect(() => () => control.current?.abort(), []);
  /** Null: it was stopped, or failed before it was sent. */
  const call = async (path: string, body: object): Promise<CallResult | null> => {
    const mine = new AbortController();
    control.current = mine;
    setError(null);
    setResult(null);
    setIsRunning(true);
    try {
      const told = await callGateway({ path, body, keyText: await keyText(keyId), signal: mine.signal });
      if (told.isStopped) return null;
      setResult(told);
      return told;
    } catch (thrown) {
      setError(thrown);
      return null;
    } finally {
      setIsRunning(false);
    }
  };
  return { call, stop: () => control.current?.abort(), result, isRunning, error: result?.problem ?? error };
}
