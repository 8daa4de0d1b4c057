"""``/messages/count_tokens``: asked of a host that serves it, estimated here otherwise.

How the estimate counts, on the safe side (an undercount makes agents run into the real limit):
- ASCII text: a token per 3.2 characters, and at least one per word, three digits or run of white space, and 0.6
  per mark (marks of code and JSON share tokens);
- Chinese, Japanese and Korean: a token per character; other non-ASCII letters: one per two characters;
- a picture: 1,600 tokens, the most that one costs after scaling; a PDF: a page per 50 KB of file, 3,000 a page;
- a tool: its name, description and schema as text, and 12 for its frame; any tool at all: 350 for the preamble;
- a message: 4 for its frame; a tool call or result: its text and 12; base64 data is never counted as text.
"""

import re
from typing import Any

import msgspec

from aimesh.core.errors import BadRequest, Fault
from aimesh.core.ids import InterfaceId
from aimesh.wire.answer import decode_document, object_of, text_of
from aimesh.wire.anthropic.interface import Messages, dropped_headers, version_header
from aimesh.wire.interface import Answer, Peek, Prepared, Tap, Target, UpstreamError
from aimesh.wire.lenient import decode_any
from aimesh.wire.splice import replace_model
from aimesh.wire.tap import StreamTap
from aimesh.wire.upstream_error import bad_answer

_CHARS_PER_TOKEN = 3.2
_TOKENS_PER_MARK = 0.6
_IMAGE_TOKENS = 1_600
_PAGE_BYTES = 50_000
_PAGE_TOKENS = 3_000
_FRAME_TOKENS = 4
_PART_TOKENS = 12
_TOOLS_TOKENS = 350

_WORDS = re.compile(r"[A-Za-z]+|[0-9]{1,3}|\s{2,}|\n")
_MARKS = re.compile(r"[!-/:-@\[-`{-~]")
_WIDE = re.compile(
    r"[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
_OTHER = re.compile(r"[^\x00-\x7f]")


class TokenCounter:
    """The counting call as an interface: a sibling of messages on the same endpoints."""

    id = InterfaceId("anthropic")
    once = False
    forwards = frozenset({b"anthropic-version", b"anthropic-beta"})

    def __init__(self) -> None:
        self._messages = Messages()

    def peek(self, body: bytes) -> Peek:
        return Peek(self._messages.peek(body).model)

    def prepare(self, body: bytes, peek: Peek, target: Target, /) -> Prepared:
        return Prepared(
            replace_model(body, target.upstream_name) if target.upstream_name != peek.model else body,
            False,
            version_header(target.traits),
            dropped_headers(target.traits),
        )

    def read_answer(self, body: bytes, _prepared: Prepared, /) -> Answer:
        answer = decode_document(body)
        if isinstance(answer, UpstreamError):
            return Answer(body, error=answer)
        if not isinstance(answer.get("input_tokens"), int):
            return Answer(body, error=bad_answer("the upstream's answer holds no count"))
        return Answer(body)

    def read_error(self, status: int, body: bytes) -> UpstreamError:
        return self._messages.read_error(status, body)

    def open_tap(self, prepared: Prepared, /) -> StreamTap:
        return self._messages.open_tap(prepared)

    def encode_stream_fault(self, fault: Fault, request_id: str, tap: Tap | None = None, /) -> bytes:
        return self._messages.encode_stream_fault(fault, request_id, tap)


COUNTER = TokenCounter()


def encode_count(tokens: int) -> bytes:
    return b'{"input_tokens":%d}' % tokens


def estimate_tokens(body: bytes) -> int:
    """Tokens of the prompt that a request body holds. Raises ``BadRequest`` for what is no JSON."""
    try:
        request = object_of(decode_any(body))
    except msgspec.DecodeError as error:
        raise BadRequest(f"the body cannot be read: {error}") from error
    total = _content(request.get("system"))
    messages = request.get("messages")
    for message in messages if isinstance(messages, list) else []:
        total += _FRAME_TOKENS + _content(object_of(message).get("content"))
    tools = request.get("tools")
    if isinstance(tools, list) and tools:
        total += _TOOLS_TOKENS + sum(_PART_TOKENS + _json(tool) for tool in tools)
    for knob in ("tool_choice", "output_config"):
        if request.get(knob):
            total += _json(request[knob])
    return max(total, 1)


def _content(content: Any) -> int:
    if isinstance(content, str):
        return _text(content)
    if not isinstance(content, list):
        return 0
    return sum(_block(block) for block in content)


def _block(block: Any) -> int:
    if isinstance(block, str):
        return _text(block)
    fields = object_of(block)
    match fields.get("type"):
        case "text":
            return _text(text_of(fields.get("text")))
        case "thinking":
            return _text(text_of(fields.get("thinking")))
        case "image":
            return _IMAGE_TOKENS
        case "document":
            return _document(fields)
        case "tool_use" | "server_tool_use":
            return _PART_TOKENS + _text(text_of(fields.get("name"))) + _json(fields.get("input"))
        case "tool_result":
            return _PART_TOKENS + _content(fields.get("content"))
        case "search_result":
            words = text_of(fields.get("title")) + " " + text_of(fields.get("source"))
            return _PART_TOKENS + _text(words) + _content(fields.get("content"))
        case "redacted_thinking":
            return len(text_of(fields.get("data"))) // 4
        case _:
            return _json(block)


def _document(fields: dict[str, Any]) -> int:
    source = object_of(fields.get("source"))
    words = _text(text_of(fields.get("title")) + text_of(fields.get("context")))
    match source.get("type"):
        case "text":
            return words + _text(text_of(source.get("data")))
        case "content":
            return words + _content(source.get("content"))
        case "base64":
            file_bytes = len(text_of(source.get("data"))) * 3 // 4
            return words + _PAGE_TOKENS * max(1, -(-file_bytes // _PAGE_BYTES))
        case _:
            return words + _PAGE_TOKENS


def _json(value: Any) -> int:
    return _text(msgspec.json.encode(value).decode()) if value is not None else 0


def _text(text: str) -> int:
    wide = len(_WIDE.findall(text))
    other = len(_OTHER.findall(text)) - wide
    ascii_chars = len(text) - wide - other
    pieces = len(_WORDS.findall(text)) + len(_MARKS.findall(text)) * _TOKENS_PER_MARK
    return int(wide + other / 2 + max(ascii_chars / _CHARS_PER_TOKEN, pieces)) + 1 if text else 0
