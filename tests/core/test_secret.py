import copy
import pickle

import msgspec
import pytest

from aimesh.core.secret import Secret, masked


def test_no_rendering_shows_the_value() -> None:
    secret = Secret("sk-very-secret")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>20}", str([secret]), str({"a": secret})]
    assert not any("very" in text for text in shown)
    assert secret.reveal() == "sk-very-secret"


def test_it_is_not_serialised() -> None:
    secret = Secret("sk-very-secret")
    for serialise in (pickle.dumps, msgspec.json.encode, copy.deepcopy):
        with pytest.raises(TypeError) as caught:
            serialise(secret)
        assert "very" not in str(caught.value)


def test_equal_values_are_equal() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_masked_shows_ends_of_long_values_only() -> None:
    assert masked("ck-1234567890abcd") == "ck-1****abcd"
    assert masked("short-value") == "****"
