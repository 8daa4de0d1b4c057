import { expect, it } from "vitest";
import { shorten } from "./shorten";

it("cuts pictures in a body, and nothing else", () => {
  const long = "A".repeat(1000);
  const body = {
    text: long,
    images: [{ url: `data:image/png;base64,${long}` }, { source: { data: long } }],
    n: 1,
  };
  expect(shorten(body)).toEqual({
    text: long,
    images: [{ url: "data:image/png;base64,<base64>" }, { source: { data: "<base64>" } }],
    n: 1,
  });
});
