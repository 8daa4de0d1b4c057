/** Times that the board can be of. A time ends now, and moves on every half minute. */
import { useEffect, useState } from "react";

export const RANGES = ["5m", "15m", "1h", "6h", "24h"] as const;
export type Range = (typeof RANGES)[number];

const MINUTES: Record<Range, number> = { "5m": 5, "15m": 15, "1h": 60, "6h": 360, "24h": 1440 };
const STEP_MS = 30_000;

export function readRange(text: string | undefined): Range {
  return RANGES.find((each) => each === text) ?? "1h";
}

export function sinceOf(range: Range, nowMs: number): string {
  return new Date(nowMs - MINUTES[range] * 60_000).toISOString();
}

export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), STEP_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
