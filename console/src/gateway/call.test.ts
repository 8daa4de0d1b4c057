import { afterEach, describe, expect, it, vi } from "vitest";
import { callGateway } from "./call";
import { holdText } from "./heldKeys";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function answer(pieces: string[], type = "text/event-stream", status = 200): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    start(control) {
      for (const piece of pieces) control.enqueue(encoder.encode(piece));
      control.close();
    },
  });
  return new Response(body, { status, headers: { "content-type": type, "x-request-id": "req-1" } });
}

const call = { path: "/v1/chat/completions", body: {}, keyText: "ck-x" };

describe("a call of the gateway", () => {
  it("gives the frames of a stream as they come", async () => {
    vi.stubGlobal("fetch", async () => answer(['data: {"a"', ":1}\n\ndata: [DONE]\n\n"]));
    const seen: string[] = [];
    const result = await callGateway({ ...call, onFrame: (frame) => seen.push(frame.data) });
    expect(seen).toEqual(['{"a":1}', "[DONE]"]);
    expect(result).toMatchObject({ isOk: true, status: 200, requestId: "req-1", problem: null });
    expect(result.firstMs).not.toBeNull();
  });

  it("says that a stream without its end was cut", async () => {
    vi.stubGlobal("fetch", async () => answer(['data: {"a":1}\n\n']));
    expect((await callGateway(call)).problem).toMatchObject({ code: "STREAM_CUT", request_id: "req-1" });
  });

  it("reads an error in the middle of a stream", async () => {
    const error = { code: "UPSTREAM_TIMEOUT", message: "late" };
    vi.stubGlobal("fetch", async () => answer([`data: ${JSON.stringify({ error })}\n\n`]));
    expect((await callGateway(call)).problem).toMatchObject(error);
  });

  it("reads an answer that is whole, and one that refuses", async () => {
    vi.stubGlobal("fetch", async () => answer(['{"data":[]}'], "application/json"));
    expect(await callGateway(call)).toMatchObject({ isOk: true, body: { data: [] } });
    const refusal = { error: { code: "GATEWAY_BAD_REQUEST", message: "no" } };
    vi.stubGlobal("fetch", async () => answer([JSON.stringify(refusal)], "application/json", 400));
    expect((await callGateway(call)).problem).toMatchObject({ code: "GATEWAY_BAD_REQUEST", status: 400 });
  });

  it("waits for a key that was just made, and asks once more", async () => {
    vi.useFakeTimers();
    holdText("key-1", "ck-new", true);
    const refusal = JSON.stringify({ error: { code: "GATEWAY_INVALID_VIRTUAL_KEY", message: "no" } });
    const fetched = vi
      .fn()
      .mockImplementationOnce(async () => answer([refusal], "application/json", 401))
      .mockImplementation(async () => answer(["{}"], "application/json"));
    vi.stubGlobal("fetch", fetched);
    const asked = callGateway({ ...call, keyText: "ck-new" });
    await vi.advanceTimersByTimeAsync(4_000);
    expect((await asked).isOk).toBe(true);
    expect(fetched).toHaveBeenCalledTimes(2);
  });

  it("tells a stop from a failure", async () => {
    const stop = new AbortController();
    vi.stubGlobal("fetch", async () => {
      stop.abort();
      throw new DOMException("aborted", "AbortError");
    });
    expect(await callGateway({ ...call, signal: stop.signal })).toMatchObject({
      isStopped: true,
      problem: null,
    });
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("failed to fetch");
    });
    expect((await callGateway(call)).problem?.code).toBe("UNREACHABLE");
  });
});
