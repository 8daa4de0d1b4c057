"""Chat, by the official SDKs and by hand."""

import asyncio
import json
from typing import Any

import pytest
from openai import AsyncOpenAI, AuthenticationError, BadRequestError, NotFoundError, OpenAI, RateLimitError
from tests.support.simulation import LiveSimulator
from volcenginesdkarkruntime import Ark, AsyncArk

from aimesh.simulator.chat import thinks

PREFIXES = ("/v1", "/some_provider/v1", "/p/compatible-mode/v1", "/p/api/v3", "/p/v4")
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 3}},
        },
    },
}
CLOCK: dict[str, Any] = {"type": "function", "function": {"name": "clock"}}


def openai(sim: LiveSimulator, prefix: str = "/v1", key: str = "k") -> OpenAI:
    return OpenAI(base_url=sim.url + prefix, api_key=key, max_retries=0)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_whole_answer(sim: LiveSimulator, prefix: str) -> None:
    with openai(sim, prefix) as client:
        answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}])
    assert (answer.choices[0].message.content or "").startswith("[simulated]")
    assert (answer.choices[0].message.content or "").endswith("hello")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("asks_usage", [True, False])
def test_stream(sim: LiveSimulator, prefix: str, asks_usage: bool) -> None:
    options: Any = {"stream_options": {"include_usage": True}} if asks_usage else {}
    with openai(sim, prefix) as client:
        chunks = list(
            client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "hi there"}], stream=True, **options
            )
        )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text.endswith("hi there")
    assert len({chunk.id for chunk in chunks}) == 1
    assert [bool(chunk.usage) for chunk in chunks[:-1]] == [False] * (len(chunks) - 1)
    assert (chunks[-1].usage is not None) is asks_usage
    assert (chunks[-1].choices == []) is asks_usage


def test_openai_async(sim: LiveSimulator) -> None:
    async def talk() -> tuple[str | None, str]:
        async with AsyncOpenAI(base_url=sim.url + "/v1", api_key="k") as client:
            said: Any = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
            whole = await client.chat.completions.create(**said)
            stream = await client.chat.completions.create(**said, stream=True)
            text = [chunk.choices[0].delta.content or "" async for chunk in stream]
            return whole.choices[0].message.content, "".join(text)

    whole, streamed = asyncio.run(talk())
    assert whole == streamed


def test_tools_whole_and_by_the_stream_helper(sim: LiveSimulator) -> None:
    asked: Any = {
        "model": "m",
        "messages": [{"role": "user", "content": "please use tools"}],
        "tools": [TOOL, CLOCK],
    }
    with openai(sim) as client:
        whole = client.chat.completions.create(**asked)
        with client.chat.completions.stream(**asked) as stream:
            streamed = stream.get_final_completion()
    for answer in (whole, streamed):
        calls: Any = answer.choices[0].message.tool_calls
        assert [call.function.name for call in calls] == ["weather", "clock"]
        assert json.loads(calls[0].function.arguments) == {"city": "simulated", "days": 3}
        assert answer.choices[0].finish_reason == "tool_calls"
        assert len({call.id for call in calls}) == 2


def test_tool_choice_and_the_turn_after_the_tool(sim: LiveSimulator) -> None:
    with openai(sim) as client:
        asked: Any = {"model": "m", "messages": [{"role": "user", "content": "x"}], "tools": [TOOL, CLOCK]}
        asked["tool_choice"] = {"type": "function", "function": {"name": "clock"}}
        forced = client.chat.completions.create(**asked)
        call: Any = (forced.choices[0].message.tool_calls or [])[0]
        tools: Any = [CLOCK]
        history: Any = [
            {"role": "user", "content": "use tool"},
            {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]},
            {"role": "tool", "tool_call_id": call.id, "content": "12:00"},
        ]
        after = client.chat.completions.create(model="m", messages=history, tools=tools)
    assert call.function.name == "clock"
    assert (after.choices[0].message.content or "").endswith("12:00")


def test_reasoning_is_shown_when_thinking(sim: LiveSimulator) -> None:
    asked: Any = {"model": "qwen3.7-max", "messages": [{"role": "user", "content": "x"}]}
    asked["extra_body"] = {"enable_thinking": True}
    with openai(sim, "/p/compatible-mode/v1") as client:
        whole = client.chat.completions.create(**asked)
        chunks = list(client.chat.completions.create(**asked, stream=True))
        quiet = client.chat.completions.create(model="qwen3.7-max", messages=asked["messages"])
    thought = whole.choices[0].message.reasoning_content
    order = ["r" if getattr(c.choices[0].delta, "reasoning_content", None) else "c" for c in chunks[1:-1]]
    assert thought.startswith("[simulated]")
    assert "".join(order).lstrip("r").strip("c") == ""
    assert order[0] == "r"
    usage: Any = whole.usage
    assert usage.completion_tokens_details.reasoning_tokens == order.count("r")
    assert not hasattr(quiet.choices[0].message, "reasoning_content")


def test_prompt_seen_before_is_cached(sim: LiveSimulator) -> None:
    system = "You are a patient assistant of the cache test. " * 20
    with openai(sim, "/cache_test/v1") as client:
        cached = []
        for text in ("one", "two"):
            answer: Any = client.chat.completions.create(
                model="m", messages=[{"role": "system", "content": system}, {"role": "user", "content": text}]
            )
            cached.append(answer.usage.prompt_tokens_details.cached_tokens)
    assert cached[0] == 0
    assert 200 < cached[1] < answer.usage.prompt_tokens


