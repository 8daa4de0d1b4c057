"""The relay lane changes nothing: bytes down are the provider's, bytes up the caller's but for the model's name."""

import json
from typing import Any

import pytest
from tests.support.live import Live, SimulatorControl
from tests.support.live_raw import RawAnswer, send

pytestmark = pytest.mark.conformance

HELLO: Any = [{"role": "user", "content": "hello 你好 \u2028 🐎"}]
USAGE: Any = {"include_usage": True}
QWEN = "qwen/qwen3.7-max"
DOUBAO = "doubao-seed-2.0-pro"
CLAUDE = "anthropic/claude-opus-4.6"
NATIVE = "/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding"
VERSION = {"anthropic-version": "2023-06-01"}
"""Anthropic demands it; the others ignore it."""
PICTURE: Any = {"url": "https://example.com/a.png"}

WHOLE: dict[str, tuple[str, Any]] = {
    "chat": ("/v1/chat/completions", {"model": QWEN, "messages": HELLO}),
    "ark-chat": ("/api/v3/chat/completions", {"model": DOUBAO, "messages": HELLO}),
    "messages": ("/v1/messages", {"model": CLAUDE, "messages": HELLO, "max_tokens": 256}),
    "qwen-messages": ("/v1/messages", {"model": QWEN, "messages": HELLO, "max_tokens": 256}),
    "responses": ("/v1/responses", {"model": QWEN, "input": "hello"}),
    "ark-responses": ("/api/v3/responses", {"model": DOUBAO, "input": "hello"}),
    "embeddings": (
        "/v1/embeddings",
        {"model": "qwen/text-embedding-v4", "input": "a", "encoding_format": "float"},
    ),
    "images": ("/v1/images/generations", {"model": "openai/gpt-image-1", "prompt": "a house"}),
    "ark-images": (
        "/api/v3/images/generations",
        {"model": "doubao-seedream-4.0", "prompt": "a house", "size": "1K"},
    ),
    "ark-embeddings": (
        "/api/v3/embeddings/multimodal",
        {"model": "doubao-embedding-vision", "input": [{"type": "image_url", "image_url": PICTURE}]},
    ),
    "native-embeddings": (NATIVE, {"model": "qwen3-vl-embedding", "input": {"contents": [{"text": "a"}]}}),
    "task": (
        "/api/v3/contents/generations/tasks",
        {"model": "doubao-seedance-2.0", "content": [{"type": "text", "text": "a cat"}]},
    ),
    "video": (
        "/api/v1/services/aigc/video-generation/video-synthesis",
        {"model": "happyhorse-1.0-t2v", "input": {"prompt": "a cat"}},
    ),
}
STREAMED: dict[str, tuple[str, Any]] = {
    "chat": (
        "/v1/chat/completions",
        {"model": QWEN, "messages": HELLO, "stream": True, "stream_options": USAGE},
    ),
    "ark-chat": (
        "/api/v3/chat/completions",
        {"model": DOUBAO, "messages": HELLO, "stream": True, "stream_options": USAGE},
    ),
    "messages": ("/v1/messages", {"model": CLAUDE, "messages": HELLO, "max_tokens": 256, "stream": True}),
    "qwen-messages": ("/v1/messages", {"model": QWEN, "messages": HELLO, "max_tokens": 256, "stream": True}),
    "responses": ("/v1/responses", {"model": QWEN, "input": "hello", "stream": True}),
    "ark-responses": ("/api/v3/responses", {"model": DOUBAO, "input": "hello", "stream": True}),
    "ark-images": (
        "/api/v3/images/generations",
        {"model": "doubao-seedream-4.0", "prompt": "a house", "size": "1K", "stream": True},
    ),
}
LONG = [name for name in STREAMED if name != "ark-images"]


def call(live: Live, path: str, body: Any, **headers: str) -> RawAnswer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return send(live.base(path), raw, {"Authorization": f"Bearer {live.key}"} | VERSION | headers)


def check_relayed(live: Live, simulator: SimulatorControl, path: str, body: Any) -> RawAnswer:
    simulator.fault("hashed")
    answer = call(live, path, body)
    assert answer.status == 200, answer.body
    assert answer.body
    sent = [seen.sent_sha256 for seen in simulator.seen() if seen.sent_sha256]
    assert sent == [answer.sha256]
    return answer


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer_is_the_upstreams(live: Live, simulator: SimulatorControl, name: str) -> None:
    answer = check_relayed(live, simulator, *WHOLE[name])
    assert answer.header("content-type") == "application/json"
    assert answer.header("x-request-id") == answer.header("request-id")
    assert live.record(answer.header("x-request-id")).outcome == "ok"


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer_that_came_compressed(live: Live, simulator: SimulatorControl, name: str) -> None:
    simulator.fault("gzip")
    answer = check_relayed(live, simulator, *WHOLE[name])
    assert json.loads(answer.content)
    assert live.record(answer.header("x-request-id")).outcome == "ok"


