"""The Seedream interface.

1. A call is sent once: a second one costs a second picture.
2. ``n`` is not Ark's: 1 and null are dropped; more is asked for with ``sequential_image_generation``, where the
   model can make a sequence, and refused where it cannot.
3. A picture that was moderated away stands as an ``error`` inside a good answer and is not counted.
"""

from typing import Any

import msgspec
from msgspec import Struct

from aimesh.core.errors import BadRequest, Fault, Unsupported
from aimesh.core.ids import InterfaceId
from aimesh.wire.answer import decode_answer, object_of, text_of
from aimesh.wire.ark_image.stream import read_event, read_usage
from aimesh.wire.body import peek_model_and_stream
from aimesh.wire.faults import encode_fault
from aimesh.wire.interface import Answer, Family, Peek, Prepared, Tap, Target, UpstreamError
from aimesh.wire.splice import Splice, refuse_repeats, replace_model
from aimesh.wire.tap import StreamTap
from aimesh.wire.upstream_error import bad_answer, find_error
from aimesh.wire.upstream_error import read_error as read_upstream_error


class _Picture(Struct, gc=False):
    error: Any = None


class _Answer(Struct, gc=False):
    data: list[_Picture] | None = None
    usage: Any = None
    model: Any = None
    error: Any = None


_ANSWER = msgspec.json.Decoder(_Answer)
_SEQUENCE = "sequential_image_generation"
_OPTIONS = "sequential_image_generation_options"


class ArkImages:
    id = InterfaceId("ark_image")
    once = True
    forwards = frozenset({b"x-client-request-id"})

    def peek(self, body: bytes) -> Peek:
        return peek_model_and_stream(body)

    def prepare(self, body: bytes, peek: Peek, target: Target, /) -> Prepared:
        prepared = body
        if b'"n"' in body or b"\\u00" in body:
            prepared = _without_n(body, makes_sequences=target.traits.image_sequence)
        if target.upstream_name != peek.model:
            prepared = replace_model(prepared, target.upstream_name)
        return Prepared(prepared, peek.stream)

    def read_answer(self, body: bytes, _prepared: Prepared, /) -> Answer:
        answer = decode_answer(_ANSWER, body)
        if isinstance(answer, UpstreamError):
            return Answer(body, error=answer)
        if answer.error or not answer.data:
            return Answer(
                body, error=find_error(body) or bad_answer("the upstream's answer holds no pictures")
            )
        good = sum(1 for picture in answer.data if not picture.error)
        return Answer(body, read_usage(object_of(answer.usage), good), reported_model=text_of(answer.model))

    def read_error(self, status: int, body: bytes) -> UpstreamError:
        return read_upstream_error(status, body)

    def open_tap(self, _prepared: Prepared, /) -> StreamTap:
        return StreamTap(read_event)

    def encode_stream_fault(self, fault: Fault, request_id: str, _tap: Tap | None = None, /) -> bytes:
        error = encode_fault(Family.ARK, fault, request_id=request_id, path="")
        return b"event: error\ndata: %b\n\n" % error


def _without_n(body: bytes, *, makes_sequences: bool) -> bytes:
    refuse_repeats(body, (b'"n"',))
    splice = Splice(body)
    raw = splice.get("n")
    wanted = 1 if raw is None else _read_count(raw)
    splice.remove("n")
    if wanted > 1:
        if not makes_sequences:
            raise Unsupported("this model makes one picture per call; n must be 1", param="n")
        splice.put(_SEQUENCE, b'"auto"')
        options = splice.inner(_OPTIONS)
        if options.get("max_images") is None:
            options.put("max_images", b"%d" % wanted)
        splice.put(_OPTIONS, options.render())
    return splice.render()


def _read_count(raw: bytes) -> int:
    if not raw.isdigit() or len(raw) > 3 or int(raw) < 1:
        raise BadRequest("n is not a whole number from 1 on", param="n")
    return int(raw)
