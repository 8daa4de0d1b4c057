"""Reads the frames of a chat stream on their way to the caller.

1. The order is role chunk, deltas, finish chunk, usage chunk, ``[DONE]``; the role chunk is no answer yet.
2. A stream that ends after its finish chunk has earned its end, with or without ``[DONE]``.
3. The usage chunk that only the gateway asked for is the frame with ``choices: []`` and a usage, and only
   that.
"""

from typing import Any

import msgspec
from msgspec import Struct

from aimesh.framing.sse import read_frame
from aimesh.wire.lenient import decode_any
from aimesh.wire.open_ai.usage import read_usual
from aimesh.wire.tap import StreamTap, mended_frame
from aimesh.wire.upstream_error import bad_answer, has_error, judge_embedded, read_embedded_error


class _Delta(Struct, gc=False):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None
    tool_calls: Any = None
    function_call: Any = None
    audio: Any = None


class _Choice(Struct, gc=False):
    delta: _Delta | None = None
    finish_reason: Any = None
    usage: Any = None
    message: Any = None


class _Chunk(Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None


_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")
_decode_chunk = msgspec.json.Decoder(_Chunk).decode


def read_chunk(tap: StreamTap, frame: bytes) -> bool:
    """Reads a frame; every frame is handed on."""
    _read(tap, frame)
    return True


def read_chunk_without_usage(tap: StreamTap, frame: bytes) -> bool:
    """Reads a frame; the usage chunk is not handed on."""
    chunk = _read(tap, frame)
    return chunk is None or chunk.choices != [] or not isinstance(chunk.usage, dict)


def _read(tap: StreamTap, frame: bytes) -> _Chunk | None:
    event, data = read_frame(frame)
    try:
        chunk = _decode_chunk(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_odd(tap, data)
    choices = chunk.choices
    if choices:
        for choice in choices:
            delta = choice.delta
            if delta is not None:
                content = delta.content
                if content and type(content) is str:
                    tap.started = True
                    tap.output_chars += len(content)
                if not content or delta.tool_calls or delta.reasoning_content:
                    _read_rest(tap, delta)
            if choice.finish_reason:
                tap.started = tap.earned = True
            if choice.usage and not chunk.usage:
                chunk.usage = choice.usage
    elif choices is None and not tap.started:
        _read_without_choices(tap, data)
    if chunk.usage and isinstance(chunk.usage, dict):
        found = read_usual(chunk.usage)
        if found.reported:
            tap.count(found)
    if chunk.error or event:
        _read_error(tap, chunk, event, data)
    return chunk


def _read_error(tap: StreamTap, chunk: _Chunk, event: bytes, data: bytes) -> None:
    if chunk.error or event == b"error":
        tap.fail(read_embedded_error(data))


def _read_rest(tap: StreamTap, delta: _Delta) -> None:
    """Everything of a delta but its plain content."""
    for text in (delta.reasoning_content, delta.reasoning, delta.refusal):
        if text:
            tap.started = True
            tap.output_chars += len(text) if isinstance(text, str) else 0
    if delta.tool_calls or delta.function_call:
        tap.started = True
        tap.output_chars += _call_chars(delta.tool_calls) + _function_chars(delta.function_call)
    if delta.audio or delta.content:
        tap.started = True


def count_chars(choices: list[Any]) -> int:
    """Characters of a whole answer, as the frames of a stream are counted."""
    chars = 0
    for choice in choices:
        message = choice.get("message") if isinstance(choice, dict) else None
        if isinstance(message, dict):
            texts = (message.get(name) for name in _TEXTS)
            chars += sum(len(text) for text in texts if isinstance(text, str))
            chars += _call_chars(message.get("tool_calls")) + _function_chars(message.get("function_call"))
    return chars


def _call_chars(calls: object) -> int:
    if not isinstance(calls, list):
        return 0
    chars = 0
    for call in calls:
        if isinstance(call, dict):
            chars += _function_chars(call.get("function")) + _function_chars(call.get("custom"))
    return chars


def _function_chars(function: object) -> int:
    if not isinstance(function, dict):
        return 0
    parts = (function.get("name"), function.get("arguments"), function.get("input"))
    return sum(len(part) for part in parts if isinstance(part, str))


def _read_odd(tap: StreamTap, data: bytes) -> _Chunk | None:
    """The end marker, a comment, or what the fast decoder refuses."""
    if data.strip() == b"[DONE]":
        if not tap.started:
            tap.fail(bad_answer("the upstream's stream held no answer"))
        tap.ended = True
        return None
    if not data.strip():
        return None
    if (mended := mended_frame(data)) is not None:
        return _read(tap, mended)
    _read_without_choices(tap, data)
    return None


def _read_without_choices(tap: StreamTap, data: bytes) -> None:
    """No chunk of this interface: an error of another family, or JSON that is not ours to judge."""
    try:
        document = decode_any(data)
    except msgspec.DecodeError:
        tap.unreadable()
        return
    if has_error(document):
        tap.fail(judge_embedded(document))
