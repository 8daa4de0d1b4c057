import { describe, expect, it } from "vitest";
import { readLink, strengthOf } from "./link";

describe("a one-time link", () => {
  it("is read from behind #", () => {
    expect(readLink("#setup=aB_-9")).toEqual({ kind: "setup", token: "aB_-9" });
    expect(readLink("#link=x")).toEqual({ kind: "link", token: "x" });
  });

  it.each(["", "#", "#other=x", "#setup=", "#setup=a b", "#link=x&more=y"])("is not %j", (hash) => {
    expect(readLink(hash)).toBeNull();
  });
});

describe("strength of a password", () => {
  it.each([
    ["short", 0],
    ["aaaaaaaaaaaa", 0],
    ["plainwords", 1],
    ["Plain-w0rds", 2],
    ["longer Plain-w0rds", 3],
    ["four plain words together", 3],
  ])("of %s is %d", (password, strength) => {
    expect(strengthOf(password)).toBe(strength);
  });
});
