import { expect, it } from "vitest";
import { toEntry, toFields } from "./entry";

it("comes back as it was", () => {
  const entry = { name: "Ours", speaks: { open_ai: {} }, traits: { developer_role: false } };
  const fields = toFields(entry);
  expect(fields.speaks).toEqual(["open_ai"]);
  expect(toEntry(fields)).toEqual(entry);
});

it("keeps paths of its own among the JSON, and adds to them", () => {
  const entry = { speaks: { open_ai: { path: "/chat" } } };
  const fields = toFields(entry);
  expect(fields.speaks).toEqual([]);
  expect(toEntry({ ...fields, speaks: ["open_ai", "responses"] })).toEqual({
    speaks: { open_ai: { path: "/chat" }, responses: {} },
  });
});

it("leaves out what is empty", () => {
  expect(toEntry({ id: "x", name: " ", base_url: " http://a ", speaks: [], rest: "" })).toEqual({
    base_url: "http://a",
  });
});
