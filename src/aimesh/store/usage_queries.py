"""What usage adds up to: questions to the hourly roll-ups, never to single calls.

1. An hour belongs to a time when it begins in it. So times that follow one another share no hour and leave out none,
   whatever the minutes of their borders.
2. Amounts of different currencies are never added, and what has no known price is counted beside them.
3. Whatever is asked, a caller's own things are a part of the filter (``owner``, ``tenant``), not of what is done with
   the answer.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct, field
from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from aimesh.core.ids import KeyId, ModelName, ProviderId, TenantId, UserId
from aimesh.core.money import Currency
from aimesh.core.outcome import Outcome
from aimesh.store.engine import Connection
from aimesh.store.tables import USAGE_HOURLY, USAGE_HOURLY_KEYS, USAGE_HOURLY_MODELS
from aimesh.store.usage_labels import has_label

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


def read_totals(db: Connection, wanted: UsageFilter, by: Sequence[Dimension]) -> dict[Group, Totals]:
    """Sums of each group that has anything; in no order."""
    table = _shortest(wanted, by)
    columns = [table[one.value] for one in by]
    question = (
        select(
            *columns,
            table.currency,
            *(func.sum(table[name]) for name in (*_COUNTED, "cost_nano", "list_nano")),
            func.sum(case((table.outcome == Outcome.OK.value, table.requests), else_=0)),
            func.sum(case((table.outcome == Outcome.CLIENT_GONE.value, table.requests), else_=0)),
        )
        .where(_matches(db, wanted, table))
        .group_by(*columns, table.currency)
    )
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


def latest_hour(db: Connection, wanted: UsageFilter) -> int | None:
    """Beginning of the last hour in which there was anything."""
    table = _shortest(wanted, ())
    hour = table.hour_s
    question = select(hour).where(_matches(db, wanted, table)).order_by(hour.desc()).limit(1)
    return db.execute(question).scalar()


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


def _shortest(wanted: UsageFilter, by: Sequence[Dimension]) -> Columns:
    """Of the roll-up with the fewest rows that can tell."""
    needed = {one.value for one in by}
    for is_asked, name in (
        (wanted.owner is not None or wanted.users is not None, Dimension.USER),
        (wanted.keys is not None, Dimension.KEY),
        (wanted.model is not None, Dimension.MODEL),
        (wanted.provider is not None, Dimension.PROVIDER),
        (bool(wanted.labels), Dimension.LABELS),
    ):
        if is_asked:
            needed.add(name.value)
    for table in (USAGE_HOURLY_MODELS, USAGE_HOURLY_KEYS):
        if needed <= set(table.c.keys()):
            return table.c
    return USAGE_HOURLY.c


def _matches(db: Connection, wanted: UsageFilter, table: Columns) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [table.hour_s >= wanted.since_s, table.hour_s < wanted.until_s]
    if wanted.tenant is not None:
        parts.append(table.tenant == wanted.tenant)
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
    parts += [has_label(db, table.labels, name, value) for name, value in wanted.labels]
    return and_(*parts)
