"""Usage on PostgreSQL: records by COPY, the rest as JSON that the server takes apart.

1. Records lie in partitions, one for each month of UTC. One is made when its first record comes, with the next one
   ahead, and is dropped whole when its last moment is kept no longer.
2. Making and dropping locks the whole table for a moment: both are done apart from batches, and one at a time.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

import msgspec
import psycopg
from sqlalchemy import text

from aimesh.core.histogram import decode_counts, encode_counts, merged
from aimesh.store import postgres
from aimesh.store.engine import Connection, Store
from aimesh.store.usage_periods import outdate
from aimesh.store.usage_rows import (
    HOUR_SUMS,
    MINUTE,
    POINT_KEY,
    POINT_SUMS,
    RECORD_COLUMNS,
    HourKey,
    Hourly,
    Point,
    PointKey,
    Value,
)
from aimesh.store.usage_writes import (
    HOUR_KEY,
    HOUR_TABLES,
    POINT_COLUMNS,
    POINT_COUNTS,
    Cut,
    added,
    by_table,
    hour_columns,
)

Row = Mapping[str, Value]

_AT_ONCE = 5_000
"""Rows removed in one transaction."""

_PARTITIONS_LOCK = 0x61_69_6D_65_73_6A
"""A number for PostgreSQL's advisory lock; the one before is that of ``engine.py``."""

_TABLE_LOCK = text("SET LOCAL lock_timeout = '5s'")

_NAMES = ", ".join(RECORD_COLUMNS)
_COPY = f"COPY usage_incoming ({_NAMES}) FROM STDIN"
_ADD_RECORDS = text(
    f"INSERT INTO usage_records ({_NAMES}) SELECT {_NAMES} FROM usage_incoming ORDER BY id"  # noqa: S608 - names of ours
    " ON CONFLICT (id, at_s) DO NOTHING RETURNING id"
)


def _given(table: str, columns: Iterable[str]) -> str:
    return f"SELECT {', '.join(columns)} FROM json_populate_recordset(NULL::{table}, CAST(:rows AS json))"  # noqa: S608 - names of ours


_ADD_HOURLY = {
    table: text(
        f"INSERT INTO {table} ({', '.join(hour_columns(dimensions))}) {_given(table, hour_columns(dimensions))}"
        f" ON CONFLICT ({', '.join(HOUR_KEY)}) DO UPDATE SET {added(table, HOUR_SUMS)}"
    )
    for table, dimensions in HOUR_TABLES.items()
}
_ADD_POINTS = text(
    f"INSERT INTO usage_points ({', '.join(POINT_COLUMNS)}) {_given('usage_points', POINT_COLUMNS)}"
    f" ON CONFLICT ({', '.join(POINT_KEY)}) DO UPDATE SET {added('usage_points', POINT_SUMS)}"
    # A row that this statement has made has no ``xmax``.
    f" RETURNING {', '.join((*POINT_KEY, *POINT_COUNTS))}, usage_points.xmax = 0"
)
_SAME = " AND ".join(f"p.{name} = n.{name}" for name in POINT_KEY)
_NEW_COUNTS = ", ".join(f"{name} = n.{name}" for name in POINT_COUNTS)
_POINTS_GIVEN = "json_populate_recordset(NULL::usage_points, CAST(:rows AS json)) AS n"
_MERGE_POINTS = text(f"UPDATE usage_points AS p SET {_NEW_COUNTS} FROM {_POINTS_GIVEN} WHERE {_SAME}")  # noqa: S608 - names of ours


