"""Single calls: pages of them, newest first, and one with everything that is known of it.

1. A page is cut by time and id, so it stays right while calls come in.
2. Somebody's calls are those of some keys, which the roll-ups know: each key's are in order in an index, those of all
   keys together would have to be looked for among everybody's.
3. Filters are those of the sums (``usage_queries.UsageFilter``), so what a sum says can be looked up call by call.
"""

import heapq
from itertools import islice
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, select, tuple_

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


_MOST_KEYS = 50
"""So many questions for one page."""
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


def list_calls(db: Connection, wanted: CallFilter, *, before: Place | None, limit: int) -> list[CallRow]:
    """Newest first; ``before`` is the last one seen."""
    table, usage = USAGE_RECORDS.c, wanted.usage
    parts = _matches(db, wanted)
    # One bound at each end: of several, a database may begin at the wrong one.
    if before is None or before[0] >= usage.until_s:
        parts.append(table.at_s < usage.until_s)
    else:
        parts += [table.at_s <= before[0], tuple_(table.at_s, table.id) < tuple_(*before)]
    if wanted.request:
        # By its time as well, or another index may look better than that of ids.
        times = db.execute(select(table.at_s).where(table.id == wanted.request)).scalars().all()
        parts += [table.id == wanted.request, table.at_s.in_(times)]
    question = _question().where(*parts).order_by(table.at_s.desc(), table.id.desc()).limit(limit)
    if usage.owner is None and usage.users is None and usage.keys is None:
        return [_call(row) for row in db.execute(question)]
    keys = _keys(db, usage)
    if len(keys) > _MOST_KEYS:
        return [_call(row) for row in db.execute(question)]
    several = [
        db.execute(question.where(table.tenant == tenant, table.key_id == key)).all() for tenant, key in keys
    ]
    rows = heapq.merge(*several, key=lambda row: (row.at_s, row.id), reverse=True)
    return [_call(row) for row in islice(rows, limit)]


def _keys(db: Connection, usage: UsageFilter) -> set[tuple[str, str]]:
    """Tenants and keys of which there may be calls."""
    # The hour in which the time begins may begin before it.
    around = UsageFilter(
        since_s=usage.since_s - HOUR_S,
        until_s=usage.until_s,
        tenant=usage.tenant,
        owner=usage.owner,
        keys=usage.keys,
        users=usage.users,
    )
    return {
        (str(tenant), str(key)) for tenant, key in read_totals(db, around, (Dimension.TENANT, Dimension.KEY))
    }


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
    """All but where the time ends, and the call's id."""
    table, usage = USAGE_RECORDS.c, wanted.usage
    parts: list[ColumnElement[bool]] = [table.at_s >= usage.since_s]
    if usage.tenant is not None:
        parts.append(table.tenant == usage.tenant)
    if usage.owner is not None:
        parts.append(table.user_id == usage.owner)
    if usage.keys is not None:
        parts.append(table.key_id.in_(sorted(usage.keys)))
    if usage.users is not None:
        parts.append(table.user_id.in_(sorted(usage.users)))
    if usage.model is not None:
        parts.append(table.model == usage.model)
    if usage.provider is not None:
        parts.append(table.provider == usage.provider)
    if usage.is_byok is not None:
        parts.append(table.is_byok == usage.is_byok)
    parts += [has_label(db, table.labels, name, value) for name, value in usage.labels]
    if wanted.outcomes:
        parts.append(table.outcome.in_(sorted(wanted.outcomes)))
    if wanted.upstream_request:
        parts.append(table.upstream_request_id == wanted.upstream_request)
    if wanted.task:
        parts.append(table.task_id == wanted.task)
    return parts
