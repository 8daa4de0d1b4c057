"""Anthropic messages and count_tokens.

1. The laws of the stream hold: blocks are numbered without gaps, one is open at a time, exactly one
   ``message_delta``; every frame has its ``event:`` line.
2. ``input_tokens`` excludes what was read from or written to the cache.
3. A thinking block that is replayed must carry the signature it was given (``sign``).
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

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
    integer,
    members,
    objects,
    texts,
    whole,
)
from aimesh.simulator.compose import Composition, ToolSpec, Wish, compose, count_tokens
from aimesh.simulator.models import require_model
from aimesh.simulator.prompt import IMAGE_TOKENS, text_of
from aimesh.simulator.world import World

_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2}))?(?![0-9])", re.IGNORECASE)
_NEWER = b"2026-10-21"
_STOPS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "stop_sequence": "stop_sequence",
}


def answer(call: Call, world: World) -> Answer:
    model, messages = _checked(call)
    limit = integer(call.body.get("max_tokens"))
    if limit is None or limit < 1:
        field = (
            "Field required"
            if call.body.get("max_tokens") is None
            else "Input should be greater than or equal to 1"
        )
        raise Refusal(400, "", f"max_tokens: {field}")
    _check_thinking(call, model, limit)
    made = compose(_wish(call, messages, limit), call.shape)
    usage = _usage(call, world, model, messages, made)
    display = _display(call.body.get("thinking"))
    blocks = _blocks(made, display)
    message: Json = {
        "id": "msg_" + call.request_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": blocks,
        "stop_reason": _STOPS[made.finish],
        "stop_sequence": made.stop_sequence,
        "usage": usage,
    }
    if call.body.get("stream") is True:
        error = failures.by_status(Dialect.ANTHROPIC, 529)
        error_frame = _event(failures.body(Dialect.ANTHROPIC, error, call.request_id), "error")
        return Stream(_frames(call, message, made, display), error_frame)
    if call.shape.no_usage:
        del message["usage"]
    return whole(message)


def answer_count(call: Call, _world: World) -> Answer:
    _, messages = _checked(call)
    return whole({"input_tokens": sum(piece.size for piece in _prompt(call.body, messages))})


def sign(thinking: str) -> str:
    """The signature of a thinking block: anything that an altered block cannot have."""
    return base64.b64encode(b"simulated:" + hashlib.sha256(thinking.encode()).digest()).decode()


def _checked(call: Call) -> tuple[str, list[Json]]:
    body = call.body
    # The Bailian and DeepSeek copies of this API do not ask for the version header.
    if not call.headers.get(b"anthropic-version") and b"claude" in str(body.get("model")).encode():
        raise Refusal(400, "", "anthropic-version: header is required")
    model = require_model(call)
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise Refusal(400, "", "messages: Field required")
    if not messages:
        raise Refusal(400, "", "messages: at least one message is required")
    if call.headers.get(b"anthropic-version") == _NEWER:
        for field in ("temperature", "top_p", "top_k"):
            if field in body:
                raise Refusal(400, "", f"{field}: Extra inputs are not permitted")
    for at, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant", "system"):
            raise Refusal(400, "", f"messages.{at}.role: Input should be 'user' or 'assistant'")
        _check_content(message, at, is_claude=_CLAUDE.search(model) is not None)
    _check_tool_results(messages)
    return model, messages


def _check_content(message: Json, at: int, *, is_claude: bool) -> None:
    content = message.get("content")
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise Refusal(400, "", f"messages.{at}.content: Field required")
    for position, block in enumerate(content):
        where = f"messages.{at}.content.{position}"
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            raise Refusal(400, "", f"{where}: Input should be an object with a type")
        if block["type"] == "text" and not block.get("text"):
            raise Refusal(400, "", "messages: text content blocks must be non-empty")
        for kind, member in (("tool_use", "id"), ("tool_result", "tool_use_id")):
            if block["type"] == kind and not isinstance(block.get(member), str):
                raise Refusal(400, "", f"{where}.{kind}.{member}: Input should be a valid string")
        if block["type"] == "tool_use" and not isinstance(block.get("input"), dict):
            raise Refusal(400, "", f"{where}.tool_use.input: Input should be a valid dictionary")
        if block["type"] == "thinking" and is_claude and not _is_ours(block):
            raise Refusal(400, "", f"{where}: Invalid `signature` in `thinking` block")


def _is_ours(block: Json) -> bool:
    thinking, signature = block.get("thinking"), block.get("signature")
    # An omitted thinking text keeps its signature; what was signed can then not be compared.
    if thinking == "" and isinstance(signature, str):
        return signature.startswith("c2ltdWxhdGVkO")
    return isinstance(thinking, str) and signature == sign(thinking)


def _check_tool_results(messages: list[Json]) -> None:
    """Each tool_use must be answered in the very next message, before anything else that stands there."""
    for at, message in enumerate(messages):
        called = _ids(message, "tool_use", "id") if message["role"] == "assistant" else []
        following = messages[at + 1] if at + 1 < len(messages) else None
        answered = _ids(following, "tool_result", "tool_use_id")
        if called and following is not None and any(name not in answered for name in called):
            missing = ", ".join(name for name in called if name not in answered)
            raise Refusal(
                400,
                "",
                f"messages.{at + 1}: `tool_use` ids were found without `tool_result` blocks immediately "
                f"after: {missing}. Each `tool_use` block must have a corresponding `tool_result` block "
                "in the next message.",
            )
        known = _ids(messages[at - 1], "tool_use", "id") if at else []
        for position, name in enumerate(_ids(message, "tool_result", "tool_use_id")):
            if name not in known:
                where = f"messages.{at}.content.{position}"
                text = f"{where}: unexpected `tool_use_id` found in `tool_result` blocks: {name}."
                raise Refusal(400, "", text)


def _ids(message: Json | None, kind: str, member: str) -> list[str]:
    """The ids in the blocks of one kind; of results only the leading ones count."""
    content = None if message is None else message["content"]
    blocks = content if isinstance(content, list) else []
    if kind == "tool_result":
        blocks = list(takewhile(lambda block: block["type"] == kind, blocks))
    return [block[member] for block in blocks if block["type"] == kind]


def _check_thinking(call: Call, model: str, limit: int) -> None:
    """https://docs.anthropic.com: which form of thinking a model takes, and what it excludes."""
    thinking = call.body.get("thinking")
    if not isinstance(thinking, dict):
        return
    kind = thinking.get("type")
    claude = _CLAUDE.search(model)
    version = (int(claude[1]), int(claude[2] or 0)) if claude is not None else None
    if kind == "enabled":
        if version is not None and version >= (4, 7):
            raise Refusal(
                400,
                "",
                '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and '
                '"output_config.effort" to control thinking behavior.',
            )
        budget = integer(thinking.get("budget_tokens"))
        if budget is None or budget < 1024:
            raise Refusal(
                400, "", "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
            )
        if budget >= limit:
            raise Refusal(400, "", "`max_tokens` must be greater than `thinking.budget_tokens`")
    if kind == "adaptive" and version is not None and version < (4, 6):
        raise Refusal(400, "", "adaptive thinking is not supported on this model")
    choice = call.body.get("tool_choice")
    forced = isinstance(choice, dict) and choice.get("type") in ("any", "tool")
    if kind in ("enabled", "adaptive") and forced and claude is not None:
        raise Refusal(400, "", "Thinking may not be enabled when tool_choice forces tool use.")


