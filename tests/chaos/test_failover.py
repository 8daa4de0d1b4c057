"""Faults before the first byte: the next endpoint answers, and of the failed one nothing is seen.

What makes something that costs again (pictures, tasks) is sent on only when the first was certainly not accepted.
"""

import socket
from typing import Any

import pytest
from msgspec import Struct
from tests.chaos.conftest import Begin
from tests.support.chaos_calls import (
    STREAM_STYLES,
    STYLES,
    WHOLE_STYLES,
    Style,
    read_error,
)
from tests.support.chaos_config import chaos_config
from tests.support.chaos_http import Seen, call, until
from tests.support.chaos_simulator import Fault, SimulatorProcess
from tests.support.chaos_worker import InnerGateway

pytestmark = pytest.mark.chaos


class Row(Struct, frozen=True):
    name: str
    faults: list[Fault]
    is_sure: bool = False
    """The upstream certainly did not accept the call."""
    is_timeout: bool = False


def _status(status: int, **more: Any) -> list[Fault]:
    return [{"kind": "status", "status": status} | more]


def _page(content_type: str, body: str, **headers: str) -> list[Fault]:
    return _status(200, headers={"content-type": content_type} | headers, body=body)


EITHER = (
    Row("reset-before-first-byte", [{"kind": "reset_before_first_byte"}]),
    Row("slow-start", [{"kind": "slow_start", "n": 3}], is_timeout=True),
    Row("head-then-silence", [{"kind": "head_then_silence"}], is_timeout=True),
    Row("empty-200", [{"kind": "empty_200"}]),
    Row("error-in-200", [{"kind": "error_event_first"}]),
    Row("html", [{"kind": "wrong_content_type"}]),
    Row("429", _status(429), is_sure=True),
    Row("429-retry-after", _status(429, headers={"retry-after": "7"}), is_sure=True),
    Row("429-retry-after-a-day", _status(429, headers={"retry-after": "86400"}), is_sure=True),
    Row(
        "429-retry-after-date",
        _status(429, headers={"retry-after": "Fri, 31 Dec 2099 23:59:59 GMT"}),
        is_sure=True,
    ),
    Row("500", _status(500)),
    Row("502-html", _status(502, headers={"content-type": "text/html"}, body="<html>bad gateway</html>")),
    Row("503", _status(503), is_sure=True),
    Row("529", _status(529)),
    Row("401", _status(401), is_sure=True),
    Row("403", _status(403), is_sure=True),
    Row("404", _status(404), is_sure=True),
    Row("404-empty", _status(404, body=""), is_sure=True),
    Row("408", _status(408), is_sure=True),
    Row("half-an-http-head", _page("text/plain", "x", **{"bad header": "y"})),
)
WHOLE = (
    Row("reset-after-bytes", [{"kind": "reset_after_bytes", "n": 20}]),
    Row("cut-in-the-middle", [{"kind": "cut_after_chunks", "n": 2}]),
    Row("stalled", [{"kind": "stall_after_chunks", "n": 2}], is_timeout=True),
    Row("half-json", [{"kind": "half_json"}]),
    Row("length-too-long", [{"kind": "wrong_content_length", "n": 100}]),
    Row("length-too-short", [{"kind": "wrong_content_length", "n": -10}]),
    Row("broken-gzip", _page("application/json", "this is no gzip", **{"content-encoding": "gzip"})),
    Row("empty-object", _page("application/json", "{}")),
    Row("null", _page("application/json", "null")),
    Row("event-stream-for-a-whole-call", _page("text/event-stream", "data: [DONE]\n\n")),
)
STREAM = (
    Row("malformed-event-first", [{"kind": "malformed_event_first"}]),
    Row("silence-after-the-opening", [{"kind": "stall_after_chunks", "n": -1}], is_timeout=True),
    Row(
        "reset-after-the-opening",
        [{"kind": "slow_chunks_ms", "n": 2}, {"kind": "reset_after_chunks", "n": -1}],
    ),
    Row("cut-after-the-opening", [{"kind": "cut_after_chunks", "n": -1}]),
    Row("closed-after-the-opening", [{"kind": "cut_after_chunks", "n": -1, "end": "close"}]),
    Row("error-after-the-opening", [{"kind": "error_event_after_chunks", "n": -1}]),
    Row("only-the-end-marker", _page("text/event-stream", "data: [DONE]\n\n")),
    Row("only-comments", _page("text/event-stream", ": one\n\n: two\n\n")),
    Row("json-error-in-a-stream", _page("text/event-stream", '{"error":{"message":"no","code":"internal"}}')),
    Row("broken-gzip-stream", _page("text/event-stream", "this is no gzip", **{"content-encoding": "gzip"})),
    Row("whole-answer-for-a-stream", _page("application/json", '{"choices":[]}')),
)

