/** One call of the gateway at a time, with what has come of its answer. */
import { useEffect, useRef, useState } from "react";
import { type Answer, addFrame, NO_ANSWER } from "@/gateway/answer";
import { type CallResult, callGateway } from "@/gateway/call";
import { pathOf } from "@/gateway/examples";
import { useKeyText } from "@/gateway/useKeyText";

export interface Run {
  isRunning: boolean;
  /** Of which interface the answer is. */
  interface: string;
  answer: Answer;
  result: CallResult | null;
  /** Why the call was not even made. */
  error: unknown;
}

export interface Runner extends Run {
  hasBegun: boolean;
  run: (over: string, body: object, keyId: string) => Promise<void>;
  stop: () => void;
  clear: () => void;
}

const IDLE: Run = { isRunning: false, interface: "", answer: NO_ANSWER, result: null, error: null };

export function useRun(): Runner {
  const keyText = useKeyText();
  const [state, setState] = useState<Run>(IDLE);
  const control = useRef<AbortController>(null);
  useEffect(() => () => control.current?.abort(), []);
  const run = async (over: string, body: object, keyId: string) => {
    const mine = new AbortController();
    control.current?.abort();
    control.current = mine;
    const change = (changes: Partial<Run>) => {
      if (control.current === mine) setState((before) => ({ ...before, ...changes }));
    };
    setState({ ...IDLE, isRunning: true, interface: over });
    let answer = NO_ANSWER;
    try {
      const result = await callGateway({
        path: pathOf(over),
        body,
        keyText: await keyText(keyId),
        signal: mine.signal,
        onFrame: (frame) => {
          answer = addFrame(over, answer, frame.json);
          change({ answer });
        },
      });
      change({ isRunning: false, result });
    } catch (error) {
      change({ isRunning: false, error });
    }
  };
  return {
    ...state,
    hasBegun: state !== IDLE,
    run,
    stop: () => control.current?.abort(),
    clear: () => {
      control.current?.abort();
      control.current = null;
      setState(IDLE);
    },
  };
}
