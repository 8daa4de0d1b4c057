"""A whole answer with status 200: a value, or the error that it really is."""

import msgspec
import pytest

from aimesh.wire.answer import decode_answer, decode_document, object_of, text_of
from aimesh.wire.interface import UpstreamError

NUMBERS = msgspec.json.Decoder(list[int])


def test_decode_answer() -> None:
    assert decode_answer(NUMBERS, b"[1]") == [1]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"error":{"message":"m","code":"c"}}', "c"),
        (b'{"x":1}', "bad_upstream_answer"),
        (b"[1", "bad_upstream_answer"),
        (b"", "bad_upstream_answer"),
    ],
)
def test_what_is_no_answer(body: bytes, code: str) -> None:
    found = decode_answer(NUMBERS, body)
    assert isinstance(found, UpstreamError)
    assert found.code == code


@pytest.mark.parametrize(
    ("body", "code"),
    [(b'{"code":"c","message":"m"}', "c"), (b"[]", "bad_upstream_answer"), (b"{", "bad_upstream_answer")],
)
def test_documents(body: bytes, code: str) -> None:
    found = decode_document(body)
    assert isinstance(found, UpstreamError)
    assert found.code == code
    assert decode_document(b'{"a":1}') == {"a": 1}


def test_members_of_the_wrong_type_are_empty() -> None:
    assert (text_of("a"), text_of(5), object_of({"a": 1}), object_of([])) == ("a", "", {"a": 1}, {})
