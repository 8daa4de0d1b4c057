"""How usage is written, on SQLite and on PostgreSQL: whole batches, in few statements.

1. Rows that several nodes may touch are touched in the order of their keys.
2. Nothing here begins or ends a transaction, but for ``make_room``.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from aimesh.store.engine import Connection, Store
from aimesh.store.usage_rows import (
    HOUR_DIMENSIONS,
    HOUR_SUMS,
    POINT_KEY,
    POINT_SUMS,
    SHORTER_HOURS,
    HourKey,
    Hourly,
    Point,
    PointKey,
    Value,
    shortened,
)

HOUR_KEY = ("tenant", "hour_s", "dimensions")
HOUR_TABLES = {"usage_hourly": HOUR_DIMENSIONS, **SHORTER_HOURS}
POINT_COUNTS = ("duration_counts", "ttft_counts")
POINT_COLUMNS = (*POINT_KEY, *POINT_SUMS, *POINT_COUNTS)


class Cut(Struct, frozen=True):
    """What began before these times is kept no longer."""

    records_s: float
    minutes_s: float
    """Points of minutes."""
    hours_s: float
    """Points of hours."""


class UsageWriter(Protocol):
    def make_room(self, store: Store, times_s: Iterable[float]) -> None:
        """For records of these times; in transactions of its own."""
        ...

    def add_settlements(self, db: Connection, several: Sequence[tuple[str, float]]) -> Collection[str]:
        """Notes ids with their times; gives those that were there before."""
        ...

    def add_records(self, db: Connection, rows: Sequence[tuple[Value, ...]]) -> Collection[str]:
        """Gives the ids of the rows that were not there before."""
        ...

    def add_hourly(self, db: Connection, hourly: Mapping[HourKey, Hourly]) -> None:
        """To every roll-up."""
        ...

    def add_points(self, db: Connection, points: Mapping[PointKey, Point]) -> None: ...

    def keep_names(self, db: Connection, kind: str, names: Mapping[str, str]) -> None: ...

    def keep_progress(
        self, db: Connection, node: str, moved: Mapping[str, int], gone: Sequence[str]
    ) -> None: ...

    def keep_state(self, db: Connection, name: str, value: float) -> None: ...

    def remove_old(self, store: Store, cut: Cut) -> int:
        """Removes what ``cut`` says, a little at a time; gives how many rows or partitions."""
        ...


def hour_columns(dimensions: Sequence[str]) -> tuple[str, ...]:
    return (*HOUR_KEY, *dimensions, *HOUR_SUMS)


def by_table(hourly: Mapping[HourKey, Hourly]) -> Iterator[tuple[str, Mapping[HourKey, Hourly]]]:
    """What is added to each roll-up, in the order in which all touch them."""
    for table, dimensions in HOUR_TABLES.items():
        yield table, hourly if dimensions is HOUR_DIMENSIONS else shortened(hourly, dimensions)


def added(table: str, columns: Iterable[str]) -> str:
    """The part of an upsert that adds."""
    return ", ".join(f"{column} = {table}.{column} + excluded.{column}" for column in columns)


def usage_writer(dialect: str) -> UsageWriter:
    if dialect == "sqlite":
        from aimesh.store.usage_sqlite import SqliteUsage  # noqa: PLC0415 - the two are made of this module's names

        return SqliteUsage()
    # Only here: with SQLite, psycopg is not loaded.
    from aimesh.store.usage_postgres import PostgresUsage  # noqa: PLC0415

    return PostgresUsage()
