import { useState } from "react";
import { callGateway } from "@/gateway/call";
import { pathOf } from "@/gateway/interfaces";
import { readUsage, type Usage } from "@/gateway/usage";
import { useKeyText } from "@/gateway/useKeyText";
import { type Input, readVectors, vectorBodies } from "./vectors";

export interface Vectors {
  inputs: Input[];
  vectors: number[][];
  requestIds: string[];
  totalMs: number;
  /** Of the first call. */
  usage: Usage | null;
}

export function useVectors(keyId: string) {
  const keyText = useKeyText();
  const [found, setFound] = useState<Vectors | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isRunning, setIsRunning] = useState(false);
  const run = async (interfaceName: string, model: string, inputs: Input[], dimensions: number | null) => {
    setIsRunning(true);
    setError(null);
    try {
      const text = await keyText(keyId);
      const path = pathOf(interfaceName);
      const bodies = vectorBodies(interfaceName, model, inputs, dimensions);
      const results = await Promise.all(bodies.map((body) => callGateway({ path, body, keyText: text })));
      const bad = results.find((result) => result.problem !== null);
      if (bad) throw bad.problem;
      setFound({
        inputs,
        vectors: results.flatMap((result) => readVectors(result.body)),
        requestIds: results.map((result) => result.requestId),
        totalMs: Math.max(...results.map((result) => result.totalMs)),
        usage: readUsage(interfaceName, results[0]?.body),
      });
    } catch (thrown) {
      setFound(null);
      setError(thrown);
    } finally {
      setIsRunning(false);
    }
  };
  return { found, error, isRunning, run };
}
