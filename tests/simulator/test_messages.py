"""Anthropic messages, by the official SDK and by hand."""

import asyncio
import json
from typing import Any

import pytest
from anthropic import Anthropic, AsyncAnthropic, AuthenticationError, BadRequestError, NotFoundError
from tests.support.simulation import LiveSimulator, dechunked

from aimesh.simulator.messages import sign

MODEL = "claude-opus-4-6"
USER: Any = [{"role": "user", "content": "hello"}]
TOOLS: Any = [
    {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}},
    {"name": "clock", "input_schema": {"type": "object"}},
]
OLD = {"anthropic_version": "2023-06-01", "authorization": "", "x_api_key": "k"}


def client(sim: LiveSimulator, prefix: str = "/some/anthropic", key: str = "k") -> Anthropic:
    return Anthropic(base_url=sim.url + prefix, api_key=key, max_retries=0)


@pytest.mark.parametrize("prefix", ["", "/v1", "/provider", "/p/apps/anthropic", "/p/anthropic"])
def test_whole_and_stream_give_the_same_message(sim: LiveSimulator, prefix: str) -> None:
    with client(sim, prefix) as anthropic:
        whole = anthropic.messages.create(model=MODEL, max_tokens=256, messages=USER)
        with anthropic.messages.stream(model=MODEL, max_tokens=256, messages=USER) as stream:
            streamed = stream.get_final_message()
    assert whole.content[0].type == "text"
    assert whole.content[0].text.startswith("[simulated]")
    assert whole.stop_reason == streamed.stop_reason == "end_turn"
    assert streamed.content[0].type == "text"
    assert streamed.content[0].text == whole.content[0].text
    assert streamed.usage.output_tokens == whole.usage.output_tokens > 1
    assert whole._request_id


def test_async(sim: LiveSimulator) -> None:
    async def talk() -> tuple[int, list[str]]:
        async with AsyncAnthropic(base_url=sim.url, api_key="k") as anthropic:
            whole = await anthropic.messages.create(model=MODEL, max_tokens=64, messages=USER)
            stream: Any = await anthropic.messages.create(
                model=MODEL, max_tokens=64, messages=USER, stream=True
            )
            return whole.usage.output_tokens, [event.type async for event in stream]

    tokens, kinds = asyncio.run(talk())
    assert tokens > 1
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]


def test_thinking_and_its_replay(sim: LiveSimulator) -> None:
    thinking: Any = {"type": "adaptive"}
    with client(sim) as anthropic:
        asked: Any = {"model": MODEL, "max_tokens": 2048, "thinking": thinking, "messages": USER}
        whole = anthropic.messages.create(**asked)
        with anthropic.messages.stream(**asked) as stream:
            streamed = stream.get_final_message()
        hidden = anthropic.messages.create(**asked | {"thinking": {"type": "adaptive", "display": "omitted"}})
        again: Any = [*USER, {"role": "assistant", "content": whole.content}, *USER]
        replayed = anthropic.messages.create(**asked | {"messages": again})
        forged: Any = [
            *USER,
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "gw1.abc"}]},
            *USER,
        ]
        with pytest.raises(BadRequestError, match="signature"):
            anthropic.messages.create(**asked | {"messages": forged})
    block: Any = whole.content[0]
    assert block.signature == sign(block.thinking)
    assert streamed.content[0] == block
    assert getattr(hidden.content[0], "thinking", None) == ""
    assert replayed.stop_reason == "end_turn"
    details: Any = whole.usage.output_tokens_details
    assert details.thinking_tokens > 0


def test_tools_and_their_results(sim: LiveSimulator) -> None:
    said: Any = [{"role": "user", "content": "use tools"}]
    with client(sim) as anthropic:
        whole: Any = anthropic.messages.create(model=MODEL, max_tokens=99, messages=said, tools=TOOLS)
        with anthropic.messages.stream(model=MODEL, max_tokens=99, messages=said, tools=TOOLS) as stream:
            streamed: Any = stream.get_final_message()
        results: Any = [
            {"type": "tool_result", "tool_use_id": block.id, "content": "sunny"} for block in whole.content
        ]
        history: Any = [*said, {"role": "assistant", "content": whole.content}]
        after: Any = anthropic.messages.create(
            model=MODEL, max_tokens=99, tools=TOOLS, messages=[*history, {"role": "user", "content": results}]
        )
        for broken in (
            results[:1],
            [{"type": "tool_result", "tool_use_id": "toolu_x", "content": "?"}, *results],
        ):
            with pytest.raises(BadRequestError, match="tool_use"):
                anthropic.messages.create(
                    model=MODEL,
                    max_tokens=99,
                    tools=TOOLS,
                    messages=[*history, {"role": "user", "content": broken}],
                )
    assert [(b.name, b.input) for b in whole.content] == [("weather", {"city": "simulated"}), ("clock", {})]
    assert [(b.name, b.input) for b in streamed.content] == [(b.name, b.input) for b in whole.content]
    assert whole.stop_reason == streamed.stop_reason == "tool_use"
    assert "sunny" in after.content[0].text


def test_forced_tool(sim: LiveSimulator) -> None:
    with client(sim) as anthropic:
        answer: Any = anthropic.messages.create(
            model=MODEL,
            max_tokens=99,
            messages=USER,
            tools=TOOLS,
            tool_choice={"type": "tool", "name": "clock"},
        )
    assert [block.name for block in answer.content] == ["clock"]


