"""Opening a whole answer with status 200: a value of the right shape, or the error that it really is."""

from typing import Any, TypeVar

import msgspec

from aimesh.wire.interface import UpstreamError
from aimesh.wire.lenient import decode, decode_any
from aimesh.wire.upstream_error import bad_answer, find_error, has_error, judge_embedded

T = TypeVar("T")


def decode_answer(decoder: msgspec.json.Decoder[T], body: bytes) -> T | UpstreamError:
    """The fields that the decoder's struct names, for answers too large to decode whole."""
    try:
        return decode(decoder, body)[0]
    except msgspec.ValidationError:
        return find_error(body) or bad_answer(
            "the upstream's answer has another shape than its interface says"
        )
    except msgspec.DecodeError:
        return bad_answer("the upstream's answer is no JSON")


def decode_document(body: bytes) -> dict[str, Any] | UpstreamError:
    """The whole answer; an error object of any family comes out as the error."""
    try:
        document = decode_any(body)
    except msgspec.DecodeError:
        return bad_answer("the upstream's answer is no JSON")
    if has_error(document):
        return judge_embedded(document)
    if not isinstance(document, dict):
        return bad_answer("the upstream's answer is no JSON object")
    return document


def text_of(value: object) -> str:
    """A string member, empty when it is none."""
    return value if isinstance(value, str) else ""


def object_of(value: object) -> dict[str, Any]:
    """An object member, empty when it is none."""
    return value if isinstance(value, dict) else {}
