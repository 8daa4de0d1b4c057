"""Chat completions: OpenAI's, DashScope's compatible mode, Ark's.

1. One request reader; the dialects differ in what they refuse and in members of the answer.
2. The usage chunk of a stream is sent only if ``stream_options.include_usage`` asks for it.
3. Reasoning comes before content, as ``reasoning_content``, from models that show it (``thinks``).
"""

import re
from collections.abc import Iterator
from typing import Any

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
from aimesh.simulator.compose import Composition, ToolSpec, Wish, compose
from aimesh.simulator.models import dated, require_model
from aimesh.simulator.prompt import chat_usage, text_of
from aimesh.simulator.world import World

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_SHOWS_REASONING = re.compile(r"qwen|qwq|doubao|seed|deepseek|glm|kimi|minimax", re.IGNORECASE)
_THINKS_UNASKED = re.compile(r"doubao-seed-(1[.-][68]|2[.-]0|code)|deepseek|qwq|-thinking", re.IGNORECASE)
_STREAMED_THINKING_ONLY = re.compile(r"^qwen3-\d+b", re.IGNORECASE)


def answer(call: Call, world: World) -> Answer:
    body = call.body
    model, messages = _checked(call)
    stream = body.get("stream") is True
    wish = _wish(call, model, messages)
    made = compose(wish, call.shape)
    usage = chat_usage(call, world, messages, made)
    head: Json = {
        "id": ("chatcmpl-" if call.dialect is not Dialect.ARK else "0217") + call.request_id,
        "created": int(world.clock.wall_s()),
        "model": dated(model) if call.dialect is Dialect.ARK else model,
    }
    shows = _SHOWS_REASONING.search(model) is not None
    if stream:
        options = body.get("stream_options")
        asked = isinstance(options, dict) and options.get("include_usage") is True
        frames = _Frames(call, head, made, shows_reasoning=shows, asked_usage=asked)
        error = failures.by_status(call.dialect, 500)
        error_frame = b"data: " + encode_json(failures.body(call.dialect, error, call.request_id)) + b"\n\n"
        return Stream(frames.all(usage), error_frame)
    count = body.get("n") or 1
    choices = [_choice(call, made, index, shows_reasoning=shows) for index in range(count)]
    tail: Json = {"choices": choices}
    if not call.shape.no_usage:
        tail["usage"] = usage
    if call.dialect is Dialect.ARK:
        tail["service_tier"] = "default"
    elif call.dialect is Dialect.OPENAI:
        tail |= {"service_tier": "default", "system_fingerprint": "fp_simulated"}
    return whole({"id": head["id"], "object": "chat.completion"} | head | tail)


def thinks(model: str, body: Json) -> bool:
    """Whether this call thinks: by the dialects' several switches, else by the model's habit."""
    if isinstance(switch := body.get("enable_thinking"), bool):
        return switch
    if isinstance(thinking := body.get("thinking"), dict) and thinking.get("type") is not None:
        return bool(thinking["type"] != "disabled")
    effort = body.get("reasoning_effort")
    if isinstance(effort, str):
        return effort not in ("none", "minimal")
    return _THINKS_UNASKED.search(model) is not None


