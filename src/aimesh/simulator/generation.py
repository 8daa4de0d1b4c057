"""DashScope's native text services: text-generation and multimodal-generation, whole and by its own SSE.

1. A stream is asked for by the header ``X-DashScope-SSE: enable``; there is no end marker.
2. Frames have no space after the colons, and a comment line with the HTTP status.
3. ``incremental_output`` false means that each frame repeats the whole text so far.
"""

from collections.abc import Iterator

from aimesh.simulator import failures
from aimesh.simulator.answers import Answer, Call, Json, Refusal, Stream, encode_json, members, objects, whole
from aimesh.simulator.chat import thinks
from aimesh.simulator.compose import Composition, ToolSpec, Wish, compose
from aimesh.simulator.models import require_model
from aimesh.simulator.prompt import prompt_parts, text_of
from aimesh.simulator.world import World

_SSE = b"text/event-stream;charset=UTF-8"


def answer(call: Call, world: World) -> Answer:
    model = require_model(call)
    if call.headers.get(b"x-dashscope-async"):
        raise Refusal(403, "AccessDenied", "Current user api does not support asynchronous calls.")
    messages = _messages(call)
    parameters = members(call.body.get("parameters"))
    in_parts = "multimodal-generation" in call.path
    wish = _wish(model, messages, parameters)
    made = compose(wish, call.shape)
    parts = prompt_parts(messages)
    input_tokens = sum(size for _, size in parts)
    cached = world.cached_tokens(f"{call.provider}\0{model}", parts)
    usage: Json = {
        "input_tokens": input_tokens,
        "output_tokens": made.output_tokens,
        "total_tokens": input_tokens + made.output_tokens,
        "prompt_tokens_details": {"cached_tokens": cached},
        "output_tokens_details": {"reasoning_tokens": made.reasoning_tokens},
    }
    if call.headers.get(b"x-dashscope-sse") == b"enable":
        return Stream(_frames(call, made, usage, in_parts=in_parts), _error_frame(call), _SSE)
    message = _message(made.text, made.thought, in_parts=in_parts)
    if made.calls:
        message["tool_calls"] = _tool_calls(made)
    output = _output(call, made, message, _finish(made))
    answer: Json = {"output": output, "request_id": call.request_id}
    if not call.shape.no_usage:
        answer["usage"] = usage
    return whole(answer)


def _messages(call: Call) -> list[Json]:
    given = call.body.get("input")
    if not isinstance(given, dict):
        raise Refusal(400, "BadRequest.EmptyInput", "Required input parameter missing from request.")
    messages = given.get("messages")
    if messages is None and isinstance(prompt := given.get("prompt"), str):
        return [{"role": "user", "content": prompt}]
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise failures.invalid(call.dialect, "Required parameter(messages) missing or invalid.")
    return messages


def _wish(model: str, messages: list[Json], parameters: Json) -> Wish:
    answers_tool = messages[-1].get("role") == "tool"
    said = [m for m in messages if m.get("role") == "user"]
    source = messages[-1] if answers_tool or not said else said[-1]
    choice = parameters.get("tool_choice")
    if isinstance(choice, dict):
        choice = f"={members(choice.get('function')).get('name')}"
    limit = parameters.get("max_tokens")
    return Wish(
        prompt=text_of(source.get("content"))[0],
        tools=[
            ToolSpec(str(tool["function"].get("name")), members(tool["function"].get("parameters")))
            for tool in objects(parameters.get("tools"))
            if isinstance(tool.get("function"), dict)
        ],
        tool_choice=choice if isinstance(choice, str) else "auto",
        is_parallel=parameters.get("parallel_tool_calls") is not False,
        answers_tool=answers_tool,
        is_thinking=thinks(model, parameters),
        limit=limit if isinstance(limit, int) else None,
    )


def _finish(made: Composition) -> str:
    return {"stop_sequence": "stop"}.get(made.finish, made.finish)


def _message(text: str, thought: str, *, in_parts: bool) -> Json:
    message: Json = {"role": "assistant", "content": [{"text": text}] if in_parts else text}
    if thought:
        message["reasoning_content"] = thought
    return message


def _tool_calls(made: Composition) -> list[Json]:
    return [
        {"index": at, "id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.text}}
        for at, c in enumerate(made.calls)
    ]


def _output(call: Call, made: Composition, message: Json, finish: str) -> Json:
    """``result_format`` text (the old default) has no choices."""
    form = members(call.body.get("parameters")).get("result_format", "message")
    if form == "text" and not made.calls:
        return {"text": message["content"], "finish_reason": finish}
    return {"choices": [{"finish_reason": finish, "message": message}]}


def _frame(number: int, data: Json, *, event: str = "result", status: int = 200) -> bytes:
    return b"id:%d\nevent:%b\n:HTTP_STATUS/%d\ndata:%b\n\n" % (
        number,
        event.encode(),
        status,
        encode_json(data),
    )


def _error_frame(call: Call) -> bytes:
    error = failures.by_status(call.dialect, 500)
    return _frame(1, failures.body(call.dialect, error, call.request_id), event="error", status=500)


def _frames(call: Call, made: Composition, usage: Json, *, in_parts: bool) -> Iterator[bytes]:
    incremental = members(call.body.get("parameters")).get("incremental_output") is True
    thought = text = ""
    number = 0
    steps = [("thought", piece) for piece in made.reasoning]
    for kind, piece in [*steps, *(("text", piece) for piece in made.pieces)]:
        number += 1
        if kind == "thought":
            thought = piece if incremental else thought + piece
            shown = _message("" if incremental else text, thought, in_parts=in_parts)
        else:
            text = piece if incremental else text + piece
            shown = _message(text, "" if incremental else thought, in_parts=in_parts)
        # A running choice says "null", the word.
        data: Json = {"output": _output(call, made, shown, "null"), "request_id": call.request_id}
        if not call.shape.no_usage:
            spent = {"output_tokens": number, "total_tokens": usage["input_tokens"] + number}
            data["usage"] = usage | spent
        yield _frame(number, data)
    last = _message("" if incremental else text, "" if incremental else thought, in_parts=in_parts)
    if made.calls:
        last["tool_calls"] = _tool_calls(made)
    data = {"output": _output(call, made, last, _finish(made)), "request_id": call.request_id}
    if not call.shape.no_usage:
        data["usage"] = usage
    yield _frame(number + 1, data)
