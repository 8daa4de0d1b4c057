import { describe, expect, it } from "vitest";
import { cosine, readVectors, vectorBodies } from "./vectors";

describe("vectors", () => {
  it("are asked for in each interface's words", () => {
    const inputs = [
      { kind: "text" as const, value: "a" },
      { kind: "image" as const, value: "https://x" },
    ];
    expect(vectorBodies("open_ai_embedding", "m", inputs.slice(0, 1), 64)).toEqual([
      { model: "m", input: ["a"], encoding_format: "float", dimensions: 64 },
    ]);
    expect(vectorBodies("dashscope_embedding", "m", inputs, 256)).toEqual([
      {
        model: "m",
        input: { contents: [{ text: "a" }, { image: "https://x" }] },
        parameters: { dimension: 256 },
      },
    ]);
    expect(vectorBodies("ark_embedding", "m", inputs, null)).toHaveLength(2);
  });

  it("are read from each interface's answer", () => {
    expect(readVectors({ data: [{ embedding: [1, 2] }, { embedding: [3] }] })).toEqual([[1, 2], [3]]);
    expect(readVectors({ data: { embedding: [1] } })).toEqual([[1]]);
    expect(readVectors({ output: { embeddings: [{ embedding: [1] }] } })).toEqual([[1]]);
    expect(readVectors({})).toEqual([]);
  });

  it("are compared by their directions", () => {
    expect(cosine([1, 0], [2, 0])).toBeCloseTo(1);
    expect(cosine([1, 0], [0, 3])).toBeCloseTo(0);
    expect(cosine([1], [1, 0])).toBeNull();
    expect(cosine([0], [0])).toBeNull();
  });
});
