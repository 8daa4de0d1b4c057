import { describe, expect, it } from "vitest";
import { EXAMPLE_TOOLS, readTools } from "./tools";

describe("definitions of tools", () => {
  it("are read in each interface's form", () => {
    const tool = { name: "f", parameters: { type: "object" } };
    expect(readTools(JSON.stringify([{ type: "function", function: tool }]))).toEqual({ tools: [tool] });
    expect(readTools(JSON.stringify([tool]))).toEqual({ tools: [tool] });
    expect(readTools(JSON.stringify([{ name: "f", input_schema: { type: "object" } }]))).toEqual({
      tools: [tool],
    });
    expect(readTools(EXAMPLE_TOOLS)).toMatchObject({ tools: [{ name: "get_weather" }] });
    expect(readTools("  ")).toEqual({ tools: [] });
  });

  it("say what is wrong", () => {
    expect(readTools("[")).toMatchObject({ tools: null, json: expect.any(String) });
    expect(readTools("{}")).toEqual({ tools: null, json: null });
    expect(readTools("[{}]")).toEqual({ tools: null, json: null });
  });
});