CASES = [
    pytest.param(row, style, id=f"{row.name}-{style.name}")
    for rows, styles in ((EITHER, STYLES), (WHOLE, WHOLE_STYLES), (STREAM, STREAM_STYLES))
    for row in rows
    for style in styles
]


def _for_style(row: Row, style: Style) -> list[Fault]:
    """``n`` of -1 stands for the frames of this style that say nothing yet."""
    return [fault | {"n": style.opening} if fault.get("n") == -1 else fault for fault in row.faults]


@pytest.mark.parametrize(("row", "style"), CASES)
def test_fault_before_the_first_byte(
    row: Row, style: Style, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    simulator.faults(_for_style(row, style), "alpha")
    seen = call(gateway.url, style.path, style.body)
    assert len(simulator.requests("alpha")) == 1
    if style.once and not row.is_sure:
        _assert_not_sent_on(row, style, seen, gateway, simulator)
    else:
        _assert_answered_by_beta(style, seen, gateway, simulator)
    gateway.wait_at_rest()
    simulator.wait_idle()


def _assert_answered_by_beta(
    style: Style, seen: Seen, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    assert seen.status == 200, seen.body
    assert seen.is_complete
    assert style.is_good(seen), seen.body
    assert b"alpha" not in seen.body
    assert len(simulator.requests("beta")) == 1
    record = gateway.record()
    assert record.outcome == "ok"
    assert record.id == seen.request_id
    assert record.provider == "beta"
    assert [attempt.credential for attempt in record.attempts] == ["alpha/default", "beta/default"]
    assert record.attempts[0].error
    assert not record.attempts[1].error
    assert record.attempts[1].status == 200


def _assert_not_sent_on(
    row: Row, style: Style, seen: Seen, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    assert simulator.requests("beta") == []
    error = read_error(style.family, seen.body)
    expected = (504, "UPSTREAM_TIMEOUT") if row.is_timeout else (502, "UPSTREAM_ALL_FAILED")
    assert (seen.status, error.code) == expected, seen.body
    assert seen.headers["x-should-retry"] == "false"
    assert error.source == "upstream"
    assert error.history is not None
    assert [line["provider"] for line in error.history] == ["alpha"]
    record = gateway.record()
    assert record.outcome == "upstream_failed"
    assert record.error_code == expected[1]
    assert len(record.attempts) == 1


def _closed_port() -> int:
    """A port that nobody listens on, reserved by a socket that is bound and does not listen."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    _HOLDERS.append(holder)
    port: int = holder.getsockname()[1]
    return port


_HOLDERS: list[socket.socket] = []


@pytest.fixture
def dead_url() -> Any:
    yield f"http://127.0.0.1:{_closed_port()}"
    while _HOLDERS:
        _HOLDERS.pop().close()


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_refused_connection(style: Style, dead_url: str, begin: Begin, simulator: SimulatorProcess) -> None:
    gateway = begin(
        chaos_config(simulator.url, providers={"alpha": dead_url, "beta": f"{simulator.url}/beta"})
    )
    seen = call(gateway.url, style.path, style.body)
    _assert_answered_by_beta(style, seen, gateway, simulator)
    gateway.wait_at_rest()


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_every_connection_refused(style: Style, dead_url: str, begin: Begin) -> None:
    gateway = begin(chaos_config("", providers={"alpha": f"{dead_url}/a", "beta": f"{dead_url}/b"}))
    seen = call(gateway.url, style.path, style.body)
    error = read_error(style.family, seen.body)
    assert (seen.status, error.code, error.source) == (502, "UPSTREAM_ALL_FAILED", "upstream")
    assert error.history is not None
    assert [(line["provider"], line["status"]) for line in error.history] == [("alpha", 0), ("beta", 0)]
    assert error.request_id == seen.request_id
    record = gateway.record()
    assert (record.outcome, record.status) == ("upstream_failed", 502)
    assert len(record.attempts) == 2
    gateway.wait_at_rest()


def test_four_attempts_are_the_most(begin: Begin, simulator: SimulatorProcess) -> None:
    names = ("alpha", "beta", "gamma", "delta", "epsilon")
    gateway = begin(
        chaos_config(simulator.url, providers={name: f"{simulator.url}/{name}" for name in names})
    )
    simulator.fault("status", provider=None, status=500)
    style = STYLES[0]
    seen = call(gateway.url, style.path, style.body)
    assert seen.status == 502
    assert [request["provider"] for request in simulator.requests()] == list(names[:4])
    assert len(gateway.record().attempts) == 4


def test_an_endpoint_that_keeps_failing_is_not_asked_first(
    gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    """Five failures in a row open the circuit; then ``alpha`` costs nobody any time."""
    simulator.fault("status", status=500)
    style = STYLES[0]
    for _ in range(8):
        assert call(gateway.url, style.path, style.body).status == 200
    assert len(simulator.requests("alpha")) == 5
    assert len(simulator.requests("beta")) == 8
    until(lambda: len(gateway.records()) == 8, "eight calls, eight records")
