"""The anthropic SDK for Python: messages whole and streamed, tools, thinking, counting, models, errors."""

import uuid
from typing import Any

import anthropic
import pytest
from tests.support.live import Live, SimulatorControl
from tests.support.live_clients import anthropic_async, anthropic_client, drive

pytestmark = pytest.mark.conformance

CLAUDE = "anthropic/claude-opus-4.6"
PINNED = f"anthropic_global@{CLAUDE}@anthropic"
QWEN = "qwen/qwen3.7-max"
MODELS = [CLAUDE, QWEN]
BASES = ["", "/v1"]
"""The base with ``/v1`` is the product page's; the SDK then calls ``/v1/v1/messages``."""
HELLO: Any = [{"role": "user", "content": "hello"}]
TOOLS: Any = [
    {
        "name": "get_weather",
        "input_schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
        },
    },
    {
        "name": "get_time",
        "input_schema": {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]},
    },
]


def create(client: anthropic.Anthropic, model: str = CLAUDE, **more: Any) -> Any:
    return client.messages.create(model=model, max_tokens=256, messages=more.pop("messages", HELLO), **more)


def error_of(error: anthropic.APIStatusError) -> dict[str, Any]:
    """The whole body: the family's shape with everything that an error of ours holds."""
    body = error.body
    assert isinstance(body, dict)
    assert body["type"] == "error"
    assert body["request_id"] == error.request_id
    inner: dict[str, Any] = body["error"]
    assert inner["message"]
    assert inner["source"] in {"gateway", "upstream"}
    assert "retry_history" in inner
    return inner


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("model", MODELS)
def test_whole(live: Live, simulator: SimulatorControl, base: str, model: str) -> None:
    with anthropic_client(live, base) as client:
        answer = create(client, model)
    assert answer.content[0].text.endswith("You said: hello")
    assert answer.stop_reason == "end_turn"
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0
    assert simulator.one("/v1/messages").provider.startswith("anthropic" if model == CLAUDE else "aliyun")
    record = live.record(answer._request_id)
    assert record.interface == "anthropic"
    assert (record.usage.input_tokens, record.usage.output_tokens) == (
        answer.usage.input_tokens,
        answer.usage.output_tokens,
    )


@pytest.mark.parametrize("base", BASES)
def test_whole_async(live: Live, base: str) -> None:
    async def main() -> Any:
        async with anthropic_async(live, base) as client:
            return await client.messages.create(model=CLAUDE, max_tokens=256, messages=HELLO)

    answer = drive(main())
    assert answer.content[0].text.endswith("You said: hello")
    assert answer._request_id


@pytest.mark.parametrize("model", MODELS)
def test_stream_events_come_in_order(live: Live, model: str) -> None:
    with anthropic_client(live) as client:
        events = list(create(client, model, stream=True))
    kinds = [event.type for event in events if event.type != "ping"]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds[1] == "content_block_start"
    assert kinds[-3] == "content_block_stop"
    assert set(kinds[2:-3]) == {"content_block_delta"}
    assert events[-2].usage.output_tokens > 0
    assert events[0].message.usage.input_tokens > 0


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("model", MODELS)
def test_stream_helper(live: Live, base: str, model: str) -> None:
    with (
        anthropic_client(live, base) as client,
        client.messages.stream(model=model, max_tokens=256, messages=HELLO) as stream,
    ):
        text = "".join(stream.text_stream)
        final: Any = stream.get_final_message()
    assert text == final.content[0].text
    assert text.endswith("You said: hello")
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens > 0


def test_stream_helper_async(live: Live) -> None:
    async def main() -> Any:
        async with (
            anthropic_async(live) as client,
            client.messages.stream(model=CLAUDE, max_tokens=256, messages=HELLO) as stream,
        ):
            text = "".join([piece async for piece in stream.text_stream])
            return text, await stream.get_final_message()

    text, final = drive(main())
    assert text == final.content[0].text
    assert final.usage.input_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_stream_helper_assembles_tool_calls(live: Live, model: str) -> None:
    with (
        anthropic_client(live) as client,
        client.messages.stream(
            model=model, max_tokens=256, messages=[{"role": "user", "content": "use tools"}], tools=TOOLS
        ) as stream,
    ):
        partial = [event.partial_json for event in stream if event.type == "input_json"]
        final = stream.get_final_message()
    calls = [block for block in final.content if block.type == "tool_use"]
    assert [(call.name, call.input) for call in calls] == [
        ("get_weather", {"city": "simulated", "days": 1}),
        ("get_time", {"zone": "simulated"}),
    ]
    assert "".join(partial) == '{"city":"simulated","days":1}{"zone":"simulated"}'
    assert final.stop_reason == "tool_use"


