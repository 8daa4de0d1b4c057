import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.limits.rule import BUSY, FITS, SPENT, Verdict, judge


@pytest.mark.parametrize(
    ("limit", "used", "others", "amount", "verdict"),
    [
        (100, 0, 0, 100, FITS),
        (100, 40, 30, 30, FITS),
        (100, 40, 30, 31, BUSY),
        # Alone, the rest may be used up, whatever the call might use.
        (100, 99, 0, 50_000, FITS),
        (100, 99, 1, 50_000, BUSY),
        (100, 100, 0, 1, SPENT),
        (100, 130, 20, 1, SPENT),
        # A call that uses nothing of this unit is refused by a quota that is spent, and by nothing else.
        (100, 99, 500, 0, FITS),
        (100, 100, 0, 0, SPENT),
    ],
)
def test_what_fits(limit: int, used: int, others: int, amount: int, verdict: Verdict) -> None:
    assert judge(limit, used, others + amount, amount) is verdict


@given(st.integers(1, 1000), st.lists(st.integers(0, 500), max_size=30))
def test_calls_that_are_let_in_one_after_the_other_overshoot_by_one_at_most(
    limit: int, amounts: list[int]
) -> None:
    held: list[int] = []
    for amount in amounts:
        if judge(limit, 0, sum(held) + amount, amount) is FITS:
            held.append(amount)
    large = [amount for amount in held if amount > limit]
    assert sum(held) <= limit or (len(large) == 1 and sum(held) == large[0])
