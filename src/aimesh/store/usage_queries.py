"""What usage adds up to: questions to the roll-ups of hours, days and weeks, never to single calls.

1. An hour belongs to a time when it begins in it. So times that follow one another share no hour and leave out none,
   whatever the minutes of their borders.
2. Amounts of different currencies are never added, and what has no known price is counted beside them.
3. Whatever is asked, a caller's own things are a part of the filter (``owner``, ``tenant``), not of what is done with
   the answer.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from math import ceil
from typing import Any, Literal

from msgspec import Struct, field, structs
from sqlalchemy import ColumnElement, Select, and_, case, func, select, union_all
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from aimesh.core.ids import KeyId, ModelName, ProviderId, TenantId, UserId
from aimesh.core.money import Currency
from aimesh.core.outcome import Outcome
from aimesh.store.engine import Connection
from aimesh.store.period_tables import (
    USAGE_SUMS,
    USAGE_SUMS_KEYS,
    USAGE_SUMS_LABELS,
    USAGE_SUMS_MODELS,
    USAGE_TRENDS,
)
from aimesh.store.tables import USAGE_HOURLY, USAGE_HOURLY_KEYS, USAGE_HOURLY_MODELS
from aimesh.store.usage_labels import has_label
from aimesh.store.usage_periods import ALL, Period, left_over, made_within

HOUR_S = 3600


class Dimension(StrEnum):
    """What usage can be told apart by: columns of the roll-ups."""

    HOUR = "hour_s"
    TENANT = "tenant"
    KEY = "key_id"
    USER = "user_id"
    MODEL = "model"
    ENDPOINT = "endpoint"
    PROVIDER = "provider"
    BYOK = "is_byok"
    KIND = "kind"
    LABELS = "labels"
    """JSON, sorted by name."""


class UsageFilter(Struct, frozen=True):
    since_s: float
    until_s: float
    """Not in it any more."""
    tenant: TenantId | None = None
    """None: every tenant's."""
    owner: UserId | None = None
    """Only of keys that were this person's; None: whoever they belong to."""
    keys: frozenset[KeyId] | None = None
    users: frozenset[UserId] | None = None
    model: ModelName | None = None
    provider: ProviderId | None = None
    is_byok: bool | None = None
    labels: tuple[tuple[str, str], ...] = ()
    """Calls that have all of them."""


Group = tuple[str | int | bool, ...]
"""One value for each dimension."""

_COUNTED = (
    "requests",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "images",
    "video_ms",
    "assets",
    "unpriced",
    "estimated",
)


class Totals(Struct):
    """Sums of a group."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    images: int = 0
    video_ms: int = 0
    assets: int = 0
    unpriced: int = 0
    """Requests that used something whose price is unknown."""
    estimated: int = 0
    succeeded: int = 0
    abandoned: int = 0
    """Requests whose caller was gone before the end: neither a success nor a failure."""
    cost_nano: dict[Currency, int] = field(default_factory=dict)
    """After discounts."""
    list_nano: dict[Currency, int] = field(default_factory=dict)
    priced_tokens: dict[Currency, int] = field(default_factory=dict)
    """Of the calls that the cost is of."""

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def failed(self) -> int:
        return self.requests - self.succeeded - self.abandoned

    def add(self, other: "Totals") -> None:
        for name in (*_COUNTED, "succeeded", "abandoned"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for mine, others in (
            (self.cost_nano, other.cost_nano),
            (self.list_nano, other.list_nano),
            (self.priced_tokens, other.priced_tokens),
        ):
            for currency, amount in others.items():
                mine[currency] = mine.get(currency, 0) + amount


def without(whole: Totals, several: Iterable[Totals]) -> Totals:
    """What is left of it."""
    left, taken = added_up([whole]), added_up(several)
    for name in (*_COUNTED, "succeeded", "abandoned"):
        setattr(left, name, getattr(left, name) - getattr(taken, name))
    for currency in taken.cost_nano:
        amounts = (left.cost_nano, left.list_nano, left.priced_tokens)
        for mine, theirs in zip(
            amounts, (taken.cost_nano, taken.list_nano, taken.priced_tokens), strict=True
        ):
            mine[currency] -= theirs[currency]
        if not any(mine[currency] for mine in amounts):
            for mine in amounts:
                del mine[currency]
    return left


def read_totals(
    db: Connection, wanted: UsageFilter, by: Sequence[Dimension], steps: Sequence[float] | None = None
) -> dict[Group, Totals]:
    """Sums of each group that has anything; in no order. ``steps``: when hours are asked for, beginnings of the times
    that they are to be added up to; a time's hours may then come as its first one."""
    rows = _rows(db, wanted, by, steps)
    columns = [rows[one.value] for one in by]
    question = select(
        *columns,
        rows.currency,
        *(func.sum(rows[name]) for name in (*_COUNTED, "cost_nano", "list_nano", "succeeded", "abandoned")),
    ).group_by(*columns, rows.currency)
    found: dict[Group, Totals] = {}
    for row in db.execute(question):
        group = tuple(row[: len(by)])
        totals = _totals(row[len(by)], row[len(by) + 1 :])
        known = found.get(group)
        if known is None:
            found[group] = totals
        else:
            known.add(totals)
    return found


