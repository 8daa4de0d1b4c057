"""Upstreams that hardly speak HTTP, redirect, compress oddly or too much, or are more than full."""

import functools
import gzip
import json
import socket
import time
import zlib

import pytest
from tests.chaos.conftest import Begin
from tests.support.chaos_calls import CHAT, CHAT_STREAM, STREAM_STYLES, Style, read_error
from tests.support.chaos_config import chaos_config, patient
from tests.support.chaos_http import Open, call, opened, until
from tests.support.chaos_simulator import SimulatorProcess
from tests.support.chaos_upstream import CHAT_ANSWER, Script, http_answer, raw_upstream, read_request
from tests.support.chaos_worker import InnerGateway

pytestmark = pytest.mark.chaos

_GOOD = CHAT_ANSWER.partition(b"\r\n\r\n")[2]
_JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
_LENGTH = b"content-length: %d\r\n" % len(_GOOD)


def _packed(body: bytes, kind: str = "application/json", encoding: str = "gzip") -> bytes:
    return http_answer(body, kind=f"{kind}\r\ncontent-encoding: {encoding}")


@functools.cache
def _bomb(kind: str) -> bytes:
    """A sixth of a megabyte that is 160 MiB unpacked."""
    return _packed(gzip.compress(bytes(160 << 20), 1), kind)


