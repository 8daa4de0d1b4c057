import { describe, expect, it } from "vitest";
import { makeFrameReader } from "./frames";

function read(pieces: string[]) {
  const reader = makeFrameReader();
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
}

const datas = (pieces: string[]) => read(pieces).map((frame) => frame.data);

describe("server-sent events", () => {
  it("reads names, data and JSON", () => {
    const frames = read(['event: ping\ndata: {"a":1}\n\ndata: [DONE]\n\n']);
    expect(frames).toEqual([
      { event: "ping", data: '{"a":1}', json: { a: 1 } },
      { event: "", data: "[DONE]", json: undefined },
    ]);
  });

  it("does not mind where the pieces are cut", () => {
    const whole = 'event: one\r\ndata: {"text":"你好"}\r\n\r\ndata: second\r\n\r\n';
    const expected = read([whole]);
    expect(expected).toHaveLength(2);
    for (let at = 1; at < whole.length; at += 1) {
      expect(read([whole.slice(0, at), whole.slice(at)])).toEqual(expected);
    }
    expect(read([...whole])).toEqual(expected);
  });

  it("joins several lines of data, and keeps their own spaces", () => {
    expect(datas(["data: one\ndata:  two\ndata\n\n"])).toEqual(["one\n two\n"]);
  });

  it("takes CR alone as the end of a line", () => {
    expect(datas(["data: one\r\rdata: two\r\r"])).toEqual(["one", "two"]);
  });

  it("leaves out comments and frames without data", () => {
    expect(datas([": keep-alive\n\nevent: nothing\n\nid: 4\ndata: x\n\n"])).toEqual(["x"]);
  });

  it("gives the last frame also without its empty line", () => {
    expect(datas(["data: last"])).toEqual(["last"]);
    expect(datas(["data: last\r"])).toEqual(["last"]);
  });
});
