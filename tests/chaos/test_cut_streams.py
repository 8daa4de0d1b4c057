"""Faults after the first byte: the caller keeps what it has, and is told in its own protocol that it is not all."""

import gzip
import socket
import threading
import time

import pytest
from msgspec import Struct
from tests.chaos.conftest import Begin
from tests.support.chaos_calls import (
    CHAT_STREAM,
    IMAGE_STREAM,
    MESSAGES_STREAM,
    RESPONSES_STREAM,
    STREAM_STYLES,
    STYLES,
    Style,
    stream_error,
)
from tests.support.chaos_config import chaos_config
from tests.support.chaos_http import Seen, call
from tests.support.chaos_simulator import Fault, SimulatorProcess
from tests.support.chaos_upstream import raw_upstream, read_request
from tests.support.chaos_worker import InnerGateway

pytestmark = pytest.mark.chaos


class Row(Struct, frozen=True):
    name: str
    faults: list[Fault]
    is_upstreams_own: bool = False
    """The upstream itself said what went wrong; its event is the one that goes out."""


ROWS = (
    # Slowly, so that what was written before the reset has been read.
    Row("reset", [{"kind": "slow_chunks_ms", "n": 4}, {"kind": "reset_after_chunks", "n": -1}]),
    Row("cut", [{"kind": "cut_after_chunks", "n": -1}]),
    Row("closed", [{"kind": "cut_after_chunks", "n": -1, "end": "close"}]),
    Row("stalled", [{"kind": "stall_after_chunks", "n": -1}]),
    # Together in one read with the first content, an error event would still be a failed attempt.
    Row(
        "error-event",
        [{"kind": "slow_chunks_ms", "n": 4}, {"kind": "error_event_after_chunks", "n": -1}],
        is_upstreams_own=True,
    ),
    Row("dripped-then-cut", [{"kind": "drip", "n": 11}, {"kind": "cut_after_chunks", "n": -1}]),
    Row("gzip-then-cut", [{"kind": "gzip"}, {"kind": "cut_after_chunks", "n": -1}]),
)
CASES = [pytest.param(row, style, id=f"{row.name}-{style.name}") for row in ROWS for style in STREAM_STYLES]


