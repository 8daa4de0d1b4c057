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
from aimesh.store.usage_queries import (
    Amount,
    Curve,
    Dimension,
    Rank,
    Totals,
    added_up,
    read_amounts,
    read_ranked,
    read_totals,
    without,
)

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
    with asked.parts.store.read() as db:
        found = asked.filter(db)
        if wanted.by == "model":
            totals = {str(group[0]): one for group, one in read_totals(db, found, [Dimension.MODEL]).items()}
            order = _ordered(totals, wanted.metric, _usual_currency(totals.values()))
            names = order[:_MOST_SERIES]
            amounts = read_amounts(db, found, Dimension.MODEL, Curve(wanted.metric, starts, names))
            curves = _Curves(starts, wanted.metric, [*names, *([None] if len(order) > len(names) else [])])
        else:
            amounts = read_amounts(db, found, Dimension.BYOK, Curve(wanted.metric, starts))
            curves = _Curves(starts, wanted.metric, [False, True])
        for amount in amounts:
            curves.add(amount)
    return UsageTrend(
        since=shown_time(asked.span.since_s),
        until=shown_time(asked.span.until_s),
        timezone=asked.zone.key,
        metric=wanted.metric,
        grain=wanted.grain,
        starts=[shown_time(start) for start in starts],
        series=curves.series(),
    )


class _Curves:
    """Made of amounts; a curve for each of ``groups``, in their order."""

    def __init__(self, starts: Sequence[float], metric: Metric, groups: Sequence[str | bool | None]) -> None:
        self._starts = starts
        self._metric = metric
        self._values: dict[str | bool | None, dict[str, list[int]]] = {group: {} for group in groups}

    def add(self, amount: Amount) -> None:
        hour_s, group, currency, value = amount
        # A column of truth is a number in SQLite's answers to unions.
        curves = self._values.setdefault(bool(group) if isinstance(group, int) else group, {})
        values = curves.get(currency)
        if values is None:
            values = curves[currency] = [0] * len(self._starts)
        values[bisect_right(self._starts, hour_s) - 1] += value

    def series(self) -> list[TrendSeries]:
        return [self._shown(group, curves) for group, curves in self._values.items()]

    def _shown(self, group: str | bool | None, curves: Mapping[str, list[int]]) -> TrendSeries:
        match group:
            case None:
                name = ""
            case bool():
                name = "byok" if group else "system"
            case _:
                name = group
        if self._metric != "cost":
            return TrendSeries(name=name, values=curves.get("", [0] * len(self._starts)), costs={})
        return TrendSeries(
            name=name,
            values=[],
            costs={
                currency: [shown_amounts({currency: one})[currency] for one in curves[currency]]
                for currency in map(Currency, sorted(curves))
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
        found = asked.filter(db)
        whole = added_up(read_totals(db, found, []).values())
        currency = None
        if wanted.metric == "cost":
            currency = wanted.currency or _usual_currency([whole])
        rank = Rank(wanted.metric, currency, limit=wanted.limit)
        greatest = [(str(group[0]), one) for group, one in read_ranked(db, found, [column], rank)]
        names = _names_of(db, column, [one for one, _ in greatest])
    return Ranked(
        rows=[(one, names.get(one, one), totals) for one, totals in greatest],
        others=without(whole, (totals for _, totals in greatest)),
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