@pytest.mark.parametrize("name", STREAMED)
def test_a_stream_is_the_upstreams(live: Live, simulator: SimulatorControl, name: str) -> None:
    answer = check_relayed(live, simulator, *STREAMED[name])
    assert answer.header("content-type") == "text/event-stream; charset=utf-8"
    assert answer.header("content-length") is None


@pytest.mark.parametrize("name", STREAMED)
def test_a_stream_that_came_compressed(live: Live, simulator: SimulatorControl, name: str) -> None:
    simulator.fault("gzip")
    answer = check_relayed(live, simulator, *STREAMED[name])
    record = live.record(answer.header("x-request-id"))
    assert record.outcome == "ok"
    assert record.usage.reported


@pytest.mark.parametrize("name", LONG)
def test_a_stream_of_ten_thousand_chunks(live: Live, simulator: SimulatorControl, name: str) -> None:
    simulator.fault("chunks", n=10_000)
    answer = check_relayed(live, simulator, *STREAMED[name])
    assert answer.body.count(b"\n\n") > 10_000
    record = live.record(answer.header("x-request-id"))
    assert record.usage.output_tokens >= 10_000


@pytest.mark.parametrize("name", ["chat", "messages", "ark-responses"])
def test_a_long_stream_that_came_compressed(live: Live, simulator: SimulatorControl, name: str) -> None:
    simulator.fault("chunks", n=10_000)
    simulator.fault("gzip")
    check_relayed(live, simulator, *STREAMED[name])


@pytest.mark.parametrize("name", LONG)
def test_a_stream_in_odd_pieces(live: Live, simulator: SimulatorControl, name: str) -> None:
    """Pieces of seven bytes cut frames, escapes and characters anywhere."""
    simulator.fault("drip", n=7)
    check_relayed(live, simulator, *STREAMED[name])


@pytest.mark.parametrize("size", [60_000, 1_000_000])
def test_big_frames(live: Live, simulator: SimulatorControl, size: int) -> None:
    simulator.fault("chunks", n=3)
    simulator.fault("chunk_bytes", n=size)
    answer = check_relayed(live, simulator, *STREAMED["chat"])
    assert len(answer.body) > 3 * size


ODD_NUMBERS = (
    b'{ "z":1.0, "a" : 1e2,\n\t"big":12345678901234567890123, "tiny":1E-7, "minus":-0.0, "list":[ 1.50 , 2 ],'
    b' "deep":{"y":{"x":[null,true,{"w":"\\u00e9\\ud83d\\ude00 \\/ \xc3\xa9"}]}}, "\\u006bey":"v", "temperature":0.70'
)


def odd_body(model: str, tail: bytes) -> bytes:
    return ODD_NUMBERS + b',  "model" :  ' + json.dumps(model).encode() + b" , " + tail + b"}  "


UP: dict[str, tuple[str, str, bytes, str]] = {
    "chat": ("/v1/chat/completions", QWEN, b'"messages":[{"role":"user","content":"x"}]', "qwen3.7-max"),
    "chat-stream": (
        "/v1/chat/completions",
        QWEN,
        b'"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"x"}]',
        "qwen3.7-max",
    ),
    "ark-chat": (
        "/api/v3/chat/completions",
        DOUBAO,
        b'"messages":[{"role":"user","content":"x"}]',
        "doubao-seed-2-0-pro-260215",
    ),
    "messages": (
        "/v1/messages",
        CLAUDE,
        b'"max_tokens":16,"messages":[{"role":"user","content":"x"}]',
        "claude-opus-4-6",
    ),
    "responses": ("/v1/responses", QWEN, b'"input":"x"', "qwen3.7-max"),
    "ark-images": (
        "/api/v3/images/generations",
        "doubao-seedream-4.0",
        b'"prompt":"x","size":"1K"',
        "doubao-seedream-4-0-250828",
    ),
    "task": (
        "/api/v3/contents/generations/tasks",
        "doubao-seedance-2.0",
        b'"content":[{"type":"text","text":"x"}]',
        "doubao-seedance-2-0-260128",
    ),
    "ark-embeddings": (
        "/api/v3/embeddings/multimodal",
        "doubao-embedding-vision",
        b'"input":[{"type":"text","text":"x"}]',
        "doubao-embedding-vision-251215",
    ),
    "embeddings": (
        "/v1/embeddings",
        "qwen/text-embedding-v4",
        b'"encoding_format":"float","input":["x"]',
        "text-embedding-v4",
    ),
}


