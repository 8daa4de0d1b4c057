"""Discounts: what of the list price a tenant pays, and which discount that is. Pure; the time is an argument.

1. The narrowest that holds counts, alone: of the model, else of the provider, else of everything.
2. Of several of one width the one that began last counts; of those that began together, the last id.
3. Nothing is multiplied with another discount, and none holds for usage over a tenant's own credential.
"""

from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction

from msgspec import Struct

from aimesh.core.ids import ModelName, ProviderId, TenantId
from aimesh.core.money import WHOLE, parse_decimal

_MOST_FACTOR = 100
_PLACES = 9


class Scope(StrEnum):
    ALL = "all"
    PROVIDER = "provider"
    MODEL = "model"


class DiscountTerms(Struct, frozen=True):
    """What may be edited."""

    scope: Scope
    name: str
    """Of the provider or the model; empty for all."""
    factor: str
    """Decimal text: ``0.8`` takes a fifth off."""
    since_s: float
    until_s: float | None = None
    """None: for good."""

    def holds_at(self, wall_s: float) -> bool:
        return self.since_s <= wall_s and (self.until_s is None or wall_s < self.until_s)


class Discount(Struct, frozen=True):
    id: str
    tenant: TenantId
    terms: DiscountTerms
    created_at_s: float
    updated_at_s: float
    version: int


def factor_of(text: str) -> Fraction:
    """Raises ``ValueError`` with text that is safe to show."""
    amount = parse_decimal(text)
    factor = Fraction(amount)
    if factor > _MOST_FACTOR:
        raise ValueError(f"a factor is at most {_MOST_FACTOR}")
    if (factor * 10**_PLACES).denominator != 1:
        raise ValueError(f"a factor has at most {_PLACES} decimal places")
    return WHOLE if factor == WHOLE else factor


_Place = tuple[TenantId, Scope, str]


class Discounts:
    """All discounts of an installation at one time, for looking up."""

    def __init__(self, discounts: Iterable[Discount] = ()) -> None:
        self._at: dict[_Place, list[tuple[Discount, Fraction]]] = {}
        newest_first = sorted(discounts, key=lambda one: (one.terms.since_s, one.id), reverse=True)
        for one in newest_first:
            place = (one.tenant, one.terms.scope, one.terms.name)
            self._at.setdefault(place, []).append((one, factor_of(one.terms.factor)))

    def factor(self, tenant: TenantId, provider: ProviderId, model: ModelName, at_s: float) -> Fraction:
        """What is left of the list price of a call that began at ``at_s``."""
        if not self._at:
            return WHOLE
        for place in (
            (tenant, Scope.MODEL, model),
            (tenant, Scope.PROVIDER, provider),
            (tenant, Scope.ALL, ""),
        ):
            for discount, factor in self._at.get(place, ()):
                if discount.terms.holds_at(at_s):
                    return factor
        return WHOLE


NO_DISCOUNTS = Discounts()
