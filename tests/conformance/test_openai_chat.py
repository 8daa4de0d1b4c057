"""The openai SDK for Python: chat completions, whole and streamed, both doors, sync and async."""

from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionChunk
from pydantic import BaseModel
from tests.support.live import Live, SimulatorControl
from tests.support.live_clients import drive, openai_async, openai_client

pytestmark = pytest.mark.conformance

QWEN = "qwen/qwen3.7-max"
PINNED = f"aliyun_bailian_bj@{QWEN}@open_ai"
"""One endpoint of several at the same price."""
DOUBAO = "doubao-seed-2.0-pro"
DOORS = [("/v1", QWEN), ("/api/v3", DOUBAO), ("/v1", DOUBAO), ("/api/v3", QWEN)]
HELLO: Any = [{"role": "user", "content": "hello"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}
CLOCK: Any = {
    "type": "function",
    "function": {
        "name": "get_time",
        "parameters": {
            "type": "object",
            "properties": {"zone": {"type": "string"}},
            "required": ["zone"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def check_order(chunks: list[ChatCompletionChunk], *, with_usage: bool) -> None:
    """Role first and once, finish last but for the usage, one identity throughout."""
    roles = [chunk.choices[0].delta.role for chunk in chunks if chunk.choices]
    assert roles[0] == "assistant"
    assert not any(roles[1:])
    finishes = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    assert finishes[-1] is not None
    assert not any(finishes[:-1])
    assert len({(chunk.id, chunk.model, chunk.created) for chunk in chunks}) == 1
    usages = [chunk for chunk in chunks if chunk.usage is not None]
    if with_usage:
        assert usages == [chunks[-1]]
        assert not chunks[-1].choices
        assert chunks[-1].usage
        assert chunks[-1].usage.prompt_tokens > 0
        assert chunks[-1].usage.completion_tokens > 0
    else:
        assert not usages
        assert all(chunk.choices for chunk in chunks)


@pytest.mark.parametrize(("door", "model"), DOORS)
def test_whole(live: Live, door: str, model: str) -> None:
    with openai_client(live, door) as client:
        answer = client.chat.completions.create(model=model, messages=HELLO)
    assert answer.choices[0].message.content
    assert answer.choices[0].message.content.endswith("You said: hello")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens > 0
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    record = live.record(answer._request_id)
    assert record.model == model
    assert record.usage.input_tokens == answer.usage.prompt_tokens
    assert record.usage.output_tokens == answer.usage.completion_tokens
    assert record.usage.reported


@pytest.mark.parametrize(("door", "model"), DOORS)
def test_whole_async(live: Live, door: str, model: str) -> None:
    async def main() -> Any:
        async with openai_async(live, door) as client:
            return await client.chat.completions.create(model=model, messages=HELLO)

    answer = drive(main())
    assert answer.choices[0].message.content.endswith("You said: hello")
    assert answer.usage.completion_tokens > 0
    assert answer._request_id


@pytest.mark.parametrize(("door", "model"), DOORS)
def test_stream(live: Live, door: str, model: str) -> None:
    with openai_client(live, door) as client:
        whole = client.chat.completions.create(model=model, messages=HELLO)
        chunks = list(client.chat.completions.create(model=model, messages=HELLO, stream=True))
    assert text_of(chunks) == whole.choices[0].message.content
    check_order(chunks, with_usage=False)


@pytest.mark.parametrize(("door", "model"), DOORS)
def test_stream_with_usage(live: Live, door: str, model: str) -> None:
    with openai_client(live, door) as client:
        chunks = list(
            client.chat.completions.create(
                model=model, messages=HELLO, stream=True, stream_options={"include_usage": True}
            )
        )
    assert text_of(chunks).startswith("[simulated]")
    check_order(chunks, with_usage=True)


@pytest.mark.parametrize(("door", "model"), DOORS[:2])
def test_stream_async(live: Live, door: str, model: str) -> None:
    async def main() -> list[ChatCompletionChunk]:
        async with openai_async(live, door) as client:
            stream = await client.chat.completions.create(
                model=model, messages=HELLO, stream=True, stream_options={"include_usage": True}
            )
            return [chunk async for chunk in stream]

    chunks = drive(main())
    assert text_of(chunks).endswith("You said: hello")
    check_order(chunks, with_usage=True)


@pytest.mark.parametrize(("door", "model"), DOORS[:2])
def test_usage_that_was_not_asked_for_is_withheld_and_recorded(
    live: Live, simulator: SimulatorControl, door: str, model: str
) -> None:
    with (
        openai_client(live, door) as client,
        client.chat.completions.with_streaming_response.create(
            model=model, messages=HELLO, stream=True
        ) as answer,
    ):
        text = answer.read().decode()
        request_id = answer.headers["x-request-id"]
    frames = [frame for frame in text.split("\n\n") if frame]
    assert frames[-1] == "data: [DONE]"
    assert '"choices":[]' not in text
    assert "total_tokens" not in text
    assert simulator.one("/chat/completions").json["stream_options"]["include_usage"] is True
    usage = live.record(request_id).usage
    assert usage.reported
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0


def test_stream_helper_assembles_text(live: Live) -> None:
    kinds: list[str] = []
    with (
        openai_client(live) as client,
        client.chat.completions.stream(
            model=QWEN, messages=HELLO, stream_options={"include_usage": True}
        ) as stream,
    ):
        kinds.extend(event.type for event in stream)
        final = stream.get_final_completion()
    assert kinds.count("content.done") == 1
    assert kinds.index("content.delta") < kinds.index("content.done")
    assert final.choices[0].message.content
    assert final.choices[0].message.content.endswith("You said: hello")
    assert final.usage
    assert final.usage.completion_tokens > 0


def test_stream_helper_assembles_tool_calls(live: Live) -> None:
    with (
        openai_client(live) as client,
        client.chat.completions.stream(
            model=QWEN, messages=[{"role": "user", "content": "use tools"}], tools=[WEATHER, CLOCK]
        ) as stream,
    ):
        done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
        final = stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert calls
    assert [call.function.name for call in calls] == ["get_weather", "get_time"]
    assert [call.function.parsed_arguments for call in calls] == [
        {"city": "simulated", "days": 1},
        {"zone": "simulated"},
    ]
    assert [event.name for event in done] == ["get_weather", "get_time"]
    assert len({call.id for call in calls}) == 2
    assert final.choices[0].finish_reason == "tool_calls"


def test_stream_helper_async_assembles_tool_calls(live: Live) -> None:
    async def main() -> Any:
        async with (
            openai_async(live, "/api/v3") as client,
            client.chat.completions.stream(
                model=DOUBAO, messages=[{"role": "user", "content": "use tool"}], tools=[WEATHER]
            ) as stream,
        ):
            return await stream.get_final_completion()

    final = drive(main())
    assert final.choices[0].message.tool_calls[0].function.parsed_arguments == {
        "city": "simulated",
        "days": 1,
    }
    assert final.choices[0].finish_reason == "tool_calls"


def test_tool_loop(live: Live) -> None:
    """Call, result, answer: the second turn carries the first one's tool call back."""
    messages: Any = [{"role": "user", "content": "use tool"}]
    with openai_client(live) as client:
        first = client.chat.completions.create(
            model=QWEN, messages=messages, tools=[WEATHER], tool_choice="required"
        )
        call = (first.choices[0].message.tool_calls or [])[0]
        messages += [
            first.choices[0].message.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
        ]
        second = client.chat.completions.create(model=QWEN, messages=messages, tools=[WEATHER])
    assert first.choices[0].finish_reason == "tool_calls"
    assert second.choices[0].message.content == "[simulated] The tool answered: sunny"


class Place(BaseModel):
    city: str
    days: int


@pytest.mark.parametrize(("door", "model"), DOORS[:2])
def test_structured_output_is_parsed(live: Live, door: str, model: str) -> None:
    with openai_client(live, door) as client:
        answer = client.chat.completions.parse(model=model, messages=HELLO, response_format=Place)
    assert answer.choices[0].message.parsed == Place(city="simulated", days=1)


def test_reasoning_comes_before_content(live: Live) -> None:
    with openai_client(live, "/api/v3") as client:
        chunks = list(client.chat.completions.create(model=DOUBAO, messages=HELLO, stream=True))
    deltas = [chunk.choices[0].delta for chunk in chunks]
    thinking = [at for at, delta in enumerate(deltas) if getattr(delta, "reasoning_content", None)]
    speaking = [at for at, delta in enumerate(deltas) if delta.content]
    assert thinking
    assert max(thinking) < min(speaking)


def test_a_pinned_endpoint_is_called(live: Live, simulator: SimulatorControl) -> None:
    with openai_client(live) as client:
        answer = client.chat.completions.create(model=PINNED, messages=HELLO)
    assert answer.choices[0].message.content
    assert simulator.one("/chat/completions").provider == "aliyun_bailian_bj"
    assert live.record(answer._request_id).endpoint == PINNED


def test_several_choices_and_sampling(live: Live, simulator: SimulatorControl) -> None:
    with openai_client(live) as client:
        answer = client.chat.completions.create(
            model=QWEN,
            messages=HELLO,
            n=2,
            temperature=0.7,
            top_p=0.9,
            seed=7,
            stop=["You said"],
            max_tokens=50,
        )
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert all("You said" not in (choice.message.content or "") for choice in answer.choices)
    sent = simulator.one("/chat/completions").json
    assert (sent["temperature"], sent["top_p"], sent["seed"], sent["n"]) == (0.7, 0.9, 7, 2)


def test_a_cut_answer_says_length(live: Live) -> None:
    with openai_client(live) as client:
        answer = client.chat.completions.create(model=QWEN, messages=HELLO, max_tokens=3)
    assert answer.choices[0].finish_reason == "length"


def test_prompt_cache_is_reported_and_recorded(live: Live) -> None:
    messages: Any = [{"role": "system", "content": "a long and repeated preamble " * 40}, *HELLO]
    with openai_client(live) as client:
        answers = [client.chat.completions.create(model=PINNED, messages=messages) for _ in range(2)]
    usage = answers[1].usage
    assert usage
    assert usage.prompt_tokens_details
    assert usage.prompt_tokens_details.cached_tokens
    record = live.record(answers[1]._request_id)
    assert record.usage.cached_tokens == usage.prompt_tokens_details.cached_tokens


def test_raw_response_shows_our_request_id_and_the_upstreams(live: Live) -> None:
    with openai_client(live) as client:
        answer = client.chat.completions.with_raw_response.create(model=QWEN, messages=HELLO)
    assert answer.request_id
    assert answer.headers["request-id"] == answer.request_id
    assert answer.headers["x-upstream-request-id"] != answer.request_id
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.parse(), openai.types.chat.ChatCompletion)
