import { describe, expect, it } from "vitest";
import type { Answer } from "@/gateway/answer";
import { beginRun, type Run } from "@/gateway/runChat";
import { messagesFor, type Turn } from "./conversation";

const empty = {
  messages: [],
  system: "",
  temperature: null,
  maxTokens: null,
  thinking: "default" as const,
  thinkingWords: [],
  tools: [],
};

function run(model: string, answer: Partial<Answer>): Run {
  const begun = beginRun("open_ai", { ...empty, model });
  return { ...begun, answer: { ...begun.answer, ...answer }, state: "done" };
}

function turn(id: number, text: string, runs: Run[], results: Turn["results"] = null): Turn {
  return { id, text, images: [], results, runs: Object.fromEntries(runs.map((each) => [each.model, each])) };
}

const tool = { index: 0, id: "c1", name: "f", args: "{}" };

describe("a conversation", () => {
  it("keeps the models apart", () => {
    const turns = [turn(1, "one", [run("a", { text: "A" }), run("b", { text: "B" })]), turn(2, "two", [])];
    expect(messagesFor(turns, "a").map((each) => each.text)).toEqual(["one", "A", "two"]);
    expect(messagesFor(turns, "b").map((each) => each.text)).toEqual(["one", "B", "two"]);
  });

  it("carries calls of tools with their results, to their model only", () => {
    const results = { model: "a", items: [{ toolId: "c1", name: "f", text: "42" }] };
    const turns = [
      turn(1, "one", [run("a", { tools: [tool] }), run("b", { text: "B" })]),
      turn(2, "", [], results),
    ];
    expect(messagesFor(turns, "a")).toEqual([
      { role: "user", text: "one", images: [] },
      { role: "assistant", text: "", tools: [tool] },
      { role: "tool", text: "42", toolId: "c1" },
    ]);
    expect(messagesFor([...turns, turn(3, "three", [])], "b").map((each) => each.text)).toEqual([
      "one",
      "B",
      "three",
    ]);
  });

  it("leaves out calls that nobody answered, and answers that never came", () => {
    const turns = [
      turn(1, "one", [run("a", { tools: [tool] })]),
      turn(2, "two", [run("a", {})]),
      turn(3, "three", []),
    ];
    expect(messagesFor(turns, "a").map((each) => each.text)).toEqual(["one", "two", "three"]);
  });
});