Metric = Literal["tokens", "requests", "cost"]


class Rank(Struct, frozen=True):
    """By what groups are ordered, and which of them are asked for."""

    metric: Metric = "tokens"
    currency: Currency | None = None
    """Of the cost."""
    offset: int = 0
    limit: int = 0


def read_ranked(
    db: Connection, wanted: UsageFilter, by: Sequence[Dimension], rank: Rank
) -> list[tuple[Group, Totals]]:
    """Some of the groups, the greatest first."""
    rows = _rows(db, wanted, by, None)
    columns = [rows[one.value] for one in by]
    tokens, requests = func.sum(rows.input_tokens + rows.output_tokens), func.sum(rows.requests)
    match rank.metric:
        case "tokens":
            order = [tokens.desc(), requests.desc()]
        case "requests":
            order = [requests.desc()]
        case "cost":
            in_it = rows.currency == ("" if rank.currency is None else rank.currency.value)
            order = [func.sum(case((in_it, rows.cost_nano), else_=0)).desc()]
    priced = (rows.cost_nano, rows.list_nano, rows.input_tokens + rows.output_tokens)
    question = (
        select(
            *columns,
            *(func.sum(rows[name]) for name in (*_COUNTED, "succeeded", "abandoned")),
            *(
                # Nothing: there is nothing in this currency.
                func.sum(case((rows.currency == currency.value, amount)))
                for currency in Currency
                for amount in priced
            ),
        )
        .group_by(*columns)
        .order_by(*order, *columns)
        .offset(rank.offset)
        .limit(rank.limit)
    )
    ranked = []
    for row in db.execute(question):
        counted = [int(one) for one in row[len(by) : len(by) + len(_COUNTED) + 2]]
        totals = Totals(succeeded=counted[-2], abandoned=counted[-1])
        for name, number in zip(_COUNTED, counted, strict=False):
            setattr(totals, name, number)
        amounts = iter(row[len(by) + len(counted) :])
        for currency in Currency:
            cost, listed, used = next(amounts), next(amounts), next(amounts)
            if cost is not None:
                totals.cost_nano[currency] = int(cost)
                totals.list_nano[currency] = int(listed)
                totals.priced_tokens[currency] = int(used)
        ranked.append((tuple(row[: len(by)]), totals))
    return ranked


Amount = tuple[int, str | bool | None, str, int]
"""A part of a point of a curve: the hour, whose curve (None: what has none of its own), the currency of a cost, how
much. Some are less than nothing."""


class Curve(Struct, frozen=True):
    metric: Metric
    steps: Sequence[float]
    """Beginnings of the points."""
    models: Collection[str] | None = None
    """Only these have curves."""


def read_amounts(db: Connection, wanted: UsageFilter, by: Dimension, curve: Curve) -> Iterator[Amount]:
    """For curves of sources or of models: parts to be added up."""
    if not steps_are_hours(curve.steps):
        parts = _amounts(db, _rows(db, wanted, (Dimension.HOUR, by), curve.steps), by, curve.metric)
    else:
        parts = _hourly_amounts(db, wanted, by, curve)
    models = curve.models
    for part in parts:
        if models is None or part[1] in models:
            yield part
        else:
            yield part[0], None, part[2], part[3]


def steps_are_hours(steps: Sequence[float]) -> bool:
    return len(steps) > 1 and steps[1] - steps[0] <= HOUR_S


def latest_hour(db: Connection, wanted: UsageFilter, steps: Sequence[float] | None = None) -> int | None:
    """Beginning of the last hour in which there was anything; see ``read_totals``."""
    if steps is None:
        table = _shortest(wanted, ())
        hour = table.hour_s
        question = (
            select(hour)
            .where(*_begun(table, wanted.since_s, wanted.until_s), *_matches(db, wanted, table))
            .order_by(hour.desc())
            .limit(1)
        )
        return db.execute(question).scalar()
    return db.execute(select(func.max(_rows(db, wanted, (), steps).hour_s))).scalar()


