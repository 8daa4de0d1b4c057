"""Buckets hold what they say, adding loses nothing, and percentiles are as near as promised."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.core.histogram import (
    LAST,
    RATIO,
    bucket_of,
    decode_counts,
    encode_counts,
    merged,
    middle_ms,
    quantile_ms,
)

DURATIONS = st.floats(min_value=1.0, max_value=3_600_000.0)
OFF = 0.0489
"""How far the middle of a bucket is from its ends."""


@given(DURATIONS)
def test_the_middle_of_a_bucket_is_near_everything_in_it(ms: float) -> None:
    middle = middle_ms(bucket_of(ms))
    assert abs(middle - ms) / ms <= OFF


@given(st.floats(min_value=0.0, allow_nan=False, allow_infinity=False))
def test_every_duration_has_a_bucket(ms: float) -> None:
    bucket = bucket_of(ms)
    assert 0 <= bucket <= LAST
    assert bucket == LAST or ms <= RATIO**bucket * (1 + 1e-12)
    assert bucket == 0 or ms > RATIO ** (bucket - 1) * (1 - 1e-12)


@given(st.lists(DURATIONS, min_size=1, max_size=60), st.sampled_from([0.0, 0.25, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_near_the_exact_one(durations: list[float], share: float) -> None:
    counts = merged({bucket_of(ms): 1} for ms in durations)
    exact = sorted(durations)[max(1, math.ceil(share * len(durations))) - 1]
    found = quantile_ms(counts, share)
    assert found is not None
    assert abs(found - exact) / exact <= OFF


@given(st.lists(st.dictionaries(st.integers(0, LAST), st.integers(1, 10**12), max_size=20), max_size=6))
def test_merging_adds_and_json_keeps(several: list[dict[int, int]]) -> None:
    together = merged(several)
    assert sum(together.values()) == sum(sum(each.values()) for each in several)
    assert together == merged(reversed(several))
    assert decode_counts(encode_counts(together)) == together


def test_nothing_has_no_percentile() -> None:
    assert quantile_ms({}, 0.5) is None


@pytest.mark.parametrize(("counts", "text"), [({}, "{}"), ({7: 1, 3: 2}, '{"3":2,"7":1}')])
def test_counts_are_written_in_order(counts: dict[int, int], text: str) -> None:
    assert encode_counts(counts) == text