def test_tool_loop(live: Live) -> None:
    messages: Any = [{"role": "user", "content": "use tool"}]
    with anthropic_client(live) as client:
        first = create(client, messages=messages, tools=TOOLS)
        call = first.content[0]
        messages += [
            {
                "role": "assistant",
                "content": [block.model_dump(exclude_none=True) for block in first.content],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}],
            },
        ]
        second = create(client, messages=messages, tools=TOOLS)
    assert call.name == "get_weather"
    assert second.content[0].text == "[simulated] The tool answered: sunny"


def test_thinking_is_streamed_with_its_signature_and_can_be_sent_back(live: Live) -> None:
    thinking: Any = {"type": "adaptive"}
    with anthropic_client(live) as client:
        with client.messages.stream(
            model=CLAUDE, max_tokens=2048, messages=HELLO, thinking=thinking
        ) as stream:
            final: Any = stream.get_final_message()
        again: Any = client.messages.create(
            model=CLAUDE,
            max_tokens=2048,
            thinking=thinking,
            messages=[
                *HELLO,
                {"role": "assistant", "content": final.content},
                {"role": "user", "content": "and now?"},
            ],
        )
    assert final.content[0].type == "thinking"
    assert final.content[0].thinking
    assert final.content[0].signature
    assert [block.type for block in final.content] == ["thinking", "text"]
    assert again.content[-1].text.endswith("and now?")


def test_prompt_cache_marks_reach_the_upstream_and_are_counted(
    live: Live, simulator: SimulatorControl
) -> None:
    # Of this test alone: the stack is shared, and the older SDKs run this very test against it as well.
    preamble = f"a long and repeated preamble {uuid.uuid4()} " * 60
    system: Any = [{"type": "text", "text": preamble, "cache_control": {"type": "ephemeral"}}]
    with anthropic_client(live) as client:
        first = create(client, PINNED, system=system)
        second = create(client, PINNED, system=system)
    assert first.usage.cache_creation_input_tokens > 0
    assert second.usage.cache_read_input_tokens == first.usage.cache_creation_input_tokens
    assert simulator.seen("/messages")[0].json["system"] == system
    usage = live.record(second._request_id).usage
    assert usage.cached_tokens == second.usage.cache_read_input_tokens
    # Anthropic leaves the cached tokens out of input_tokens; a record counts the whole prompt.
    assert usage.input_tokens == second.usage.input_tokens + second.usage.cache_read_input_tokens
    written = live.record(first._request_id).usage
    assert written.cache_write_tokens == first.usage.cache_creation_input_tokens


@pytest.mark.parametrize("base", BASES)
def test_count_tokens(live: Live, base: str) -> None:
    with anthropic_client(live, base) as client:
        counted = client.messages.count_tokens(model=CLAUDE, messages=HELLO)
        more = client.messages.count_tokens(
            model=CLAUDE, messages=HELLO, system="be brief " * 20, tools=TOOLS
        )
    assert counted.input_tokens > 0
    assert more.input_tokens > counted.input_tokens


def test_count_tokens_where_the_upstream_cannot(live: Live, simulator: SimulatorControl) -> None:
    """Bailian has no such path: the gateway estimates, and an estimate is no undercount."""
    with anthropic_client(live) as client:
        answer = client.messages.with_raw_response.count_tokens(
            model=QWEN, messages=[{"role": "user", "content": "a word or two " * 50}]
        )
        real = create(client, QWEN, messages=[{"role": "user", "content": "a word or two " * 50}])
    assert answer.parse().input_tokens >= real.usage.input_tokens * 0.9
    assert not simulator.seen("/count_tokens")


@pytest.mark.parametrize("base", BASES)
def test_models_list_and_retrieve(live: Live, base: str) -> None:
    with anthropic_client(live, base) as client:
        page = client.models.list(limit=1000)
        names = [model.id for model in client.models.list()]
        one = client.models.retrieve(CLAUDE)
    assert [model.id for model in page.data] == names
    assert page.has_more is False
    assert {CLAUDE, QWEN} <= set(names)
    assert one.type == "model"
    assert one.display_name
    assert one.created_at.year >= 2024


def test_models_async(live: Live) -> None:
    async def main() -> list[str]:
        async with anthropic_async(live) as client:
            return [model.id async for model in client.models.list()]

    assert CLAUDE in drive(main())


def test_what_anthropic_headers_reach_the_upstream(live: Live, simulator: SimulatorControl) -> None:
    with anthropic_client(live) as client:
        client.beta.messages.create(
            model=CLAUDE, max_tokens=16, messages=HELLO, betas=["context-1m-2025-08-07", "made-up-2026-01-01"]
        )
    seen = simulator.one("/messages")
    assert seen.headers["anthropic-beta"] == "context-1m-2025-08-07,made-up-2026-01-01"
    assert seen.headers["anthropic-version"]
    assert live.key not in str(seen.headers)


