"""The multimodal embeddings interface of DashScope.

1. The answer stays native; a caller who asked for base64 gets the vectors packed.
2. Older models report text and picture tokens apart, newer ones their sum with the parts inside.
"""

from typing import Any

import msgspec
from msgspec import Struct

from aimesh.core.errors import Fault
from aimesh.core.ids import InterfaceId
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.wire.answer import decode_answer, object_of
from aimesh.wire.body import model_name, read_body, text
from aimesh.wire.dashscope_embedding.request import adapt
from aimesh.wire.faults import encode_fault
from aimesh.wire.interface import Answer, Family, Peek, Prepared, Tap, Target, UpstreamError
from aimesh.wire.numbers import whole
from aimesh.wire.splice import replace_model
from aimesh.wire.tap import StreamTap, read_nothing
from aimesh.wire.upstream_error import bad_answer, find_error
from aimesh.wire.upstream_error import read_error as read_upstream_error
from aimesh.wire.vectors import BadVectorsError, pack_vectors

_ABSENT = msgspec.Raw()


class _Body(Struct, gc=False):
    model: Any = None
    encoding_format: Any = None


class _Output(Struct, gc=False):
    embeddings: msgspec.Raw = _ABSENT
    embedding: msgspec.Raw = _ABSENT
    """The one vector of the oldest model."""


class _Answer(Struct, gc=False):
    output: _Output | None = None
    usage: Any = None


_BODY = msgspec.json.Decoder(_Body)
_ANSWER = msgspec.json.Decoder(_Answer)
_KEYS = (b'"model"', b'"encoding_format"', b'"input"', b'"parameters"')


class DashScopeEmbeddings:
    id = InterfaceId("dashscope_embedding")
    once = False
    forwards = frozenset({b"x-dashscope-datainspection", b"x-dashscope-ossresourceresolve"})

    def peek(self, body: bytes) -> Peek:
        fields = read_body(_BODY, body, _KEYS)
        return Peek(
            model=model_name(fields.model),
            asked_base64=text(fields.encoding_format, "encoding_format") == "base64",
        )

    def prepare(self, body: bytes, peek: Peek, target: Target, /) -> Prepared:
        prepared = adapt(body)
        if target.upstream_name != peek.model:
            prepared = replace_model(prepared, target.upstream_name)
        return Prepared(body=prepared, stream=False, make_base64=peek.asked_base64)

    def read_answer(self, body: bytes, prepared: Prepared, /) -> Answer:
        answer = decode_answer(_ANSWER, body)
        if isinstance(answer, UpstreamError):
            return Answer(body, error=answer)
        output = answer.output or _Output()
        embeddings = bytes(output.embeddings)
        has_vectors = embeddings.startswith(b"[") and embeddings[1:-1].strip()
        if not has_vectors and not bytes(output.embedding).startswith(b"["):
            return Answer(
                body, error=find_error(body) or bad_answer("the upstream's answer holds no vectors")
            )
        if prepared.make_base64 and has_vectors:
            try:
                body = pack_vectors(body, ("output", "embeddings"))
            except BadVectorsError:
                return Answer(body, error=bad_answer("the upstream's vectors cannot be read"))
        return Answer(body, _read_usage(object_of(answer.usage)))

    def read_error(self, status: int, body: bytes) -> UpstreamError:
        return read_upstream_error(status, body)

    def open_tap(self, _prepared: Prepared, /) -> StreamTap:
        return StreamTap(read_nothing)

    def encode_stream_fault(self, fault: Fault, request_id: str, _tap: Tap | None = None, /) -> bytes:
        error = encode_fault(Family.DASHSCOPE, fault, request_id=request_id, path="")
        return b"event:error\ndata:%b\n\n" % error


def _read_usage(usage: dict[str, Any]) -> Usage:
    text_or_sum = whole(usage.get("input_tokens"))
    details = usage.get("input_tokens_details")
    parts = details if isinstance(details, dict) else usage
    video = whole(parts.get("video_tokens"))
    images = whole(parts.get("image_tokens")) + video
    if parts is details:
        prompt = text_or_sum or whole(details.get("text_tokens")) + images
    else:
        prompt = (text_or_sum + images) or whole(usage.get("total_tokens"))
    if not prompt:
        return NO_USAGE
    return Usage(input_tokens=prompt, input_image_tokens=images, input_video_tokens=video)
