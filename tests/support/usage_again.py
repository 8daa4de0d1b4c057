"""The calls of one database imported into another, and what tells the two apart."""

from typing import Any

from sqlalchemy import Table, select

from aimesh.core.ids import UserId
from aimesh.core.money import Currency
from aimesh.core.priced import Priced
from aimesh.core.record import decode_record
from aimesh.store.engine import Store
from aimesh.store.tables import (
    USAGE_HOURLY,
    USAGE_HOURLY_KEYS,
    USAGE_HOURLY_MODELS,
    USAGE_POINTS,
    USAGE_RECORDS,
)
from aimesh.store.usage_import import PointsFrom, import_usage, prepared
from aimesh.store.usage_rows import Metered

_AT_ONCE = 5_000
COMPARED = (USAGE_RECORDS, USAGE_HOURLY, USAGE_HOURLY_MODELS, USAGE_HOURLY_KEYS, USAGE_POINTS)


def import_again(source: Store, target: Store, points_from: PointsFrom) -> int:
    """By the real importer, with the prices that the records have. Gives how many."""
    metered = read_metered(source)
    for start in range(0, len(metered), _AT_ONCE):
        import_usage(target, prepared(metered[start : start + _AT_ONCE], points_from))
    return len(metered)


def read_metered(store: Store) -> list[Metered]:
    table = USAGE_RECORDS.c
    columns = (
        table.record, table.user_id, table.kind, table.cost_nano, table.list_nano, table.currency,
        table.price_version,
    )  # fmt: skip
    with store.read() as db:
        rows = db.execute(select(*columns)).all()
    return [
        Metered(
            record=decode_record(row.record.encode()),
            user=UserId(row.user_id),
            kind=row.kind,
            priced=(
                None
                if row.cost_nano is None
                else Priced(row.cost_nano, row.list_nano, Currency(row.currency), row.price_version)
            ),
        )
        for row in rows
    ]


def rows_of(store: Store, table: Table) -> list[tuple[Any, ...]]:
    """In the order of the primary key."""
    with store.read() as db:
        return [tuple(row) for row in db.execute(select(table).order_by(*table.primary_key))]