@pytest.mark.parametrize("base", BASES)
def test_wrong_key(live: Live, base: str) -> None:
    with (
        anthropic_client(live, base, key="ck-wrong") as client,
        pytest.raises(anthropic.AuthenticationError) as caught,
    ):
        create(client)
    error = error_of(caught.value)
    assert error["type"] == "authentication_error"
    assert error["code"] == "GATEWAY_INVALID_VIRTUAL_KEY"
    assert caught.value.request_id


def test_wrong_key_async(live: Live) -> None:
    async def main() -> None:
        async with anthropic_async(live, key="ck-wrong") as client:
            await client.messages.create(model=CLAUDE, max_tokens=16, messages=HELLO)

    with pytest.raises(anthropic.AuthenticationError):
        drive(main())


def test_bad_request_from_the_upstream_word_for_word(live: Live, simulator: SimulatorControl) -> None:
    with anthropic_client(live, max_retries=2) as client, pytest.raises(anthropic.BadRequestError) as caught:
        client.messages.create(model=CLAUDE, max_tokens=0, messages=HELLO)
    upstream = simulator.one("/messages")
    error = error_of(caught.value)
    assert upstream.status == 400
    assert error["source"] == "upstream"
    assert error["type"] == "invalid_request_error"
    assert "max_tokens" in error["message"]
    assert "[aimesh]" not in error["message"]


def test_unknown_model(live: Live) -> None:
    with anthropic_client(live) as client, pytest.raises(anthropic.BadRequestError) as caught:
        create(client, "claude-nobody")
    assert error_of(caught.value)["code"] == "GATEWAY_MODEL_NOT_RESOLVED"


def test_an_unknown_model_is_not_found(live: Live) -> None:
    with anthropic_client(live) as client, pytest.raises(anthropic.NotFoundError) as caught:
        client.models.retrieve("claude-nobody")
    assert error_of(caught.value)["type"] == "not_found_error"


def test_rate_limit(live: Live, simulator: SimulatorControl) -> None:
    simulator.fault("status", status=429)
    with anthropic_client(live) as client, pytest.raises(anthropic.RateLimitError) as caught:
        create(client)
    error = error_of(caught.value)
    assert error["type"] == "rate_limit_error"
    assert error["retry_history"][0]["status"] == 429


def test_a_wait_of_a_day_never_puts_the_sdk_to_sleep(live: Live, simulator: SimulatorControl) -> None:
    """The SDK sleeps for whatever Retry-After says, without a limit."""
    simulator.fault("status", status=429, headers={"retry-after": "86400"})
    with anthropic_client(live, max_retries=2) as client, pytest.raises(anthropic.RateLimitError) as caught:
        create(client, PINNED)
    assert "retry-after" not in caught.value.response.headers
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(simulator.seen("/messages")) == 1


@pytest.mark.parametrize("status", [500, 503, 529])
def test_overload(live: Live, simulator: SimulatorControl, status: int) -> None:
    simulator.fault("status", status=status)
    with anthropic_client(live) as client, pytest.raises(anthropic.InternalServerError) as caught:
        create(client)
    assert error_of(caught.value)["retry_history"][0]["status"] == status
    assert caught.value.status_code == 502


def test_the_callers_own_timeout(live: Live, simulator: SimulatorControl) -> None:
    simulator.fault("head_then_silence")
    with anthropic_client(live) as client, pytest.raises(anthropic.APITimeoutError):
        create(client.with_options(timeout=0.5))


@pytest.mark.parametrize("kind", ["error_event_after_chunks", "cut_after_chunks", "reset_after_chunks"])
def test_a_stream_that_breaks_raises(live: Live, simulator: SimulatorControl, kind: str) -> None:
    simulator.fault("slow_chunks_ms", n=5)
    simulator.fault(kind, n=5)
    events: list[Any] = []
    with anthropic_client(live) as client, pytest.raises(anthropic.APIStatusError) as caught:
        events.extend(create(client, stream=True))
    kinds = [event.type for event in events]
    assert kinds[0] == "message_start"
    assert "message_stop" not in kinds
    body = caught.value.body
    assert isinstance(body, dict)
    assert body["type"] == "error"
    assert body["error"]["message"]


def test_raw_response_headers(live: Live) -> None:
    with anthropic_client(live) as client:
        answer = client.messages.with_raw_response.create(model=CLAUDE, max_tokens=16, messages=HELLO)
    assert answer.headers["request-id"]
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
    assert answer.parse().usage.output_tokens > 0