@pytest.mark.parametrize(("row", "style"), CASES)
def test_stream_breaks_off(
    row: Row, style: Style, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    faults = [fault | {"n": style.cut_at} if fault.get("n") == -1 else fault for fault in row.faults]
    simulator.faults(style.frames + faults, "alpha")
    seen = call(gateway.url, style.path, style.body)
    _assert_broken(style, seen, gateway, simulator)
    frames = seen.frames
    assert len(frames) == style.cut_at + 1
    assert all("alpha" in frame.data or "delta" in frame.data or "ping" in frame.data for frame in frames[:1])
    error = stream_error(style, frames[-1]) if not row.is_upstreams_own else None
    if error is not None:
        assert error.code == "UPSTREAM_BROKEN_STREAM"
        assert error.source == "upstream"
        if style is RESPONSES_STREAM:
            # The event goes on from the broken stream: its numbers, its response.
            assert [frame.json["sequence_number"] for frame in frames] == list(range(style.cut_at + 1))
            assert frames[-1].json["response"]["id"] == frames[0].json["response"]["id"]
    else:
        assert "[simulated]" in frames[-1].data


def _assert_broken(style: Style, seen: Seen, gateway: InnerGateway, simulator: SimulatorProcess) -> None:
    assert seen.status == 200
    assert seen.is_complete, "the body must end properly after the error event"
    assert style.end_mark not in seen.body.decode()
    assert "[DONE]" not in seen.body.decode()
    assert b"beta" not in seen.body
    assert [request["provider"] for request in simulator.requests()] == ["alpha"]
    record = gateway.record()
    assert (record.id, record.outcome, record.status) == (seen.request_id, "broken_stream", 200)
    assert len(record.attempts) == 1
    if style.body["model"] == CHAT_STREAM.body["model"]:
        assert record.usage.output_tokens > 0
        assert not record.usage.reported
    gateway.wait_at_rest()
    simulator.wait_idle()


@pytest.mark.parametrize("style", STREAM_STYLES, ids=lambda style: style.name)
def test_half_a_frame_at_the_end(style: Style, gateway: InnerGateway, simulator: SimulatorProcess) -> None:
    """Half of the third frame: not handed on, and either a failed attempt or a broken stream."""
    simulator.fault("half_json")
    seen = call(gateway.url, style.path, style.body)
    if style.opening >= 2:
        assert style.is_good(seen)
        assert b"alpha" not in seen.body
        assert gateway.record().outcome == "ok"
        return
    _assert_broken(style, seen, gateway, simulator)
    assert len(seen.frames) == 3
    assert stream_error(style, seen.frames[-1]).code == "UPSTREAM_BROKEN_STREAM"


@pytest.mark.parametrize("style", [CHAT_STREAM, MESSAGES_STREAM, IMAGE_STREAM], ids=lambda style: style.name)
def test_a_missing_end_marker_after_a_complete_answer(
    style: Style, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    """Terse upstreams leave the last frame out: nothing is missing, and none is invented."""
    simulator.fault("no_done")
    seen = call(gateway.url, style.path, style.body)
    assert seen.is_complete
    assert b"[DONE]" not in seen.body
    assert b"message_stop" not in seen.body
    assert b'"error":{' not in seen.body
    assert gateway.record().outcome == "ok"
    gateway.wait_at_rest()


@pytest.mark.parametrize("style", STREAM_STYLES, ids=lambda style: style.name)
def test_a_malformed_frame_in_the_middle_passes(
    style: Style, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    """After the start a frame that we do not understand is the caller's to judge."""
    simulator.faults(style.frames, "alpha")
    simulator.fault("malformed_chunk_after", n=style.cut_at)
    seen = call(gateway.url, style.path, style.body)
    assert seen.is_complete
    assert style.end_mark in seen.body.decode()
    assert b'"choices":[{"index":0,"del\n\n' in seen.body
    assert gateway.record().outcome == "ok"
    gateway.wait_at_rest()


@pytest.mark.parametrize("style", STREAM_STYLES, ids=lambda style: style.name)
def test_a_connection_that_breaks_after_the_end_marker(
    style: Style, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    simulator.fault("wrong_content_length", n=100)
    seen = call(gateway.url, style.path, style.body)
    assert style.is_good(seen)
    assert seen.is_complete
    assert gateway.record().outcome == "ok"
    gateway.wait_at_rest()


_AFTER = {
    CHAT_STREAM.name: (
        b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
        b": bye\n\n",
    ),
    MESSAGES_STREAM.name: (
        b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
        b'"usage":{"output_tokens":1}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n',
        b'event: ping\ndata: {"type":"ping"}\n\n',
    ),
    RESPONSES_STREAM.name: (
        b'event: response.completed\ndata: {"type":"response.completed","sequence_number":0,"response":'
        b'{"id":"r","status":"completed","output":[]}}\n\n',
        b"data: [DONE]\n\n",
    ),
    IMAGE_STREAM.name: (
        b'event: image_generation.completed\ndata: {"type":"image_generation.completed","model":"m",'
        b'"created":1,"usage":{"generated_images":1}}\n\n',
        b"data: [DONE]\n\n",
    ),
}
"""The last frames, and what an upstream may send after them."""
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@pytest.mark.parametrize("style", STREAM_STYLES, ids=lambda style: style.name)
def test_what_follows_the_end_goes_out_too(style: Style, begin: Begin) -> None:
    """The caller's bytes are the upstream's, however they are cut into packets."""
    last, after = _AFTER[style.name]

    def script(_number: int, connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(_STREAM_HEAD + _chunk(last))
            time.sleep(0.05)
            connection.sendall(_chunk(after))
            time.sleep(0.05)
            connection.sendall(b"0\r\n\r\n")

    with raw_upstream(script) as upstream:
        gateway = begin(chaos_config("", providers={"alpha": upstream.url}))
        seen = call(gateway.url, style.path, style.body)
        assert seen.is_complete
        assert seen.body == last + after
        assert gateway.record().outcome == "ok"
        gateway.wait_at_rest()


@pytest.mark.parametrize("style", STREAM_STYLES, ids=lambda style: style.name)
def test_an_upstream_that_hangs_after_the_end(style: Style, begin: Begin) -> None:
    """The call is recorded when its end was seen; the silence afterwards is nobody's error."""
    last, _ = _AFTER[style.name]
    released = threading.Event()

    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(_STREAM_HEAD + _chunk(last))
        released.wait(10)

    with raw_upstream(script) as upstream:
        gateway = begin(chaos_config("", providers={"alpha": upstream.url}))
        try:
            seen = call(gateway.url, style.path, style.body)
        finally:
            released.set()
        assert seen.is_complete
        assert seen.body == last
        assert gateway.record().outcome == "ok"
        gateway.wait_at_rest()


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_gzip_is_no_fault(style: Style, gateway: InnerGateway, simulator: SimulatorProcess) -> None:
    simulator.fault("gzip")
    seen = call(gateway.url, style.path, style.body)
    if seen.headers.get("content-encoding") == "gzip":
        assert not style.stream, "event streams are not handed on compressed"
        plain = gzip.decompress(seen.body)
        seen = Seen(
            status=seen.status, headers=seen.headers, body=plain, is_complete=seen.is_complete, took_s=0.0
        )
    assert style.is_good(seen)
    record = gateway.record()
    assert (record.outcome, record.provider) == ("ok", "alpha")
    gateway.wait_at_rest()
