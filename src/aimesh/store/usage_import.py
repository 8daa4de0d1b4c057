"""Usage records into the database: rows, roll-ups, points and the journal's positions, in one transaction.

1. Each record counts once, however often it comes and in whatever company: what is added to roll-ups and points is
   added up from the rows that were new. One that settles a task is known by its id alone.
2. Several nodes may do this at the same time. They touch rows in the same order, so they wait for one another and
   never in a circle.
3. What takes time in Python is done before the transaction (``prepared``), for as long as it lasts nobody else
   writes into SQLite.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from aimesh.catalog.price_record import Version
from aimesh.store.engine import Connection, Store
from aimesh.store.journal_progress import node_state
from aimesh.store.prices import keep_versions
from aimesh.store.usage_rows import (
    Metered,
    Rollups,
    Value,
    check_fits,
    encoded_labels,
    is_call,
    record_row,
    rolled_up,
)
from aimesh.store.usage_writes import UsageWriter, usage_writer


class PointsFrom(Struct, frozen=True):
    """Points that begin before these times would be removed at once: they are not written."""

    minutes_s: float = 0.0
    hours_s: float = 0.0


EVERY_POINT = PointsFrom()


class Beside(Struct, frozen=True):
    """What is kept with records."""

    versions: Mapping[str, Version] = {}
    """Of prices that the records were priced with."""
    users: Mapping[str, str] = {}
    """Ids of the keys' owners to their names."""
    at_s: float = 0.0


NOTHING_BESIDE = Beside()


class Progress(Struct, frozen=True):
    """How far a node's journal is imported once the transaction is committed."""

    node: str
    moved: Mapping[str, int] = {}
    """Segment to offset, of those that moved."""
    gone: tuple[str, ...] = ()
    """Segments that are no more."""
    done_at_s: float | None = None
    """There is nothing more in the journal at this time; None: there may be."""


class Prepared(Struct, frozen=True):
    several: tuple[Metered, ...]
    """Sorted by id, each once."""
    rows: tuple[tuple[Value, ...], ...]
    rollups: Rollups
    points_from: PointsFrom
    beside: Beside


def prepared(
    several: Iterable[Metered],
    points_from: PointsFrom = EVERY_POINT,
    *,
    beside: Beside = NOTHING_BESIDE,
) -> Prepared:
    """Raises ``UnfitError``."""
    once = {metered.record.id: metered for metered in several}
    ordered = tuple(once[each] for each in sorted(once))
    for metered in ordered:
        check_fits(metered)
    return Prepared(
        several=ordered,
        rows=tuple(record_row(metered, encoded_labels(metered.record.labels)) for metered in ordered),
        rollups=rolled_up(ordered, points_from.minutes_s, points_from.hours_s),
        points_from=points_from,
        beside=beside,
    )


def import_usage(store: Store, batch: Prepared, progress: Progress | None = None) -> int:
    """Blocks. Gives how many records were new. Raises ``StoreError``; then nothing was imported."""
    usage_writer(store.dialect).make_room(store, (metered.record.at for metered in batch.several))
    with store.bulk() as db:
        return write_usage(db, batch, progress)


def write_usage(db: Connection, batch: Prepared, progress: Progress | None = None) -> int:
    """The same inside a transaction; on PostgreSQL there must be room for the times of the records."""
    writer = usage_writer(db.dialect.name)
    rows: Sequence[tuple[Value, ...]] = batch.rows
    several = batch.several
    count = 0
    if several:
        known = writer.add_settlements(
            db, [(one.record.id, one.record.at) for one in several if not is_call(one.record.id)]
        )
        if known:
            rows = [row for row in rows if row[0] not in known]
        new = writer.add_records(db, rows)
        count = len(new)
        is_all_new = count == len(several)
        fresh = several if is_all_new else tuple(one for one in several if one.record.id in new)
        _add_up(db, writer, fresh, batch if is_all_new else None, batch.points_from)
        writer.keep_names(db, "user", batch.beside.users)
        keep_versions(db, batch.beside.versions, batch.beside.at_s)
    if progress is not None:
        writer.keep_progress(db, progress.node, progress.moved, progress.gone)
        if progress.done_at_s is not None:
            writer.keep_state(db, node_state(progress.node), progress.done_at_s)
    return count


def _add_up(
    db: Connection,
    writer: UsageWriter,
    fresh: Sequence[Metered],
    batch: Prepared | None,
    points_from: PointsFrom,
) -> None:
    if not fresh:
        return
    rollups = (
        batch.rollups if batch is not None else rolled_up(fresh, points_from.minutes_s, points_from.hours_s)
    )
    writer.add_hourly(db, rollups.hourly)
    writer.add_points(db, rollups.points)
    writer.keep_names(db, "key", rollups.keys)
