"""DashScope's native text services, by the official SDK."""

import asyncio
import json
from http import HTTPStatus
from itertools import pairwise
from typing import Any

import dashscope
import pytest
from dashscope import AioGeneration, Generation, MultiModalConversation
from dashscope.api_entities.aio_session import close_shared_aio_session
from dashscope.v2.errors import AuthenticationError
from tests.support.simulation import LiveSimulator, dechunked

PATH = "/p/api/v1/services/aigc/text-generation/generation"
SAID: Any = [{"role": "user", "content": "hello"}]


def base(sim: LiveSimulator) -> dict[str, Any]:
    return {"api_key": "k", "base_address": sim.url + "/p/api/v1", "result_format": "message"}


def test_whole_and_stream(sim: LiveSimulator) -> None:
    asked: Any = {"model": "qwen3.7-max", "messages": SAID, "enable_thinking": True, **base(sim)}
    whole: Any = Generation.call(**asked)
    answer: Any = Generation.call(**asked, stream=True, incremental_output=True)
    frames: Any = [*answer]
    text = "".join(frame.output.choices[0].message.content for frame in frames)
    thought = "".join(frame.output.choices[0].message.get("reasoning_content", "") for frame in frames)
    message = whole.output.choices[0].message
    assert whole.status_code == HTTPStatus.OK
    assert message.content == text
    assert text.endswith("hello")
    assert message.reasoning_content == thought
    assert frames[-1].output.choices[0].finish_reason == "stop"
    assert frames[0].output.choices[0].finish_reason == "null"
    assert frames[-1].usage.output_tokens == whole.usage.output_tokens


def test_asyncio_stream(sim: LiveSimulator) -> None:
    async def talk() -> list[str]:
        answer: Any = await AioGeneration.call(
            model="qwen-plus", messages=SAID, stream=True, incremental_output=True, **base(sim)
        )
        pieces = [frame.output.choices[0].message.content async for frame in answer]
        await close_shared_aio_session()
        return pieces

    assert "".join(asyncio.run(talk())).endswith("hello")


def test_multimodal(sim: LiveSimulator) -> None:
    said: Any = [
        {"role": "user", "content": [{"image": "https://example.com/a.png"}, {"text": "what is it?"}]}
    ]
    asked = {name: value for name, value in base(sim).items() if name != "result_format"}
    answer: Any = MultiModalConversation.call(model="qwen3-vl-plus", messages=said, **asked)
    assert answer.output.choices[0].message.content[0]["text"].endswith("what is it?")


def test_tools_and_text_format(sim: LiveSimulator) -> None:
    tool = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}}
    asked: Any = {"model": "qwen-plus", "messages": [{"role": "user", "content": "use tool"}], **base(sim)}
    called: Any = Generation.call(**asked, tools=[tool])
    plain: Any = Generation.call(**asked | {"result_format": "text"})
    assert called.output.choices[0].finish_reason == "tool_calls"
    assert called.output.choices[0].message.tool_calls[0]["function"]["name"] == "clock"
    assert plain.output.text.endswith("use tool")


@pytest.mark.parametrize("incremental", [True, False])
def test_frames_have_the_native_spelling(sim: LiveSimulator, incremental: bool) -> None:
    body = {
        "model": "qwen-plus",
        "input": {"messages": SAID},
        "parameters": {"incremental_output": incremental, "result_format": "message"},
    }
    _, headers, answer = sim.post(PATH, body, x_dashscope_sse="enable")
    frames = dechunked(answer)[0].decode().removesuffix("\n\n").split("\n\n")
    texts = []
    for number, frame in enumerate(frames, 1):
        lines = frame.split("\n")
        assert lines[:3] == [f"id:{number}", "event:result", ":HTTP_STATUS/200"]
        data = json.loads(lines[3].removeprefix("data:"))
        assert data["usage"]["output_tokens"] >= 1
        texts.append(data["output"]["choices"][0]["message"]["content"])
    assert headers["content-type"] == "text/event-stream;charset=UTF-8"
    whole = "".join(texts) if incremental else texts[-1]
    assert whole.endswith("hello")
    if not incremental:
        assert all(late.startswith(early) for early, late in pairwise(texts))


def test_refusals(sim: LiveSimulator) -> None:
    cases: list[tuple[dict[str, Any], dict[str, str], int, str]] = [
        ({"input": None}, {}, 400, "BadRequest.EmptyInput"),
        ({"input": {"messages": []}}, {}, 400, "InvalidParameter"),
        ({"model": None}, {}, 400, "BadRequest.EmptyModel"),
        ({}, {"x_dashscope_async": "enable"}, 403, "AccessDenied"),
        ({}, {"authorization": ""}, 401, "InvalidApiKey"),
    ]
    for change, headers, status, code in cases:
        body = {"model": "qwen-plus", "input": {"messages": SAID}} | change
        got, _, answer = sim.post(PATH, body, **headers)
        assert (got, json.loads(answer)["code"]) == (status, code)


@pytest.mark.parametrize(
    ("protocol", "path"),
    [("native", "/p/api/v1"), ("openai", "/p/compatible-mode/v1"), ("anthropic", "/p/apps/anthropic")],
)
def test_second_generation_client(sim: LiveSimulator, protocol: Any, path: str) -> None:
    client: Any = dashscope.Client(api_key="k", base_url=sim.url + path, protocol=protocol)
    stranger: Any = dashscope.Client(api_key="invalid", base_url=sim.url + path, protocol=protocol)
    asked: Any = {"model": "qwen-plus", "messages": SAID, "max_tokens": 99}
    try:
        whole = client.chat.completions.create(**asked)
        chunks = list(client.chat.completions.create(**asked, stream=True))
        with pytest.raises(AuthenticationError):
            stranger.chat.completions.create(**asked)
    finally:
        client.close()
        stranger.close()
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert whole.choices[0].message.content == streamed
    assert streamed.endswith("hello")
    assert chunks[-1].usage.output_tokens == whole.usage.output_tokens > 1
