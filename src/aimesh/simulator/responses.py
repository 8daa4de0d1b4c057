"""The Responses interface: OpenAI's, Ark's and DashScope's compatible mode.

1. The events come in the order that the official helpers demand; ``sequence_number`` counts from 0.
2. Answers are stored (``store`` is true unless refused) and can be continued by ``previous_response_id``,
   fetched and deleted, but only at the provider that made them.
3. The end is ``response.completed`` or ``response.incomplete``; Ark adds ``[DONE]``.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from msgspec import Struct

from aimesh.simulator import failures
from aimesh.simulator.answers import (
    Answer,
    Call,
    Dialect,
    Json,
    Refusal,
    Stream,
    encode_json,
    members,
    objects,
    texts,
    whole,
)
from aimesh.simulator.chat import thinks
from aimesh.simulator.compose import Composition, ToolSpec, Wish, compose, count_tokens
from aimesh.simulator.models import dated, require_model
from aimesh.simulator.prompt import text_of
from aimesh.simulator.world import World

_ROLES = ("user", "assistant", "system", "developer")


def create(call: Call, world: World) -> Answer:
    model = require_model(call)
    items = _items(call)
    before = _previous(call, world)
    made = compose(_wish(call, model, items), call.shape)
    usage = _usage(call, world, model, before + items, made)
    response = _response(call, world, model, usage)
    output = _output(call, made)
    cut = made.finish == "length"
    final = response | {
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "output": [item.done for item in output],
        "completed_at": int(world.clock.wall_s()),
    }
    if response["store"]:
        stored = {"response": final, "input": before + items}
        world.responses.put(f"{call.provider}\0{final['id']}", stored)
    if call.body.get("stream") is True:
        return Stream(_frames(call, response, output, final), _error_frame(call))
    return whole(final)


def retrieve(call: Call, world: World) -> Answer:
    return whole(_stored(call, world, call.rest)["response"])


def delete(call: Call, world: World) -> Answer:
    _stored(call, world, call.rest)
    world.responses.drop(f"{call.provider}\0{call.rest}")
    return whole({"id": call.rest, "object": "response", "deleted": True})


def list_input(call: Call, world: World) -> Answer:
    query = parse_qs(call.query.decode("utf-8", "replace"))
    limit = query.get("limit", ["20"])[0]
    stored = _stored(call, world, call.rest)["input"]
    items = [
        {"id": f"msg_{call.rest[-12:]}{at}", "type": "message", "status": "completed"} | _with_parts(item)
        for at, item in enumerate(stored)
    ]
    if query.get("order", ["desc"])[0] == "desc":
        items.reverse()
    shown = items[: int(limit) if limit.isdigit() else 20]
    return whole(
        {
            "object": "list",
            "data": shown,
            "has_more": len(shown) < len(items),
            "first_id": shown[0]["id"] if shown else None,
            "last_id": shown[-1]["id"] if shown else None,
        }
    )


def _with_parts(item: Json) -> Json:
    if isinstance(content := item.get("content"), str):
        kind = "output_text" if item.get("role") == "assistant" else "input_text"
        return item | {"content": [{"type": kind, "text": content}]}
    return item


def _stored(call: Call, world: World, response_id: str) -> Json:
    found = world.responses.get(f"{call.provider}\0{response_id}")
    if found is None:
        code = {Dialect.ARK: "NotFound"}.get(call.dialect, "")
        raise Refusal(404, code, f"Response with id '{response_id}' not found.", kind="invalid_request_error")
    return found


def _items(call: Call) -> list[Json]:
    given = call.body.get("input")
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    if not isinstance(given, list) or not given or not all(isinstance(item, dict) for item in given):
        raise failures.invalid(call.dialect, "Missing required parameter: 'input'.", "input")
    called = [
        item.get("call_id") for item in given if item.get("type") in ("function_call", "custom_tool_call")
    ]
    for at, item in enumerate(given):
        if item.get("type", "message") == "message" and item.get("role") not in _ROLES:
            raise failures.invalid(call.dialect, f"Invalid value for input[{at}].role.", f"input[{at}].role")
        orphan = item.get("type") == "function_call_output" and item.get("call_id") not in called
        if orphan and "previous_response_id" not in call.body:
            raise failures.invalid(
                call.dialect,
                f"No tool call found for function call output with call_id {item.get('call_id')}.",
            )
    return given


def _previous(call: Call, world: World) -> list[Json]:
    """The conversation before this call, from the stored answer that it continues."""
    response_id = call.body.get("previous_response_id")
    if response_id is None:
        return []
    found = world.responses.get(f"{call.provider}\0{response_id}")
    if found is None:
        raise Refusal(
            400,
            "previous_response_not_found" if call.dialect is not Dialect.ARK else "InvalidParameter",
            f"Previous response with id '{response_id}' not found.",
            param="previous_response_id",
        )
    before: list[Json] = [*found["input"], *found["response"]["output"]]
    return before


def _wish(call: Call, model: str, items: list[Json]) -> Wish:
    body = call.body
    last = items[-1]
    answers_tool = str(last.get("type")).endswith("_output")
    said = [item for item in items if item.get("role") == "user"]
    prompt = text_of(last.get("output") if answers_tool else said[-1].get("content") if said else "")[0]
    reasoning = body.get("reasoning")
    knobs = dict(body)
    if isinstance(reasoning, dict) and isinstance(reasoning.get("effort"), str):
        knobs["reasoning_effort"] = reasoning["effort"]
    text = body.get("text")
    form = text.get("format") if isinstance(text, dict) else None
    schema: Json | None = None
    if isinstance(form, dict) and form.get("type") == "json_schema":
        schema = members(form.get("schema"))
    limit = body.get("max_output_tokens")
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        choice = f"={choice.get('name')}" if choice.get("type") in ("function", "custom") else "auto"
    return Wish(
        prompt=prompt,
        tools=_tools(body),
        tool_choice=choice if isinstance(choice, str) else "auto",
        is_parallel=body.get("parallel_tool_calls") is not False,
        answers_tool=answers_tool,
        is_thinking=thinks(model, knobs),
        limit=limit if isinstance(limit, int) else None,
        limit_counts_reasoning=True,
        schema=schema,
    )


_CUSTOM = {"type": "object", "properties": {"input": {"type": "string"}}}


def _tools(body: Json) -> list[ToolSpec]:
    specs = []
    for tool in objects(body.get("tools")):
        kind = tool.get("type")
        if kind == "function":
            specs.append(ToolSpec(str(tool.get("name")), members(tool.get("parameters"))))
        elif kind == "custom":
            specs.append(ToolSpec(str(tool.get("name")), _CUSTOM, is_custom=True))
    return specs


def _usage(call: Call, world: World, model: str, items: list[Json], made: Composition) -> Json:
    parts = []
    for item in [{"content": call.body.get("instructions", "")}, *items]:
        text = text_of(item.get("content"))[0] or encode_json(item).decode()
        parts.append((text, count_tokens(text) + 4))
    input_tokens = sum(size for _, size in parts)
    cached = world.cached_tokens(f"{call.provider}\0{model}", parts)
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": made.output_tokens,
        "output_tokens_details": {"reasoning_tokens": made.reasoning_tokens},
        "total_tokens": input_tokens + made.output_tokens,
    }


def _response(call: Call, world: World, model: str, usage: Json) -> Json:
    """The answer's members that do not depend on what was said."""
    body = call.body
    response: Json = {
        "id": ("resp_0217" if call.dialect is Dialect.ARK else "resp_") + call.request_id,
        "object": "response",
        "created_at": int(world.clock.wall_s()),
        "status": "in_progress",
        "model": dated(model) if call.dialect is Dialect.ARK else model,
        "output": [],
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "metadata": body.get("metadata") or {},
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "temperature": body.get("temperature", 1.0),
        "top_p": body.get("top_p", 1.0),
        "max_output_tokens": body.get("max_output_tokens"),
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "reasoning": body.get("reasoning") or {"effort": None, "summary": None},
        "text": body.get("text") or {"format": {"type": "text"}},
        "truncation": "disabled",
        "store": body.get("store", True),
        "previous_response_id": body.get("previous_response_id"),
        "usage": None if call.shape.no_usage else usage,
    }
    if call.dialect is Dialect.ARK:
        response |= {"service_tier": "default", "caching": {"type": "disabled"}}
    return response