BAD = {
    "nothing-like-http": b"\x00\x01\x02\x03 hello\r\n\r\n",
    "tls-alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "http2-goaway": b"\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01",
    "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
    "endless-head": _JSON + b"x-filler: " + b"y" * 200_000,
    "many-headers": _JSON + b"".join(b"x-%d: y\r\n" % number for number in range(20_000)),
    "two-lengths": _JSON + b"content-length: 5\r\n" + _LENGTH + b"\r\n" + _GOOD,
    "negative-length": _JSON + b"content-length: -1\r\n\r\n" + _GOOD,
    "bad-chunk-size": _JSON + b"transfer-encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n",
    "chunk-without-end": _JSON + b"transfer-encoding: chunked\r\n\r\n%x\r\n" % len(_GOOD) + _GOOD + b"\r\n",
    "half-a-body-until-close": _JSON + b"\r\n" + _GOOD[: len(_GOOD) // 2],
    "no-content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "redirect": b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    "unknown-encoding": _JSON + b"content-encoding: br\r\n" + _LENGTH + b"\r\n" + _GOOD,
    "half-a-gzip": _packed(gzip.compress(_GOOD)[:-9]),
    "gzip-bomb": b"",
    "status-999": b"HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n",
    "deep-json": http_answer(b'{"choices":' + b"[" * 200_000 + b"]" * 200_000 + b"}"),
}
GOOD = {
    "early-hints": b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + CHAT_ANSWER,
    "continue": b"HTTP/1.1 100 Continue\r\n\r\n" + CHAT_ANSWER,
    "until-close": _JSON + b"\r\n" + _GOOD,
    "http-1.0": b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + _GOOD,
    "trailers": _JSON
    + b"transfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n%x;ext=1\r\n" % len(_GOOD)
    + _GOOD
    + b"\r\n0\r\nx-sum: 1\r\n\r\n",
    "deflate": _packed(zlib.compress(_GOOD), encoding="deflate"),
}


def _answering(answer: bytes, pieces: int = 1) -> Script:
    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        size = -(-len(answer) // pieces)
        for start in range(0, len(answer), size):
            connection.sendall(answer[start : start + size])
            time.sleep(0.001 if pieces > 1 else 0)

    return script


@pytest.mark.parametrize("name", BAD)
def test_no_answer_worth_the_name(name: str, begin: Begin, simulator: SimulatorProcess) -> None:
    """Whatever it is, the next endpoint answers and nothing of it is seen."""
    with raw_upstream(_answering(BAD[name] or _bomb("application/json"))) as upstream:
        providers = {"alpha": upstream.url, "beta": f"{simulator.url}/beta"}
        gateway = begin(patient(chaos_config("", providers=providers)))
        seen = call(gateway.url, CHAT.path, CHAT.body)
        assert seen.status == 200, seen.body
        assert seen.json["model"] == "beta-model"
        assert upstream.connections == 1
        record = gateway.record()
        assert (record.outcome, len(record.attempts)) == ("ok", 2)
        assert record.attempts[0].error
        gateway.wait_at_rest()


@pytest.mark.parametrize("pieces", [1, 40])
@pytest.mark.parametrize("name", GOOD)
def test_an_odd_answer_that_is_good(name: str, pieces: int, begin: Begin) -> None:
    with raw_upstream(_answering(GOOD[name], pieces)) as upstream:
        gateway = begin(chaos_config("", providers={"alpha": upstream.url}))
        seen = call(gateway.url, CHAT.path, CHAT.body)
        assert seen.status == 200, seen.body
        body = zlib.decompress(seen.body) if "content-encoding" in seen.headers else seen.body
        assert json.loads(body)["choices"][0]["message"]["content"] == "hi"
        assert gateway.record().outcome == "ok"
        gateway.wait_at_rest()


def test_a_stream_that_swells(begin: Begin) -> None:
    """A compressed stream whose first piece unpacks to hundreds of megabytes is a failed attempt."""
    with raw_upstream(_answering(_bomb("text/event-stream"))) as upstream:
        gateway = begin(chaos_config("", providers={"alpha": upstream.url}))
        assert call(gateway.url, CHAT_STREAM.path, CHAT_STREAM.body).status == 502
        gateway.wait_at_rest()


def _first_frame(style: Style) -> tuple[str, str]:
    """An error event that blames the caller, and its words."""
    words = "The content of messages.0 is not allowed."
    error = {
        "message": words,
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_request_error",
    }
    if style.family == "anthropic":
        inner = {"type": "error", "error": {"type": "invalid_request_error", "message": words}}
        return f"event: error\ndata: {json.dumps(inner)}\n\n", words
    return f"data: {json.dumps({'error': error})}\n\n", words


@pytest.mark.parametrize("style", STREAM_STYLES, ids=lambda style: style.name)
def test_a_refusal_as_the_first_event(
    style: Style, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    """Status 200 and then "your request is wrong": a refusal with the status it should have had, no failover."""
    frame, words = _first_frame(style)
    simulator.fault("status", status=200, headers={"content-type": "text/event-stream"}, body=frame)
    seen = call(gateway.url, style.path, style.body)
    error = read_error(style.family, seen.body)
    assert (seen.status, error.message, error.source) == (400, words, "upstream")
    assert [request["provider"] for request in simulator.requests()] == ["alpha"]
    assert gateway.record().outcome == "refused_upstream"
    gateway.wait_at_rest()


def test_a_stream_that_never_ends(begin: Begin, simulator: SimulatorProcess) -> None:
    """Never silent and never done: the limit of a whole call ends it."""
    config = chaos_config(simulator.url)
    config["timeouts"]["whole_s"] = 1
    gateway = begin(config)
    simulator.fault("chunks", n=10_000)
    simulator.fault("slow_chunks_ms", n=20)
    seen = call(gateway.url, CHAT_STREAM.path, CHAT_STREAM.body)
    assert seen.is_complete
    assert 0.9 < seen.took_s < 4
    assert b"UPSTREAM_BROKEN_STREAM" in seen.body
    assert gateway.record().outcome == "broken_stream"
    gateway.wait_at_rest()
    simulator.wait_idle()


@pytest.fixture
def narrow(begin: Begin, simulator: SimulatorProcess) -> InnerGateway:
    """A gateway with at most two connections to its one upstream."""
    config = patient(chaos_config("", providers={"alpha": f"{simulator.url}/alpha"}))
    return begin(config | {"limits": {"max_upstream_connections": 2}})


def test_more_calls_than_connections(narrow: InnerGateway, simulator: SimulatorProcess) -> None:
    """They wait their turn, and all are served."""
    simulator.fault("chunks", n=5)
    simulator.fault("slow_chunks_ms", n=10)
    streams = [Open(narrow.url, CHAT_STREAM.path, CHAT_STREAM.body) for _ in range(12)]
    for stream in streams:
        assert b"[DONE]" in stream.read_to_end()
        stream.hang_up()
    assert [record.outcome for record in narrow.records()] == ["ok"] * 12
    narrow.wait_at_rest()


def test_gone_while_waiting_for_a_connection(narrow: InnerGateway, simulator: SimulatorProcess) -> None:
    simulator.fault("stall_after_chunks", n=5)
    with (
        opened(narrow.url, CHAT_STREAM.path, CHAT_STREAM.body) as first,
        opened(narrow.url, CHAT_STREAM.path, CHAT_STREAM.body) as second,
    ):
        first.read_frames(5)
        second.read_frames(5)
        third = Open(narrow.url, CHAT.path, CHAT.body)
        until(lambda: narrow.busy()[0] == 3, "the third call did not begin", within_s=5)
        third.hang_up()
        until(lambda: len(narrow.records()) == 1, "the one who waited is not recorded", within_s=5)
        assert narrow.records()[0].outcome == "client_gone"
        assert len(simulator.requests()) == 2
    narrow.wait_at_rest()
    simulator.reset()
    assert call(narrow.url, CHAT.path, CHAT.body).status == 200
