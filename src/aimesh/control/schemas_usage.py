"""Usage as the admin API shows it.

1. Money is decimal text, of each currency by itself; amounts of several are never added.
2. What has no known price is counted as ``unpriced``, beside the cost and never as nothing.
3. ``system`` is what went over the installation's credentials, at what it costs after discounts; ``byok`` what went
   over a tenant's own, at list price: the tenant pays it to the provider.
"""

from fractions import Fraction
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from aimesh.control.schemas_prices import Amounts, shown_amounts
from aimesh.control.texts import Time
from aimesh.core.money import MILLION, Currency
from aimesh.store.usage_queries import Totals

Metric = Literal["tokens", "cost", "requests"]
Grain = Literal["hour", "day"]
Percent = float
"""100 is the whole, or twice as much as before."""


class Money(BaseModel):
    cost: Amounts = Field(description="After discounts.", examples=[{"CNY": "12.5"}])
    list: Amounts = Field(description="Before discounts.", examples=[{"CNY": "15.625"}])
    unpriced: int = Field(description="Requests that used something whose price is unknown.")


class Counts(Money):
    """Sums of usage."""

    requests: int
    succeeded: int
    failed: int
    abandoned: int = Field(description="The caller was gone before the end: neither success nor failure.")
    tokens: int = Field(description="Input and output.")
    input_tokens: int = Field(description="With what was read from a cache and written to one.")
    output_tokens: int = Field(description="With reasoning.")
    cached_tokens: int = Field(description="Of the input: read from a cache.")
    cache_write_tokens: int = Field(description="Of the input: written to a cache.")
    reasoning_tokens: int = Field(description="Of the output.")
    images: int
    video_seconds: float
    assets: int = Field(description="3D files.")
    estimated: int = Field(description="Requests whose usage the provider did not report.")


class TokensCard(BaseModel):
    total: int
    system: int
    byok: int
    change: Percent | None = Field(description="Percent against the time before; null: nothing was there.")


class RequestsCard(BaseModel):
    total: int
    system: int
    byok: int
    succeeded: int
    failed: int
    abandoned: int = Field(description="The caller was gone before the end: neither success nor failure.")
    success_rate: Percent | None = Field(description="Percent of all; null: no request.")
    failure_rate: Percent | None
    estimated: int = Field(description="Requests whose usage the provider did not report.")
    change: Percent | None
    success_rate_change: float | None = Field(description="Difference of the rates, in percentage points.")


class CostCard(BaseModel):
    total: Amounts
    system: Amounts = Field(description="After discounts.")
    byok: Amounts = Field(description="At list price; paid to the provider.")
    list: Amounts = Field(description="Everything before discounts.")
    unpriced: int = Field(description="Requests that used something whose price is unknown.")
    change: dict[Currency, Percent | None]


class AverageCard(BaseModel):
    """Cost of a million tokens."""

    total: Amounts = Field(
        description="Cost in a currency by the tokens of the calls that it is the cost of, all models together."
    )
    change: dict[Currency, Percent | None]


class UsageSummary(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "since": "2026-05-28T16:00:00Z",
                "until": "2026-06-04T16:00:00Z",
                "before": "2026-05-21T16:00:00Z",
                "timezone": "Asia/Shanghai",
                "tokens": {"total": 15450, "system": 15450, "byok": 0, "change": 12.5},
                "requests": {
                    "total": 10, "system": 10, "byok": 0, "succeeded": 9, "failed": 1, "abandoned": 0,
                    "success_rate": 90.0, "failure_rate": 10.0, "estimated": 0, "change": None,
                    "success_rate_change": None,
                },
                "cost": {
                    "total": {"CNY": "1.23"}, "system": {"CNY": "1.23"}, "byok": {}, "list": {"CNY": "1.23"},
                    "unpriced": 0, "change": {"CNY": None},
                },
                "average": {"total": {"CNY": "79.611650485"}, "change": {"CNY": None}},
            }
        }
    )  # fmt: skip

    since: Time
    until: Time
    before: Time = Field(description="Changes are against the time from here to `since`.")
    timezone: str = Field(description="What a day is.")
    tokens: TokensCard
    requests: RequestsCard
    cost: CostCard
    average: AverageCard