@pytest.mark.parametrize("name", UP)
def test_a_request_is_the_callers_but_for_the_models_name(
    live: Live, simulator: SimulatorControl, name: str
) -> None:
    """Key order, spaces, number spelling, escapes and fields that nobody knows: all as they were."""
    path, model, tail, upstream_name = UP[name]
    body = odd_body(model, tail)
    answer = call(live, path, body)
    assert answer.status == 200, answer.body
    expected = body.replace(json.dumps(model).encode(), json.dumps(upstream_name).encode())
    assert simulator.one().body == expected


def test_what_is_added_to_a_stream_leaves_the_rest_alone(live: Live, simulator: SimulatorControl) -> None:
    path, model, _, upstream_name = UP["chat"]
    body = odd_body(model, b'"stream":true,"messages":[{"role":"user","content":"x"}]')
    assert call(live, path, body).status == 200
    sent = simulator.one()
    assert sent.json["stream_options"] == {"include_usage": True}
    assert sent.body.startswith(ODD_NUMBERS)
    assert {name: value for name, value in sent.json.items() if name != "stream_options"} == json.loads(
        body
    ) | {"model": upstream_name}


def test_stream_options_of_the_caller_are_kept(live: Live, simulator: SimulatorControl) -> None:
    path, model, _, _ = UP["chat"]
    body = {
        "model": model,
        "messages": HELLO,
        "stream": True,
        "stream_options": {"include_usage": False, "include_obfuscation": False},
    }
    answer = call(live, path, body)
    assert b"total_tokens" not in answer.body
    assert simulator.one().json["stream_options"] == {"include_usage": True, "include_obfuscation": False}


def test_a_query_reaches_the_upstream(live: Live, simulator: SimulatorControl) -> None:
    """Claude Code sends ``?beta=true`` with every call."""
    path, body = WHOLE["messages"]
    assert call(live, path + "?beta=true", body).status == 200
    assert simulator.one().query == "beta=true"


@pytest.mark.parametrize("header", ["Authorization", "x-api-key", "X-DashScope-ApiKey", "api-key"])
@pytest.mark.parametrize("name", ["chat", "messages", "ark-images", "native-embeddings"])
def test_the_callers_credential_never_reaches_the_upstream(
    live: Live, simulator: SimulatorControl, name: str, header: str
) -> None:
    path, body = WHOLE[name]
    given = {header: f"Bearer {live.key}" if header == "Authorization" else live.key}
    if header == "api-key":
        # Azure's name is no credential here; it must still not be handed on.
        given |= {"Authorization": f"Bearer {live.key}"}
    extra = VERSION | {"Cookie": f"session={live.key}"}
    answer = send(live.base(path), json.dumps(body).encode(), given | extra)
    assert answer.status == 200, answer.body
    seen = simulator.one()
    assert live.key not in json.dumps(seen.headers) + seen.query + seen.body.decode()
    assert "cookie" not in seen.headers
    credentials = {seen.headers.get("authorization"), seen.headers.get("x-api-key")} - {None}
    assert credentials in ({"Bearer simulated"}, {"simulated"})


def test_addresses_of_the_caller_stay_here(live: Live, simulator: SimulatorControl) -> None:
    path, body = WHOLE["chat"]
    extra = {"X-Forwarded-For": "10.1.2.3", "X-Real-IP": "10.1.2.3", "Referer": "http://intranet/page"}
    assert call(live, path, body, **extra).status == 200
    seen = simulator.one()
    assert not {"x-forwarded-for", "x-real-ip", "referer"} & set(seen.headers)
    assert seen.headers["host"] == simulator.url.removeprefix("http://")


@pytest.mark.parametrize("name", WHOLE)
def test_every_wrong_key_is_refused_before_any_upstream(
    live: Live, simulator: SimulatorControl, name: str
) -> None:
    path, body = WHOLE[name]
    raw = json.dumps(body).encode()
    refused = send(live.base(path), raw, {"Authorization": "Bearer ck-wrong"})
    missing = send(live.base(path), raw, {})
    assert (refused.status, missing.status) == (401, 401)
    assert b"GATEWAY_INVALID_VIRTUAL_KEY" in refused.body
    assert b"GATEWAY_MISSING_VIRTUAL_KEY" in missing.body
    assert simulator.seen() == []
