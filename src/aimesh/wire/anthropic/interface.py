"""The messages interface.

1. Only the model is edited; fields, blocks and betas are an open list and pass as they are.
2. ``anthropic-version`` and ``anthropic-beta`` are the caller's, unless a trait of the host says otherwise: hosts
   that know one version get that one, hosts that reject unknown betas get none.
"""

from typing import Any

import msgspec
from msgspec import Struct

from aimesh.core.errors import Fault
from aimesh.core.ids import InterfaceId
from aimesh.core.traits import Traits
from aimesh.core.usage import NO_USAGE
from aimesh.wire.answer import decode_answer, text_of
from aimesh.wire.anthropic.stream import MessageReader
from aimesh.wire.anthropic.usage import PlainUsage, read_usage
from aimesh.wire.body import count, flag, model_name, read_body
from aimesh.wire.faults import encode_fault
from aimesh.wire.interface import Answer, Family, Peek, Prepared, Tap, Target, UpstreamError
from aimesh.wire.lenient import decode
from aimesh.wire.splice import replace_model
from aimesh.wire.tap import StreamTap
from aimesh.wire.upstream_error import bad_answer, find_error
from aimesh.wire.upstream_error import read_error as read_upstream_error


class _Body(Struct, gc=False):
    model: Any = None
    stream: Any = None
    max_tokens: Any = None


class _Block(Struct, gc=False):
    pass


class _Said(Struct, gc=False):
    text: Any = None
    thinking: Any = None
    input: msgspec.Raw = msgspec.Raw()


class _Blocks(Struct, gc=False):
    content: list[_Said]


class _GoodAnswer(Struct, gc=False):
    """A good answer as the fast decoder takes it; whatever it refuses is read again, slowly."""

    content: list[_Block]
    usage: PlainUsage
    model: str = ""
    error: Any = None


class _Answer(Struct, gc=False):
    content: list[_Block] | None = None
    usage: Any = None
    model: Any = None
    error: Any = None


_BODY = msgspec.json.Decoder(_Body)
_ANSWER = msgspec.json.Decoder(_Answer)
_BLOCKS = msgspec.json.Decoder(_Blocks)
_decode_good_answer = msgspec.json.Decoder(_GoodAnswer).decode
_KEYS = (b'"model"', b'"stream"', b'"max_tokens"')
_NOTHING: frozenset[bytes] = frozenset()
_BETA = frozenset({b"anthropic-beta"})
_VERSION = frozenset({b"anthropic-version"})
_BOTH = _BETA | _VERSION


class Messages:
    id = InterfaceId("anthropic")
    once = False
    forwards = frozenset({b"anthropic-version", b"anthropic-beta"})

    def peek(self, body: bytes) -> Peek:
        fields = read_body(_BODY, body, _KEYS)
        limit = fields.max_tokens
        return Peek(
            model_name(fields.model),
            fields.stream is not None and flag(fields.stream, "stream"),
            0 if limit is None else max(count(limit, "max_tokens"), 0),
        )

    def prepare(self, body: bytes, peek: Peek, target: Target, /) -> Prepared:
        name = target.upstream_name
        return Prepared(
            body if name == peek.model else replace_model(body, name),
            peek.stream,
            version_header(target.traits),
            dropped_headers(target.traits),
        )

    def read_answer(self, body: bytes, _prepared: Prepared, /) -> Answer:
        try:
            answer = _decode_good_answer(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _read_answer(body)
        usage = answer.usage.read()
        if usage is None or answer.error:
            return _read_answer(body)
        return Answer(body, usage, None, None, answer.model)

    def read_error(self, status: int, body: bytes) -> UpstreamError:
        return read_upstream_error(status, body)

    def open_tap(self, _prepared: Prepared, /) -> StreamTap:
        return StreamTap(MessageReader().read)

    def encode_stream_fault(self, fault: Fault, request_id: str, _tap: Tap | None = None, /) -> bytes:
        error = encode_fault(Family.ANTHROPIC, fault, request_id=request_id, path="")
        return b"event: error\ndata: %b\n\n" % error


def _read_answer(body: bytes) -> Answer:
    """Any answer: with an odd usage, without one, or no answer at all."""
    answer = decode_answer(_ANSWER, body)
    if isinstance(answer, UpstreamError):
        return Answer(body, error=answer)
    if answer.error or answer.content is None:
        return Answer(body, error=find_error(body) or bad_answer("the upstream's answer holds no message"))
    usage = read_usage(answer.usage) if isinstance(answer.usage, dict) else NO_USAGE
    return Answer(
        body,
        usage,
        reported_model=text_of(answer.model),
        output_chars=0 if usage.reported else _count_chars(body),
    )


def _count_chars(body: bytes) -> int:
    """Characters of a whole message, as the frames of a stream are counted."""
    try:
        blocks, _ = decode(_BLOCKS, body)
    except msgspec.DecodeError:
        return 0
    chars = 0
    for block in blocks.content:
        said = block.text or block.thinking
        chars += len(said) if isinstance(said, str) else len(bytes(block.input).decode("utf-8", "replace"))
    return chars


def version_header(traits: Traits) -> tuple[tuple[bytes, bytes], ...]:
    version = traits.anthropic_version
    return ((b"anthropic-version", version.encode()),) if version else ()


def dropped_headers(traits: Traits) -> frozenset[bytes]:
    """The caller's headers that stay here: refused betas, and a version that is replaced."""
    if traits.anthropic_version:
        return _VERSION if traits.anthropic_beta else _BOTH
    return _NOTHING if traits.anthropic_beta else _BETA
