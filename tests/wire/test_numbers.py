"""Counts that upstreams spell at will."""

import pytest

from aimesh.wire.numbers import first, seconds, whole


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (5, 5),
        (5.0, 5),
        (5.9, 5),
        (0, 0),
        (-1, 0),
        (-1.5, 0),
        (None, 0),
        ("5", 0),
        (True, 0),
        (1e300, 0),
        ([], 0),
    ],
)
def test_whole(value: object, count: int) -> None:
    assert whole(value) == count


@pytest.mark.parametrize(
    ("value", "expected"),
    [(5, 5.0), (4.5, 4.5), (-1, 0.0), (True, 0.0), ("5", 0.0), (None, 0.0), (1e300, 0.0)],
)
def test_seconds(value: object, expected: float) -> None:
    assert seconds(value) == expected


def test_the_first_count_that_is_not_0() -> None:
    document = {"a": {"b": 0}, "c": 7, "d": 9, "e": None}
    assert first(document, (("a", "b"), ("e", "x"), ("c",), ("d",))) == 7
    assert first(document, (("x",), ("c", "y"))) == 0
