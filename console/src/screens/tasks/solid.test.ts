import { expect, it } from "vitest";
import { formatOf } from "./solid";

it.each([
  ["https://files.example/a/scene.glb?Expires=1", "gltf"],
  ["https://files.example/a/result", "gltf"],
  ["https://files.example/a/scene.ZIP?name=x.glb", "other"],
  ["nonsense", "other"],
])("%s may be %s", (url, format) => {
  expect(formatOf(url)).toBe(format);
});
