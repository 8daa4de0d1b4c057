"""Every kind of fault, as it looks on a raw socket."""

import gzip
import hashlib
import json
import time
import zlib
from typing import Any

import pytest
from tests.support.simulation import (
    LiveSimulator,
    dechunked,
    encode_request,
    read_all,
    split_answer,
    wait_for,
)

PATH = "/p/v1/chat/completions"
BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
STREAM = BODY | {"stream": True, "stream_options": {"include_usage": True}}


def frames_of(answer: bytes) -> tuple[list[bytes], bool]:
    """The whole frames of a streamed answer, and whether HTTP ended properly."""
    content, is_ended = dechunked(split_answer(answer)[2])
    return content.split(b"\n\n")[:-1], is_ended


def test_no_fault(sim: LiveSimulator) -> None:
    answer, end = sim.exchange(PATH, STREAM)
    frames, is_ended = frames_of(answer)
    assert (end, is_ended, frames[-1]) == ("closed", True, b"data: [DONE]")


@pytest.mark.parametrize(("kind", "n"), [("latency_ms", 300), ("slow_start", 0.3)])
@pytest.mark.parametrize("body", [BODY, STREAM])
def test_late_head(sim: LiveSimulator, kind: str, n: float, body: Any) -> None:
    sim.fault(kind, n=n)
    with sim.connect() as connection:
        connection.sendall(encode_request(PATH, body))
        begun = time.monotonic()
        connection.settimeout(5)
        first = connection.recv(1)
        assert 0.28 < time.monotonic() - begun < 3
        rest, end = read_all(connection)
    assert end == "closed"
    assert split_answer(first + rest)[0] == 200


@pytest.mark.parametrize("body", [BODY, STREAM])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503, 529])
def test_status(sim: LiveSimulator, status: int, body: Any) -> None:
    sim.fault("status", status=status, headers={"retry-after": "7"}, times=1)
    got, headers, answer = sim.post(PATH, body)
    assert (got, headers["retry-after"]) == (status, "7")
    assert json.loads(answer)["error"]["message"].startswith("[simulated]")
    assert sim.post(PATH, body)[0] == 200


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("/v1/messages", lambda e: e["error"]["type"]),
        ("/api/v3/chat/completions", lambda e: e["error"]["code"]),
        ("/api/v1/services/aigc/text-generation/generation", lambda e: e["code"]),
        ("/compatible-mode/v1/chat/completions", lambda e: e["error"]["code"]),
    ],
)
def test_status_in_the_familys_shape(sim: LiveSimulator, path: str, member: Any) -> None:
    words = {
        "/v1/messages": "rate_limit_error",
        "/api/v3/chat/completions": "AccountRateLimitExceeded",
        "/api/v1/services/aigc/text-generation/generation": "Throttling.RateQuota",
        "/compatible-mode/v1/chat/completions": "limit_requests",
    }
    sim.fault("status", status=429)
    status, _, answer = sim.post(path, BODY)
    assert (status, member(json.loads(answer))) == (429, words[path])


def test_status_with_a_given_body(sim: LiveSimulator) -> None:
    sim.fault("status", status=502, body="<html>bad</html>", headers={"content-type": "text/html"}, times=1)
    sim.fault("status", status=418, body={"detail": "teapot"}, times=1)
    status, headers, answer = sim.post(PATH, BODY)
    assert (status, headers["content-type"], answer) == (502, "text/html", b"<html>bad</html>")
    status, headers, answer = sim.post(PATH, BODY)
    assert (status, headers["content-type"], json.loads(answer)) == (
        418,
        "application/json",
        {"detail": "teapot"},
    )


@pytest.mark.parametrize("body", [BODY, STREAM])
def test_reset_before_first_byte(sim: LiveSimulator, body: Any) -> None:
    sim.fault("reset_before_first_byte")
    assert sim.exchange(PATH, body) == (b"", "reset")