def _display(thinking: object) -> str:
    return str(thinking.get("display") or "summarized") if isinstance(thinking, dict) else "summarized"


def _wish(call: Call, messages: list[Json], limit: int) -> Wish:
    body = call.body
    last = messages[-1]["content"]
    results = [b for b in last if b["type"] == "tool_result"] if isinstance(last, list) else []
    if results:
        prompt = " ".join(text_of(result.get("content"))[0] for result in results)
    else:
        said = [m["content"] for m in messages if m["role"] == "user"]
        prompt = text_of(said[-1])[0] if said else ""
    choice = body.get("tool_choice")
    kind = choice.get("type") if isinstance(choice, dict) else "auto"
    wanted = {"any": "required", "none": "none"}.get(str(kind), "auto")
    if kind == "tool" and isinstance(choice, dict):
        wanted = f"={choice.get('name')}"
    thinking = body.get("thinking")
    form = body.get("output_config")
    form = form.get("format") if isinstance(form, dict) else None
    return Wish(
        prompt=prompt,
        tools=[
            ToolSpec(str(tool.get("name")), tool["input_schema"])
            for tool in objects(body.get("tools"))
            if isinstance(tool.get("input_schema"), dict) and not tool.get("defer_loading")
        ],
        tool_choice=wanted,
        is_parallel=not (isinstance(choice, dict) and choice.get("disable_parallel_tool_use") is True),
        answers_tool=bool(results),
        is_thinking=isinstance(thinking, dict) and thinking.get("type") not in (None, "disabled"),
        limit=limit,
        limit_counts_reasoning=True,
        stops=texts(body.get("stop_sequences")),
        schema=members(form.get("schema")) if isinstance(form, dict) else None,
    )


class _Piece(Struct, frozen=True):
    """A part of the prompt, in the order in which it is cached: tools, system, messages."""

    text: str
    size: int
    ttl: str = ""
    """``5m`` or ``1h``: the cache mark that stands here."""