def test_limits_stops_choices_and_json(sim: LiveSimulator) -> None:
    user: Any = [{"role": "user", "content": "alpha END beta"}]
    with openai(sim) as client:
        short = client.chat.completions.create(model="m", messages=user, max_completion_tokens=3)
        stopped = client.chat.completions.create(model="m", messages=user, stop=["END"])
        two = client.chat.completions.create(model="m", messages=user, n=2)
        schema: Any = {"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"enum": ["q"]}}}
        form: Any = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
        shaped = client.chat.completions.create(model="m", messages=user, response_format=form)
    assert (short.choices[0].finish_reason, getattr(short.usage, "completion_tokens", 0)) == ("length", 3)
    assert (stopped.choices[0].message.content or "").endswith("alpha ")
    assert [choice.index for choice in two.choices] == [0, 1]
    assert json.loads(shaped.choices[0].message.content or "") == {"a": True, "b": "q"}


def test_errors_are_typed(sim: LiveSimulator) -> None:
    user: Any = [{"role": "user", "content": "x"}]
    for prefix in PREFIXES:
        with openai(sim, prefix, key="invalid") as client, pytest.raises(AuthenticationError):
            client.chat.completions.create(model="m", messages=user)
        with openai(sim, prefix) as client:
            with pytest.raises(NotFoundError):
                client.chat.completions.create(model="no-such-model", messages=user)
            with pytest.raises(BadRequestError) as bad:
                client.chat.completions.create(model="m", messages=[])
            assert "messages" in bad.value.message
    sim.fault("status", status=429, headers={"retry-after": "2"}, times=1)
    with openai(sim) as client, pytest.raises(RateLimitError) as limited:
        client.chat.completions.create(model="m", messages=user)
    assert limited.value.response.headers["retry-after"] == "2"
    assert limited.value.code == "rate_limit_exceeded"


def test_refusals_of_each_dialect(sim: LiveSimulator) -> None:
    user = [{"role": "user", "content": "x"}]
    cases: list[tuple[str, dict[str, Any], int, str]] = [
        ("/v1", {"messages": user}, 400, "model parameter"),
        ("/v1", {"model": "m", "messages": user, "stream_options": {}}, 400, "stream_options"),
        (
            "/v1",
            {"model": "m", "messages": user, "max_tokens": 1, "max_completion_tokens": 1},
            400,
            "exclusive",
        ),
        ("/v1", {"model": "m", "messages": user, "n": 0}, 400, "n must"),
        ("/v1", {"model": "m", "messages": [{"role": "robot", "content": "x"}]}, 400, "robot"),
        ("/v1", {"model": "m", "messages": [{"role": "tool", "content": "x"}]}, 400, "tool_call_id"),
        ("/v1", {"model": "m", "messages": [{"role": "user"}]}, 400, "content"),
        ("/p/compatible-mode/v1", {"model": "m", "messages": user, "temperature": 2}, 400, "Temperature"),
        (
            "/p/compatible-mode/v1",
            {"model": "qwen3-32b", "messages": user, "enable_thinking": True},
            400,
            "false",
        ),
        (
            "/p/compatible-mode/v1",
            {"model": "m", "messages": user, "response_format": {"type": "json_object"}},
            400,
            "json",
        ),
        (
            "/api/v3",
            {"model": "m", "messages": [{"role": "developer", "content": "x"}]},
            400,
            "messages.role",
        ),
        ("/api/v3", {"model": "m"}, 400, "messages"),
    ]
    for prefix, body, status, word in cases:
        got, _, answer = sim.post(f"{prefix}/chat/completions", body)
        assert got == status, body
        error = json.loads(answer)["error"]
        assert word in error["message"], body
        if prefix == "/api/v3":
            assert error["type"] == "BadRequest"
            assert error["code"] in {"InvalidParameter", "MissingParameter"}


def test_ark_sdk_whole_and_streamed(sim: LiveSimulator) -> None:
    client = Ark(base_url=sim.url + "/ark/api/v3", api_key="k", max_retries=0)
    user: Any = [{"role": "user", "content": "x"}]
    whole: Any = client.chat.completions.create(model="doubao-seed-2.0-pro", messages=user)
    stream: Any = client.chat.completions.create(
        model="doubao-seed-2.0-pro", messages=user, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    silent: Any = client.chat.completions.create(
        model="doubao-seed-2.0-pro", messages=user, thinking={"type": "disabled"}
    )
    assert whole.model == "doubao-seed-2-0-pro-260215"
    assert whole.choices[0].message.reasoning_content
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens
    assert (
        "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        == whole.choices[0].message.content
    )
    assert silent.usage.completion_tokens_details.reasoning_tokens == 0


def test_ark_running_usage_and_async(sim: LiveSimulator) -> None:
    async def talk() -> list[Any]:
        async with AsyncArk(base_url=sim.url + "/ark/api/v3", api_key="k", max_retries=0) as client:
            stream: Any = await client.chat.completions.create(
                model="doubao-seed-2.0-pro",
                messages=[{"role": "user", "content": "x"}],
                stream=True,
                stream_options={"include_usage": True, "chunk_include_usage": True},
            )
            return [chunk async for chunk in stream]

    chunks = asyncio.run(talk())
    running = [chunk.usage.completion_tokens for chunk in chunks[:-2]]
    assert running == list(range(len(running)))


def test_thinking_switches() -> None:
    assert thinks("doubao-seed-2.0-pro", {})
    assert thinks("qwen3.7-max", {"thinking": {"type": "enabled"}})
    assert not thinks("doubao-seed-2.0-pro", {"thinking": {"type": "disabled"}})
    assert not thinks("deepseek-v4-pro", {"reasoning_effort": "minimal"})
    assert thinks("gpt-5", {"reasoning_effort": "high"})
    assert not thinks("qwen3.7-max", {"enable_thinking": False, "reasoning_effort": "high"})