def test_reset_after_bytes(sim: LiveSimulator) -> None:
    sim.fault("reset_after_bytes", n=50)
    answer, end = sim.exchange(PATH, BODY)
    _, headers, body = split_answer(answer)
    assert (end, len(body)) == ("reset", 50)
    assert int(headers["content-length"]) > 300
    answer, end = sim.exchange(PATH, STREAM)
    content, is_ended = dechunked(split_answer(answer)[2])
    assert (end, len(content), is_ended) == ("reset", 50, False)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_reset_after_chunks(sim: LiveSimulator, count: int) -> None:
    sim.fault("reset_after_chunks", n=count)
    answer, end = sim.exchange(PATH, STREAM)
    frames, is_ended = frames_of(answer)
    assert (end, len(frames), is_ended) == ("reset", count, False)
    answer, end = sim.exchange(PATH, BODY)
    _, headers, body = split_answer(answer)
    assert (end, len(body)) == ("reset", int(headers["content-length"]) * count // 4)


@pytest.mark.parametrize("body", [BODY, STREAM])
def test_head_then_silence(sim: LiveSimulator, body: Any) -> None:
    sim.fault("head_then_silence")
    answer, end = sim.exchange(PATH, body)
    status, _, content = split_answer(answer)
    assert (status, content, end) == (200, b"", "silent")


def test_stall_after_chunks_and_the_peers_leaving(sim: LiveSimulator) -> None:
    sim.fault("stall_after_chunks", n=2)
    answer, end = sim.exchange(PATH, STREAM)
    frames, is_ended = frames_of(answer)
    assert (len(frames), is_ended, end) == (2, False, "silent")
    entry = wait_for(lambda: [r for r in sim.control("GET", "/_sim/requests")["requests"] if r["peer_gone"]])[
        0
    ]
    assert 0.3 < entry["peer_gone_after_s"] < 5
    assert entry["ended"] is False
    answer, end = sim.exchange(PATH, BODY)
    content, is_ended = dechunked(split_answer(answer)[2])
    assert (is_ended, end) == (False, "silent")
    assert content.startswith(b'{"id"')


@pytest.mark.parametrize(("ending", "is_proper"), [("chunked", True), ("close", False)])
def test_cut_after_chunks(sim: LiveSimulator, ending: str, is_proper: bool) -> None:
    sim.fault("cut_after_chunks", n=3, end=ending)
    answer, end = sim.exchange(PATH, STREAM)
    frames, is_ended = frames_of(answer)
    assert (len(frames), is_ended, end) == (3, is_proper, "closed")
    assert b"[DONE]" not in answer
    answer, end = sim.exchange(PATH, BODY)
    _, headers, body = split_answer(answer)
    assert (end, len(body)) == ("closed", int(headers["content-length"]) * 3 // 4)


@pytest.mark.parametrize("body", [BODY, STREAM])
def test_empty_200(sim: LiveSimulator, body: Any) -> None:
    sim.fault("empty_200")
    answer, end = sim.exchange(PATH, body)
    status, headers, content = split_answer(answer)
    assert (status, end) == (200, "closed")
    assert (dechunked(content) == (b"", True)) if "transfer-encoding" in headers else content == b""


def test_error_event_first(sim: LiveSimulator) -> None:
    sim.fault("error_event_first")
    frames, is_ended = frames_of(sim.exchange(PATH, STREAM)[0])
    assert is_ended
    assert [set(json.loads(frame.removeprefix(b"data: "))) for frame in frames] == [{"error"}]
    status, _, answer = sim.post(PATH, BODY)
    assert (status, set(json.loads(answer))) == (200, {"error"})


@pytest.mark.parametrize(
    ("path", "body", "mark"),
    [
        (PATH, STREAM, b'data: {"error":{"message"'),
        ("/v1/messages", STREAM | {"max_tokens": 9, "model": "m"}, b'event: error\ndata: {"type":"error"'),
        (
            "/v1/responses",
            {"model": "m", "input": "x", "stream": True},
            b'event: error\ndata: {"type":"error"',
        ),
        (
            "/api/v3/images/generations",
            {"model": "doubao-seedream-4.0", "prompt": "p", "stream": True},
            b'event: error\ndata: {"error"',
        ),
    ],
)
def test_error_event_after_chunks(sim: LiveSimulator, path: str, body: Any, mark: bytes) -> None:
    sim.fault("error_event_after_chunks", n=1)
    frames, is_ended = frames_of(sim.exchange(path, body)[0])
    assert is_ended
    assert len(frames) == 2
    assert frames[1].startswith(mark)


def test_native_error_event(sim: LiveSimulator) -> None:
    sim.fault("error_event_first")
    body = {"model": "m", "input": {"messages": BODY["messages"]}}
    _, _, answer = sim.post(
        "/api/v1/services/aigc/text-generation/generation", body, x_dashscope_sse="enable"
    )
    assert dechunked(answer)[0].startswith(b'id:1\nevent:error\n:HTTP_STATUS/500\ndata:{"code":')


def is_json(frame: bytes) -> bool:
    try:
        json.loads(frame.rpartition(b"data: ")[2])
    except ValueError:
        return False
    return True


def test_malformed_events(sim: LiveSimulator) -> None:
    good = len(frames_of(sim.exchange(PATH, STREAM)[0])[0])
    for kind, n, place in (("malformed_event_first", None, 0), ("malformed_chunk_after", 2, 2)):
        sim.clear()
        sim.fault(kind, n=n)
        frames, is_ended = frames_of(sim.exchange(PATH, STREAM)[0])
        assert (len(frames), is_ended) == (good + 1, True)
        assert [at for at, frame in enumerate(frames[:-1]) if not is_json(frame)] == [place]
        assert not is_json(sim.post(PATH, BODY)[2])


def test_half_json(sim: LiveSimulator) -> None:
    sim.fault("half_json")
    _, headers, body = sim.post(PATH, BODY)
    assert int(headers["content-length"]) == len(body)
    assert body.startswith(b'{"id"')
    assert not is_json(body)
    content, is_ended = dechunked(sim.post(PATH, STREAM)[2])
    assert is_ended
    assert content.count(b"\n\n") == 2
    assert not content.endswith(b"\n")


@pytest.mark.parametrize(("n", "more"), [(None, 100), (7, 7), (-5, -5)])
@pytest.mark.parametrize("body", [BODY, STREAM])
def test_wrong_content_length(sim: LiveSimulator, n: int | None, more: int, body: Any) -> None:
    sim.fault("wrong_content_length", n=n)
    answer, end = sim.exchange(PATH, body)
    _, headers, content = split_answer(answer)
    assert (int(headers["content-length"]), end) == (len(content) + more, "closed")


@pytest.mark.parametrize("body", [BODY, STREAM])
def test_wrong_content_type(sim: LiveSimulator, body: Any) -> None:
    sim.fault("wrong_content_type")
    status, headers, content = sim.post(PATH, body)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert content.startswith(b"<!DOCTYPE html>")


def test_gzip(sim: LiveSimulator) -> None:
    plain = frames_of(sim.exchange(PATH, STREAM)[0])[0]
    sim.fault("gzip")
    _, headers, body = sim.post(PATH, BODY)
    assert headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(body))["object"] == "chat.completion"
    _, headers, answer = sim.post(PATH, STREAM)
    packed, is_ended = dechunked(answer)
    assert (headers["content-encoding"], is_ended) == ("gzip", True)
    unpacker = zlib.decompressobj(wbits=31)
    assert len(unpacker.decompress(packed).split(b"\n\n")) == len(plain) + 1
    assert unpacker.eof


@pytest.mark.parametrize(
    ("path", "body", "usage", "mark"),
    [
        (PATH, STREAM, b'"usage":{', b"[DONE]"),
        ("/v1/messages", STREAM | {"max_tokens": 99}, b"cache_read_input_tokens", b"message_stop"),
    ],
)
def test_no_usage_and_no_end_mark(
    sim: LiveSimulator, path: str, body: Any, usage: bytes, mark: bytes
) -> None:
    whole = sim.exchange(path, body)[0]
    assert usage in whole
    assert mark in whole
    sim.fault("no_usage", times=1)
    without = sim.exchange(path, body)[0]
    assert (usage in without, mark in without) == (False, True)
    sim.fault("no_done", times=1)
    without = sim.exchange(path, body)[0]
    assert (usage in without, mark in without) == (True, False)
    sim.fault("no_usage")
    assert b'"usage"' not in sim.exchange(PATH, BODY)[0]


def test_slow_chunks(sim: LiveSimulator) -> None:
    sim.fault("slow_chunks_ms", n=20)
    sim.fault("chunks", n=10)
    begun = time.monotonic()
    frames, is_ended = frames_of(sim.exchange(PATH, STREAM)[0])
    assert is_ended
    assert time.monotonic() - begun > 0.02 * (len(frames) - 1)


def test_ten_thousand_chunks(sim: LiveSimulator) -> None:
    sim.fault("chunks", n=10_000)
    sim.fault("chunk_bytes", n=16)
    frames, is_ended = frames_of(sim.exchange(PATH, STREAM)[0])
    contents = [json.loads(frame[6:])["choices"][0]["delta"].get("content") for frame in frames[1:10_001]]
    assert is_ended
    assert {len(content) for content in contents} == {16}
    assert len(frames) == 10_000 + 4


def test_drip(sim: LiveSimulator) -> None:
    sim.fault("drip", n=11)
    for body in (BODY, BODY | {"stream": True}):
        answer = split_answer(sim.exchange(PATH, body)[0])[2]
        sizes = []
        rest = answer
        while rest:
            size = int(rest.partition(b"\r\n")[0], 16)
            sizes.append(size)
            rest = rest.partition(b"\r\n")[2][size + 2 :]
        assert set(sizes[:-2]) == {11}
        assert sizes[-1] == 0
        assert b"[simulated" in dechunked(answer)[0]


def test_slow_reader_gets_everything(sim: LiveSimulator) -> None:
    sim.fault("chunks", n=10_000)
    sim.fault("chunk_bytes", n=200)
    with sim.connect() as connection:
        connection.sendall(encode_request(PATH, STREAM))
        # The answer is larger than the socket's buffers; nothing is read until it has come to a stop.
        wait_for(lambda: sim.control("GET", "/_sim/stats")["open_answers"] == 1)
        answer, end = read_all(connection, silence_s=2)
    frames, is_ended = frames_of(answer)
    assert (len(frames), is_ended, end) == (10_004, True, "closed")
    assert sim.control("GET", "/_sim/stats")["open_answers"] == 0


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("body", [BODY, STREAM])
def test_hash_of_what_was_sent(sim: LiveSimulator, body: dict[str, object], compressed: bool) -> None:
    sim.fault("hashed")
    if compressed:
        sim.fault("gzip")
    _, headers, answer = sim.post(PATH, body)
    content = dechunked(answer)[0] if "transfer-encoding" in headers else answer
    content = gzip.decompress(content) if compressed else content
    seen = sim.control("GET", "/_sim/requests?limit=1")["requests"][0]
    assert seen["sent_sha256"] == hashlib.sha256(content).hexdigest()
