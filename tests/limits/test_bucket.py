import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.limits.bucket import (
    FULL,
    MINUTE_NS,
    cost_ns,
    level_after,
    seconds_to_full,
    units_left,
    wait_s,
)

SECOND = 1_000_000_000


class _Bucket:
    """A bucket with one writer, as the ledger keeps it."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.offset = FULL
        self.spent = 0

    def take(self, units: int, now_ns: int) -> bool:
        cost = min(cost_ns(self.limit, units), MINUTE_NS)
        level, self.offset = level_after(self.offset, now_ns, self.spent + cost, cost)
        if level < 0:
            return False
        self.spent += cost
        return True


def test_a_minutes_worth_at_once_then_as_time_passes() -> None:
    bucket = _Bucket(60)
    now = 5_000 * SECOND
    assert sum(bucket.take(1, now) for _ in range(100)) == 60
    assert not bucket.take(1, now + SECOND - 1)
    assert bucket.take(1, now + SECOND)
    assert sum(bucket.take(1, now + 31 * SECOND) for _ in range(100)) == 30
    assert sum(bucket.take(1, now + 10_000 * SECOND) for _ in range(100)) == 60


def test_a_call_larger_than_the_minute_waits_for_a_full_bucket() -> None:
    bucket = _Bucket(1000)
    now = 5_000 * SECOND
    assert bucket.take(1, now)
    assert not bucket.take(50_000, now)
    assert bucket.take(50_000, now + SECOND)
    assert not bucket.take(1, now + SECOND)


def test_an_edit_keeps_the_share_that_was_taken() -> None:
    bucket = _Bucket(100)
    now = 5_000 * SECOND
    assert sum(bucket.take(1, now) for _ in range(50)) == 50
    bucket.limit = 10
    assert sum(bucket.take(1, now) for _ in range(50)) == 5


def test_debt_and_clocks_shut_out_for_a_minute_of_debt_at_most() -> None:
    bucket = _Bucket(60)
    now = 5_000 * SECOND
    assert bucket.take(1, now)
    bucket.spent += 1000 * MINUTE_NS
    assert not bucket.take(1, now)
    assert not bucket.take(1, now + 60 * SECOND)
    assert bucket.take(1, now + 61 * SECOND)
    # The machine was started anew: its clock begins at nothing.
    assert not bucket.take(1, 0)
    assert bucket.take(1, 61 * SECOND)


@given(
    st.integers(1, 10_000),
    st.lists(st.tuples(st.integers(0, 5 * SECOND), st.integers(1, 200)), min_size=1, max_size=60),
)
def test_no_minute_lets_in_more_than_two_minutes_worth(limit: int, calls: list[tuple[int, int]]) -> None:
    bucket = _Bucket(limit)
    now, taken = 10**15, []
    for pause, units in calls:
        now += pause
        if units <= limit and bucket.take(units, now):
            taken.append((now, units))
    for start, _ in taken:
        window = sum(units for at, units in taken if start <= at < start + MINUTE_NS)
        # Each cost is rounded down to a nanosecond.
        assert window <= 2 * limit + len(taken)


@pytest.mark.parametrize(
    ("level", "left", "wait", "to_full"),
    [
        (MINUTE_NS, 120, 1, 0),
        (MINUTE_NS - 1, 119, 1, 1),
        (30 * SECOND, 60, 1, 30),
        (0, 0, 1, 60),
        (-1, 0, 1, 61),
        (-SECOND, 0, 1, 61),
        (-SECOND - 1, 0, 2, 62),
        (-MINUTE_NS, 0, 60, 120),
    ],
)
def test_what_a_level_means_to_people(level: int, left: int, wait: int, to_full: int) -> None:
    assert (units_left(120, level), wait_s(level), seconds_to_full(level)) == (left, wait, to_full)
