import { describe, expect, it } from "vitest";
import { readPlace } from "./place";

describe("the address of the playground", () => {
  it("carries several models, each once, four at most", () => {
    expect(readPlace({ model: "a/b,c,a/b,,d,e,f" }).models).toEqual(["a/b", "c", "d", "e"]);
  });

  it("knows its tabs", () => {
    expect(readPlace({ tab: "3d", key: "key-1" })).toEqual({ tab: "3d", models: [], keyId: "key-1" });
    expect(readPlace({ tab: "other" }).tab).toBeNull();
  });
});
