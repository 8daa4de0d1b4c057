"""Versions of prices, discounts and re-pricing as the admin API takes and shows them.

Amounts are decimal text, for each currency by itself; a factor is decimal text: ``"0.8"`` takes a fifth off.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import structs
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from aimesh.catalog.price_discount import Discount, DiscountTerms, Scope, factor_of
from aimesh.control.http import Page
from aimesh.control.texts import OptionalLine, Time, seconds, shown_time, shown_time_or_none
from aimesh.core.money import Currency, plain
from aimesh.store.prices import PriceVersion


def _checked_factor(text: str) -> str:
    factor_of(text)
    return text


_LATEST_S = 253_370_764_800
"""The beginning of the year 9999: later times do not fit every time zone."""


def _of_a_call(at: datetime) -> datetime:
    if not 0 <= seconds(at) < _LATEST_S:
        raise ValueError("no call begins at such a time")
    return at


CallTime = Annotated[Time, AfterValidator(_of_a_call)]
"""When a call may begin."""

Factor = Annotated[
    str,
    StringConstraints(max_length=20, pattern=r"^[0-9]{1,3}(\.[0-9]{1,9})?$"),
    AfterValidator(_checked_factor),
]
Amounts = dict[Currency, str]
"""Of each currency by itself; they are never added."""


def shown_amounts(nano: Mapping[Currency, int]) -> Amounts:
    return {currency: plain(Decimal(amount).scaleb(-9)) for currency, amount in sorted(nano.items())}


class PriceVersionAnswer(BaseModel):
    """What `price_version` of a usage record means."""

    version: str = Field(examples=["6d35bb5d9db2"])
    endpoint: str = Field(description="One that had this price; others may have had the same.")
    price: dict[str, JsonValue] = Field(description="As it was written.")
    first_seen_at: Time = Field(description="When the first record was priced with it.")


class PriceVersionPage(Page[PriceVersionAnswer]):
    """The newest first."""


class DiscountAnswer(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "dsc_0190f2a4c1de5f3b9a77c0d2",
                "tenant": "default",
                "scope": "model",
                "name": "qwen/qwen3.7-max",
                "factor": "0.8",
                "since": "2026-01-31T08:00:00Z",
                "until": None,
                "created_at": "2026-01-31T08:00:00Z",
                "updated_at": "2026-01-31T08:00:00Z",
                "version": 1,
            }
        }
    )

    id: str
    tenant: str
    scope: Scope = Field(description="The narrowest that holds counts, alone: model, provider, all.")
    name: str = Field(description="Of the provider or the model; empty for all.")
    factor: str = Field(description="What is left of the list price: `0.8` takes a fifth off.")
    since: Time
    until: Time | None = Field(description="Null: for good.")
    created_at: Time
    updated_at: Time
    version: int


class DiscountPage(Page[DiscountAnswer]):
    """In the order of making."""


class NewDiscount(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"scope": "model", "name": "qwen/qwen3.7-max", "factor": "0.8"}},
    )

    scope: Scope = Scope.ALL
    name: OptionalLine = Field(default="", description="Of the provider or the model; empty for all.")
    factor: Factor = Field(description="What is left of the list price: `0.8` takes a fifth off.")
    since: CallTime | None = Field(default=None, description="Null: from now on.")
    until: CallTime | None = Field(default=None, description="Null: for good.")

    def terms(self, now_s: float) -> DiscountTerms:
        return DiscountTerms(
            scope=self.scope,
            name=self.name,
            factor=self.factor,
            since_s=now_s if self.since is None else seconds(self.since),
            until_s=None if self.until is None else seconds(self.until),
        )


class DiscountChange(BaseModel):
    """What is left out stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"until": "2026-12-31T16:00:00Z"}}
    )

    factor: Factor | None = None
    since: CallTime | None = None
    until: CallTime | None = Field(default=None, description="Null: for good.")

    def edited(self, terms: DiscountTerms) -> DiscountTerms:
        if self.factor is not None:
            terms = structs.replace(terms, factor=self.factor)
        if self.since is not None:
            terms = structs.replace(terms, since_s=seconds(self.since))
        if "until" in self.model_fields_set:
            terms = structs.replace(terms, until_s=None if self.until is None else seconds(self.until))
        return terms


class Reprice(BaseModel):
    """Calls that began in a time are priced again, by the prices and discounts that are known now."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "since": "2026-01-31T00:00:00Z",
                "until": "2026-02-01T00:00:00Z",
                "dry_run": True,
            }
        },
    )

    since: CallTime = Field(description="Calls that began then or later.")
    until: CallTime | None = Field(default=None, description="Calls that began before; null: until now.")
    endpoint: OptionalLine = Field(default="", description="Only of this endpoint.")
    version: OptionalLine = Field(
        default="",
        description="By this version of a price, whenever it held, instead of the price that held at each call's "
        "time; needs `endpoint`.",
    )
    dry_run: bool = Field(default=False, description="Show what would change, and change nothing.")
    cursor: Annotated[str, StringConstraints(max_length=1000)] | None = Field(
        default=None, description="`next_cursor` of the answer before, with everything else as it was."
    )


class PricedSum(BaseModel):
    cost: Amounts = Field(description="After discounts.")
    list: Amounts = Field(description="Before discounts.")
    unpriced: int = Field(description="Records without a known price.")


class RepricedEndpoint(BaseModel):
    """Records of one endpoint whose price differs."""

    endpoint: str
    records: int
    before: PricedSum
    after: PricedSum


class RepricedAnswer(BaseModel):
    examined: int = Field(description="Records that this answer is about.")
    changed: int = Field(description="Of these, those whose price or version differs.")
    kept: int = Field(description="Of endpoints that the catalogue no longer has: they keep their price.")
    endpoints: list[RepricedEndpoint] = Field(description="By name.")
    next_cursor: str | None = Field(
        description="Ask again with it as `cursor`: there is more. Null: all done."
    )


def shown_version(version: PriceVersion) -> PriceVersionAnswer:
    return PriceVersionAnswer(
        version=version.version,
        endpoint=version.endpoint,
        price=msgspec.json.decode(version.document),
        first_seen_at=shown_time(version.first_seen_s),
    )


def shown_discount(discount: Discount) -> DiscountAnswer:
    terms = discount.terms
    return DiscountAnswer(
        id=discount.id,
        tenant=discount.tenant,
        scope=terms.scope,
        name=terms.name,
        factor=terms.factor,
        since=shown_time(terms.since_s),
        until=shown_time_or_none(terms.until_s),
        created_at=shown_time(discount.created_at_s),
        updated_at=shown_time(discount.updated_at_s),
        version=discount.version,
    )
