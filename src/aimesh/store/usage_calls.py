"""Single calls: pages of them, newest first, and one with everything that is known of it.

1. A page is cut by time and id, so it stays right while calls come in.
2. Somebody's calls are those of some keys, which the roll-ups know: each key's are in order in an index, those of all
   keys together would have to be looked for among everybody's. A model's calls of every tenant are found the same way.
3. A page looks at ``MOST_SEEN`` calls at most. What few calls match is found over several pages, some of them empty.
4. Filters are those of the sums (``usage_queries.UsageFilter``), so what a sum says can be looked up call by call.
"""

import heapq
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, func, literal_column, select, tuple_

from aimesh.core.money import Currency
from aimesh.core.outcome import Outcome
from aimesh.core.record import UsageRecord, decode_record
from aimesh.store.engine import Connection
from aimesh.store.tables import USAGE_RECORDS
from aimesh.store.usage_labels import has_label
from aimesh.store.usage_queries import HOUR_S, Dimension, UsageFilter, read_totals
from aimesh.store.usage_rows import used_anything

Place = tuple[float, str]
"""Time and id of a call."""


class CallFilter(Struct, frozen=True):
    usage: UsageFilter
    outcomes: frozenset[Outcome] = frozenset()
    """Empty: all."""
    request: str = ""
    """Id of the call; empty: any."""
    upstream_request: str = ""
    """As the upstream named it."""
    task: str = ""


class CallRow(Struct, frozen=True):
    """One call, with its price."""

    record: UsageRecord
    user: str
    kind: str
    is_byok: bool
    cost_nano: int | None
    """None: no price is known for what was used, or nothing was used that has one."""
    list_nano: int | None
    currency: Currency | None
    price_version: str | None

    @property
    def is_estimated(self) -> bool:
        return used_anything(self.record.usage) and not self.record.usage.reported


class CallPage(Struct, frozen=True):
    rows: list[CallRow]
    next: Place | None
    """What the next page is before; None: there is none. A page that is not full may have one."""


_MOST_KEYS = 50
"""So many questions for one page."""
MOST_SEEN = 20_000
_LEAST_SEEN = 1_000
"""Of one question of several."""
_UPSTREAM: ColumnElement[bool] = USAGE_RECORDS.c.upstream_request_id != literal_column("''")
_TASK: ColumnElement[bool] = USAGE_RECORDS.c.task_id != literal_column("''")
_COLUMNS = (
    "at_s",
    "id",
    "record",
    "user_id",
    "kind",
    "is_byok",
    "cost_nano",
    "list_nano",
    "currency",
    "price_version",
)


class _Stream(Struct, frozen=True):
    """Calls that are in order in an index."""

    where: list[ColumnElement[bool]]
    is_all: bool
    """Every one matches."""


