"""Turns what callers write into the one shape that the upstream knows: ``input.contents`` and ``parameters``.

1. Both input shapes give the same upstream body; a body in the official shape keeps its bytes.
2. ``dimensions`` (OpenAI) and ``dimension`` at the top become ``parameters.dimension``, unless that is set.
3. ``encoding_format`` is not the upstream's: it is dropped, and base64 is made here.
"""

from typing import Any

import msgspec
from msgspec import Struct

from aimesh.core.errors import BadRequest, Unsupported
from aimesh.wire.lenient import decode
from aimesh.wire.splice import Splice, elements

_OFFICIAL = ("text", "image", "video", "multi_images", "audio")
_TYPED = {"text": "text", "image_url": "image", "video_url": "video"}


class _Type(Struct, gc=False):
    type: Any = None


_TYPE = msgspec.json.Decoder(_Type)


def adapt(body: bytes) -> bytes:
    """Raises ``BadRequest`` and ``Unsupported``."""
    splice = Splice(body)
    raw_input = splice.get("input")
    if raw_input is not None and raw_input.startswith((b"[", b'"')):
        splice.put("input", b'{"contents":%b}' % _contents(raw_input))
    dimension = splice.get("dimension") or splice.get("dimensions")
    for key in ("dimension", "dimensions", "encoding_format"):
        splice.remove(key)
    if dimension is not None:
        parameters = splice.inner("parameters")
        if parameters.get("dimension") is None:
            parameters.put("dimension", dimension)
        splice.put("parameters", parameters.render())
    return splice.render()


def _contents(raw_input: bytes) -> bytes:
    if raw_input.startswith(b'"'):
        return b'[{"text":%b}]' % raw_input
    items = [_content(raw_input[start:end], index) for index, (start, end) in enumerate(elements(raw_input))]
    return b"[%b]" % b",".join(items)


def _content(item: bytes, index: int) -> bytes:
    """One entry of the list shape as an entry of ``contents``."""
    place = f"input[{index}]"
    if item.startswith(b'"'):
        return b'{"text":%b}' % item
    if not item.startswith(b"{"):
        raise BadRequest(f"{place} is neither a text nor an object", param=place)
    fields = Splice(item)
    try:
        kind = decode(_TYPE, item)[0].type
    except msgspec.DecodeError as error:
        raise BadRequest(f"{place}.type cannot be read", param=f"{place}.type") from error
    if kind is None:
        if all(fields.get(key) is None for key in _OFFICIAL):
            raise BadRequest(f"{place} holds neither text, image nor video", param=place)
        return item
    target = _TYPED.get(kind) if isinstance(kind, str) else None
    if target is None:
        raise Unsupported(f"{place} is of a type that this interface does not carry", param=f"{place}.type")
    value = fields.get(str(kind))
    if value is not None and value.startswith(b"{") and target != "text":
        value = Splice(value).get("url")
    if value is None or not value.startswith(b'"'):
        raise BadRequest(f"{place}.{kind} is missing or no string", param=f"{place}.{kind}")
    return b'{"%b":%b}' % (target.encode(), value)
