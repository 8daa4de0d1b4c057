from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.core.money import (
    parse_decimal,
    plain,
    rate_per_million,
    rate_per_unit,
    rounded,
)


@pytest.mark.parametrize(
    ("text", "rate"),
    [("3.2", 3_200_000_000), ("0.003625", 3_625_000), ("1e-9", 1), ("0", 0), ("180", 180_000_000_000)],
)
def test_rate_per_million_is_exact(text: str, rate: int) -> None:
    assert rate_per_million(parse_decimal(text)) == rate


def test_rate_per_unit_counts_single_units() -> None:
    assert rounded(3 * rate_per_unit(Decimal("0.22"))) == 660_000_000


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


_FACTORS = st.builds(Fraction, st.integers(0, 10**4), st.integers(1, 10**4))


@given(st.integers(0, 10**20), _FACTORS)
def test_rounding_happens_once_to_the_nearest_and_half_to_even(total: int, factor: Fraction) -> None:
    exact = Fraction(total, 10**6) * factor
    assert rounded(total, factor) == round(exact)
    assert rounded(Fraction(total), factor) == round(exact)
    assert type(rounded(total)) is int
    assert rounded(total) == round(Fraction(total, 10**6))


def test_half_goes_to_even() -> None:
    assert [rounded(half) for half in (500_000, 1_500_000, 2_500_000)] == [0, 2, 2]
    assert [rounded(half, Fraction(1, 2)) for half in (1_000_000, 3_000_000)] == [0, 2]


@given(st.decimals(min_value=0, max_value=10**6, places=9))
def test_plain_reads_back(amount: Decimal) -> None:
    text = plain(amount)
    assert Decimal(text) == amount
    assert not text.endswith(".")
    assert "E" not in text
