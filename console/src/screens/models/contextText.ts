/** 131072 -> 128K, 1000000 -> 1M: the way vendors say it, in every language. */
export function contextText(tokens: number): string {
  if (tokens % 1024 === 0 && tokens < 1024 * 1024) return `${tokens / 1024}K`;
  if (tokens >= 1_000_000) return `${trim(tokens / 1_000_000)}M`;
  return tokens < 1000 ? String(tokens) : `${trim(tokens / 1000)}K`;
}

function trim(value: number): string {
  return String(Number(value.toFixed(2)));
}
