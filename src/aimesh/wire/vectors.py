"""Vectors as base64, for callers who asked for it where the upstream knows only floats.

1. The text is base64 of little-endian float32, which the official SDKs decode.
2. Only the member ``embedding`` of each entry is rewritten; order, index and everything else stay.
"""

import struct
from base64 import b64encode

import msgspec

from aimesh.core.errors import BadRequest
from aimesh.wire.lenient import decode
from aimesh.wire.splice import Splice, elements

_VECTOR = msgspec.json.Decoder(list[float])


class BadVectorsError(Exception):
    """The upstream's vectors are no lists of numbers."""


def pack_vectors(body: bytes, path: tuple[str, ...]) -> bytes:
    """An answer with the vectors at ``path`` packed: one entry, or a list of them.

    Raises ``BadVectorsError``.
    """
    try:
        return _pack_at(body, path)
    except (BadRequest, msgspec.DecodeError, OverflowError) as error:
        raise BadVectorsError from error


def _pack_at(value: bytes, path: tuple[str, ...]) -> bytes:
    if not path:
        return _pack_entries(value)
    splice = Splice(value)
    splice.put(path[0], _pack_at(splice.get(path[0]) or b"[]", path[1:]))
    return splice.render()


def _pack_entries(entries: bytes) -> bytes:
    if not entries.startswith(b"["):
        return _pack_entry(entries)
    pieces: list[bytes] = []
    end = 0
    for start, stop in elements(entries):
        pieces += (entries[end:start], _pack_entry(entries[start:stop]))
        end = stop
    pieces.append(entries[end:])
    return b"".join(pieces)


def _pack_entry(entry: bytes) -> bytes:
    splice = Splice(entry)
    vector = splice.get("embedding")
    if vector is None or vector.startswith(b'"'):
        return entry
    values = decode(_VECTOR, vector)[0]
    packed = struct.pack(f"<{len(values)}f", *values)
    splice.put("embedding", b'"%b"' % b64encode(packed))
    return splice.render()