@pytest.mark.parametrize("ttl", ["5m", "1h"])
def test_cache_marks_write_then_read(sim: LiveSimulator, ttl: str) -> None:
    system: Any = [
        {"type": "text", "text": "A long preface. " * 40, "cache_control": {"type": "ephemeral", "ttl": ttl}}
    ]
    with client(sim, f"/cache_{ttl}") as anthropic:
        asked: Any = {"model": MODEL, "max_tokens": 99, "system": system}
        first = anthropic.messages.create(**asked, messages=USER)
        second = anthropic.messages.create(**asked, messages=[{"role": "user", "content": "other"}])
    written: Any = first.usage.cache_creation
    assert first.usage.cache_read_input_tokens == 0
    assert first.usage.cache_creation_input_tokens == second.usage.cache_read_input_tokens
    assert second.usage.cache_creation_input_tokens == 0
    assert (first.usage.cache_creation_input_tokens or 0) > 100
    assert written.ephemeral_1h_input_tokens == (
        first.usage.cache_creation_input_tokens if ttl == "1h" else 0
    )
    assert first.usage.input_tokens == second.usage.input_tokens < 20


def test_count_tokens_equals_the_prompt(sim: LiveSimulator) -> None:
    with client(sim) as anthropic:
        counted = anthropic.messages.count_tokens(model=MODEL, messages=USER, system="be kind", tools=TOOLS)
        used = anthropic.messages.create(
            model=MODEL, messages=USER, system="be kind", tools=TOOLS, max_tokens=9
        ).usage
    assert counted.input_tokens == used.input_tokens > 10


def test_stops(sim: LiveSimulator) -> None:
    with client(sim) as anthropic:
        cut = anthropic.messages.create(model=MODEL, max_tokens=2, messages=USER)
        stopped = anthropic.messages.create(
            model=MODEL, max_tokens=99, messages=USER, stop_sequences=["You said"]
        )
    assert (cut.stop_reason, cut.usage.output_tokens) == ("max_tokens", 2)
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", "You said")


def test_models_page(sim: LiveSimulator) -> None:
    with client(sim) as anthropic:
        names = [model.id for model in anthropic.models.list()]
    assert MODEL in names


def test_errors_are_typed(sim: LiveSimulator) -> None:
    with client(sim, key="invalid") as anthropic, pytest.raises(AuthenticationError) as wrong:
        anthropic.messages.create(model=MODEL, max_tokens=9, messages=USER)
    assert wrong.value.request_id
    with client(sim) as anthropic, pytest.raises(NotFoundError):
        anthropic.messages.create(model="no-such-model", max_tokens=9, messages=USER)


def test_refusals(sim: LiveSimulator) -> None:
    good: dict[str, Any] = {"model": MODEL, "max_tokens": 2048, "messages": USER}
    image = [{"role": "user", "content": [{"type": "text", "text": ""}]}]
    cases: list[tuple[dict[str, Any], dict[str, str], str]] = [
        ({"max_tokens": None}, OLD, "max_tokens: Field required"),
        ({"max_tokens": 0}, OLD, "max_tokens"),
        ({"model": None}, OLD, "model: Field required"),
        ({"messages": None}, OLD, "messages: Field required"),
        ({"messages": []}, OLD, "at least one message"),
        ({"messages": image}, OLD, "non-empty"),
        ({"messages": [{"role": "tool", "content": "x"}]}, OLD, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, OLD, "messages.0.content"),
        ({"temperature": 1}, OLD | {"anthropic_version": "2026-10-21"}, "temperature: Extra inputs"),
        ({}, OLD | {"anthropic_version": ""}, "anthropic-version"),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, OLD, "1024"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, OLD, "greater than"),
        (
            {"model": "claude-opus-4-8", "thinking": {"type": "enabled", "budget_tokens": 1024}},
            OLD,
            "adaptive",
        ),
        ({"model": "claude-3-5-haiku-20241022", "thinking": {"type": "adaptive"}}, OLD, "adaptive"),
        (
            {"thinking": {"type": "adaptive"}, "tools": TOOLS, "tool_choice": {"type": "any"}},
            OLD,
            "tool_choice",
        ),
    ]
    for change, headers, word in cases:
        status, got, answer = sim.post("/v1/messages", good | change, **headers)
        error = json.loads(answer)
        assert status == 400, change
        assert error["type"] == "error"
        assert error["error"]["type"] == "invalid_request_error"
        assert word in error["error"]["message"], change
        assert error["request_id"] == got["request-id"]


def test_stream_keeps_the_laws(sim: LiveSimulator) -> None:
    body = {
        "model": MODEL,
        "max_tokens": 2048,
        "messages": USER,
        "stream": True,
        "thinking": {"type": "adaptive"},
    }
    _, headers, answer = sim.post("/v1/messages", body, **OLD)
    content, is_ended = dechunked(answer)
    assert is_ended
    assert headers["content-type"].startswith("text/event-stream")
    events = []
    for frame in content.decode().strip().split("\n\n"):
        name, data = frame.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    kinds = [event["type"] for event in events]
    assert kinds.count("message_start") == kinds.count("message_delta") == kinds.count("message_stop") == 1
    assert "ping" in kinds
    open_index = None
    starts = []
    for event in events:
        match event["type"]:
            case "content_block_start":
                assert open_index is None
                open_index = event["index"]
                starts.append(open_index)
            case "content_block_delta":
                assert event["index"] == open_index
            case "content_block_stop":
                open_index = None
    assert starts == [0, 1]


def test_results_must_lead_their_message(sim: LiveSimulator) -> None:
    called = {"type": "tool_use", "id": "toolu_1", "name": "clock", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "12:00"}
    text = {"type": "text", "text": "and now?"}
    for content, status in (([result, text], 200), ([text, result], 400)):
        messages = [*USER, {"role": "assistant", "content": [called]}, {"role": "user", "content": content}]
        body = {"model": MODEL, "max_tokens": 99, "messages": messages}
        assert sim.post("/v1/messages", body, **OLD)[0] == status