def _checked(call: Call) -> tuple[str, list[Json]]:
    body = call.body
    dialect = call.dialect
    model = require_model(call)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        code = "MissingParameter" if dialect is Dialect.ARK else failures.by_status(dialect, 400).code
        raise Refusal(400, code, "Missing required parameter: 'messages'.", param="messages")
    for at, message in enumerate(messages):
        _check_message(dialect, message, at)
    if body.get("stream_options") is not None and body.get("stream") is not True:
        raise failures.invalid(
            dialect, "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        )
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        raise failures.invalid(dialect, "max_tokens and max_completion_tokens are mutually exclusive.")
    count = body.get("n")
    top = 4 if dialect is Dialect.COMPATIBLE else 128
    if count is not None and not (isinstance(count, int) and 1 <= count <= top):
        raise failures.invalid(dialect, f"n must be between 1 and {top}.", "n")
    if dialect is Dialect.COMPATIBLE:
        _check_compatible(body, model)
    return model, messages


def _check_message(dialect: Dialect, message: Json, at: int) -> None:
    role = message.get("role")
    if dialect is Dialect.ARK and role == "developer":
        # Ark knows no such role; message and empty param as observed.
        raise Refusal(
            400,
            "InvalidParameter",
            "The parameter `messages.role` specified in the request is not valid.",
            param="",
        )
    if role not in _ROLES:
        raise failures.invalid(
            dialect, f"Invalid value: {role!r} for messages[{at}].role.", f"messages[{at}].role"
        )
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        raise failures.invalid(dialect, f"messages[{at}] with role 'tool' needs a tool_call_id.")
    if message.get("content") is None and role != "assistant":
        raise failures.invalid(dialect, f"messages[{at}].content is missing.", f"messages[{at}].content")


def _check_compatible(body: Json, model: str) -> None:
    """https://help.aliyun.com/zh/model-studio: what compatible mode refuses and OpenAI does not."""
    temperature = body.get("temperature")
    if isinstance(temperature, int | float) and not 0 <= temperature < 2:
        raise failures.invalid(Dialect.COMPATIBLE, "Temperature should be in [0.0, 2.0)", "temperature")
    asked = body.get("enable_thinking") is True
    if asked and body.get("stream") is not True and _STREAMED_THINKING_ONLY.match(model):
        raise failures.invalid(
            Dialect.COMPATIBLE,
            "parameter.enable_thinking must be set to false for non-streaming calls",
        )
    form = body.get("response_format")
    if (
        isinstance(form, dict)
        and form.get("type") == "json_object"
        and b"json" not in encode_json(body["messages"]).lower()
    ):
        raise failures.invalid(
            Dialect.COMPATIBLE,
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
            "'json_object'.",
        )


def _wish(call: Call, model: str, messages: list[Json]) -> Wish:
    body = call.body
    last = messages[-1]
    answers_tool = last.get("role") in ("tool", "function")
    prompt = ""
    for message in reversed(messages):
        if answers_tool or message.get("role") == "user":
            prompt = text_of(message.get("content"))[0]
            break
    whole_limit, text_limit = body.get("max_completion_tokens"), body.get("max_tokens")
    limit = whole_limit if whole_limit is not None else text_limit
    stop = body.get("stop")
    return Wish(
        prompt=prompt,
        tools=_tools(body),
        tool_choice=_tool_choice(body),
        is_parallel=body.get("parallel_tool_calls") is not False,
        answers_tool=answers_tool,
        is_thinking=thinks(model, body),
        limit=limit if isinstance(limit, int) else None,
        # Ark's max_tokens counts the answer alone; max_completion_tokens counts the reasoning too.
        limit_counts_reasoning=whole_limit is not None or call.dialect is not Dialect.ARK,
        stops=[stop] if isinstance(stop, str) else texts(stop),
        schema=_schema(body.get("response_format")),
    )


def _schema(form: object) -> Json | None:
    if not isinstance(form, dict):
        return None
    if form.get("type") == "json_object":
        return {"type": "object", "properties": {"simulated": {"type": "boolean"}}}
    if form.get("type") == "json_schema" and isinstance(inner := form.get("json_schema"), dict):
        schema = inner.get("schema")
        return schema if isinstance(schema, dict) else {}
    return None


def _tools(body: Json) -> list[ToolSpec]:
    specs = []
    for tool in objects(body.get("tools")):
        function = tool.get("function")
        if isinstance(function, dict):
            specs.append(ToolSpec(str(function.get("name")), members(function.get("parameters"))))
    return specs


def _tool_choice(body: Json) -> str:
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        function = choice.get("function")
        return f"={function.get('name')}" if isinstance(function, dict) else "auto"
    return choice if isinstance(choice, str) else "auto"


def _tool_calls(made: Composition) -> list[Json]:
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.text}}
        for call in made.calls
    ]


_FINISH = {"stop": "stop", "stop_sequence": "stop", "length": "length", "tool_calls": "tool_calls"}


def _choice(call: Call, made: Composition, index: int, *, shows_reasoning: bool) -> Json:
    message: Json = {"role": "assistant", "content": None if made.calls else made.text}
    if shows_reasoning and made.reasoning:
        message["reasoning_content"] = made.thought
    if made.calls:
        message["tool_calls"] = _tool_calls(made)
    if call.dialect is Dialect.OPENAI:
        message |= {"refusal": None, "annotations": []}
    choice: Json = {
        "index": index,
        "message": message,
        "logprobs": None,
        "finish_reason": _FINISH[made.finish],
    }
    if call.dialect is Dialect.ARK:
        choice["moderation_hit_type"] = None
    return choice


