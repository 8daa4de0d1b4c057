/** Bodies of calls for vectors, what they answer, and how close two vectors are. */
import { fieldsOf, listOf } from "@/gateway/json";

export interface Input {
  kind: "text" | "image";
  value: string;
}

/** One body for all inputs, or (Ark, which makes one vector of everything it gets) one for each. */
export function vectorBodies(
  interfaceName: string,
  model: string,
  inputs: Input[],
  dimensions: number | null,
): Record<string, unknown>[] {
  if (interfaceName === "ark_embedding") {
    return inputs.map((input) => ({ model, input: [arkItem(input)], ...(dimensions ? { dimensions } : {}) }));
  }
  if (interfaceName === "dashscope_embedding") {
    const contents = inputs.map((input) => ({ [input.kind]: input.value }));
    return [{ model, input: { contents }, ...(dimensions ? { parameters: { dimension: dimensions } } : {}) }];
  }
  const texts = inputs.map((input) => input.value);
  return [{ model, input: texts, encoding_format: "float", ...(dimensions ? { dimensions } : {}) }];
}

function arkItem(input: Input): object {
  if (input.kind === "text") return { type: "text", text: input.value };
  return { type: "image_url", image_url: { url: input.value } };
}

export function readVectors(body: unknown): number[][] {
  const fields = fieldsOf(body);
  const dashScope = listOf(fieldsOf(fields.output).embeddings);
  const data = Array.isArray(fields.data)
    ? fields.data
    : fields.data === undefined
      ? dashScope
      : [fields.data];
  return data.map((item) => listOf(fieldsOf(item).embedding).filter((value) => typeof value === "number"));
}

export function lengthOf(vector: number[]): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
}

/** -1 to 1; null: they cannot be compared. */
export function cosine(one: number[], other: number[]): number | null {
  const scale = lengthOf(one) * lengthOf(other);
  if (one.length !== other.length || scale === 0) return null;
  return one.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0) / scale;
}
