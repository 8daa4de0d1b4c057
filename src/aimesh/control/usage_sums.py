"""From sums of the roll-ups to what is shown: cards, a trend, the greatest.

Each of these is one state of the database: numbers of one answer fit one another.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from aimesh.control.schemas_prices import shown_amounts
from aimesh.control.schemas_usage import (
    AverageCard,
    CostCard,
    Grain,
    Metric,
    RequestsCard,
    TokensCard,
    TopRow,
    TrendSeries,
    UsageSummary,
    UsageTop,
    UsageTrend,
    averages,
    change,
    percent,
    shown_counts,
)
from aimesh.control.texts import shown_time
from aimesh.control.usage_asked import Asked, check_hours, days_of, hours_of
from aimesh.core.money import Currency
from aimesh.store.engine import Connection
from aimesh.store.usage_names import key_names, user_names
from aimesh.store.usage_queries import Dimension, Totals, added_up, read_totals

TopBy = Literal["model", "key", "user", "provider", "tenant"]
TrendBy = Literal["source", "model"]

COLUMN: Mapping[TopBy, Dimension] = {
    "model": Dimension.MODEL,
    "key": Dimension.KEY,
    "user": Dimension.USER,
    "provider": Dimension.PROVIDER,
    "tenant": Dimension.TENANT,
}
_MOST_SERIES = 10
"""Models of a trend; the others are one together."""


def summary(asked: Asked) -> UsageSummary:
    with asked.parts.store.read() as db:
        now = read_totals(db, asked.filter(db), [Dimension.BYOK])
        before = added_up(read_totals(db, asked.filter(db, asked.span.before), [Dimension.BYOK]).values())
    system, byok = now.get((False,), Totals()), now.get((True,), Totals())
    total = added_up((system, byok))
    average, average_before = averages(total), averages(before)
    rate, rate_before = percent(total.succeeded, total.requests), percent(before.succeeded, before.requests)
    return UsageSummary(
        since=shown_time(asked.span.since_s),
        until=shown_time(asked.span.until_s),
        before=shown_time(asked.span.before.since_s),
        timezone=asked.zone.key,
        tokens=TokensCard(
            total=total.tokens,
            system=system.tokens,
            byok=byok.tokens,
            change=change(total.tokens, before.tokens),
        ),
        requests=RequestsCard(
            total=total.requests,
            system=system.requests,
            byok=byok.requests,
            succeeded=total.succeeded,
            failed=total.failed,
            abandoned=total.abandoned,
            success_rate=rate,
            failure_rate=percent(total.failed, total.requests),
            estimated=total.estimated,
            change=change(total.requests, before.requests),
            success_rate_change=(
                None if rate is None or rate_before is None else round(rate - rate_before, 2)
            ),
        ),
        cost=CostCard(
            total=shown_amounts(total.cost_nano),
            system=shown_amounts(system.cost_nano),
            byok=shown_amounts(byok.cost_nano),
            list=shown_amounts(total.list_nano),
            unpriced=total.unpriced,
            change={
                currency: change(amount, before.cost_nano.get(currency, 0))
                for currency, amount in sorted(total.cost_nano.items())
            },
        ),
        average=AverageCard(
            total=shown_amounts({currency: round(amount) for currency, amount in average.items()}),
            change={
                currency: change(amount, average_before.get(currency, 0))
                for currency, amount in sorted(average.items())
            },
        ),
    )


class TrendWanted(Struct, frozen=True):
    metric: Metric
    grain: Grain
    by: TrendBy


def trend(asked: Asked, wanted: TrendWanted) -> UsageTrend:
    if wanted.grain == "hour":
        check_hours(asked.span)
        starts = hours_of(asked.span)
    else:
        starts = days_of(asked.span, asked.zone)
    column = Dimension.MODEL if wanted.by == "model" else Dimension.BYOK
    with asked.parts.store.read() as db:
        hours = read_totals(db, asked.filter(db), [Dimension.HOUR, column])
    named: dict[str, list[Totals | None]] = {}
    for (hour_s, value), totals in hours.items():
        name = str(value) if column is Dimension.MODEL else ("byok" if value else "system")
        places = named.setdefault(name, [None] * len(starts))
        place = bisect_right(starts, float(hour_s)) - 1
        known = places[place]
        if known is None:
            places[place] = totals
        else:
            known.add(totals)
    if wanted.by == "model":
        named = _greatest_first(named, wanted.metric)
    else:
        named = {name: named.get(name, [None] * len(starts)) for name in ("system", "byok")}
    return UsageTrend(
        since=shown_time(asked.span.since_s),
        until=shown_time(asked.span.until_s),
        timezone=asked.zone.key,
        metric=wanted.metric,
        grain=wanted.grain,
        starts=[shown_time(start) for start in starts],
        series=[_series(name, places, wanted.metric) for name, places in named.items()],
    )


def _greatest_first(named: dict[str, list[Totals | None]], metric: Metric) -> dict[str, list[Totals | None]]:
    totals = {name: added_up(one for one in places if one) for name, places in named.items()}
    order = _ordered(totals, metric, _usual_currency(totals.values()))
    shown = {name: named[name] for name in order[:_MOST_SERIES]}
    rest = [named[name] for name in order[_MOST_SERIES:]]
    if rest:
        shown[""] = [added_up(one for one in several if one) for several in zip(*rest, strict=True)]
    return shown


def _series(name: str, places: Sequence[Totals | None], metric: Metric) -> TrendSeries:
    totals = [one or Totals() for one in places]
    if metric != "cost":
        return TrendSeries(name=name, values=[_amount(one, metric, None) for one in totals], costs={})
    currencies = sorted({currency for one in totals for currency in one.cost_nano})
    return TrendSeries(
        name=name,
        values=[],
        costs={
            currency: [shown_amounts({currency: one.cost_nano.get(currency, 0)})[currency] for one in totals]
            for currency in currencies
        },
    )


class TopWanted(Struct, frozen=True):
    by: TopBy
    metric: Metric
    currency: Currency | None
    """For cost; None: the one that most usage is priced in."""
    limit: int


class Ranked(Struct, frozen=True):
    rows: Sequence[tuple[str, str, Totals]]
    """Id, name and sums, the greatest first."""
    others: Totals
    currency: Currency | None
    """That was compared."""


def ranked(asked: Asked, wanted: TopWanted) -> Ranked:
    column = COLUMN[wanted.by]
    with asked.parts.store.read() as db:
        groups = read_totals(db, asked.filter(db), [column])
        totals = {str(group[0]): one for group, one in groups.items()}
        currency = None
        if wanted.metric == "cost":
            currency = wanted.currency or _usual_currency(totals.values())
        order = _ordered(totals, wanted.metric, currency)
        names = _names_of(db, column, order[: wanted.limit])
    return Ranked(
        rows=[(one, names.get(one, one), totals[one]) for one in order[: wanted.limit]],
        others=added_up(totals[one] for one in order[wanted.limit :]),
        currency=currency,
    )


def top(asked: Asked, wanted: TopWanted) -> UsageTop:
    found = ranked(asked, wanted)

    def amount(totals: Totals) -> int:
        return _amount(totals, wanted.metric, found.currency)

    whole = sum(amount(totals) for _, _, totals in found.rows) + amount(found.others)
    return UsageTop(
        since=shown_time(asked.span.since_s),
        until=shown_time(asked.span.until_s),
        metric=wanted.metric,
        currency=found.currency,
        data=[
            TopRow(
                id=one, name=name, share=percent(amount(totals), whole), **shown_counts(totals).model_dump()
            )
            for one, name, totals in found.rows
        ],
        others=shown_counts(found.others),
    )


def _names_of(db: Connection, column: Dimension, ids: Sequence[str]) -> Mapping[str, str]:
    match column:
        case Dimension.KEY:
            return key_names(db, ids)
        case Dimension.USER:
            return user_names(db, ids)
        case _:
            return {}


def _ordered(totals: Mapping[str, Totals], metric: Metric, currency: Currency | None) -> list[str]:
    return sorted(totals, key=lambda name: (-_amount(totals[name], metric, currency), name))


def _amount(totals: Totals, metric: Metric, currency: Currency | None) -> int:
    match metric:
        case "tokens":
            return totals.tokens
        case "requests":
            return totals.requests
        case "cost":
            return 0 if currency is None else totals.cost_nano.get(currency, 0)


def _usual_currency(several: Iterable[Totals]) -> Currency | None:
    tokens = added_up(several)
    if not tokens.cost_nano:
        return None
    return max(sorted(tokens.cost_nano), key=lambda one: (tokens.priced_tokens[one], tokens.cost_nano[one]))