class TrendSeries(BaseModel):
    name: str = Field(description="`system`, `byok`, or the model; empty: all models that are not shown.")
    values: list[int] = Field(
        description="Tokens or requests of each beginning; empty where it is about cost."
    )
    costs: dict[Currency, list[str]] = Field(
        description="Cost of each beginning, of each currency; empty where it is about something else."
    )


class UsageTrend(BaseModel):
    since: Time
    until: Time
    timezone: str
    metric: Metric
    grain: Grain
    starts: list[Time] = Field(description="Beginnings of the days or hours, those without usage too.")
    series: list[TrendSeries]


class TopRow(Counts):
    id: str = Field(description="Of the model, key, user or provider; empty: nobody's.")
    name: str = Field(description="What it is called.")
    share: Percent | None = Field(description="Percent of the whole by what was asked for.")


class UsageTop(BaseModel):
    since: Time
    until: Time
    metric: Metric
    currency: Currency | None = Field(description="Which cost was compared; null: nothing cost anything.")
    data: list[TopRow] = Field(description="The greatest first.")
    others: Counts = Field(description="All that is not shown.")


class BreakdownRow(Counts):
    """Fields that the dimension does not tell apart are null."""

    start: Time | None = Field(description="Beginning of the day or hour; null: the whole time.")
    tenant: str | None
    model: str | None
    endpoint: str | None
    provider: str | None
    key: str | None = Field(description="Id.")
    key_alias: str | None
    user: str | None = Field(description="Id; empty: nobody.")
    username: str | None
    kind: str | None = Field(description="chat, embedding, image, video ...")
    source: Literal["system", "byok"] | None
    labels: dict[str, str] | None


class UsageBreakdown(BaseModel):
    since: Time
    until: Time
    timezone: str
    data: list[BreakdownRow] = Field(description="The latest first, of the same time the most tokens first.")
    next_cursor: str | None = Field(description="For the next page: `?cursor=`. Null on the last page.")


class ImportedNode(BaseModel):
    node: str
    updated_at: Time


class UsageStatus(BaseModel):
    updated_at: Time | None = Field(
        description="All that ended before is in these numbers; null: nothing was imported yet."
    )
    lag_s: float | None = Field(description="Seconds since.")
    timezone: str
    nodes: list[ImportedNode] = Field(description="Those whose calls are imported, and until when.")


def shown_counts(totals: Totals) -> Counts:
    return Counts(
        cost=shown_amounts(totals.cost_nano),
        list=shown_amounts(totals.list_nano),
        unpriced=totals.unpriced,
        requests=totals.requests,
        succeeded=totals.succeeded,
        failed=totals.failed,
        abandoned=totals.abandoned,
        tokens=totals.tokens,
        input_tokens=totals.input_tokens,
        output_tokens=totals.output_tokens,
        cached_tokens=totals.cached_tokens,
        cache_write_tokens=totals.cache_write_tokens,
        reasoning_tokens=totals.reasoning_tokens,
        images=totals.images,
        video_seconds=totals.video_ms / 1000,
        assets=totals.assets,
        estimated=totals.estimated,
    )


def percent(part: int, whole: int) -> Percent | None:
    return round(100 * part / whole, 2) if whole else None


def change(now: int | Fraction, before: int | Fraction) -> Percent | None:
    """In percent; None: nothing was there before."""
    return round(float(100 * Fraction(now - before) / before), 2) if before else None


def averages(totals: Totals) -> dict[Currency, Fraction]:
    """Nano-units of a million tokens."""
    return {
        currency: Fraction(totals.cost_nano[currency] * MILLION, tokens)
        for currency, tokens in totals.priced_tokens.items()
        if tokens
    }
