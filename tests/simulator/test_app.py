"""The simulator as an object, and what it does for every path."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from tests.support.simulation import LiveSimulator, encode_request, read_all, split_answer, wait_for

from aimesh.net.message import Request as NetRequest
from aimesh.simulator.app import Simulator

CHAT = "/p/v1/chat/completions"
BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


def request(sim: LiveSimulator, method: str, path: str, *headers: str) -> tuple[int, dict[str, str], bytes]:
    lines = "".join(f"{line}\r\n" for line in ("host: x", "connection: close", *headers))
    with sim.connect() as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode())
        return split_answer(read_all(connection)[0])


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_loopback_only(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        asyncio.run(Simulator().start(host))


def test_start_and_stop_twice() -> None:
    async def live() -> int:
        simulator = Simulator()
        port = await simulator.start()
        await simulator.stop()
        await simulator.stop()
        return port

    assert asyncio.run(live()) > 0


@pytest.mark.parametrize(
    "headers", [{"authorization": "Bearer k"}, {"x_api_key": "k"}, {"x_dashscope_apikey": "k"}]
)
def test_any_credential_header(sim: LiveSimulator, headers: dict[str, str]) -> None:
    assert sim.post(CHAT, BODY, **({"authorization": ""} | headers))[0] == 200


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer invalid", "Basic eA=="])
@pytest.mark.parametrize(
    ("path", "code"),
    [
        (CHAT, ("error", "code", "invalid_api_key")),
        ("/p/compatible-mode/v1/chat/completions", ("error", "code", "invalid_api_key")),
        ("/p/api/v3/chat/completions", ("error", "code", "AuthenticationError")),
        ("/p/v1/messages", ("error", "type", "authentication_error")),
    ],
)
def test_wrong_credentials(
    sim: LiveSimulator, path: str, code: tuple[str, str, str], authorization: str
) -> None:
    status, _, answer = sim.post(path, BODY, authorization=authorization)
    error = json.loads(answer)
    assert status == 401
    assert error[code[0]][code[1]] == code[2]


@pytest.mark.parametrize("body", [b"{", b"[1]", b"", b"\xff\xfe", b'"text"'])
def test_bad_bodies(sim: LiveSimulator, body: bytes) -> None:
    for path in (CHAT, "/api/v3/chat/completions", "/v1/messages"):
        status, _, answer = sim.post(path, body)
        assert (status, "error" in json.loads(answer)) == (400, True)


ODD: tuple[object, ...] = (
    7,
    "x",
    True,
    [],
    {},
    [7],
    [None],
    [[]],
    {"a": 1},
    {"type": 7},
    [{"type": 7}],
    -1,
    1.5,
)


def spoiled(value: Any) -> Iterator[Any]:
    """``value`` with every part of it, at every depth, in every wrong type or missing."""
    yield from ODD
    if isinstance(value, dict):
        for name, inner in value.items():
            yield {key: kept for key, kept in value.items() if key != name}
            yield from (value | {name: odd} for odd in spoiled(inner))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from ([*value[:at], odd, *value[at + 1 :]] for odd in spoiled(inner))


FUNCTION = {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}
TURNS: list[Any] = [
    {
        "role": "user",
        "content": [{"type": "text", "text": "use tool"}, {"type": "image_url", "image_url": {"url": "x"}}],
    },
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "1", "type": "function", "function": FUNCTION}],
    },
    {"role": "tool", "tool_call_id": "1", "content": "x"},
]
BLOCKS: list[Any] = [
    {"role": "user", "content": "x"},
    {
        "role": "assistant",
        "content": [{"type": "text", "text": "x"}, {"type": "tool_use", "id": "1", "name": "f", "input": {}}],
    },
    {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "x"}]}],
    },
]
ITEMS: list[Any] = [
    {"role": "user", "content": [{"type": "input_text", "text": "use tool"}]},
    {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "1", "output": "x"},
]
TOOL = {"type": "function", "function": FUNCTION}
CHOICE = {"type": "function", "function": {"name": "f"}}
FORM = {"type": "json_schema", "json_schema": {"name": "x", "schema": FUNCTION["parameters"]}}
AIGC = "/api/v1/services/aigc"
EMBEDDING = "/api/v1/services/embeddings"
GOOD: dict[str, dict[str, Any]] = {
    CHAT: {"model": "m", "messages": TURNS, "tools": [TOOL], "tool_choice": CHOICE, "stop": ["x"], "n": 1}
    | {"max_tokens": 9, "response_format": FORM, "thinking": {"type": "enabled"}, "reasoning_effort": "low"},
    "/p/compatible-mode/v1/chat/completions": BODY
    | {"enable_thinking": True, "temperature": 1, "max_completion_tokens": 9},
    "/p/api/v3/chat/completions": {"model": "m", "messages": TURNS, "stream": True, "tools": [TOOL]}
    | {"stream_options": {"include_usage": True, "chunk_include_usage": True}},
    "/v1/messages": {"model": "claude-opus-4-6", "messages": BLOCKS, "max_tokens": 2048, "stream": True}
    | {"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]}
    | {"tools": [{"name": "f", "input_schema": FUNCTION["parameters"]}], "tool_choice": {"type": "auto"}}
    | {"thinking": {"type": "adaptive", "display": "omitted"}, "stop_sequences": ["x"]}
    | {"output_config": {"format": {"type": "json_schema", "schema": {}}}, "cache_control": {"ttl": "5m"}},
    "/v1/messages/count_tokens": {"model": "m", "messages": BLOCKS, "system": "x", "tools": []},
    "/v1/responses": {"model": "m", "input": ITEMS, "instructions": "x", "store": True, "stream": True}
    | {"tools": [{"type": "function", "name": "f", "parameters": {}}, {"type": "custom", "name": "c"}]}
    | {"tool_choice": {"type": "function", "name": "f"}, "reasoning": {"effort": "low"}}
    | {"text": {"format": {"type": "json_schema", "schema": {}}}, "include": ["x"], "max_output_tokens": 9},
    "/v1/embeddings": {"model": "m", "input": ["x"], "dimensions": 8, "encoding_format": "float"},
    "/api/v3/embeddings": {"model": "m", "input": ["x"], "dimensions": 1024},
    "/api/v3/embeddings/multimodal": {"model": "m", "dimensions": 1024, "encoding_format": "float"}
    | {"input": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "x"}}]},
    "/v1/images/generations": {"model": "m", "prompt": "x", "n": 1, "size": "64x64", "partial_images": 1},
    "/api/v3/images/generations": {"model": "m", "prompt": "x", "size": "1K", "response_format": "url"}
    | {"sequential_image_generation": "auto", "sequential_image_generation_options": {"max_images": 1}},
    "/api/v3/contents/generations/tasks": {"model": "m", "duration": 5, "resolution": "720p", "ratio": "1:1"}
    | {
        "content": [
            {"type": "text", "text": "x"},
            {"type": "image_url", "image_url": {"url": "x"}, "role": "r"},
        ]
    }
    | {"seed": 1, "service_tier": "default", "generate_audio": True, "return_last_frame": True},
    f"{AIGC}/video-generation/video-synthesis": {"model": "happyhorse-1.0-r2v"}
    | {"input": {"prompt": "x", "media": [{"type": "reference_image", "url": "x"}]}}
    | {"parameters": {"resolution": "720P", "ratio": "1:1", "duration": 5}},
    f"{AIGC}/image2video/video-synthesis": {"model": "wan2.6-i2v", "input": {"img_url": "x"}}
    | {"parameters": {"resolution": "720P", "ratio": "1:1", "duration": 5}},
    f"{AIGC}/text-generation/generation": {"model": "m", "input": {"messages": TURNS}}
    | {"parameters": {"result_format": "message", "tools": [TOOL], "tool_choice": CHOICE, "max_tokens": 9}},
    f"{EMBEDDING}/text-embedding/text-embedding": {"model": "m", "input": {"texts": ["x"]}}
    | {"parameters": {"dimension": 8}},
    f"{EMBEDDING}/multimodal-embedding/multimodal-embedding": {"model": "m"}
    | {"input": {"contents": [{"text": "x"}, {"image": "x"}]}}
    | {"parameters": {"dimension": 8, "enable_fusion": True}},
}


class Sink:
    """A reply that takes everything and costs nothing."""

    def __init__(self) -> None:
        self.is_gone = False
        self.is_open = False
        self.is_writable = True
        self.on_gone: Callable[[], None] | None = None
        self.on_writable: Callable[[], None] | None = None
        self.sent: list[tuple[int, bytes]] = []
        """Status and body of whole answers; a streamed one leaves its status and no body."""

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        self.sent.append((status, body))

    def open(self, status: int, headers: bytes) -> None:
        self.sent.append((status, b""))

    def write(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass

    def abort(self) -> None:
        pass


def asked(path: str, body: object) -> NetRequest:
    headers = {b"host": b"x", b"authorization": b"Bearer k", b"anthropic-version": b"2023-06-01"}
    if "video" in path:
        headers[b"x-dashscope-async"] = b"enable"
    data = json.dumps(body).encode()
    return NetRequest(method=b"POST", path=path.encode(), query=b"", headers=headers, body=data, peer="")


async def answered(requests: list[NetRequest]) -> tuple[Simulator, list[tuple[int, bytes]]]:
    """Hands the requests to a simulator directly, without sockets."""
    simulator = Simulator()
    await simulator.start()
    sink = Sink()
    for each in requests:
        simulator.handle(each, sink)
    await simulator.stop()
    return simulator, sink.sent


@pytest.mark.parametrize("path", list(GOOD))
def test_odd_types_never_break_it(path: str) -> None:
    bodies = [GOOD[path], *spoiled(GOOD[path])]
    simulator, answers = asyncio.run(answered([asked(path, body) for body in bodies]))
    assert simulator.recorder.bugs == []
    assert answers[0][0] == 200
    assert {status for status, _ in answers} == {200, 400}
    assert len(answers) == len(bodies)


def test_unknown_path_and_wrong_method(sim: LiveSimulator) -> None:
    assert request(sim, "GET", "/p/v1/nothing")[0] == 404
    status, _, body = request(sim, "GET", "/p/api/v3/nothing")
    assert (status, body) == (404, b"")
    status, headers, _ = request(sim, "GET", CHAT, "authorization: Bearer k")
    assert (status, headers["allow"]) == (405, "POST")


def test_answers_say_that_they_are_simulated(sim: LiveSimulator) -> None:
    for path in (CHAT, "/v1/messages", "/api/v3/chat/completions"):
        _, headers, _ = sim.post(path, BODY)
        assert headers["x-simulated"] == "true"
        assert headers["x-request-id"]


def test_files_whole_in_part_and_missing(sim: LiveSimulator) -> None:
    whole = sim.get("/files/clip-0a.mp4")
    with urlopen(Request(sim.url + "/files/clip-0a.mp4", headers={"Range": "bytes=4-7"}), timeout=5) as part:
        assert (part.status, part.read()) == (206, b"ftyp")
        assert part.headers["content-range"] == f"bytes 4-7/{len(whole)}"
    with urlopen(Request(sim.url + "/files/clip-0a.mp4", headers={"Range": "bytes=100-"}), timeout=5) as part:
        assert part.read() == whole[100:]
    status, headers, _ = request(sim, "GET", "/files/clip-0a.mp4", "range: bytes=999999-")
    assert (status, headers["content-range"]) == (416, f"bytes */{len(whole)}")
    status, headers, body = request(sim, "HEAD", "/files/cube-0a.glb")
    assert (status, body, int(headers["content-length"]) > 500) == (200, b"", True)
    with pytest.raises(HTTPError) as missing:
        sim.get("/files/secret.txt")
    with missing.value:
        assert missing.value.code == 404


def test_models_page(sim: LiveSimulator) -> None:
    answer = json.loads(request(sim, "GET", "/p/v1/models", "x-api-key: k")[2])
    names = [entry["id"] for entry in answer["data"]]
    assert answer["has_more"] is False
    assert answer["last_id"] == names[-1]
    assert request(sim, "GET", "/p/v1/models/no-such-model", "x-api-key: k")[0] == 404


def test_peer_that_leaves_a_delayed_answer(sim: LiveSimulator) -> None:
    sim.fault("latency_ms", n=60_000)
    with sim.connect() as connection:
        connection.sendall(encode_request(CHAT, BODY))
        wait_for(lambda: sim.control("GET", "/_sim/stats")["open_answers"] == 1)
    entry = wait_for(lambda: [r for r in sim.control("GET", "/_sim/requests")["requests"] if r["peer_gone"]])[
        0
    ]
    assert entry["status"] == 0
    assert sim.control("GET", "/_sim/stats")["open_answers"] == 0


def test_plain_call_is_one_send() -> None:
    _, answers = asyncio.run(answered([asked(CHAT, BODY)] * 500))
    assert {status for status, _ in answers} == {200}
    # The ids make each answer another one; the words are the same.
    assert len({body for _, body in answers}) == 500
