/** What a call used, as its answer says it. */
import type { Frame } from "./frames";
import { type Fields, fieldsOf, numberOf } from "./json";

export interface Usage {
  /** All input tokens, cached ones among them. */
  input: number | null;
  /** All output tokens, those of reasoning among them. */
  output: number | null;
  cached: number | null;
  cacheWrite: number | null;
  reasoning: number | null;
  images: number | null;
  seconds: number | null;
}

/** `answer` is the body, or the frames of a stream. Null: the answer does not say. */
export function readUsage(interfaceName: string, answer: unknown): Usage | null {
  const told = isFrames(answer) ? mergeFrames(answer) : usageIn(answer);
  if (Object.keys(told).length === 0) return null;
  return interfaceName === "anthropic" ? readAnthropic(told) : readCommon(told);
}

function isFrames(answer: unknown): answer is Frame[] {
  return Array.isArray(answer);
}

/** Streams tell it in one frame, or in parts that complete each other (Anthropic). */
function mergeFrames(frames: Frame[]): Fields {
  return Object.assign({}, ...frames.map((frame) => usageIn(frame.json)));
}

function usageIn(body: unknown): Fields {
  const fields = fieldsOf(body);
  for (const holder of [fields, fieldsOf(fields.message), fieldsOf(fields.response)]) {
    const usage = fieldsOf(holder.usage);
    if (Object.keys(usage).length > 0) return usage;
  }
  return {};
}

/** Its input tokens leave out what the cache gave and took. */
function readAnthropic(usage: Fields): Usage {
  const fresh = numberOf(usage.input_tokens);
  const cached = numberOf(usage.cache_read_input_tokens);
  const cacheWrite = numberOf(usage.cache_creation_input_tokens);
  return {
    input: fresh === null ? null : fresh + (cached ?? 0) + (cacheWrite ?? 0),
    output: numberOf(usage.output_tokens),
    cached,
    cacheWrite,
    reasoning: numberOf(fieldsOf(usage.output_tokens_details).thinking_tokens),
    images: null,
    seconds: null,
  };
}

function readCommon(usage: Fields): Usage {
  const input = fieldsOf(usage.prompt_tokens_details ?? usage.input_tokens_details);
  const output = fieldsOf(usage.completion_tokens_details ?? usage.output_tokens_details);
  return {
    input: numberOf(usage.prompt_tokens) ?? numberOf(usage.input_tokens),
    output: numberOf(usage.completion_tokens) ?? numberOf(usage.output_tokens),
    cached: numberOf(input.cached_tokens) ?? numberOf(usage.prompt_cache_hit_tokens),
    cacheWrite: numberOf(input.cache_creation_input_tokens),
    reasoning: numberOf(output.reasoning_tokens),
    images: numberOf(usage.generated_images) ?? numberOf(usage.image_count),
    seconds:
      numberOf(usage.video_duration) ?? numberOf(usage.output_video_duration) ?? numberOf(usage.duration),
  };
}
