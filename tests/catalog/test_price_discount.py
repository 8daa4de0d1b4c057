from fractions import Fraction

import pytest

from aimesh.catalog.price_discount import (
    NO_DISCOUNTS,
    Discount,
    Discounts,
    DiscountTerms,
    Scope,
    factor_of,
)
from aimesh.core.ids import ModelName, ProviderId, TenantId
from aimesh.core.money import WHOLE

ACME = TenantId("acme")


def discount(
    scope: Scope,
    name: str,
    factor: str,
    *,
    since_s: float = 0.0,
    until_s: float | None = None,
    id_: str = "a",
) -> Discount:
    terms = DiscountTerms(scope=scope, name=name, factor=factor, since_s=since_s, until_s=until_s)
    return Discount(id=id_, tenant=ACME, terms=terms, created_at_s=0.0, updated_at_s=0.0, version=1)


def factor(
    discounts: Discounts, at_s: float, *, tenant: str = ACME, provider: str = "cloud", model: str = "m"
) -> Fraction:
    return discounts.factor(TenantId(tenant), ProviderId(provider), ModelName(model), at_s)


def test_the_narrowest_counts_alone() -> None:
    discounts = Discounts(
        [
            discount(Scope.ALL, "", "0.9"),
            discount(Scope.PROVIDER, "cloud", "0.8", id_="b"),
            discount(Scope.MODEL, "m", "0.95", id_="c"),
        ]
    )
    assert factor(discounts, 1.0) == Fraction(95, 100)
    assert factor(discounts, 1.0, model="other") == Fraction(8, 10)
    assert factor(discounts, 1.0, model="other", provider="other") == Fraction(9, 10)
    assert factor(discounts, 1.0, tenant="somebody") is WHOLE


def test_it_holds_from_its_beginning_until_before_its_end() -> None:
    discounts = Discounts([discount(Scope.ALL, "", "0.5", since_s=10.0, until_s=20.0)])
    assert [factor(discounts, at_s) for at_s in (9.9, 10.0, 19.9, 20.0)] == [
        WHOLE,
        Fraction(1, 2),
        Fraction(1, 2),
        WHOLE,
    ]


def test_when_the_narrowest_does_not_hold_a_wider_one_does() -> None:
    discounts = Discounts(
        [discount(Scope.ALL, "", "0.9"), discount(Scope.MODEL, "m", "0.5", since_s=10.0, id_="b")]
    )
    assert factor(discounts, 5.0) == Fraction(9, 10)
    assert factor(discounts, 15.0) == Fraction(1, 2)


@pytest.mark.parametrize("is_turned", [False, True])
def test_of_one_width_the_one_that_began_last_counts(is_turned: bool) -> None:
    several = [
        discount(Scope.ALL, "", "0.9", since_s=0.0, id_="a"),
        discount(Scope.ALL, "", "0.8", since_s=10.0, id_="b"),
        discount(Scope.ALL, "", "0.7", since_s=10.0, until_s=30.0, id_="c"),
    ]
    discounts = Discounts(reversed(several) if is_turned else several)
    assert [factor(discounts, at_s) for at_s in (5.0, 15.0, 35.0)] == [
        Fraction(9, 10),
        Fraction(7, 10),
        Fraction(8, 10),
    ]


def test_without_any_the_list_price_holds() -> None:
    assert factor(NO_DISCOUNTS, 1.0) is WHOLE


@pytest.mark.parametrize(
    ("text", "expected"), [("0.8", Fraction(4, 5)), ("0", Fraction(0)), ("1", WHOLE), ("100", Fraction(100))]
)
def test_a_factor_is_a_decimal(text: str, expected: Fraction) -> None:
    assert factor_of(text) == expected


@pytest.mark.parametrize("text", ["", "x", "-0.1", "NaN", "101", "0.0000000001"])
def test_what_is_no_factor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        factor_of(text)