def list_calls(db: Connection, wanted: CallFilter, *, before: Place | None, limit: int) -> CallPage:
    """Newest first; ``before`` is the last one seen."""
    table, usage = USAGE_RECORDS.c, wanted.usage
    # One bound at each end: of several, a database may begin at the wrong one.
    begin, end = [table.at_s >= usage.since_s], [table.at_s < usage.until_s]
    if before is not None and before[0] < usage.until_s:
        end = [table.at_s <= before[0], tuple_(table.at_s, table.id) < tuple_(*before)]
    streams = _streams(db, wanted)
    most = max(_LEAST_SEEN, MOST_SEEN // max(1, len(streams)))
    matches = _matches(db, wanted)
    found: list[Sequence[Any]] = []
    seen: list[Place] = []
    for stream in streams:
        first, border = begin, None
        if not stream.is_all:
            border = _border(db, [*begin, *end, *stream.where], most)
            if border is not None:
                first = [table.at_s >= border[0], tuple_(table.at_s, table.id) >= tuple_(*border)]
        question = (
            _question()
            .where(*first, *end, *stream.where, *matches)
            .order_by(table.at_s.desc(), table.id.desc())
            .limit(limit + 1)
        )
        rows = db.execute(question).all()
        found.append(rows)
        if len(rows) > limit:
            seen.append((rows[-1].at_s, rows[-1].id))
        elif border is not None:
            seen.append(border)
    # What is before this has not been looked at in every stream.
    horizon = max(seen, default=None)
    merged = heapq.merge(*found, key=lambda row: (row.at_s, row.id), reverse=True)
    known = [row for row in merged if horizon is None or (row.at_s, row.id) >= horizon]
    if len(known) > limit:
        horizon = (known[limit - 1].at_s, known[limit - 1].id)
    return CallPage([_call(row) for row in known[:limit]], horizon)


def _streams(db: Connection, wanted: CallFilter) -> list[_Stream]:
    table, usage = USAGE_RECORDS.c, wanted.usage
    named = [
        # As the partial indexes have it.
        *(
            [table.upstream_request_id == wanted.upstream_request, _UPSTREAM]
            if wanted.upstream_request
            else []
        ),
        *([table.task_id == wanted.task, _TASK] if wanted.task else []),
        *([table.id == wanted.request] if wanted.request else []),
    ]
    if named:
        # By times and ids as well, or another index may look better than theirs.
        places = db.execute(select(table.at_s, table.id).where(*named).limit(MOST_SEEN)).all()
        times, ids = {place.at_s for place in places}, {place.id for place in places}
        return [_Stream([table.at_s.in_(times), table.id.in_(ids)], is_all=True)]
    is_more = bool(wanted.outcomes or usage.provider or usage.labels) or usage.is_byok is not None
    if usage.owner is not None or usage.users is not None or usage.keys is not None:
        keys = _keys(db, usage)
        if len(keys) <= _MOST_KEYS:
            is_more = is_more or usage.model is not None
            return [
                _Stream([table.tenant == tenant, table.key_id == key], is_all=not is_more)
                for tenant, key in keys
            ]
        is_more = True
    if usage.model is not None and usage.tenant is None:
        tenants = {str(tenant) for (tenant,) in read_totals(db, _around(usage), (Dimension.TENANT,))}
        if len(tenants) <= _MOST_KEYS:
            return [
                _Stream([table.tenant == tenant, table.model == usage.model], is_all=not is_more)
                for tenant in tenants
            ]
        is_more = True
    where: list[ColumnElement[bool]] = []
    if usage.tenant is not None:
        where.append(table.tenant == usage.tenant)
        if usage.model is not None:
            where.append(table.model == usage.model)
    return [_Stream(where, is_all=not is_more)]


def _border(db: Connection, where: Sequence[ColumnElement[bool]], most: int) -> Place | None:
    """The last one of the most that are looked at; None: there are not so many."""
    table = USAGE_RECORDS.c
    question = select(table.at_s, table.id).where(*where).order_by(table.at_s.desc(), table.id.desc())
    row = db.execute(question.offset(most - 1).limit(1)).one_or_none()
    return None if row is None else (row.at_s, row.id)


def _keys(db: Connection, usage: UsageFilter) -> set[tuple[str, str]]:
    """Tenants and keys of which there may be calls."""
    found = read_totals(db, _around(usage), (Dimension.TENANT, Dimension.KEY))
    return {(str(tenant), str(key)) for tenant, key in found}


def _around(usage: UsageFilter) -> UsageFilter:
    # The hour in which the time begins may begin before it.
    return UsageFilter(
        since_s=usage.since_s - HOUR_S,
        until_s=usage.until_s,
        tenant=usage.tenant,
        owner=usage.owner,
        keys=usage.keys,
        users=usage.users,
        model=usage.model if usage.owner is None and usage.keys is None and usage.users is None else None,
    )


def find_call(db: Connection, request_id: str) -> CallRow | None:
    row = db.execute(_question().where(USAGE_RECORDS.c.id == request_id).limit(1)).one_or_none()
    return None if row is None else _call(row)


def _question() -> Select[Any]:
    return select(*(USAGE_RECORDS.c[name] for name in _COLUMNS))


# A row of a SQLAlchemy query has columns of any type.
def _call(row: Any) -> CallRow:
    record = decode_record(row.record.encode())
    return CallRow(
        record=record,
        user=row.user_id,
        kind=row.kind,
        is_byok=row.is_byok,
        cost_nano=row.cost_nano,
        list_nano=row.list_nano,
        currency=None if row.currency is None else Currency(row.currency),
        price_version=row.price_version,
    )


def _matches(db: Connection, wanted: CallFilter) -> list[ColumnElement[bool]]:
    """All but the time and the names of a call."""
    table, usage = USAGE_RECORDS.c, wanted.usage
    parts: list[ColumnElement[bool]] = []
    if usage.tenant is not None:
        parts.append(table.tenant == usage.tenant)
    if usage.owner is not None:
        parts.append(table.user_id == usage.owner)
    if usage.keys is not None:
        parts.append(table.key_id.in_(sorted(usage.keys)))
    if usage.users is not None:
        parts.append(table.user_id.in_(sorted(usage.users)))
    if usage.model is not None:
        # Not to be looked for by: its index has everybody's calls where one key's are wanted.
        parts.append(func.coalesce(table.model, "") == usage.model)
    if usage.provider is not None:
        parts.append(table.provider == usage.provider)
    if usage.is_byok is not None:
        parts.append(table.is_byok == usage.is_byok)
    parts += [has_label(db, table.labels, name, value) for name, value in usage.labels]
    if wanted.outcomes:
        parts.append(table.outcome.in_(sorted(wanted.outcomes)))
    return parts