class _Frames:
    """Writes the chunks of one stream. What is the same in every chunk is encoded once."""

    def __init__(
        self, call: Call, head: Json, made: Composition, *, shows_reasoning: bool, asked_usage: bool
    ) -> None:
        self._call = call
        self._made = made
        self._shows_reasoning = shows_reasoning
        self._asked_usage = asked_usage
        members: Json = {"id": head["id"], "object": "chat.completion.chunk"} | head
        if call.dialect is not Dialect.COMPATIBLE:
            members["service_tier"] = "default"
        if call.dialect is Dialect.OPENAI:
            members["system_fingerprint"] = "fp_simulated"
        self._open = b"data: " + encode_json(members)[:-1] + b',"choices":['
        # Ark writes usage:null on every chunk, OpenAI only where usage was asked for.
        nulls = asked_usage or call.dialect is Dialect.ARK
        self._close = b'],"usage":null}\n\n' if nulls else b"]}\n\n"

    def all(self, usage: Json) -> Iterator[bytes]:
        options = self._call.body.get("stream_options")
        running = (
            self._call.dialect is Dialect.ARK
            and isinstance(options, dict)
            and options.get("chunk_include_usage") is True
        )
        for index in range(self._call.body.get("n") or 1):
            frames = self._deltas(index)
            yield from self._with_running_usage(frames, usage) if running else frames
        for index in range(self._call.body.get("n") or 1):
            yield self._finish(index)
        if self._asked_usage and not self._call.shape.no_usage:
            yield self._open + b'],"usage":' + encode_json(usage) + b"}\n\n"
        if not self._call.shape.no_done:
            yield b"data: [DONE]\n\n"

    def _with_running_usage(self, frames: Iterator[bytes], usage: Json) -> Iterator[bytes]:
        """Ark's ``chunk_include_usage``: every chunk says what was used up to it."""
        prompt = usage["prompt_tokens"]
        for count, frame in enumerate(frames):
            so_far = {"prompt_tokens": prompt, "completion_tokens": count, "total_tokens": prompt + count}
            yield frame.removesuffix(b"null}\n\n") + encode_json(so_far) + b"}\n\n"

    def _deltas(self, index: int) -> Iterator[bytes]:
        made = self._made
        start: Json = {"role": "assistant", "content": None if made.calls and not made.pieces else ""}
        if self._call.dialect is Dialect.OPENAI:
            start["refusal"] = None
        yield self._chunk(index, encode_json(start))
        if self._shows_reasoning:
            # Ark keeps an empty content beside the reasoning, Bailian a null.
            beside = b"" if self._call.dialect is Dialect.OPENAI else b',"content":null'
            if self._call.dialect is Dialect.ARK:
                beside = b',"content":""'
            for piece in made.reasoning:
                yield self._chunk(index, b'{"reasoning_content":' + encode_json(piece) + beside + b"}")
        # Spelled out: this loop runs 10,000 times in the long streams of tests and benchmarks.
        before = self._open + b'{"index":%d,"delta":{"content":' % index
        after = b'},"logprobs":null,"finish_reason":null}' + self._close
        for piece in made.pieces:
            yield before + encode_json(piece) + after
        for at, call in enumerate(made.calls):
            function: Any = {"name": call.name, "arguments": ""}
            first = {"index": at, "id": call.id, "type": "function", "function": function}
            yield self._chunk(index, encode_json({"tool_calls": [first]}))
            text = call.text
            for begin in range(0, len(text), 12):
                part = {"index": at, "function": {"arguments": text[begin : begin + 12]}}
                yield self._chunk(index, encode_json({"tool_calls": [part]}))

    def _chunk(self, index: int, delta: bytes) -> bytes:
        return (
            self._open
            + b'{"index":%d,"delta":' % index
            + delta
            + b',"logprobs":null,"finish_reason":null}'
            + self._close
        )

    def _finish(self, index: int) -> bytes:
        reason = _FINISH[self._made.finish].encode()
        return (
            self._open
            + b'{"index":%d,"delta":{},"logprobs":null,"finish_reason":"%b"}' % (index, reason)
            + self._close
        )
