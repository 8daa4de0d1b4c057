"""The few fields of a request body, and the refusals with their places."""

from typing import Any

import msgspec
import pytest
from msgspec import Struct

from aimesh.core.errors import BadRequest, ModelNotResolved
from aimesh.wire.body import count, flag, model_name, peek_model_and_stream, read_body, text
from aimesh.wire.interface import Peek


class Strict(Struct):
    model: Any = None
    n: int = 0


DECODER = msgspec.json.Decoder(Strict)
KEYS = (b'"model"', b'"n"')


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"model":"m"', "at byte 12"),
        (b'{"model":m}', "at byte 9"),
        (b'{"model":"m"} x', "at byte 14: trailing characters"),
        (b'{"model":"ab\xff"}', "at byte 12: the text is not UTF-8"),
        (b"", "at byte 0"),
        (b"[]", "not a JSON object"),
        (b" 5", "not a JSON object"),
        (b'{"n":"x"}', "a field of the body cannot be read"),
        (b'{"model":1,"n":2,"model":3}', "the member 'model' stands twice"),
    ],
)
def test_refusals_say_where(body: bytes, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        read_body(DECODER, body, KEYS)


def test_a_lone_surrogate_is_no_reason_to_refuse() -> None:
    assert read_body(DECODER, rb'{"model":"m","x":"\ud83d"}', KEYS).model == "m"


def test_models() -> None:
    assert model_name("a/b") == "a/b"
    for nothing in (None, ""):
        with pytest.raises(ModelNotResolved, match="no model"):
            model_name(nothing)
    with pytest.raises(ModelNotResolved, match="not a string"):
        model_name(["m"])


def test_flags() -> None:
    assert [flag(value, "stream") for value in (None, True, False)] == [False, True, False]
    with pytest.raises(BadRequest) as refusal:
        flag(1, "stream")
    assert refusal.value.param == "stream"


def test_counts() -> None:
    assert [count(value, "n") for value in (None, 3, 3.0, -1)] == [0, 3, 3, -1]


@pytest.mark.parametrize("wrong", ["3", 3.5, True, [1]])
def test_what_is_no_count(wrong: object) -> None:
    with pytest.raises(BadRequest):
        count(wrong, "n")


def test_texts() -> None:
    assert [text(value, "x") for value in (None, "a")] == ["", "a"]
    with pytest.raises(BadRequest):
        text(5, "x")


def test_model_and_stream() -> None:
    assert peek_model_and_stream(b'{"model":"m","stream":true}') == Peek(model="m", stream=True)
