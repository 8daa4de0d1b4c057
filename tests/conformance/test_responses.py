"""The openai SDK's Responses interface, on both doors."""

from typing import Any

import openai
import pytest
from tests.support.live import Live, SimulatorControl
from tests.support.live_clients import drive, openai_async, openai_client

pytestmark = pytest.mark.conformance

QWEN = "qwen/qwen3.7-max"
DOUBAO = "doubao-seed-2.0-pro"
DOORS = [("/v1", QWEN), ("/api/v3", DOUBAO)]
TOOL: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


@pytest.mark.parametrize(("door", "model"), DOORS)
def test_whole(live: Live, door: str, model: str) -> None:
    with openai_client(live, door) as client:
        answer = client.responses.create(model=model, input="hello", instructions="be kind")
    assert answer.status == "completed"
    assert answer.output_text.endswith("You said: hello")
    assert answer.usage
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0
    record = live.record(answer._request_id)
    assert record.interface == "responses"
    assert (record.usage.input_tokens, record.usage.output_tokens) == (
        answer.usage.input_tokens,
        answer.usage.output_tokens,
    )


@pytest.mark.parametrize(("door", "model"), DOORS)
def test_events_come_in_order(live: Live, door: str, model: str) -> None:
    with openai_client(live, door) as client:
        events = list(client.responses.create(model=model, input="hello", stream=True))
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    numbers = [event.sequence_number for event in events]
    assert numbers == list(range(len(events)))
    assert kinds.index("response.output_text.delta") < kinds.index("response.output_text.done")
    final = events[-1]
    assert final.type == "response.completed"
    assert final.response.usage
    assert final.response.usage.output_tokens > 0
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == final.response.output_text


def test_stream_helper(live: Live) -> None:
    with (
        openai_client(live) as client,
        client.responses.stream(model=QWEN, input="hello") as stream,
    ):
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert "response.output_text.delta" in kinds
    assert final.output_text.endswith("You said: hello")
    assert final.usage
    assert final.usage.total_tokens > 0


def test_stream_helper_assembles_a_call(live: Live) -> None:
    with (
        openai_client(live) as client,
        client.responses.stream(model=QWEN, input="use tool", tools=[TOOL]) as stream,
    ):
        done = [event.arguments for event in stream if event.type == "response.function_call_arguments.done"]
        final = stream.get_final_response()
    call = final.output[-1]
    assert call.type == "function_call"
    assert (call.name, call.parsed_arguments) == ("get_weather", {"city": "simulated"})
    assert done == [call.arguments]


def test_tool_loop(live: Live) -> None:
    items: Any = [{"role": "user", "content": "use tool"}]
    with openai_client(live) as client:
        first = client.responses.create(model=QWEN, input=items, tools=[TOOL])
        call: Any = first.output[-1]
        items += [
            {
                "type": "function_call",
                "call_id": call.call_id,
                "name": call.name,
                "arguments": call.arguments,
            },
            {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"},
        ]
        second = client.responses.create(model=QWEN, input=items, tools=[TOOL])
    assert second.output_text == "[simulated] The tool answered: sunny"


@pytest.mark.parametrize(("door", "model"), DOORS)
def test_async(live: Live, door: str, model: str) -> None:
    async def main() -> tuple[str, str]:
        async with openai_async(live, door) as client:
            whole = await client.responses.create(model=model, input="hello")
            stream = await client.responses.create(model=model, input="hello", stream=True)
            events: Any = [event async for event in stream]
            return whole.output_text, events[-1].response.output_text

    whole, streamed = drive(main())
    assert whole == streamed
    assert whole.endswith("You said: hello")


def test_stream_usage_is_recorded(live: Live) -> None:
    with (
        openai_client(live) as client,
        client.responses.with_streaming_response.create(model=QWEN, input="hello", stream=True) as answer,
    ):
        text = answer.read().decode()
        request_id = answer.headers["x-request-id"]
    assert text.count("response.completed") >= 1
    usage = live.record(request_id).usage
    assert usage.reported
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0


def test_an_answer_cut_at_its_limit_is_incomplete(live: Live) -> None:
    with openai_client(live) as client:
        events = list(client.responses.create(model=QWEN, input="hello", max_output_tokens=3, stream=True))
    final = events[-1]
    assert final.type == "response.incomplete"
    assert final.response.incomplete_details
    assert final.response.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize("door", ["/v1", "/api/v3"])
def test_wrong_key(live: Live, door: str) -> None:
    with openai_client(live, door, key="ck-wrong") as client, pytest.raises(openai.AuthenticationError):
        client.responses.create(model=QWEN, input="hello")


def test_bad_request_from_the_upstream(live: Live, simulator: SimulatorControl) -> None:
    with openai_client(live) as client, pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=QWEN, input=[])
    assert simulator.one("/responses").status == 400
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["source"] == "upstream"


@pytest.mark.parametrize("kind", ["cut_after_chunks", "reset_after_chunks"])
def test_a_stream_that_breaks_never_completes(live: Live, simulator: SimulatorControl, kind: str) -> None:
    simulator.fault("slow_chunks_ms", n=5)
    simulator.fault(kind, n=6)
    with openai_client(live) as client:
        events = list(client.responses.create(model=QWEN, input="hello", stream=True))
    final = events[-1]
    assert final.type == "response.failed"
    assert final.response.error
    assert final.response.error.message
    assert "response.completed" not in [event.type for event in events]


def test_continuing_a_stored_answer(live: Live) -> None:
    """Answers are stored at one provider: a pinned endpoint finds them again."""
    pinned = f"aliyun_bailian_bj@{QWEN}@responses"
    with openai_client(live) as client:
        first = client.responses.create(model=pinned, input="hello")
        second = client.responses.create(model=pinned, input="again", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert first.usage
    assert second.usage
    assert second.usage.input_tokens > first.usage.input_tokens