def added_up(several: Iterable[Totals]) -> Totals:
    total = Totals()
    for one in several:
        total.add(one)
    return total


def _totals(currency: str, sums: Sequence[Any]) -> Totals:
    # PostgreSQL adds up whole numbers to decimals.
    numbers = [int(one) for one in sums]
    cost_nano, list_nano, succeeded, abandoned = numbers[len(_COUNTED) :]
    totals = Totals(succeeded=succeeded, abandoned=abandoned)
    for name, number in zip(_COUNTED, numbers, strict=False):
        setattr(totals, name, number)
    if currency:
        known = Currency(currency)
        totals.cost_nano[known] = cost_nano
        totals.list_nano[known] = list_nano
        totals.priced_tokens[known] = totals.tokens
    return totals


# A table's columns, for SQLAlchemy of any type.
Columns = ReadOnlyColumnCollection[str, Any]
_SUMS = (*_COUNTED, "cost_nano", "list_nano", "succeeded", "abandoned")


def _rows(
    db: Connection, wanted: UsageFilter, by: Sequence[Dimension], steps: Sequence[float] | None
) -> Columns:
    """Rows that together are all that is wanted: of whole weeks and days where they are summed, of hours else."""
    needed = _needed(wanted, by)
    periods: list[Period] = []
    if steps is not None or Dimension.HOUR not in by:
        periods = [
            one
            for one in made_within(db, wanted.since_s, wanted.until_s, is_by_days=steps is not None)
            if steps is None or bisect_right(steps, one.start_s) == bisect_right(steps, one.until_s - 1)
        ]
    names = sorted(needed - {Dimension.HOUR.value})
    parts = []
    # A question for each time: SQLite would look at every hour for two of them in one.
    times = left_over(periods, wanted.since_s, wanted.until_s) or ([] if periods else [(0.0, 0.0)])
    for since_s, until_s in times:
        table = _shortest(wanted, by)
        parts.append(
            select(
                table.hour_s,
                *(table[name] for name in names),
                table.currency,
                *(table[name] for name in (*_COUNTED, "cost_nano", "list_nano")),
                *(
                    case((table.outcome == outcome.value, table.requests), else_=0).label(name)
                    for name, outcome in (("succeeded", Outcome.OK), ("abandoned", Outcome.CLIENT_GONE))
                ),
            ).where(*_begun(table, since_s, until_s), *_matches(db, wanted, table))
        )
    for grain in ("d", "w"):
        starts = [one.start_s for one in periods if one.grain == grain]
        if starts:
            sums = _shortest_sums(needed)
            parts.append(
                select(
                    sums.start_s.label("hour_s"),
                    *(sums[name] for name in names),
                    sums.currency,
                    *(sums[name] for name in _SUMS),
                ).where(sums.grain == grain, sums.start_s.in_(starts), *_matches(db, wanted, sums))
            )
    return union_all(*parts).subquery("usage").c if len(parts) > 1 else parts[0].subquery("usage").c


def _hourly_amounts(db: Connection, wanted: UsageFilter, by: Dimension, curve: Curve) -> Iterator[Amount]:
    """Hours of days that are summed are ready to be read, of each model and of all of them together."""
    models = curve.models
    is_ready = _needed(wanted, (by,)) <= {"tenant", "model", "is_byok"} and (
        by is Dimension.BYOK or models is not None
    )
    days = made_within(db, wanted.since_s, wanted.until_s, is_by_days=True) if is_ready else []
    for since_s, until_s in left_over(days, wanted.since_s, wanted.until_s):
        part = structs.replace(wanted, since_s=since_s, until_s=until_s)
        yield from _amounts(db, _rows(db, part, (Dimension.HOUR, by), None), by, curve.metric)
    table = USAGE_TRENDS.c
    for since_s, until_s in _joined(days):
        begun = and_(table.hour_s >= since_s, table.hour_s < until_s)
        if by is Dimension.BYOK or wanted.model is not None:
            one = ALL if wanted.model is None else wanted.model
            yield from _ready_amounts(db, wanted, by, curve.metric, [begun, table.model == one])
            continue
        named = table.model.in_([*sorted(models or ()), ALL])
        for amount in _ready_amounts(db, wanted, by, curve.metric, [begun, named]):
            hour_s, group, currency, value = amount
            if group == ALL:
                yield hour_s, None, currency, value
            else:
                yield amount
                yield hour_s, None, currency, -value


