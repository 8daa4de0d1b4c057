"""Reads the events of a Responses stream on their way to the caller.

1. The end is ``response.completed``, ``.incomplete`` or ``.failed``; a ``[DONE]`` after it is tolerated, and
   never enough by itself.
2. ``response.created``, ``.queued``, ``.in_progress`` and a message or a part that opens empty are no answer yet.
3. The tap remembers the response object and the last sequence number: the event that ends a broken stream goes
   on from them.
"""

from typing import Any

import msgspec
from msgspec import Struct

from aimesh.core.usage import NO_USAGE, Usage
from aimesh.framing.sse import read_data
from aimesh.wire.answer import object_of
from aimesh.wire.lenient import decode, decode_any
from aimesh.wire.numbers import whole
from aimesh.wire.tap import StreamTap, mended_frame
from aimesh.wire.upstream_error import has_error, judge_embedded, read_embedded_error

_ABSENT = msgspec.Raw()


class _Event(Struct, gc=False):
    type: Any = None
    delta: Any = None
    sequence_number: Any = None
    error: Any = None


class _Usage(Struct, gc=False):
    usage: Any = None


class _Closing(Struct, gc=False):
    response: _Usage | None = None


class _Opening(Struct, gc=False):
    response: msgspec.Raw = _ABSENT


class _Opened(Struct, gc=False):
    type: Any = None
    content: Any = None
    text: Any = None


class _Addition(Struct, gc=False):
    item: _Opened | None = None
    part: _Opened | None = None


_OPENED = msgspec.json.Decoder(_Addition)
_CLOSING = msgspec.json.Decoder(_Closing)
_OPENING = msgspec.json.Decoder(_Opening)
_decode_event = msgspec.json.Decoder(_Event).decode

_WAITING = frozenset({"response.created", "response.in_progress", "response.queued"})
_OPENINGS = frozenset({"response.output_item.added", "response.content_part.added"})
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})


class _Said(Struct, gc=False):
    """Where an item of a whole answer keeps what a stream brings as deltas."""

    arguments: Any = None
    input: Any = None
    content: Any = None
    summary: Any = None


_SAID = msgspec.json.Decoder(_Said)


def count_chars(output: list[msgspec.Raw]) -> int:
    """Characters of a whole answer, as the deltas of a stream are counted."""
    return sum(_item_chars(bytes(item)) for item in output)


def _item_chars(item: bytes) -> int:
    try:
        said, _ = decode(_SAID, item)
    except msgspec.DecodeError:
        return 0
    texts = [said.arguments, said.input]
    for parts in (said.content, said.summary):
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict):
                texts += (part.get("text"), part.get("refusal"))
    return sum(len(text) for text in texts if isinstance(text, str))


def read_usage(usage: object) -> Usage:
    fields = object_of(usage)
    prompt = whole(fields.get("input_tokens"))
    answer = whole(fields.get("output_tokens"))
    if not prompt and not answer:
        return NO_USAGE
    prompt_details = object_of(fields.get("input_tokens_details"))
    cached = whole(prompt_details.get("cached_tokens"))
    written, is_explicit = _read_session(fields["x_details"]) if "x_details" in fields else (0, False)
    return Usage(
        input_tokens=prompt,
        output_tokens=answer,
        cached_tokens=cached,
        cache_write_tokens=written or whole(prompt_details.get("cache_write_tokens")),
        reasoning_tokens=whole(object_of(fields.get("output_tokens_details")).get("reasoning_tokens")),
        explicit_cached_tokens=cached if is_explicit else 0,
    )


def _read_session(details: object) -> tuple[int, bool]:
    """Qwen's session cache, which only these details tell of: tokens written, and whether hits were its.
    https://www.alibabacloud.com/help/en/model-studio/context-cache"""
    written, is_explicit = 0, False
    for entry in details if isinstance(details, list) else ():
        prompt = object_of(object_of(entry).get("prompt_tokens_details"))
        written += whole(prompt.get("cache_creation_input_tokens"))
        is_explicit = is_explicit or prompt.get("cache_type") == "ephemeral"
    return written, is_explicit


def read_event(tap: StreamTap, frame: bytes) -> bool:
    """Reads a frame; every frame is handed on."""
    data = read_data(frame)
    try:
        event = _decode_event(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_odd(tap, data)
    number = event.sequence_number
    if type(number) is int:
        tap.sequence_number = number
    kind = event.type
    if type(kind) is not str or event.error:
        return _read_foreign(tap, data)
    delta = event.delta
    if delta:
        tap.started = True
        tap.output_chars += len(delta) if type(delta) is str else 0
    elif kind in _WAITING:
        tap.opening = bytes(_OPENING.decode(data).response) or tap.opening
    elif kind in _ENDS:
        _read_end(tap, kind, data)
    elif kind == "error":
        tap.fail(read_embedded_error(data))
    elif kind in _OPENINGS:
        if _opens_with_news(data):
            tap.started = True
    elif kind.startswith("response.") and not kind.endswith(".delta"):
        tap.started = True
    return True


def _opens_with_news(data: bytes) -> bool:
    """Whether an item or a part that opens is more than an empty message: a call, reasoning, a text."""
    try:
        opened, _ = decode(_OPENED, data)
    except msgspec.DecodeError:
        return True
    if opened.part is not None:
        return bool(opened.part.text) or opened.part.type not in ("output_text", "refusal")
    return opened.item is None or opened.item.type != "message" or bool(opened.item.content)


def _read_end(tap: StreamTap, kind: str, data: bytes) -> None:
    try:
        closing, _ = decode(_CLOSING, data)
    except msgspec.DecodeError:
        closing = _Closing()
    if closing.response is not None and closing.response.usage:
        found = read_usage(closing.response.usage)
        if found.reported:
            tap.count(found)
    if kind == "response.failed":
        tap.fail(read_embedded_error(data))
    else:
        tap.started = True
    tap.ended = True


def _read_odd(tap: StreamTap, data: bytes) -> bool:
    """A comment, the end marker of chat, or what the fast decoder refuses."""
    if not data.strip() or data.strip() == b"[DONE]":
        return True
    if (mended := mended_frame(data)) is not None:
        return read_event(tap, mended)
    return _read_foreign(tap, data)


def _read_foreign(tap: StreamTap, data: bytes) -> bool:
    """No event of this interface: an error of another family, or JSON that is not ours to judge."""
    try:
        document = decode_any(data)
    except msgspec.DecodeError:
        return tap.unreadable()
    return tap.fail(judge_embedded(document)) if has_error(document) else True
