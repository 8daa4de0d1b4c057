"""A stream's usage is the usage of the same answer whole, wherever it is cut: of the simulator's own bodies, and of
every spelling that the protocols have."""

import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.core.clock import FixedClock
from aimesh.core.traits import DEFAULT_TRAITS
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.simulator.answers import PLAIN, Call, Shape, Stream
from aimesh.simulator.routes import Router
from aimesh.simulator.world import Settings, World
from aimesh.wire.interface import Answer, Interface, Peek, Prepared, Tap, Target
from aimesh.wire.registry import find_interface

CUTS = st.lists(st.integers(0, 1_000_000), max_size=8)
ROUTER = Router()


def interface_of(name: str) -> Interface:
    found = find_interface(name)
    assert found is not None
    return found


def prepare(interface: Interface, request: dict[str, Any]) -> tuple[Peek, Prepared]:
    body = json.dumps(request).encode()
    peek = interface.peek(body)
    return peek, interface.prepare(body, peek, Target(peek.model, DEFAULT_TRAITS))


def read_whole(interface: Interface, request: dict[str, Any], body: bytes) -> Answer:
    answer = interface.read_answer(body, prepare(interface, request)[1])
    assert answer.error is None
    return answer


def read_stream(interface: Interface, request: dict[str, Any], body: bytes, cuts: list[int]) -> Tap:
    tap = interface.open_tap(prepare(interface, request | {"stream": True})[1])
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(places):
        tap.feed(body[start:end])
    tap.close()
    assert (tap.started, tap.ended, tap.error) == (True, True, None)
    return tap


def simulated(path: str, body: bytes, *, shape: Shape = PLAIN, runs: int = 1) -> bytes:
    """What a simulator says that has just been started; its ``runs``-th answer to the same question."""
    world = World(FixedClock(), Settings(), 1)
    found = ROUTER.find(path.encode())
    assert found is not None
    for _ in range(runs):
        call = Call(method="POST", path=path, provider=found.provider, dialect=found.dialect)
        call.body = json.loads(body)
        call.headers = {b"anthropic-version": b"2023-06-01"}
        call.request_id = "r1"
        call.shape = shape
        answer = found.methods["POST"](call, world)
        said = b"".join(answer.frames) if isinstance(answer, Stream) else answer.body
        assert isinstance(answer, Stream) or answer.status == 200
    return said


def upstream_body(interface: Interface, request: dict[str, Any]) -> bytes:
    return prepare(interface, request)[1].body


