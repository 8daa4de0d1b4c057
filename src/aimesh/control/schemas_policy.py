"""Routes and limits as the admin API takes and gives them: the values of ``core/policy.py`` as JSON.

1. Amounts of money are decimal text of the quota's currency (``"100.50"``), tokens are whole numbers.
2. What is taken is judged whole here (one quota per unit and period, a mode's own fields); whether a provider or a
   credential exists is for whoever knows the tenant.
"""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints, model_validator

from aimesh.control.texts import UNSEEN
from aimesh.core.ids import ProviderId
from aimesh.core.money import NANO, parse_decimal, plain
from aimesh.core.policy import Limits, Period, Quota, RankBy, Route, RouteMode, Unit

MOST = 1 << 62
_Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=rf"^[^{UNSEEN}]+$")]
_Count = Annotated[int, Field(ge=1, le=MOST)]
_Decimal = Annotated[str, StringConstraints(max_length=40, pattern=r"^[0-9]+(\.[0-9]{1,9})?$")]


class QuotaBody(BaseModel):
    """A ceiling of use in a period. Of several, any one that is spent refuses."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"unit": "tokens", "period": "monthly", "limit": 10_000_000}},
    )

    unit: Unit
    period: Period
    limit: StrictInt | _Decimal = Field(
        description='Tokens as a whole number, or money as decimal text: `"100.50"`.'
    )

    @model_validator(mode="after")
    def _fits_the_unit(self) -> Self:
        self.value()
        return self

    def value(self) -> Quota:
        """Raises ``ValueError`` for an amount that the unit cannot have."""
        amount = self._tokens() if self.unit is Unit.TOKENS else self._money()
        if not 1 <= amount <= MOST:
            raise ValueError("a limit is more than zero and less than 2^62; leave the quota out for no limit")
        return Quota(unit=self.unit, period=self.period, limit=amount)

    def _tokens(self) -> int:
        if isinstance(self.limit, str):
            if not self.limit.isdecimal():
                raise ValueError("a number of tokens is whole")
            return int(self.limit)
        return self.limit

    def _money(self) -> int:
        return int(parse_decimal(str(self.limit)) * NANO)


class LimitsBody(BaseModel):
    """What may be used. What is left out has no limit."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "quotas": [
                    {"unit": "tokens", "period": "daily", "limit": 1_000_000},
                    {"unit": "CNY", "period": "monthly", "limit": "100.50"},
                ],
                "rpm": 600,
                "tpm": None,
                "concurrency": 20,
            }
        },
    )

    quotas: list[QuotaBody] = Field(default=[], max_length=12, description="At most one per unit and period.")
    rpm: _Count | None = Field(default=None, description="Requests per minute.")
    tpm: _Count | None = Field(default=None, description="Tokens per minute.")
    concurrency: _Count | None = Field(default=None, description="Calls at once.")

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        named = [(quota.unit, quota.period) for quota in self.quotas]
        if len(set(named)) < len(named):
            raise ValueError("two quotas have the same unit and period")
        return self

    def value(self) -> Limits:
        return Limits(
            quotas=tuple(quota.value() for quota in self.quotas),
            rpm=self.rpm,
            tpm=self.tpm,
            concurrency=self.concurrency,
        )


class RouteBody(BaseModel):
    """Which endpoints a key's calls may try, and in what order."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"mode": "default", "rank_by": "latency", "affinity": True}},
    )

    mode: RouteMode = Field(
        default=RouteMode.DEFAULT,
        description="`default`: built-in providers and BYOK, ranked. `provider`: the listed providers, in order. "
        "`byok`: the listed BYOK credentials, in order; never a built-in one.",
    )
    rank_by: RankBy = Field(default=RankBy.PRICE, description="How mode `default` ranks.")
    providers: list[_Name] = Field(
        default=[], max_length=100, description="Mode `provider`: the order. Mode `default`: only these."
    )
    credentials: list[_Name] = Field(
        default=[], max_length=100, description="Mode `byok`: names, in order; none: all, ranked."
    )
    tiers: dict[_Name, Annotated[int, Field(ge=-1000, le=1000)]] = Field(
        default={}, description="Providers of a lower tier are tried first; the others have tier 0."
    )
    weights: dict[_Name, Annotated[int, Field(ge=1, le=1_000_000)]] = Field(
        default={}, description="Shares among providers of equal rank; the others have weight 1."
    )
    affinity: bool = Field(
        default=True, description="Prompts that begin alike prefer the same endpoint, for its prompt cache."
    )

    @model_validator(mode="after")
    def _has_what_its_mode_needs(self) -> Self:
        if self.mode is RouteMode.PROVIDER and not self.providers:
            raise ValueError("mode 'provider' needs providers")
        for names in (self.providers, self.credentials):
            if len(set(names)) < len(names):
                raise ValueError("a name stands there twice")
        return self

    def value(self) -> Route:
        return Route(
            mode=self.mode,
            rank_by=self.rank_by,
            providers=tuple(ProviderId(name) for name in self.providers),
            credentials=tuple(self.credentials),
            tiers={ProviderId(name): tier for name, tier in self.tiers.items()},
            weights={ProviderId(name): weight for name, weight in self.weights.items()},
            affinity=self.affinity,
        )


def shown_amount(unit: Unit, amount: int) -> int | str:
    """Tokens, or nano-units of a currency, as JSON shows them."""
    return amount if unit is Unit.TOKENS else plain(Decimal(amount) / NANO)


def shown_quota(quota: Quota) -> QuotaBody:
    return QuotaBody(unit=quota.unit, period=quota.period, limit=shown_amount(quota.unit, quota.limit))


def shown_limits(limits: Limits) -> LimitsBody:
    return LimitsBody(
        quotas=[shown_quota(quota) for quota in limits.quotas],
        rpm=limits.rpm,
        tpm=limits.tpm,
        concurrency=limits.concurrency,
    )


def shown_route(route: Route) -> RouteBody:
    return RouteBody(
        mode=route.mode,
        rank_by=route.rank_by,
        providers=list(route.providers),
        credentials=list(route.credentials),
        tiers={str(name): tier for name, tier in route.tiers.items()},
        weights={str(name): weight for name, weight in route.weights.items()},
        affinity=route.affinity,
    )
