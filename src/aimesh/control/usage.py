"""What was used and what it cost, added up: the cards, the trend, the greatest, and tables by what it is told apart by.

Everything here is read from the hourly roll-ups. They are seconds behind the calls; ``/usage/status`` says how far.
"""

from typing import Annotated

from fastapi import Depends, Query

from aimesh.control.http import Pages, cursor_of
from aimesh.control.noun import Noun
from aimesh.control.parts import Uses
from aimesh.control.schemas_usage import (
    Grain,
    ImportedNode,
    Metric,
    UsageBreakdown,
    UsageStatus,
    UsageSummary,
    UsageTop,
    UsageTrend,
)
from aimesh.control.texts import shown_time, shown_time_or_none
from aimesh.control.usage_asked import AskedUsage
from aimesh.control.usage_breakdown import BreakdownBy, BreakdownGrain, page, usual_grain
from aimesh.control.usage_sums import TopBy, TopWanted, TrendBy, TrendWanted, summary, top, trend
from aimesh.core.money import Currency
from aimesh.store.journal_progress import read_import_times

NOUN = Noun("usage", "What was used, by whom, and what it cost.")

MOST_TOP = 100
_GONE_S = 86_400.0
"""A node of which nothing was heard for so long says nothing about how complete the numbers are."""


@NOUN.get("/usage/summary", "get_usage_summary", errors=(404,))
def get_usage_summary(asked: AskedUsage) -> UsageSummary:
    """Tokens, requests, cost and average cost of a time, against the time of the same length before."""
    return summary(asked)


@NOUN.get("/usage/trend", "get_usage_trend", errors=(404,))
def get_usage_trend(
    asked: AskedUsage,
    metric: Annotated[Metric, Query()] = "tokens",
    *,
    grain: Annotated[Grain, Query()] = "day",
    by: Annotated[
        TrendBy, Query(description="One line each for system and BYOK, or for each model.")
    ] = "source",
) -> UsageTrend:
    """Tokens, requests or cost by days or hours, told apart by source or by model."""
    return trend(asked, TrendWanted(metric, grain, by))


def top_wanted(
    by: Annotated[TopBy, Query(description="What is ranked.")] = "model",
    metric: Annotated[Metric, Query(description="By what.")] = "tokens",
    *,
    currency: Annotated[
        Currency | None, Query(description="For cost: which; default: the one most usage is priced in.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_TOP)] = 10,
) -> TopWanted:
    return TopWanted(by, metric, currency, limit)


@NOUN.get("/usage/top", "get_usage_top", errors=(404,))
def get_usage_top(asked: AskedUsage, wanted: Annotated[TopWanted, Depends(top_wanted)]) -> UsageTop:
    """The models, keys, users, providers or tenants that used most."""
    return top(asked, wanted)


@NOUN.get("/usage/breakdown", "list_usage_breakdown", errors=(404,))
def list_usage_breakdown(
    asked: AskedUsage,
    pages: Pages,
    *,
    by: Annotated[BreakdownBy, Query(description="`details`: by all of them together.")] = "model",
    grain: Annotated[
        BreakdownGrain | None,
        Query(
            description="Rows for the whole time, days or hours. Default: days of details, else the whole."
        ),
    ] = None,
) -> UsageBreakdown:
    """A table of usage by model, tenant, key or user, or by all of these with endpoint and labels."""
    rows, place = page(asked, by, grain or usual_grain(by), pages.after(tuple[float, int]), pages.limit)
    return UsageBreakdown(
        since=shown_time(asked.span.since_s),
        until=shown_time(asked.span.until_s),
        timezone=asked.zone.key,
        data=rows,
        next_cursor=None if place is None else cursor_of(place),
    )


@NOUN.get("/usage/status", "get_usage_status")
def get_usage_status(parts: Uses) -> UsageStatus:
    """How far usage is counted: calls that ended before are in the numbers."""
    now_s = parts.clock.wall_s()
    with parts.store.read() as db:
        times = read_import_times(db)
    alive = [at_s for at_s in times.values() if now_s - at_s < _GONE_S]
    updated_s = min(alive) if alive else max(times.values(), default=None)
    return UsageStatus(
        updated_at=shown_time_or_none(updated_s),
        lag_s=None if updated_s is None else round(max(0.0, now_s - updated_s), 3),
        timezone=parts.settings.timezone,
        nodes=[ImportedNode(node=node, updated_at=shown_time(at_s)) for node, at_s in sorted(times.items())],
    )