def _prompt(body: Json, messages: list[Json]) -> list[_Piece]:
    pieces = [_piece(tool) for tool in objects(body.get("tools"))]
    system = body.get("system")
    blocks = [{"type": "text", "text": system}] if isinstance(system, str) else objects(system)
    pieces.extend(_piece(block) for block in blocks)
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        pieces.extend(_piece(block) for block in blocks)
    if isinstance(mark := body.get("cache_control"), dict) and pieces:
        last = pieces[-1]
        pieces[-1] = _Piece(last.text, last.size, str(mark.get("ttl") or "5m"))
    return pieces


def _piece(block: Json) -> _Piece:
    mark = block.get("cache_control")
    plain = {name: value for name, value in block.items() if name != "cache_control"}
    text = encode_json(plain).decode()
    size = IMAGE_TOKENS if block.get("type") in ("image", "document") else 2 + count_tokens(text)
    if block.get("type") == "text":
        size = 2 + count_tokens(str(block.get("text")))
    return _Piece(text, size, str(mark.get("ttl") or "5m") if isinstance(mark, dict) else "")


def _usage(call: Call, world: World, model: str, messages: list[Json], made: Composition) -> Json:
    pieces = _prompt(call.body, messages)
    total = sum(piece.size for piece in pieces)
    marks = [at for at, piece in enumerate(pieces) if piece.ttl]
    read = written = 0
    if marks:
        marked = pieces[: marks[-1] + 1]
        read = world.cached_tokens(f"{call.provider}\0{model}", [(p.text, p.size) for p in marked])
        size = sum(piece.size for piece in marked)
        # One token below the whole means that all of it was known.
        read = size if read == size - 1 else read
        written = size - read if size >= 64 else 0
    long = written if marks and pieces[marks[-1]].ttl == "1h" else 0
    return {
        "input_tokens": total - read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": written - long,
            "ephemeral_1h_input_tokens": long,
        },
        "output_tokens": made.output_tokens,
        "output_tokens_details": {"thinking_tokens": made.reasoning_tokens},
        "service_tier": "standard",
    }


def _blocks(made: Composition, display: str) -> list[Json]:
    blocks: list[Json] = []
    if made.reasoning:
        thought = made.thought
        shown = "" if display == "omitted" else thought
        blocks.append({"type": "thinking", "thinking": shown, "signature": sign(thought)})
    if made.pieces:
        blocks.append({"type": "text", "text": made.text})
    blocks.extend(
        {
            "type": "tool_use",
            "id": "toolu_" + c.id.removeprefix("call_"),
            "name": c.name,
            "input": c.arguments,
        }
        for c in made.calls
    )
    return blocks


def _event(data: Any, name: str) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + encode_json(data) + b"\n\n"


def _delta(index: int, delta: Json) -> bytes:
    return _event({"type": "content_block_delta", "index": index, "delta": delta}, "content_block_delta")


def _frames(call: Call, message: Json, made: Composition, display: str) -> Iterator[bytes]:
    usage = message["usage"]
    start = message | {
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage | {"output_tokens": 1},
    }
    if call.shape.no_usage:
        start["usage"] = {"input_tokens": 0, "output_tokens": 0}
    yield _event({"type": "message_start", "message": start}, "message_start")
    for index, block in enumerate(message["content"]):
        empty = (
            block
            | {
                "thinking": {"thinking": "", "signature": ""},
                "text": {"text": ""},
                "tool_use": {"input": {}},
            }[block["type"]]
        )
        yield _event(
            {"type": "content_block_start", "index": index, "content_block": empty}, "content_block_start"
        )
        if index == 0:
            yield _event({"type": "ping"}, "ping")
        yield from _deltas(index, block, made, display)
        yield _event({"type": "content_block_stop", "index": index}, "content_block_stop")
    final: Json = {"type": "message_delta", "delta": {"stop_reason": message["stop_reason"]}}
    final["delta"]["stop_sequence"] = message["stop_sequence"]
    final["usage"] = {"output_tokens": 0} if call.shape.no_usage else usage
    yield _event(final, "message_delta")
    if not call.shape.no_done:
        yield _event({"type": "message_stop"}, "message_stop")


def _deltas(index: int, block: Json, made: Composition, display: str) -> Iterator[bytes]:
    match block["type"]:
        case "thinking":
            for piece in made.reasoning if display != "omitted" else ():
                yield _delta(index, {"type": "thinking_delta", "thinking": piece})
            yield _delta(index, {"type": "signature_delta", "signature": block["signature"]})
        case "text":
            before = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,' % index
            before += b'"delta":{"type":"text_delta","text":'
            for piece in made.pieces:
                yield before + encode_json(piece) + b"}}\n\n"
        case _:
            text = encode_json(block["input"]).decode()
            yield _delta(index, {"type": "input_json_delta", "partial_json": ""})
            for begin in range(0, len(text), 12):
                yield _delta(index, {"type": "input_json_delta", "partial_json": text[begin : begin + 12]})
