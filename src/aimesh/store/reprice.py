"""Pricing again what was priced: a range of usage records by another state of prices, with their roll-ups.

1. A batch changes records and roll-ups in one transaction, so sums of records and roll-ups never differ.
2. Doing it twice changes nothing the second time: a record is changed where its price differs, and only there.
3. Records whose endpoint the pricer does not know keep what they have.
4. Roll-ups are changed by what the records' difference adds, never worked out anew: they outlive the records.
"""

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, select, text

from aimesh.catalog.price_record import Pricer
from aimesh.core.ids import EndpointName, TenantId, UserId
from aimesh.core.money import Currency
from aimesh.core.priced import Priced
from aimesh.core.record import UsageRecord, decode_record
from aimesh.store.engine import Connection
from aimesh.store.prices import keep_versions
from aimesh.store.tables import USAGE_RECORDS
from aimesh.store.usage_rows import HOUR_SUMS, HourKey, Hourly, Metered, rolled_up
from aimesh.store.usage_writes import HOUR_TABLES, by_table, usage_writer

_UPDATE = text(
    "UPDATE usage_records SET cost_nano = :cost_nano, list_nano = :list_nano, currency = :currency,"
    " price_version = :price_version WHERE id = :id AND at_s = :at_s"
)
_TIDY = {
    table: text(
        f"DELETE FROM {table} WHERE tenant = :tenant AND hour_s = :hour_s AND dimensions = :dimensions"  # noqa: S608 - names of ours
        f" AND {' AND '.join(f'{name} = 0' for name in HOUR_SUMS)}"
    )
    for table in HOUR_TABLES
}

Place = tuple[float, str]
"""Time and id of a record."""


class Selection(Struct, frozen=True):
    """Which records are priced again."""

    since_s: float
    until_s: float
    """Of calls that began before."""
    tenant: TenantId | None = None
    endpoint: EndpointName | None = None


class Difference(Struct, frozen=True):
    """One record's price before and after."""

    endpoint: EndpointName
    before: Priced | None
    after: Priced | None


class Repriced(Struct, frozen=True):
    """One batch."""

    examined: int
    kept: int
    """Of endpoints that the pricer does not know."""
    differences: tuple[Difference, ...]
    last: Place | None
    """Where the next batch begins; None: there was nothing more."""


def reprice(
    db: Connection,
    selection: Selection,
    pricer: Pricer,
    *,
    after: Place | None,
    limit: int,
    now_s: float | None,
) -> Repriced:
    """Up to ``limit`` records in order of time, after a place. ``now_s`` None: a dry run, nothing is written."""
    rows = _read(db, selection, after, limit, is_locked=now_s is not None)
    kept = 0
    changed: list[tuple[Metered, Priced | None]] = []
    for row in rows:
        record, before = decode_record(row.record.encode()), _before(row)
        if not pricer.knows(record.endpoint):
            kept += 1
            continue
        now = pricer.price(record)
        if now != before:
            metered = Metered(record=record, user=UserId(row.user_id), kind=row.kind, priced=before)
            changed.append((metered, now))
    if changed and now_s is not None:
        _write(db, changed)
        keep_versions(db, pricer.used, now_s)
    return Repriced(
        examined=len(rows),
        kept=kept,
        differences=tuple(
            Difference(endpoint=old.record.endpoint, before=old.priced, after=now) for old, now in changed
        ),
        last=(rows[-1].at_s, rows[-1].id) if len(rows) == limit else None,
    )


# A row of a SQLAlchemy query has columns of any type.
def _read(
    db: Connection, selection: Selection, after: Place | None, limit: int, *, is_locked: bool
) -> Sequence[Any]:
    table = USAGE_RECORDS.c
    where: list[ColumnElement[bool]] = [table.at_s >= selection.since_s, table.at_s < selection.until_s]
    if selection.tenant is not None:
        where.append(table.tenant == selection.tenant)
    if selection.endpoint is not None:
        where.append(table.endpoint == selection.endpoint)
    if after is not None:
        at_s, name = after
        where.append((table.at_s > at_s) | ((table.at_s == at_s) & (table.id > name)))
    question = (
        select(
            table.id,
            table.at_s,
            table.user_id,
            table.kind,
            table.cost_nano,
            table.list_nano,
            table.currency,
            table.price_version,
            table.record,
        )
        .where(*where)
        .order_by(table.at_s, table.id)
        .limit(limit)
    )
    # So that none is removed between reading and writing; where writers follow one another, this is nothing.
    return db.execute(question.with_for_update() if is_locked else question).all()


def _before(row: Any) -> Priced | None:
    if row.cost_nano is None:
        return None
    return Priced(
        cost_nano=row.cost_nano,
        list_nano=row.list_nano,
        currency=Currency(row.currency),
        version=row.price_version,
    )


def _write(db: Connection, changed: Iterable[tuple[Metered, Priced | None]]) -> None:
    pairs = list(changed)
    db.execute(_UPDATE, [_columns(old.record, now) for old, now in pairs])
    before = rolled_up((old for old, _ in pairs), inf, inf).hourly
    after = rolled_up(
        (Metered(record=old.record, user=old.user, kind=old.kind, priced=now) for old, now in pairs), inf, inf
    ).hourly
    moved = _difference(before, after)
    usage_writer(db.dialect.name).add_hourly(db, moved)
    for table, several in by_table(moved):
        left = [key for key, one in several.items() if min(one.sums) < 0]
        if left:
            db.execute(
                _TIDY[table],
                [{"tenant": key[0], "hour_s": key[1], "dimensions": key[2]} for key in sorted(left)],
            )


def _columns(record: UsageRecord, now: Priced | None) -> dict[str, str | int | float | None]:
    return {
        "cost_nano": None if now is None else now.cost_nano,
        "list_nano": None if now is None else now.list_nano,
        "currency": None if now is None else now.currency.value,
        "price_version": None if now is None else now.version,
        "id": record.id,
        "at_s": record.at,
    }


def _difference(before: dict[HourKey, Hourly], after: dict[HourKey, Hourly]) -> dict[HourKey, Hourly]:
    """What has to be added; rows to which nothing is added are left out."""
    found: dict[HourKey, Hourly] = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        one = new if new is not None else old
        assert one is not None
        taken = old.sums if old is not None else [0] * len(HOUR_SUMS)
        given = new.sums if new is not None else [0] * len(HOUR_SUMS)
        sums = [plus - minus for plus, minus in zip(given, taken, strict=True)]
        if any(sums):
            found[key] = Hourly(dimensions=one.dimensions, sums=sums)
    return found