LONG = "all of this is known already. " * 20
EPHEMERAL = {"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}
HOUR = EPHEMERAL | {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
TOOLS = [{"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}}]
MEDIA = [{"type": "image_url", "image_url": {"url": "u"}}, {"type": "video_url", "video_url": {"url": "u"}}]
SOUND = [{"type": "input_audio", "input_audio": {"data": "x"}}, {"type": "text", "text": "what is it"}]


def chat(content: object, **members: object) -> dict[str, Any]:
    return {"model": "qwen3.7-max", "messages": [{"role": "user", "content": content}], **members}


def message(content: object, **members: object) -> dict[str, Any]:
    return chat(content, max_tokens=2_000, **members) | {"model": "claude-opus-4-6"}


COMPATIBLE, ARK = "/compatible-mode/v1/chat/completions", "/api/v3/chat/completions"
SIMULATED: list[tuple[str, str, dict[str, Any], set[str]]] = [
    # interface, upstream path, request, units that must have been counted beside input and output
    ("open_ai", COMPATIBLE, chat("hello"), set()),
    ("open_ai", COMPATIBLE, chat(LONG), {"cached_tokens"}),
    ("open_ai", COMPATIBLE, chat([EPHEMERAL]), {"cached_tokens", "explicit_cached_tokens"}),
    ("open_ai", COMPATIBLE, chat(MEDIA), {"input_image_tokens", "input_video_tokens"}),
    ("open_ai", COMPATIBLE, chat("think", enable_thinking=True), {"reasoning_tokens"}),
    ("open_ai", COMPATIBLE, chat("use tool", tools=TOOLS, n=2), set()),
    ("open_ai", ARK, chat(SOUND, thinking={"type": "enabled"}), {"input_audio_tokens", "reasoning_tokens"}),
    ("open_ai", ARK, chat("hi", stream_options={"include_usage": True, "chunk_include_usage": True}), set()),
    ("open_ai", "/v1/chat/completions", chat(SOUND), {"input_audio_tokens"}),
    ("anthropic", "/v1/messages", message("hello"), set()),
    ("anthropic", "/v1/messages", message([EPHEMERAL]), {"cached_tokens"}),
    ("anthropic", "/v1/messages", message("think", thinking={"type": "adaptive"}), {"reasoning_tokens"}),
    (
        "anthropic",
        "/v1/messages",
        message("use tool", tools=[{"name": "clock", "input_schema": {"type": "object"}}]),
        set(),
    ),
    ("responses", "/v1/responses", {"model": "gpt-5", "input": LONG}, {"cached_tokens"}),
    (
        "responses",
        "/api/v3/responses",
        {"model": "doubao-seed-2.0-pro", "input": "hello", "thinking": {"type": "enabled"}},
        {"reasoning_tokens"},
    ),
    (
        "responses",
        "/v1/responses",
        {"model": "gpt-5", "input": "use tool", "tools": [{"type": "function", "name": "clock"}]},
        set(),
    ),
    (
        "ark_image",
        "/api/v3/images/generations",
        {
            "model": "doubao-seedream-4-0-250828",
            "prompt": "three, and a moderated picture",
            "sequential_image_generation": "auto",
            "sequential_image_generation_options": {"max_images": 4},
        },
        {"images"},
    ),
    ("open_ai_image", "/v1/images/generations", {"model": "gpt-image-1", "prompt": "a cat"}, {"images"}),
]


@pytest.mark.parametrize("case", SIMULATED, ids=[f"{at}-{case[0]}" for at, case in enumerate(SIMULATED)])
@given(cuts=CUTS)
def test_simulated_answers(case: tuple[str, str, dict[str, Any], set[str]], cuts: list[int]) -> None:
    name, path, request, units = case
    interface = interface_of(name)
    plain = {key: value for key, value in request.items() if key != "stream_options"}
    whole = read_whole(interface, plain, simulated(path, upstream_body(interface, plain), runs=2))
    streaming = request | {"stream": True}
    stream = simulated(path, upstream_body(interface, streaming), runs=2)
    tap = read_stream(interface, request, stream, cuts)
    assert tap.usage == whole.usage
    assert whole.usage.reported
    assert whole.usage.output_tokens > 0
    assert {unit for unit in units if getattr(whole.usage, unit) > 0} == units


@pytest.mark.parametrize(
    ("path", "block", "hours"), [("/v1/messages", EPHEMERAL, 0), ("/v1/messages", HOUR, 1)]
)
def test_written_parts_of_a_cache_are_told_apart(path: str, block: object, hours: int) -> None:
    interface, request = interface_of("anthropic"), message([block])
    whole = read_whole(interface, request, simulated(path, upstream_body(interface, request))).usage
    stream = simulated(path, upstream_body(interface, request | {"stream": True}))
    assert read_stream(interface, request, stream, []).usage == whole
    assert whole.cache_write_tokens > 100
    assert whole.cache_write_1h_tokens == hours * whole.cache_write_tokens


@pytest.mark.parametrize(
    "case", SIMULATED[:-2], ids=[f"{at}-{case[0]}" for at, case in enumerate(SIMULATED[:-2])]
)
@given(cuts=CUTS)
def test_answers_without_usage_count_the_same(
    case: tuple[str, str, dict[str, Any], set[str]], cuts: list[int]
) -> None:
    name, path, request, _ = case
    interface = interface_of(name)
    shape = Shape(no_usage=True)
    plain = {key: value for key, value in request.items() if key != "stream_options"}
    whole = read_whole(interface, plain, simulated(path, upstream_body(interface, plain), shape=shape))
    stream = simulated(path, upstream_body(interface, plain | {"stream": True}), shape=shape)
    tap = read_stream(interface, plain, stream, cuts)
    assert tap.usage == whole.usage == NO_USAGE
    assert tap.output_chars == whole.output_chars > 0


COUNTS = st.one_of(st.just(0), st.integers(0, 100_000))
SOME = st.integers(1, 100_000)
NULL = st.none()


def details(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(NULL, st.fixed_dictionaries({}, optional=members))


LIFETIMES = details(ephemeral_5m_input_tokens=COUNTS, ephemeral_1h_input_tokens=COUNTS)
CHAT_USAGE = st.fixed_dictionaries(
    {"prompt_tokens": SOME, "completion_tokens": COUNTS},
    optional={
        "total_tokens": COUNTS,
        "prompt_tokens_details": details(
            cached_tokens=COUNTS,
            cache_write_tokens=COUNTS,
            cache_creation_input_tokens=COUNTS,
            cache_creation=LIFETIMES,
            cache_type=st.just("ephemeral"),
            text_tokens=COUNTS,
            image_tokens=COUNTS,
            video_tokens=COUNTS,
            audio_tokens=COUNTS,
            audio_cached_tokens=COUNTS,
        ),
        "completion_tokens_details": details(reasoning_tokens=COUNTS, audio_tokens=COUNTS),
        "prompt_cache_hit_tokens": COUNTS,
        "cached_tokens": COUNTS,
        "cache_read_input_tokens": COUNTS,
        "cache_creation_input_tokens": COUNTS,
    },
)
MESSAGE_USAGE = st.fixed_dictionaries(
    {"input_tokens": SOME, "output_tokens": SOME},
    optional={
        "cache_creation_input_tokens": st.one_of(NULL, COUNTS),
        "cache_read_input_tokens": st.one_of(NULL, COUNTS),
        "cache_creation": LIFETIMES,
        "output_tokens_details": details(thinking_tokens=COUNTS),
        "service_tier": st.just("standard"),
    },
)
RESPONSE_USAGE = st.fixed_dictionaries(
    {"input_tokens": SOME, "output_tokens": COUNTS},
    optional={
        "input_tokens_details": details(cached_tokens=COUNTS, cache_write_tokens=COUNTS),
        "output_tokens_details": details(reasoning_tokens=COUNTS),
        "x_details": st.lists(
            details(
                prompt_tokens_details=details(
                    cache_creation_input_tokens=COUNTS, cache_type=st.sampled_from(["ephemeral", ""])
                )
            ),
            max_size=2,
        ),
    },
)


def data(*frames: object) -> bytes:
    return b"".join(b"data: %b\n\n" % json.dumps(frame).encode() for frame in frames)


@given(CHAT_USAGE, st.sampled_from(["chunk", "finish", "choice", "every"]), CUTS)
def test_chat_usage_of_any_spelling(usage: dict[str, Any], place: str, cuts: list[int]) -> None:
    interface = interface_of("open_ai")
    answer = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}], "usage": usage}
    whole = read_whole(interface, chat("x"), json.dumps(answer).encode())
    word: dict[str, Any] = {"choices": [{"delta": {"content": "hi"}}], "usage": None}
    finish: dict[str, Any] = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    frames: list[dict[str, Any]] = [word, finish]
    if place == "chunk":
        # Zeros that follow wipe nothing.
        frames += [{"choices": [], "usage": usage}, {"choices": [], "usage": {"prompt_tokens": 0}}]
    elif place == "choice":
        finish["choices"][0]["usage"] = usage
    else:
        finish["usage"] = usage
    if place == "every":
        word["usage"] = {"prompt_tokens": 3, "completion_tokens": 1}
    tap = read_stream(interface, chat("x"), data(*frames) + b"data: [DONE]\n\n", cuts)
    assert tap.usage == whole.usage
    assert whole.usage.reported


@given(MESSAGE_USAGE, st.sampled_from(["all", "output", "zeros"]), CUTS)
def test_message_usage_of_any_spelling(usage: dict[str, Any], delta: str, cuts: list[int]) -> None:
    interface = interface_of("anthropic")
    answer = {"content": [{"type": "text", "text": "hi"}], "usage": usage}
    whole = read_whole(interface, message("x"), json.dumps(answer).encode())
    closing = {key: value for key, value in usage.items() if key.startswith("output")}
    if delta == "all":
        closing = usage
    elif delta == "zeros":
        closing |= {"input_tokens": 0, "cache_read_input_tokens": 0}
    start = {"content": [], "usage": usage | {"output_tokens": 1}}
    stream = data(
        {"type": "message_start", "message": start},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": closing},
        {"type": "message_stop"},
    )
    tap = read_stream(interface, message("x"), stream, cuts)
    assert tap.usage == whole.usage
    assert whole.usage.reported


@given(RESPONSE_USAGE, st.sampled_from(["completed", "incomplete"]), CUTS)
def test_response_usage_of_any_spelling(usage: dict[str, Any], end: str, cuts: list[int]) -> None:
    interface, request = interface_of("responses"), {"model": "m", "input": "x"}
    response = {"status": end, "output": [], "usage": usage}
    whole = read_whole(interface, request, json.dumps(response).encode())
    stream = data(
        {"type": "response.output_text.delta", "delta": "hi"},
        {"type": f"response.{end}", "response": response},
    )
    assert read_stream(interface, request, stream, cuts).usage == whole.usage
    assert whole.usage.reported


@given(
    st.lists(st.booleans(), min_size=1, max_size=6).filter(any),
    st.fixed_dictionaries(
        {}, optional={"output_tokens": COUNTS, "input_tokens": COUNTS, "input_images": COUNTS}
    ),
    st.booleans(),
    CUTS,
)
def test_pictures_of_any_fate(good: list[bool], usage: dict[str, Any], says: bool, cuts: list[int]) -> None:
    interface, request = interface_of("ark_image"), {"model": "m", "prompt": "x"}
    if says:
        usage = usage | {"generated_images": sum(good)}
    pictures = [{"url": "u"} if one else {"error": {"code": "Moderated"}} for one in good]
    whole = read_whole(interface, request, json.dumps({"data": pictures, "usage": usage}).encode())
    kinds = ["partial_succeeded" if one else "partial_failed" for one in good]
    events = [
        {"type": f"image_generation.{kind}", **picture} for kind, picture in zip(kinds, pictures, strict=True)
    ]
    stream = data(*events, {"type": "image_generation.completed", "usage": usage})
    assert read_stream(interface, request, stream, cuts).usage == whole.usage
    assert whole.usage.images == sum(good)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {
                "prompt_tokens": 2059,
                "completion_tokens": 201,
                "prompt_tokens_details": {
                    "cached_tokens": 1305,
                    "text_tokens": 2059,
                    "cache_type": "ephemeral",
                    "cache_creation_input_tokens": 0,
                },
            },
            Usage(input_tokens=2059, output_tokens=201, cached_tokens=1305, explicit_cached_tokens=1305),
        ),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 20,
                "total_tokens": 150,
                "completion_tokens_details": {"reasoning_tokens": 30},
            },
            Usage(input_tokens=100, output_tokens=50, reasoning_tokens=30),
        ),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "total_tokens": 150,
                "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 9},
            },
            Usage(input_tokens=100, output_tokens=50, reasoning_tokens=30, output_audio_tokens=9),
        ),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 1,
                "prompt_tokens_details": {
                    "cached_tokens": 60,
                    "audio_tokens": 50,
                    "audio_cached_tokens": 40,
                    "video_tokens": 7,
                    "image_tokens": 3,
                },
            },
            Usage(
                input_tokens=100,
                output_tokens=1,
                cached_tokens=60,
                input_audio_tokens=10,
                input_image_tokens=10,
                input_video_tokens=7,
            ),
        ),
    ],
)
def test_what_chat_spellings_mean(usage: dict[str, Any], expected: Usage) -> None:
    answer = {"choices": [{"message": {"content": "hi"}}], "usage": usage}
    assert read_whole(interface_of("open_ai"), chat("x"), msgspec.json.encode(answer)).usage == expected


def test_a_session_cache_of_responses_is_an_explicit_one() -> None:
    prompt = {"cached_tokens": 1305, "cache_creation_input_tokens": 213, "cache_type": "ephemeral"}
    usage = {
        "input_tokens": 1524,
        "input_tokens_details": {"cached_tokens": 1305},
        "output_tokens": 1534,
        "output_tokens_details": {"reasoning_tokens": 1187},
        "x_details": [{"prompt_tokens_details": prompt}],
    }
    answer = msgspec.json.encode({"status": "completed", "output": [], "usage": usage})
    found = read_whole(interface_of("responses"), {"model": "m", "input": "x"}, answer).usage
    assert found == Usage(
        input_tokens=1524,
        output_tokens=1534,
        cached_tokens=1305,
        cache_write_tokens=213,
        reasoning_tokens=1187,
        explicit_cached_tokens=1305,
    )
