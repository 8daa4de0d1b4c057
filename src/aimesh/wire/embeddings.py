"""What the OpenAI-shaped embedding interfaces share: everything but the family and the spelling of usage.

1. A caller who asks for base64 gets base64, always: the official SDKs ask for it unasked, and Node's silently
   turns floats into a vector of a quarter of the length.
2. Where the upstream knows only floats, it is asked for floats, and the vectors are packed here.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from aimesh.core.errors import Fault
from aimesh.core.ids import InterfaceId
from aimesh.core.usage import Usage
from aimesh.wire.answer import decode_answer, object_of, text_of
from aimesh.wire.body import model_name, read_body, text
from aimesh.wire.faults import encode_fault
from aimesh.wire.interface import Answer, Family, Peek, Prepared, Tap, Target, UpstreamError
from aimesh.wire.splice import Splice, replace_model
from aimesh.wire.tap import StreamTap, read_nothing
from aimesh.wire.upstream_error import bad_answer, find_error
from aimesh.wire.upstream_error import read_error as read_upstream_error
from aimesh.wire.vectors import BadVectorsError, pack_vectors

_ABSENT = msgspec.Raw()


class _Body(Struct, gc=False):
    model: Any = None
    encoding_format: Any = None


class _Answer(Struct, gc=False):
    data: msgspec.Raw = _ABSENT
    """A list of entries, or one entry; not decoded, for it is nearly the whole answer."""
    usage: Any = None
    model: Any = None


_BODY = msgspec.json.Decoder(_Body)
_ANSWER = msgspec.json.Decoder(_Answer)
_KEYS = (b'"model"', b'"encoding_format"')


class EmbeddingInterface:
    once = False
    forwards = frozenset({b"x-client-request-id"})

    def __init__(
        self, interface_id: InterfaceId, family: Family, read_usage: Callable[[dict[str, Any]], Usage]
    ) -> None:
        self.id = interface_id
        self._family = family
        self._read_usage = read_usage

    def peek(self, body: bytes) -> Peek:
        fields = read_body(_BODY, body, _KEYS)
        return Peek(
            model=model_name(fields.model),
            asked_base64=text(fields.encoding_format, "encoding_format") == "base64",
        )

    def prepare(self, body: bytes, peek: Peek, target: Target, /) -> Prepared:
        name = target.upstream_name
        make_base64 = peek.asked_base64 and not target.traits.base64_embeddings
        prepared = body if name == peek.model else replace_model(body, name)
        if make_base64:
            splice = Splice(prepared)
            splice.put("encoding_format", b'"float"')
            prepared = splice.render()
        return Prepared(body=prepared, stream=False, make_base64=make_base64)

    def read_answer(self, body: bytes, prepared: Prepared, /) -> Answer:
        answer = decode_answer(_ANSWER, body)
        if isinstance(answer, UpstreamError):
            return Answer(body, error=answer)
        data = bytes(answer.data)
        if not data.startswith((b"{", b"[{")) and not data[1:].lstrip().startswith(b"{"):
            return Answer(
                body, error=find_error(body) or bad_answer("the upstream's answer holds no vectors")
            )
        if prepared.make_base64:
            try:
                body = pack_vectors(body, ("data",))
            except BadVectorsError:
                return Answer(body, error=bad_answer("the upstream's vectors cannot be read"))
        return Answer(body, self._read_usage(object_of(answer.usage)), reported_model=text_of(answer.model))

    def read_error(self, status: int, body: bytes) -> UpstreamError:
        return read_upstream_error(status, body)

    def open_tap(self, _prepared: Prepared, /) -> StreamTap:
        return StreamTap(read_nothing)

    def encode_stream_fault(self, fault: Fault, request_id: str, _tap: Tap | None = None, /) -> bytes:
        return b"data: %b\n\n" % encode_fault(self._family, fault, request_id=request_id, path="")