class _Item(Struct, frozen=True):
    """One output item: how it begins, how it ends, and what streams between."""

    opened: Json
    done: Json
    pieces: Any
    kind: str
    """``reasoning``, ``message``, ``function_call`` or ``custom_tool_call``."""


def _output(call: Call, made: Composition) -> list[_Item]:
    items = []
    if made.reasoning:
        item: Json = {"id": "rs_" + call.request_id, "type": "reasoning", "summary": []}
        thought = made.thought
        if call.dialect is Dialect.ARK:
            done = item | {"status": "completed", "summary": [{"type": "summary_text", "text": thought}]}
        else:
            done = item | {"content": [{"type": "reasoning_text", "text": thought}]}
        include = texts(call.body.get("include"))
        done["encrypted_content"] = "simulated" if "reasoning.encrypted_content" in include else None
        items.append(_Item(item, done, made.reasoning, "reasoning"))
    if made.pieces or not made.calls:
        item = {"id": "msg_" + call.request_id, "type": "message", "role": "assistant"}
        part = {"type": "output_text", "text": made.text, "annotations": [], "logprobs": []}
        status = "incomplete" if made.finish == "length" else "completed"
        opened = item | {"status": "in_progress", "content": []}
        items.append(_Item(opened, item | {"status": status, "content": [part]}, made.pieces, "message"))
    for at, tool in enumerate(made.calls):
        kind = "custom_tool_call" if tool.is_custom else "function_call"
        member = "input" if tool.is_custom else "arguments"
        text = str(tool.arguments.get("input", "")) if tool.is_custom else tool.text
        item = {
            "id": f"{'ctc' if tool.is_custom else 'fc'}_{call.request_id}{at}",
            "type": kind,
            "call_id": tool.id,
            "name": tool.name,
        }
        pieces = [text[begin : begin + 12] for begin in range(0, len(text), 12)]
        opened = item | {member: "", "status": "in_progress"}
        items.append(_Item(opened, item | {member: text, "status": "completed"}, pieces, kind))
    return items


