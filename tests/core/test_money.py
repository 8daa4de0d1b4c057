from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.core.money import (
    Currency,
    Money,
    Rate,
    charge,
    parse_decimal,
    plain,
    rate_per_million,
    rate_per_unit,
)


@pytest.mark.parametrize(
    ("text", "rate"),
    [("3.2", 3_200_000_000), ("0.003625", 3_625_000), ("1e-9", 1), ("0", 0), ("180", 180_000_000_000)],
)
def test_rate_per_million_is_exact(text: str, rate: int) -> None:
    assert rate_per_million(parse_decimal(text)) == rate


def test_rate_per_unit_counts_single_units() -> None:
    assert charge([(3, rate_per_unit(Decimal("0.22")))], Currency.CNY) == Money(660_000_000, Currency.CNY)


@pytest.mark.parametrize("text", ["", "abc", "1,5", "NaN", "Infinity", "-1", "1e400", "--1", "0x10"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_decimal(text)


def test_less_than_a_nano_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="decimal places"):
        rate_per_million(Decimal("0.0000000001"))


@given(st.integers(0, 10**15))
def test_every_amount_of_nine_places_survives_text(nano: int) -> None:
    text = f"{nano // 10**9}.{nano % 10**9:09d}"
    assert rate_per_million(parse_decimal(text)) == nano


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**12)), max_size=6))
def test_rounding_happens_once(parts: list[tuple[int, int]]) -> None:
    exact = sum((Fraction(units * rate, 10**6) for units, rate in parts), start=Fraction(0))
    paid = charge([(units, Rate(rate)) for units, rate in parts], Currency.USD).nano
    assert abs(paid - exact) <= Fraction(1, 2)


def test_half_goes_to_even() -> None:
    half = Rate(500_000)
    assert charge([(1, half)], Currency.CNY).nano == 0
    assert charge([(3, half)], Currency.CNY).nano == 2


@given(st.decimals(min_value=0, max_value=10**6, places=9))
def test_plain_reads_back(amount: Decimal) -> None:
    text = plain(amount)
    assert Decimal(text) == amount
    assert not text.endswith(".")
    assert "E" not in text
