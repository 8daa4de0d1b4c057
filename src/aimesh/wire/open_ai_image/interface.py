"""The images interface of OpenAI, whole and streamed.

1. A call is sent once: a second one costs a second picture.
2. Pictures are counted as they come out; tokens are read beside them, for models that are billed so.
"""

from typing import Any

import msgspec
from msgspec import Struct, structs

from aimesh.core.errors import Fault
from aimesh.core.ids import InterfaceId
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.framing.sse import read_data
from aimesh.wire.answer import decode_answer, object_of
from aimesh.wire.body import peek_model_and_stream
from aimesh.wire.faults import encode_fault
from aimesh.wire.interface import Answer, Family, Peek, Prepared, Tap, Target, UpstreamError
from aimesh.wire.lenient import decode
from aimesh.wire.numbers import whole
from aimesh.wire.splice import replace_model
from aimesh.wire.tap import StreamTap
from aimesh.wire.upstream_error import bad_answer, find_error, read_embedded_error
from aimesh.wire.upstream_error import read_error as read_upstream_error


class _Picture(Struct, gc=False):
    pass


class _Answer(Struct, gc=False):
    data: list[_Picture] | None = None
    usage: Any = None


class _Event(Struct, gc=False):
    type: Any = None
    usage: Any = None


_ANSWER = msgspec.json.Decoder(_Answer)
_EVENT = msgspec.json.Decoder(_Event)


class OpenAiImages:
    id = InterfaceId("open_ai_image")
    once = True
    forwards = frozenset({b"x-client-request-id"})

    def peek(self, body: bytes) -> Peek:
        return peek_model_and_stream(body)

    def prepare(self, body: bytes, peek: Peek, target: Target, /) -> Prepared:
        name = target.upstream_name
        return Prepared(body if name == peek.model else replace_model(body, name), peek.stream)

    def read_answer(self, body: bytes, _prepared: Prepared, /) -> Answer:
        answer = decode_answer(_ANSWER, body)
        if isinstance(answer, UpstreamError):
            return Answer(body, error=answer)
        if not answer.data:
            return Answer(
                body, error=find_error(body) or bad_answer("the upstream's answer holds no pictures")
            )
        return Answer(
            body, structs.replace(_read_usage(answer.usage), images=len(answer.data), reported=True)
        )

    def read_error(self, status: int, body: bytes) -> UpstreamError:
        return read_upstream_error(status, body)

    def open_tap(self, _prepared: Prepared, /) -> StreamTap:
        return StreamTap(_read_event)

    def encode_stream_fault(self, fault: Fault, request_id: str, _tap: Tap | None = None, /) -> bytes:
        error = encode_fault(Family.OPENAI, fault, request_id=request_id, path="")
        return b"event: error\ndata: %b\n\n" % error


def _read_usage(usage: object) -> Usage:
    fields = object_of(usage)
    prompt = whole(fields.get("input_tokens"))
    answer = whole(fields.get("output_tokens"))
    if not prompt and not answer:
        return NO_USAGE
    images = whole(object_of(fields.get("input_tokens_details")).get("image_tokens"))
    return Usage(input_tokens=prompt, output_tokens=answer, input_image_tokens=images)


def _read_event(tap: StreamTap, frame: bytes) -> bool:
    data = read_data(frame)
    if not data.strip() or data.strip() == b"[DONE]":
        return True
    try:
        event, _ = decode(_EVENT, data)
    except msgspec.DecodeError:
        return tap.unreadable()
    kind = event.type if isinstance(event.type, str) else ""
    if kind.endswith(".partial_image"):
        tap.started = True
    elif kind.endswith(".completed"):
        tap.started = tap.ended = True
        usage = _read_usage(event.usage)
        tap.count(structs.replace(usage, images=tap.usage.images + 1, reported=True))
    elif kind == "error":
        return tap.fail(read_embedded_error(data))
    elif (found := find_error(data)) is not None:
        return tap.fail(found)
    return True
