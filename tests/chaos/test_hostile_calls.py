"""Bodies that are wrong, huge or sly: the documented error, no call upstream, and the next caller is served."""

import base64
import contextlib
import json
import socket
import time
from typing import Any

import pytest
from tests.chaos.conftest import Begin
from tests.support.chaos_calls import (
    ARK_EMBEDDINGS,
    CHAT,
    CHAT_STREAM,
    DASHSCOPE_EMBEDDINGS,
    MESSAGES,
    MESSAGES_STREAM,
    RESPONSES_STREAM,
    STYLES,
    TASK,
    Style,
    read_error,
)
from tests.support.chaos_config import KEY, SECOND_KEY, TEXT, chaos_config
from tests.support.chaos_http import call, connect, request_bytes
from tests.support.chaos_simulator import SimulatorProcess
from tests.support.chaos_upstream import raw_upstream, read_request
from tests.support.chaos_worker import InnerGateway

pytestmark = pytest.mark.chaos

MIB = 1 << 20
FAMILIES = (CHAT, MESSAGES, ARK_EMBEDDINGS, DASHSCOPE_EMBEDDINGS, TASK)
NO_OBJECT = (
    b"",
    b" ",
    b"{",
    b"}",
    b"[]",
    b"null",
    b"1",
    b'"text"',
    b"\xff\xfe\x00",
    b'{"model": "chaos/text"',
    b'{"model": "chaos/text"} trailing',
    b'{"model": "chaos/text",}',
    b"{'model': 'chaos/text'}",
    b'{"model": "chaos/text" "x": 1}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"\xef\xbb\xbf{",
)
NEARLY_JSON = (b"NaN", b'"\xff"', b'"\xed\xa0\x80"', b'"\x00"', b'"\n"', b"01", b"1e999")
"""Values that are wrong in a member that the gateway does not read: it may refuse them, or leave them to the
upstream."""
WRONG_MODEL: tuple[object, ...] = (
    None,
    1,
    True,
    [],
    {},
    "",
    ["chaos/text"],
    "no/such",
    "a@b@c@d",
    "x" * 100_000,
)


@pytest.mark.parametrize("style", FAMILIES, ids=lambda style: style.name)
def test_no_json_object(style: Style, gateway: InnerGateway, simulator: SimulatorProcess) -> None:
    for body in NO_OBJECT:
        seen = call(gateway.url, style.path, body)
        error = read_error(style.family, seen.body)
        assert (seen.status, error.code, error.source) == (400, "GATEWAY_BAD_REQUEST", "gateway"), body[:40]
        assert error.history is None
        assert len(seen.body) < 2000, "the error repeats the body"
    assert simulator.requests() == []
    assert gateway.records() == []
    assert call(gateway.url, style.path, style.body).status == 200


@pytest.mark.parametrize("value", NEARLY_JSON)
def test_a_wrong_value_beside_what_is_read(value: bytes, gateway: InnerGateway) -> None:
    body = json.dumps(CHAT.body).encode()[:-1] + b', "beside": ' + value + b"}"
    seen = call(gateway.url, CHAT.path, body)
    assert seen.status in (200, 400)
    if seen.status == 400:
        assert read_error("openai", seen.body).message
    assert call(gateway.url, CHAT.path, CHAT.body).status == 200
    gateway.wait_at_rest()


@pytest.mark.parametrize("style", FAMILIES, ids=lambda style: style.name)
def test_wrong_model(style: Style, gateway: InnerGateway, simulator: SimulatorProcess) -> None:
    for model in WRONG_MODEL:
        seen = call(gateway.url, style.path, style.body | {"model": model})
        error = read_error(style.family, seen.body)
        assert seen.status == 400, (model, seen.body)
        assert error.code in ("GATEWAY_BAD_REQUEST", "GATEWAY_MODEL_NOT_RESOLVED")
        assert len(seen.body) < 2000, "the error repeats the name"
    assert simulator.requests() == []


def test_deep_nesting_in_a_good_body(gateway: InnerGateway) -> None:
    """What is in the body beside what we read is the upstream's; it must not break us."""
    for depth in (1_000, 20_000, 200_000):
        deep = b"[" * depth + b"]" * depth
        body = b'{"model":"%b","messages":[{"role":"user","content":"x"}],"deep":%b}' % (TEXT.encode(), deep)
        assert call(gateway.url, CHAT.path, body).status in (200, 400)
    assert call(gateway.url, CHAT.path, CHAT.body).status == 200
    gateway.wait_at_rest()


_SECRET_MODEL = "chaos/secret"
_SLY_NAMES = (b'"model"', b'"\\u006dodel"', b'"mod\\u0065l"')