class PostgresUsage:
    """See ``usage_writes.UsageWriter``."""

    def make_room(self, store: Store, times_s: Iterable[float]) -> None:
        months = {_month(at_s) for at_s in times_s}
        with store.read() as db:
            missing = months - _partitions(db)
        if not missing:
            return
        with store.bulk() as db:
            _take_turn(db)
            for month in sorted((missing | {_next(month) for month in missing}) - _partitions(db)):
                db.execute(
                    text(
                        f"CREATE TABLE {_table(month)} PARTITION OF usage_records"
                        f" FOR VALUES FROM ({_begin_s(month)}) TO ({_begin_s(_next(month))})"
                    )
                )

    def add_settlements(self, db: Connection, several: Sequence[tuple[str, float]]) -> Collection[str]:
        if not several:
            return ()
        rows: list[Row] = [{"id": one[0], "at_s": one[1]} for one in several]
        added_ids = db.execute(
            text(
                f"INSERT INTO task_settlements (id, at_s) {_given('task_settlements', ('id', 'at_s'))}"
                " ON CONFLICT (id) DO NOTHING RETURNING id"
            ),
            {"rows": _json(rows)},
        ).scalars()
        return {one[0] for one in several} - set(added_ids)

    def add_records(self, db: Connection, rows: Sequence[tuple[Value, ...]]) -> Collection[str]:
        if not rows:
            return ()
        if db.execute(text("SELECT to_regclass('pg_temp.usage_incoming')")).scalar_one() is None:
            db.execute(
                text(
                    "CREATE TEMPORARY TABLE usage_incoming (LIKE usage_records INCLUDING DEFAULTS)"
                    " ON COMMIT DELETE ROWS"
                )
            )
        try:
            # SQLAlchemy has no COPY; the engine makes no connections but psycopg's.
            with cast("psycopg.Cursor", db.connection.cursor()) as cursor, cursor.copy(_COPY) as copy:
                for row in rows:
                    copy.write_row(row)
        except psycopg.Error as error:
            raise postgres.store_error(error) from error
        return set(db.execute(_ADD_RECORDS).scalars())

    def add_hourly(self, db: Connection, hourly: Mapping[HourKey, Hourly]) -> None:
        outdate(db, {hour_s for _, hour_s, _ in hourly})
        for table, several in by_table(hourly):
            columns = hour_columns(HOUR_TABLES[table])
            rows = []
            for key in sorted(several):
                tenant, hour_s, digest = key
                one = several[key]
                values = (tenant, hour_s, f"\\x{digest.hex()}", *one.dimensions, *one.sums)
                rows.append(dict(zip(columns, values, strict=True)))
            if rows:
                db.execute(_ADD_HOURLY[table], {"rows": _json(rows)})

    def add_points(self, db: Connection, points: Mapping[PointKey, Point]) -> None:
        if not points:
            return
        rows = [_point_row(key, points[key]) for key in sorted(points)]
        merges = []
        # Those of a row that was there are still the old ones: the row is ours until the end.
        for row in db.execute(_ADD_POINTS, {"rows": _json(rows)}):
            key: PointKey = tuple(row[:6])
            point = points[key]
            if not row[8]:
                counts = (
                    merged((point.durations, decode_counts(row[6]))),
                    merged((point.ttfts, decode_counts(row[7]))),
                )
                merges.append(_point_row(key, Point(point.sums, *counts)))
        if merges:
            db.execute(_MERGE_POINTS, {"rows": _json(merges)})

    def keep_names(self, db: Connection, kind: str, names: Mapping[str, str]) -> None:
        rows: list[Row] = [{"kind": kind, "id": each, "name": names[each]} for each in sorted(names)]
        self._upsert(
            db,
            "usage_names",
            ("kind", "id", "name"),
            rows,
            "(kind, id) DO UPDATE SET name = excluded.name WHERE usage_names.name <> excluded.name",
        )

    def keep_progress(self, db: Connection, node: str, moved: Mapping[str, int], gone: Sequence[str]) -> None:
        rows: list[Row] = [
            {"node": node, "segment": segment, "position": moved[segment]} for segment in sorted(moved)
        ]
        self._upsert(
            db,
            "journal_positions",
            ("node", "segment", "position"),
            rows,
            "(node, segment) DO UPDATE SET position = excluded.position"
            " WHERE journal_positions.position <> excluded.position",
        )
        if gone:
            db.execute(
                text("DELETE FROM journal_positions WHERE node = :node AND segment = ANY(:gone)"),
                {"node": node, "gone": list(gone)},
            )

    def keep_state(self, db: Connection, name: str, value: float) -> None:
        rows: list[Row] = [{"name": name, "value": value}]
        self._upsert(
            db, "import_state", ("name", "value"), rows, "(name) DO UPDATE SET value = excluded.value"
        )

    def remove_old(self, store: Store, cut: Cut) -> int:
        return (
            _dropped(store, cut.records_s)
            + _removed(store, "task_settlements", "at_s < :before", cut.records_s)
            + _removed(store, "usage_points", f"grain = '{MINUTE}' AND start_s < :before", cut.minutes_s)
            + _removed(store, "usage_points", f"grain <> '{MINUTE}' AND start_s < :before", cut.hours_s)
        )

    def _upsert(
        self,
        db: Connection,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Row],
        conflict: str,
    ) -> None:
        if rows:
            db.execute(
                text(
                    f"INSERT INTO {table} ({', '.join(columns)}) {_given(table, columns)} ON CONFLICT {conflict}"
                ),
                {"rows": _json(rows)},
            )


def _point_row(key: PointKey, point: Point) -> Row:
    counts = (encode_counts(point.durations), encode_counts(point.ttfts))
    return dict(zip(POINT_COLUMNS, (*key, *point.sums, *counts), strict=True))


def _json(rows: Sequence[Row]) -> str:
    return msgspec.json.encode(rows).decode()


Month = tuple[int, int]
_PARTITION = re.compile(r"usage_records_(\d{4})_(\d{2})")


def _month(at_s: float) -> Month:
    at = datetime.fromtimestamp(at_s, UTC)
    return at.year, at.month


def _next(month: Month) -> Month:
    year, number = month
    return (year + 1, 1) if number == 12 else (year, number + 1)


def _begin_s(month: Month) -> int:
    # The end of the last month that a date can have.
    return 253_402_300_800 if month[0] > 9999 else int(datetime(*month, 1, tzinfo=UTC).timestamp())


def _table(month: Month) -> str:
    return f"usage_records_{month[0]:04d}_{month[1]:02d}"


def _partitions(db: Connection) -> set[Month]:
    names = db.execute(
        text(
            "SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'usage_records'::regclass"
        )
    ).scalars()
    found = (_PARTITION.fullmatch(name) for name in names)
    return {(int(each[1]), int(each[2])) for each in found if each is not None}


def _take_turn(db: Connection) -> None:
    db.execute(text(f"SELECT pg_advisory_xact_lock({_PARTITIONS_LOCK})"))
    db.execute(_TABLE_LOCK)


def _dropped(store: Store, before_s: float) -> int:
    with store.read() as db:
        old = sorted(month for month in _partitions(db) if _begin_s(_next(month)) <= before_s)
    for month in old:
        with store.bulk() as db:
            _take_turn(db)
            db.execute(text(f"DROP TABLE IF EXISTS {_table(month)}"))
    return len(old)


def _removed(store: Store, table: str, condition: str, before_s: float) -> int:
    total = 0
    while True:
        with store.bulk() as db:
            count = db.execute(
                text(
                    f"DELETE FROM {table} WHERE ctid = ANY(ARRAY("  # noqa: S608 - names of ours
                    f"SELECT ctid FROM {table} WHERE {condition} LIMIT {_AT_ONCE}))"
                ),
                {"before": before_s},
            ).rowcount
        total += count
        if count < _AT_ONCE:
            return total
