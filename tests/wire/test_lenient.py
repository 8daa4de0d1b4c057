"""JSON that is valid although the fast decoder refuses it."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.wire.lenient import decode, decode_any, mend


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        (rb'"\ud83d"', rb'"\ufffd"'),
        (rb'"\uDC00x"', rb'"\ufffdx"'),
        (rb'"\ud83d\ude00"', rb'"\ud83d\ude00"'),
        (rb'"\ud83d\ud83d\ude00"', rb'"\ufffd\ud83d\ude00"'),
        (rb'"\\ud83d"', rb'"\\ud83d"'),
        (rb'"\\\ud83d"', rb'"\\\ufffd"'),
        (rb'"\u00e9"', rb'"\u00e9"'),
    ],
)
def test_only_lone_surrogates_are_mended(text: bytes, mended: bytes) -> None:
    assert mend(text) == mended


@given(st.text(alphabet=st.characters(codec=None, categories=None)))
def test_any_text_of_json_can_be_read(text: str) -> None:
    spelt = json.dumps({"a": text}).encode()
    value, read_from = decode(msgspec.json.Decoder(dict[str, str]), spelt)
    assert len(read_from) == len(spelt)
    assert value["a"] == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@pytest.mark.parametrize("text", [b"", b"{", b'"\xff"', b"[" * 5_000, rb'{"a":"\ud83d"', b"nul"])
def test_everything_else_is_a_decode_error(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_any(text)


def test_a_wrong_type_stays_a_validation_error() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(msgspec.json.Decoder(list[int]), b"{}")
    with pytest.raises(msgspec.ValidationError):
        decode(msgspec.json.Decoder(list[int]), rb'["\ud83d"]')
