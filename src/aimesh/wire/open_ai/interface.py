"""The chat completions interface.

1. The relayed body is the caller's bytes; edited are the model, ``stream_options.include_usage`` where the
   tap needs it, and the role ``developer`` where the upstream refuses it.
"""

from typing import Any

import msgspec
from msgspec import Struct

from aimesh.core.errors import Fault
from aimesh.core.ids import InterfaceId
from aimesh.core.usage import NO_USAGE
from aimesh.wire.answer import text_of
from aimesh.wire.body import count, flag, model_name, read_body
from aimesh.wire.faults import encode_fault
from aimesh.wire.interface import Answer, Family, Peek, Prepared, Tap, Target, UpstreamError
from aimesh.wire.lenient import decode, decode_any
from aimesh.wire.open_ai.stream import count_chars, read_chunk, read_chunk_without_usage
from aimesh.wire.open_ai.usage import PlainUsage, read_usage
from aimesh.wire.splice import Splice, elements, replace_model
from aimesh.wire.tap import StreamTap
from aimesh.wire.upstream_error import bad_answer, has_error, judge_embedded
from aimesh.wire.upstream_error import read_error as read_upstream_error


class _Body(Struct, gc=False):
    model: Any = None
    stream: Any = None
    stream_options: Any = None
    max_completion_tokens: Any = None
    max_tokens: Any = None


class _Choice(Struct, gc=False):
    pass


class _Answer(Struct, gc=False):
    """A good answer as the fast decoder takes it; whatever it refuses is read again, slowly."""

    choices: list[_Choice]
    usage: PlainUsage
    model: str = ""
    error: Any = None


class _Turn(Struct, gc=False):
    role: Any = None


class _Turns(Struct, gc=False):
    messages: list[_Turn] | None = None


_BODY = msgspec.json.Decoder(_Body)
_decode_answer = msgspec.json.Decoder(_Answer).decode
_TURNS = msgspec.json.Decoder(_Turns)
_KEYS = (
    b'"model"',
    b'"stream"',
    b'"stream_options"',
    b'"max_completion_tokens"',
    b'"max_tokens"',
    b'"messages"',
)


class OpenAiChat:
    id = InterfaceId("open_ai")
    once = False
    forwards = frozenset({b"x-client-request-id", b"x-prompt-cache-id"})

    def peek(self, body: bytes) -> Peek:
        fields = read_body(_BODY, body, _KEYS)
        options = fields.stream_options
        limit = fields.max_completion_tokens or fields.max_tokens
        return Peek(
            model_name(fields.model),
            fields.stream is not None and flag(fields.stream, "stream"),
            0 if limit is None else max(count(limit, "max_tokens"), 0),
            options is not None and isinstance(options, dict) and options.get("include_usage") is True,
        )

    def prepare(self, body: bytes, peek: Peek, target: Target) -> Prepared:
        prepared = body if target.upstream_name == peek.model else replace_model(body, target.upstream_name)
        traits = target.traits
        adds_usage = peek.stream and not peek.asked_usage and traits.usage_in_stream == "option"
        if adds_usage:
            prepared = _ask_usage(prepared)
        if not traits.developer_role and (b"developer" in body or b"\\u00" in body):
            prepared = _replace_developer(prepared)
        return Prepared(body=prepared, stream=peek.stream, withhold_usage=adds_usage)

    def read_answer(self, body: bytes, _prepared: Prepared, /) -> Answer:
        try:
            answer = _decode_answer(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _read_answer(body)
        usage = answer.usage.read()
        if usage is None or not answer.choices or answer.error:
            return _read_answer(body)
        return Answer(body, usage, None, None, answer.model)

    def read_error(self, status: int, body: bytes) -> UpstreamError:
        return read_upstream_error(status, body)

    def open_tap(self, prepared: Prepared) -> StreamTap:
        return StreamTap(read_chunk_without_usage if prepared.withhold_usage else read_chunk)

    def encode_stream_fault(self, fault: Fault, request_id: str, _tap: Tap | None = None, /) -> bytes:
        return b"data: %b\n\n" % encode_fault(Family.OPENAI, fault, request_id=request_id, path="")


def _read_answer(body: bytes) -> Answer:
    """Any answer: with an odd usage, without one, or no answer at all."""
    try:
        answer = decode_any(body)
    except msgspec.DecodeError:
        return Answer(body, error=bad_answer("the upstream's answer is no JSON"))
    if has_error(answer) and not (isinstance(answer, dict) and answer.get("choices")):
        return Answer(body, error=judge_embedded(answer))
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if not isinstance(choices, list) or not choices:
        return Answer(body, error=bad_answer("the upstream's answer holds no choices"))
    given = answer.get("usage")
    usage = read_usage(given) if isinstance(given, dict) else NO_USAGE
    return Answer(
        body,
        usage,
        reported_model=text_of(answer.get("model")),
        output_chars=0 if usage.reported else count_chars(choices),
    )


def _ask_usage(body: bytes) -> bytes:
    """``body`` with ``stream_options.include_usage`` true; the body is known to have a ``model``."""
    if b'"stream_options"' not in body and b"\\u00" not in body:
        end = body.rindex(b"}")
        return b'%b,"stream_options":{"include_usage":true}%b' % (body[:end], body[end:])
    splice = Splice(body)
    options = splice.get("stream_options")
    if options is None or not options.startswith(b"{"):
        splice.put("stream_options", b'{"include_usage":true}')
    else:
        inner = Splice(options)
        inner.put("include_usage", b"true")
        splice.put("stream_options", inner.render())
    return splice.render()


def _replace_developer(body: bytes) -> bytes:
    """The role ``developer`` becomes ``system``; no other byte changes."""
    try:
        turns, _ = decode(_TURNS, body)
    except msgspec.DecodeError:
        return body  # Messages of an odd shape: the upstream's to refuse.
    if not turns.messages or all(turn.role != "developer" for turn in turns.messages):
        return body
    splice = Splice(body)
    messages = splice.get("messages") or b"[]"
    pieces: list[bytes] = []
    end = 0
    for turn, span in zip(turns.messages, elements(messages), strict=True):
        if turn.role == "developer":
            inner = Splice(messages[span[0] : span[1]])
            inner.put("role", b'"system"')
            pieces += [messages[end : span[0]], inner.render()]
            end = span[1]
    pieces.append(messages[end:])
    splice.put("messages", b"".join(pieces))
    return splice.render()
