"""Money and rates, exact.

1. Money is an integer number of nano-units (billionths) of one currency. Currencies are never mixed.
2. A rate is nano-units per million units of what is counted: 3.20 CNY per million tokens is 3_200_000_000.
3. Amounts enter as decimal text, never as floats; what does not fit exactly is refused, not rounded.
4. Rounding happens once per record, in ``rounded``: half to even, after every part was added and a discount taken off.
"""

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction
from typing import NewType

from msgspec import Struct

NANO = 1_000_000_000
MILLION = 1_000_000
WHOLE = Fraction(1)
"""The factor of no discount."""
_MOST_DIGITS = 30
"""More digits than any price has; keeps a hostile exponent from growing an integer without end."""


class Currency(StrEnum):
    CNY = "CNY"
    USD = "USD"


Rate = NewType("Rate", int)
"""Nano-units per million units."""


class Money(Struct, frozen=True, gc=False):
    nano: int
    currency: Currency


def parse_decimal(text: str) -> Decimal:
    """An exact, finite, non-negative number. Raises ``ValueError`` with text that is safe to show."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError("not a decimal number") from None
    if not value.is_finite():
        raise ValueError("not a finite number")
    if value < 0:
        raise ValueError("an amount is not negative")
    if abs(value.adjusted()) > _MOST_DIGITS:
        raise ValueError("out of range")
    return value


def rate_per_million(amount: Decimal) -> Rate:
    """The rate of a price quoted per million units. Raises ``ValueError`` below a nano-unit."""
    return Rate(_whole(amount, NANO))


def rate_per_unit(amount: Decimal) -> Rate:
    """The rate of a price quoted per single unit: per picture, per second, per asset."""
    return Rate(_whole(amount, NANO * MILLION))


def rounded(total: int | Fraction, factor: Fraction = WHOLE) -> int:
    """Millionths of nano-units (units times rate) as nano-units, half to even. The one place that rounds."""
    if not isinstance(total, int):
        return round(total * factor / MILLION)
    # Tokens are whole, and whole numbers are ten times as fast as fractions.
    divisor = MILLION
    if factor is not WHOLE:
        total *= factor.numerator
        divisor *= factor.denominator
    nano, rest = divmod(total, divisor)
    return nano + (2 * rest > divisor or (2 * rest == divisor and nano % 2))


def plain(amount: Decimal) -> str:
    """A decimal without exponent and trailing zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _whole(amount: Decimal, scale: int) -> int:
    # Integers and fractions are exact whatever the decimal context says.
    scaled = Fraction(amount) * scale
    if scaled.denominator != 1:
        raise ValueError("more decimal places than money has (nine)")
    return scaled.numerator
