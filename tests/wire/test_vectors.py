"""Packing vectors: little-endian float32 as base64, everything else untouched."""

import base64
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.wire.vectors import BadVectorsError, pack_vectors


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=20))
def test_the_vector_survives(vector: list[float]) -> None:
    body = json.dumps({"data": [{"index": 1, "embedding": vector, "x": 1.0}]}).encode()
    packed = json.loads(pack_vectors(body, ("data",)))["data"][0]
    assert list(struct.unpack(f"<{len(vector)}f", base64.b64decode(packed["embedding"]))) == vector
    assert (packed["index"], packed["x"]) == (1, 1.0)


def test_every_other_byte_stays() -> None:
    body = b'{ "data" : [ {"embedding" : [ 0.5 ], "n":1e5} ,{"embedding":"AAAA"}], "z" : 1.0 }'
    assert pack_vectors(body, ("data",)) == (
        b'{ "data" : [ {"embedding" : "AAAAPw==", "n":1e5} ,{"embedding":"AAAA"}], "z" : 1.0 }'
    )


def test_one_entry_a_nested_place_and_no_place() -> None:
    assert pack_vectors(b'{"data":{"embedding":[1]}}', ("data",)) == b'{"data":{"embedding":"AACAPw=="}}'
    assert (
        pack_vectors(b'{"a":{"b":[{"embedding":[1]}]}}', ("a", "b"))
        == b'{"a":{"b":[{"embedding":"AACAPw=="}]}}'
    )
    assert pack_vectors(b'{"data":[{"x":1}]}', ("data",)) == b'{"data":[{"x":1}]}'


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":[1]}',
        b'{"data":{"embedding":["x"]}}',
        b'{"data":{"embedding":{}}}',
        b'{"data":7}',
        b'{"data":{"embedding":[1e300]}}',
        b'{"\xff":1}',
    ],
)
def test_what_are_no_vectors(body: bytes) -> None:
    with pytest.raises(BadVectorsError):
        pack_vectors(body, ("data",))
