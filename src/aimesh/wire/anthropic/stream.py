"""Reads the frames of a message stream on their way to the caller.

1. Events are told by ``type`` in the JSON, not by the ``event:`` line.
2. Usage is cumulative: what ``message_delta`` gives replaces what ``message_start`` gave, member by member. A prompt
   is never empty: a delta that says so (translating upstreams send zeros) leaves the counts of the start alone.
3. ``message_start``, ``ping`` and a text block that opens empty are no answer yet; any other block that opens
   is: a thinking block can stay silent for long, and a tool call is news.
4. A stream that ends after ``message_delta`` with a stop reason has earned its end.
"""

from typing import Any

import msgspec
from msgspec import Struct

from aimesh.framing.sse import read_data
from aimesh.wire.answer import object_of
from aimesh.wire.anthropic.usage import read_usage
from aimesh.wire.lenient import decode, decode_any
from aimesh.wire.tap import StreamTap, mended_frame
from aimesh.wire.upstream_error import bad_answer, has_error, judge_embedded, read_embedded_error


class _Delta(Struct, gc=False):
    text: Any = None
    thinking: Any = None
    partial_json: Any = None
    stop_reason: Any = None


class _Block(Struct, gc=False):
    type: Any = None
    text: Any = None


class _BlockStart(Struct, gc=False):
    content_block: _Block | None = None


_BLOCK_START = msgspec.json.Decoder(_BlockStart)


class _Event(Struct, gc=False):
    type: Any = None
    delta: _Delta | None = None
    message: Any = None
    usage: Any = None
    error: Any = None


_PROMPT = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_decode_event = msgspec.json.Decoder(_Event).decode


class MessageReader:
    """The reader of one stream: it remembers the usage that ``message_start`` gave."""

    __slots__ = ("_usage",)

    def __init__(self) -> None:
        self._usage: dict[str, Any] = {}

    def read(self, tap: StreamTap, frame: bytes) -> bool:
        data = read_data(frame)
        try:
            event = _decode_event(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._read_odd(tap, data)
        if event.type == "content_block_delta":
            delta = event.delta
            if delta is not None:
                text = delta.text or delta.thinking or delta.partial_json
                if text:
                    tap.started = True
                    tap.output_chars += len(text) if isinstance(text, str) else 0
        else:
            self._read_rest(tap, event, data)
        return True

    def _read_rest(self, tap: StreamTap, event: _Event, data: bytes) -> None:
        """Everything but a delta of content."""
        match event.type:
            case "message_start":
                self._take_usage(tap, object_of(event.message).get("usage"))
            case "content_block_start":
                if _opens_with_news(data):
                    tap.started = True
            case "message_delta":
                self._take_usage(tap, event.usage)
                if event.delta is not None and event.delta.stop_reason:
                    tap.started = tap.earned = True
            case "message_stop":
                if not tap.started:
                    tap.fail(bad_answer("the upstream's stream held no answer"))
                tap.ended = True
            case "error":
                tap.fail(read_embedded_error(data))
            case _ if event.error or not isinstance(event.type, str):
                self._read_foreign(tap, data)

    def _take_usage(self, tap: StreamTap, usage: object) -> None:
        given = object_of(usage)
        if self._usage:
            keeps_prompt = not any(map(given.get, _PROMPT))
            for key, value in given.items():
                if value is not None and not (keeps_prompt and key in _PROMPT):
                    self._usage[key] = value
        else:
            self._usage = given
        found = read_usage(self._usage)
        if found.reported:
            tap.count(found)

    def _read_odd(self, tap: StreamTap, data: bytes) -> bool:
        """A comment, ``[DONE]`` from a translating upstream, or what the fast decoder refuses."""
        if not data.strip() or data.strip() == b"[DONE]":
            return True
        if (mended := mended_frame(data)) is not None:
            return self.read(tap, mended)
        return self._read_foreign(tap, data)

    @staticmethod
    def _read_foreign(tap: StreamTap, data: bytes) -> bool:
        """No event of this interface: an error of another family, or JSON that is not ours to judge."""
        try:
            document = decode_any(data)
        except msgspec.DecodeError:
            return tap.unreadable()
        return tap.fail(judge_embedded(document)) if has_error(document) else True


def _opens_with_news(data: bytes) -> bool:
    """Whether a block's first event is more than an empty text."""
    try:
        block = decode(_BLOCK_START, data)[0].content_block
    except msgspec.DecodeError:
        return True
    return block is None or block.type != "text" or bool(block.text)