@pytest.mark.parametrize("second", _SLY_NAMES)
@pytest.mark.parametrize("first", _SLY_NAMES)
def test_a_second_model_does_not_slip_past_permission(
    first: bytes, second: bytes, begin: Begin, simulator: SimulatorProcess
) -> None:
    """JSON allows a key twice and readers differ in which one counts: what was checked must be what is sent."""
    config = chaos_config(simulator.url)
    text = next(model for model in config["models"] if model["name"] == TEXT)
    endpoints = [endpoint | {"as": "secret-model"} for endpoint in text["endpoints"]]
    config["models"].append(text | {"name": _SECRET_MODEL, "endpoints": endpoints})
    config["virtual_keys"][1]["models"] = [TEXT]
    gateway = begin(config)
    for names in ((TEXT, _SECRET_MODEL), (_SECRET_MODEL, TEXT)):
        body = b'{%b:"%b","messages":[{"role":"user","content":"x"}],%b:"%b"}' % (
            first,
            names[0].encode(),
            second,
            names[1].encode(),
        )
        assert call(gateway.url, CHAT.path, body, key=SECOND_KEY).status in (200, 400, 403)
    for request in simulator.requests():
        assert _models(request) == {"alpha-model"}
    assert call(gateway.url, CHAT.path, CHAT.body | {"model": _SECRET_MODEL}, key=SECOND_KEY).status == 403


def _models(request: dict[str, Any]) -> set[str]:
    """Every value that any reader of the upstream's request could take for its model."""
    found: list[tuple[str, Any]] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found.extend(pairs)
        return dict(pairs)

    json.loads(base64.b64decode(request["body_base64"]), object_pairs_hook=keep)
    return {value for name, value in found if name == "model"}


class _Raw:
    """A connection that is written to piece by piece."""

    def __init__(self, url: str) -> None:
        self.socket = connect(url)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> bytes:
        """What comes until the other side closes."""
        data = b""
        try:
            while piece := self.socket.recv(65536):
                data += piece
        except ConnectionResetError:
            pass
        return data


def _head(key: str, framing: str) -> bytes:
    return (
        f"POST {CHAT.path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\n{framing}\r\n\r\n"
    ).encode()


@pytest.fixture
def small(begin: Begin, simulator: SimulatorProcess) -> InnerGateway:
    """A gateway that takes bodies of up to 1 MiB."""
    return begin(chaos_config(simulator.url) | {"limits": {"max_body_bytes": MIB}})


def test_too_large_is_refused_before_it_is_read(small: InnerGateway, simulator: SimulatorProcess) -> None:
    raw = _Raw(small.url)
    raw.send(_head(KEY, f"content-length: {50 * MIB}"))
    answer = raw.answer()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"GATEWAY_REQUEST_TOO_LARGE" in answer
    raw.socket.close()
    assert simulator.requests() == []


def test_too_large_in_chunks(small: InnerGateway, simulator: SimulatorProcess) -> None:
    raw = _Raw(small.url)
    raw.send(_head(KEY, "transfer-encoding: chunked"))
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    try:
        for _ in range(64):
            raw.send(chunk)
    except OSError:
        pass
    assert raw.answer().startswith(b"HTTP/1.1 413 ")
    raw.socket.close()
    assert simulator.requests() == []
    small.wait_at_rest()


def test_the_largest_body_passes(small: InnerGateway, simulator: SimulatorProcess) -> None:
    body = CHAT.body | {"messages": [{"role": "user", "content": ""}]}
    body["messages"][0]["content"] = "x" * (MIB - len(json.dumps(body)))
    assert len(json.dumps(body)) == MIB
    assert call(small.url, CHAT.path, body).status == 200
    body["messages"][0]["content"] += "x"
    raw = _Raw(small.url)
    with contextlib.suppress(OSError):
        raw.send(request_bytes(CHAT.path, body))
    assert raw.answer().startswith(b"HTTP/1.1 413 ")
    raw.socket.close()


