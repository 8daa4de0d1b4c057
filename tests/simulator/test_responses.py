"""Responses, by the official SDKs."""

import asyncio
import json
from typing import Any

import pytest
from openai import AsyncOpenAI, BadRequestError, NotFoundError, OpenAI
from tests.support.simulation import LiveSimulator, dechunked
from volcenginesdkarkruntime import Ark
from volcenginesdkarkruntime.resources.responses.input_items import InputItems

PREFIXES = ("/v1", "/p/compatible-mode/v1", "/p/api/v3")
TOOL: Any = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}


def openai(sim: LiveSimulator, prefix: str = "/v1") -> OpenAI:
    return OpenAI(base_url=sim.url + prefix, api_key="k", max_retries=0)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_whole_and_helper_agree(sim: LiveSimulator, prefix: str) -> None:
    with openai(sim, prefix) as client:
        whole = client.responses.create(model="m", input="hello")
        with client.responses.stream(model="m", input="hello") as stream:
            kinds = [event.type for event in stream]
            streamed = stream.get_final_response()
    assert whole.output_text == streamed.output_text
    assert whole.output_text.endswith("hello")
    assert whole.status == streamed.status == "completed"
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert whole.usage is not None
    assert whole.usage.total_tokens == whole.usage.input_tokens + whole.usage.output_tokens


def test_async(sim: LiveSimulator) -> None:
    async def talk() -> list[int]:
        async with AsyncOpenAI(base_url=sim.url + "/v1", api_key="k") as client:
            stream: Any = await client.responses.create(model="m", input="x", stream=True)
            return [event.sequence_number async for event in stream]

    numbers = asyncio.run(talk())
    assert numbers == list(range(len(numbers)))


def test_tool_loop(sim: LiveSimulator) -> None:
    with openai(sim) as client:
        with client.responses.stream(model="m", input="use tool", tools=[TOOL]) as stream:
            first: Any = stream.get_final_response()
        call = first.output[0]
        result: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}]
        second = client.responses.create(model="m", input=result, previous_response_id=first.id, tools=[TOOL])
        history: Any = [{"role": "user", "content": "use tool"}, call.model_dump(exclude_none=True), *result]
        stateless = client.responses.create(model="m", input=history, tools=[TOOL])
        with pytest.raises(BadRequestError, match="No tool call found"):
            client.responses.create(model="m", input=result)
    assert json.loads(call.arguments) == {"city": "simulated"}
    assert second.output_text.endswith("sunny")
    assert stateless.output_text == second.output_text


def test_custom_tool(sim: LiveSimulator) -> None:
    custom: Any = {"type": "custom", "name": "patch"}
    with openai(sim) as client:
        stream: Any = client.responses.create(
            model="m", input="x", tools=[custom], tool_choice={"type": "custom", "name": "patch"}, stream=True
        )
        events = list(stream)
    done = events[-1].response.output[0]
    assert (done.type, done.name, done.input) == ("custom_tool_call", "patch", "simulated")
    assert "response.custom_tool_call_input.done" in [event.type for event in events]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_reasoning(sim: LiveSimulator, prefix: str) -> None:
    with (
        openai(sim, prefix) as client,
        client.responses.stream(
            model="m", input="x", reasoning={"effort": "high"}, include=["reasoning.encrypted_content"]
        ) as stream,
    ):
        final: Any = stream.get_final_response()
    thought = final.output[0]
    parts = thought.summary if prefix == "/p/api/v3" else thought.content
    assert parts[0].text.startswith("[simulated]")
    assert thought.encrypted_content
    assert final.usage.output_tokens_details.reasoning_tokens > 0


def test_stored_answers(sim: LiveSimulator) -> None:
    with openai(sim) as client, openai(sim, "/elsewhere/v1") as other:
        made = client.responses.create(model="m", input="one")
        kept = client.responses.retrieve(made.id)
        items: Any = client.responses.input_items.list(made.id, order="asc").data
        client.responses.create(model="m", input="two", previous_response_id=made.id)
        with pytest.raises(BadRequestError) as foreign:
            other.responses.create(model="m", input="two", previous_response_id=made.id)
        client.responses.delete(made.id)
        with pytest.raises(NotFoundError):
            client.responses.retrieve(made.id)
        unkept = client.responses.create(model="m", input="one", store=False)
        with pytest.raises(NotFoundError):
            client.responses.retrieve(unkept.id)
    assert kept.output_text == made.output_text
    assert items[0].content[0].text == "one"
    assert foreign.value.code == "previous_response_not_found"


def test_limit_gives_incomplete(sim: LiveSimulator) -> None:
    with openai(sim) as client:
        whole = client.responses.create(model="m", input="x", max_output_tokens=2)
        stream: Any = client.responses.create(model="m", input="x", max_output_tokens=2, stream=True)
        last = list(stream)[-1]
    assert whole.status == "incomplete"
    assert whole.incomplete_details is not None
    assert whole.incomplete_details.reason == "max_output_tokens"
    assert last.type == "response.incomplete"


def test_json_schema(sim: LiveSimulator) -> None:
    form: Any = {
        "format": {"type": "json_schema", "name": "n", "schema": {"properties": {"a": {"type": "null"}}}}
    }
    with openai(sim) as client:
        answer = client.responses.create(model="m", input="x", text=form)
    assert json.loads(answer.output_text) == {"a": None}


def test_ark_sdk(sim: LiveSimulator) -> None:
    client = Ark(base_url=sim.url + "/ark/api/v3", api_key="k", max_retries=0)
    whole: Any = client.responses.create(model="doubao-seed-2.0-pro", input="hi")
    events: Any = list(client.responses.create(model="doubao-seed-2.0-pro", input="hi", stream=True))
    kept: Any = client.responses.retrieve(whole.id)
    items: Any = InputItems(client).list(whole.id)
    client.responses.delete(whole.id)
    assert whole.model == "doubao-seed-2-0-pro-260215"
    assert [item.type for item in whole.output] == ["reasoning", "message"]
    assert whole.output[1].content[0].text == events[-1].response.output[1].content[0].text
    assert events[-1].type == "response.completed"
    assert kept.id == whole.id
    assert items.data[0].role == "user"


def test_spelling_of_the_streams(sim: LiveSimulator) -> None:
    body = {"model": "m", "input": "x", "stream": True}
    streams = {prefix: dechunked(sim.post(f"{prefix}/responses", body)[2])[0] for prefix in PREFIXES}
    assert streams["/v1"].startswith(b'event: response.created\ndata: {"type":"response.created"')
    assert streams["/p/compatible-mode/v1"].startswith(
        b"id:1\nevent:response.created\n:HTTP_STATUS/200\ndata:{"
    )
    assert [stream.endswith(b"data: [DONE]\n\n") for stream in streams.values()] == [False, False, True]


def test_refusals(sim: LiveSimulator) -> None:
    changes: tuple[dict[str, Any], ...] = (
        {"input": None},
        {"input": []},
        {"input": ["x"]},
        {"input": [{"role": "robot"}]},
        {"model": None},
    )
    for change in changes:
        status, _, answer = sim.post("/v1/responses", {"model": "m", "input": "x"} | change)
        assert status == 400
        assert json.loads(answer)["error"]["message"]