def _ready_amounts(
    db: Connection, wanted: UsageFilter, by: Dimension, metric: Metric, where: Sequence[ColumnElement[bool]]
) -> Iterator[Amount]:
    table = USAGE_TRENDS.c
    parts = [*where, table.tenant == (ALL if wanted.tenant is None else wanted.tenant)]
    if wanted.is_byok is not None:
        parts.append(table.is_byok == wanted.is_byok)
    value = {"tokens": table.tokens, "requests": table.requests, "cost": table.cost_nano}[metric]
    yield from _read_amounts(db, table, by, metric, select(func.sum(value)).where(*parts))


def _amounts(db: Connection, rows: Columns, by: Dimension, metric: Metric) -> Iterator[Amount]:
    value = {
        "tokens": rows.input_tokens + rows.output_tokens,
        "requests": rows.requests,
        "cost": rows.cost_nano,
    }[metric]
    yield from _read_amounts(db, rows, by, metric, select(func.sum(value)))


def _read_amounts(
    db: Connection, rows: Columns, by: Dimension, metric: Metric, question: Select[Any]
) -> Iterator[Amount]:
    keys = [rows.hour_s, rows[by.value]]
    if metric == "cost":
        question = question.where(rows.currency != "")
        keys.append(rows.currency)
    for value, hour_s, group, *currency in db.execute(question.add_columns(*keys).group_by(*keys)):
        yield hour_s, group, (currency[0] if currency else ""), int(value)


def _joined(days: Sequence[Period]) -> list[tuple[int, int]]:
    """Days that follow one another as one time."""
    times: list[tuple[int, int]] = []
    for day in days:
        if times and times[-1][1] == day.start_s:
            times[-1] = (times[-1][0], day.until_s)
        else:
            times.append((day.start_s, day.until_s))
    return times


def _needed(wanted: UsageFilter, by: Sequence[Dimension]) -> set[str]:
    needed = {one.value for one in by}
    for is_asked, name in (
        (wanted.tenant is not None, Dimension.TENANT),
        (wanted.is_byok is not None, Dimension.BYOK),
        (wanted.owner is not None or wanted.users is not None, Dimension.USER),
        (wanted.keys is not None, Dimension.KEY),
        (wanted.model is not None, Dimension.MODEL),
        (wanted.provider is not None, Dimension.PROVIDER),
        (bool(wanted.labels), Dimension.LABELS),
    ):
        if is_asked:
            needed.add(name.value)
    return needed


def _shortest(wanted: UsageFilter, by: Sequence[Dimension]) -> Columns:
    """Of the hours' roll-up with the fewest rows that can tell."""
    needed = _needed(wanted, by)
    for table in (USAGE_HOURLY_MODELS, USAGE_HOURLY_KEYS):
        if needed <= set(table.c.keys()):
            return table.c
    return USAGE_HOURLY.c


def _shortest_sums(needed: set[str]) -> Columns:
    for table in (USAGE_SUMS_MODELS, USAGE_SUMS_KEYS, USAGE_SUMS_LABELS):
        if needed - {Dimension.HOUR.value} <= set(table.c.keys()):
            return table.c
    return USAGE_SUMS.c


def _begun(table: Columns, since_s: float, until_s: float) -> list[ColumnElement[bool]]:
    # As whole numbers: PostgreSQL finds no hour by its index among fractions.
    return [table.hour_s >= ceil(since_s), table.hour_s < ceil(until_s)]


def _matches(db: Connection, wanted: UsageFilter, table: Columns) -> list[ColumnElement[bool]]:
    """All but the time."""
    parts: list[ColumnElement[bool]] = []
    if wanted.tenant is not None:
        is_somebodys = wanted.owner is not None or wanted.users is not None or wanted.keys is not None
        # Not to be looked for by where there is an index of keys and of users: theirs are few rows of the tenant's.
        hidden = is_somebodys and table is not USAGE_SUMS_KEYS.c
        tenant = func.coalesce(table.tenant, "") if hidden else table.tenant
        parts.append(tenant == wanted.tenant)
    if wanted.owner is not None:
        parts.append(table.user_id == wanted.owner)
    if wanted.keys is not None:
        parts.append(table.key_id.in_(sorted(wanted.keys)))
    if wanted.users is not None:
        parts.append(table.user_id.in_(sorted(wanted.users)))
    if wanted.model is not None:
        parts.append(table.model == wanted.model)
    if wanted.provider is not None:
        parts.append(table.provider == wanted.provider)
    if wanted.is_byok is not None:
        parts.append(table.is_byok == wanted.is_byok)
    return parts + [has_label(db, table.labels, name, value) for name, value in wanted.labels]
