import { expect, it } from "vitest";
import { contextText } from "./contextText";

it.each([
  [131_072, "128K"],
  [1_000_000, "1M"],
  [1_048_576, "1.05M"],
  [32_000, "32K"],
  [512, "512"],
])("says %d tokens as %s", (tokens, text) => {
  expect(contextText(tokens)).toBe(text);
});