def _error_frame(call: Call) -> bytes:
    error = failures.by_status(call.dialect, 500)
    data = {
        "type": "error",
        "code": error.code,
        "message": error.message,
        "param": None,
        "sequence_number": 0,
    }
    return b"event: error\ndata: " + encode_json(data) + b"\n\n"


class _Writer:
    """Numbers the events and writes them in the dialect's spelling."""

    __slots__ = ("_compact", "_count")

    def __init__(self, *, compact: bool) -> None:
        self._count = 0
        # Bailian's stream has no spaces after the colons and a comment line with the status in each frame.
        self._compact = compact

    def event(self, name: str, data: Json) -> bytes:
        body = encode_json({"type": name, "sequence_number": self._count} | data)
        self._count += 1
        if self._compact:
            return b"id:%d\nevent:%b\n:HTTP_STATUS/200\ndata:%b\n\n" % (self._count, name.encode(), body)
        return b"event: " + name.encode() + b"\ndata: " + body + b"\n\n"


def _frames(call: Call, response: Json, output: list[_Item], final: Json) -> Iterator[bytes]:
    write = _Writer(compact=call.dialect is Dialect.COMPATIBLE).event
    waiting = response | {"usage": None}
    yield write("response.created", {"response": waiting})
    yield write("response.in_progress", {"response": waiting})
    for index, item in enumerate(output):
        yield write("response.output_item.added", {"output_index": index, "item": item.opened})
        where = {"item_id": item.done["id"], "output_index": index}
        match item.kind:
            case "message":
                yield from _message_events(write, where, item)
            case "reasoning":
                yield from _reasoning_events(write, where, item, is_summary=call.dialect is Dialect.ARK)
            case kind:
                yield from _call_events(write, where, item, kind)
        yield write("response.output_item.done", {"output_index": index, "item": item.done})
    yield write(f"response.{final['status']}", {"response": final})
    if call.dialect is Dialect.ARK and not call.shape.no_done:
        yield b"data: [DONE]\n\n"


def _message_events(write: Any, where: Json, item: _Item) -> Iterator[bytes]:
    part = item.done["content"][0]
    place = where | {"content_index": 0}
    yield write("response.content_part.added", place | {"part": part | {"text": ""}})
    for piece in item.pieces:
        yield write("response.output_text.delta", place | {"delta": piece, "logprobs": []})
    yield write("response.output_text.done", place | {"text": part["text"], "logprobs": []})
    yield write("response.content_part.done", place | {"part": part})


def _reasoning_events(write: Any, where: Json, item: _Item, *, is_summary: bool) -> Iterator[bytes]:
    text = "".join(item.pieces)
    if is_summary:
        place = where | {"summary_index": 0}
        part = {"type": "summary_text", "text": ""}
        yield write("response.reasoning_summary_part.added", place | {"part": part})
        for piece in item.pieces:
            yield write("response.reasoning_summary_text.delta", place | {"delta": piece})
        yield write("response.reasoning_summary_text.done", place | {"text": text})
        yield write("response.reasoning_summary_part.done", place | {"part": part | {"text": text}})
        return
    place = where | {"content_index": 0}
    for piece in item.pieces:
        yield write("response.reasoning_text.delta", place | {"delta": piece})
    yield write("response.reasoning_text.done", place | {"text": text})


def _call_events(write: Any, where: Json, item: _Item, kind: str) -> Iterator[bytes]:
    name, member = {
        "function_call": ("response.function_call_arguments", "arguments"),
        "custom_tool_call": ("response.custom_tool_call_input", "input"),
    }[kind]
    for piece in item.pieces:
        yield write(f"{name}.delta", where | {"delta": piece})
    ending = {member: item.done[member]}
    if kind == "function_call":
        ending["name"] = item.done["name"]
    yield write(f"{name}.done", where | ending)