@pytest.mark.parametrize(("key", "status"), [("ck-nobody-0123456789abcdef", b"401"), (KEY, b"404")])
def test_a_large_body_is_not_read_for_nothing(
    key: str, status: bytes, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    """A wrong key or path is told before the body is uploaded."""
    raw = _Raw(gateway.url)
    head = _head(key, f"content-length: {10 * MIB}\r\nexpect: 100-continue")
    raw.send(head if status == b"401" else head.replace(b"chat/completions", b"chat/nowhere"))
    answer = raw.answer()
    assert answer.startswith(b"HTTP/1.1 " + (status if status == b"401" else b"400"))
    assert b"100 Continue" not in answer
    raw.socket.close()


@pytest.mark.parametrize(
    "style", [CHAT_STREAM, MESSAGES_STREAM, RESPONSES_STREAM], ids=lambda style: style.name
)
def test_frames_of_a_megabyte(style: Style, gateway: InnerGateway, simulator: SimulatorProcess) -> None:
    simulator.fault("chunks", n=4)
    simulator.fault("chunk_bytes", n=1_000_000)
    seen = call(gateway.url, style.path, style.body)
    assert seen.is_complete
    assert style.end_mark in seen.body.decode()
    assert sum(len(frame.data) > 1_000_000 for frame in seen.frames) >= 4
    assert gateway.record().outcome == "ok"
    gateway.wait_at_rest()


_ODD = "a\u2028b\u2029c\u0085d \U0001f30a\U0001f4a5 例子 e\u0301 \ufeff"


def _frames(*frames: tuple[str, dict[str, Any]]) -> bytes:
    """Unescaped, so that every character is on the wire as it is."""
    lines = []
    for event, data in frames:
        lines.append(f"event: {event}\n" if event else "")
        lines.append(f"data: {json.dumps(data, ensure_ascii=False)}\n\n")
    return "".join(lines).encode()


def _chunk(**more: Any) -> tuple[str, dict[str, Any]]:
    return "", {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"} | more


def _choice(delta: dict[str, Any], reason: str | None = None) -> list[dict[str, Any]]:
    return [{"index": 0, "delta": delta, "finish_reason": reason}]


def _event(kind: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return kind, {"type": kind} | more


_USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
_RESPONSE = {"id": "r", "object": "response", "status": "completed", "output": [], "model": "m"}
_SPLIT: dict[str, bytes] = {
    CHAT_STREAM.name: _frames(
        _chunk(choices=_choice({"role": "assistant", "content": ""})),
        _chunk(choices=_choice({"content": _ODD})),
        _chunk(choices=_choice({}, "stop")),
        _chunk(choices=[], usage=_USAGE),
    )
    + b"data: [DONE]\n\n",
    MESSAGES_STREAM.name: _frames(
        _event(
            "message_start",
            message={"id": "m", "content": [], "usage": {"input_tokens": 1, "output_tokens": 1}},
        ),
        _event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        _event("content_block_delta", index=0, delta={"type": "text_delta", "text": _ODD}),
        _event("content_block_stop", index=0),
        _event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 9}),
        _event("message_stop"),
    ),
    RESPONSES_STREAM.name: _frames(
        _event("response.created", sequence_number=0, response={"id": "r", "status": "in_progress"}),
        _event("response.output_text.delta", sequence_number=1, item_id="i", output_index=0, delta=_ODD),
        _event("response.completed", sequence_number=2, response=_RESPONSE),
    ),
}


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize(
    "style", [CHAT_STREAM, MESSAGES_STREAM, RESPONSES_STREAM], ids=lambda style: style.name
)
def test_a_stream_split_anywhere(style: Style, size: int, newline: bytes, begin: Begin) -> None:
    """Lines that are none, characters of four bytes, and every cut between them: the bytes stay what they were."""
    stream = _SPLIT[style.name].replace(b"\n", newline)

    def script(_number: int, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        read_request(connection)
        head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {len(stream)}\r\n\r\n"
        connection.sendall(head.encode())
        for start in range(0, len(stream), size):
            connection.sendall(stream[start : start + size])
            time.sleep(0)

    with raw_upstream(script) as upstream:
        gateway = begin(chaos_config("", providers={"alpha": upstream.url}))
        seen = call(gateway.url, style.path, style.body | _ASKS_USAGE if style is CHAT_STREAM else style.body)
        assert seen.body == stream
        assert gateway.record().outcome == "ok"


_ASKS_USAGE = {"stream_options": {"include_usage": True}}


def test_many_callers_that_say_nothing(gateway: InnerGateway) -> None:
    """Connections that are opened, half used and reset leave nothing."""
    for number in range(200):
        caller = connect(gateway.url)
        caller.sendall(request_bytes(CHAT.path, CHAT.body)[: number * 3])
        if number % 2:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        caller.close()
    gateway.wait_at_rest()
    assert call(gateway.url, CHAT.path, CHAT.body).status == 200


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_every_style_without_a_key(style: Style, gateway: InnerGateway, simulator: SimulatorProcess) -> None:
    seen = call(gateway.url, style.path, style.body, key="ck-nobody-0123456789abcdef")
    error = read_error(style.family, seen.body)
    assert (seen.status, error.code) == (401, "GATEWAY_INVALID_VIRTUAL_KEY")
    assert simulator.requests() == []
