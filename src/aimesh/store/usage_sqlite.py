"""Usage on SQLite: one writer at a time, so what was read is still so when it is written."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from aimesh.core.histogram import decode_counts, encode_counts, merged
from aimesh.store.engine import Connection, Store
from aimesh.store.usage_periods import outdate
from aimesh.store.usage_rows import (
    HOUR_SUMS,
    MINUTE,
    POINT_KEY,
    RECORD_COLUMNS,
    HourKey,
    Hourly,
    Point,
    PointKey,
    Value,
)
from aimesh.store.usage_writes import HOUR_KEY, HOUR_TABLES, POINT_COLUMNS, Cut, added, by_table, hour_columns

_AT_ONCE = 500
"""Rows removed in one transaction: calls that write must not wait long."""
_PAUSE_S = 0.02
"""Between two of them: whoever waits looks now and then whether it is his turn."""


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - names of ours


_ADD_RECORDS = _insert("usage_records", RECORD_COLUMNS)
_ADD_HOURLY = {
    table: f"{_insert(table, hour_columns(dimensions))}"
    f" ON CONFLICT ({', '.join(HOUR_KEY)}) DO UPDATE SET {added(table, HOUR_SUMS)}"
    for table, dimensions in HOUR_TABLES.items()
}
_PUT_POINTS = _insert("usage_points", POINT_COLUMNS).replace("INSERT", "INSERT OR REPLACE", 1)
_FIND_POINTS = (
    f"SELECT {', '.join(f'p.{column}' for column in POINT_COLUMNS)} FROM json_each(?) AS k"  # noqa: S608 - names of ours
    " CROSS JOIN usage_points AS p ON "
    + " AND ".join(f"p.{name} = json_extract(k.value, '$[{at}]')" for at, name in enumerate(POINT_KEY))
)


class SqliteUsage:
    """See ``usage_writes.UsageWriter``."""

    def make_room(self, store: Store, times_s: Iterable[float]) -> None:
        """One table holds everything."""

    def add_settlements(self, db: Connection, several: Sequence[tuple[str, float]]) -> Collection[str]:
        known = _known(db, "task_settlements", [each[0] for each in several])
        _many(
            db, _insert("task_settlements", ("id", "at_s")), [one for one in several if one[0] not in known]
        )
        return known

    def add_records(self, db: Connection, rows: Sequence[tuple[Value, ...]]) -> Collection[str]:
        ids = [str(row[0]) for row in rows]
        known = _known(db, "usage_records", ids)
        _many(db, _ADD_RECORDS, [row for row in rows if row[0] not in known] if known else rows)
        return set(ids) - known

    def add_hourly(self, db: Connection, hourly: Mapping[HourKey, Hourly]) -> None:
        outdate(db, {hour_s for _, hour_s, _ in hourly})
        for table, several in by_table(hourly):
            rows: list[tuple[Value | bytes, ...]] = [
                (*key, *several[key].dimensions, *several[key].sums) for key in sorted(several)
            ]
            _many(db, _ADD_HOURLY[table], rows)

    def add_points(self, db: Connection, points: Mapping[PointKey, Point]) -> None:
        there: dict[PointKey, Point] = {}
        for row in db.exec_driver_sql(_FIND_POINTS, (_json(list(points)),)):
            key: PointKey = tuple(row[:6])
            there[key] = Point(list(row[6:10]), decode_counts(row[10]), decode_counts(row[11]))
        rows: list[tuple[Value, ...]] = []
        for key in sorted(points):
            point, before = points[key], there.get(key)
            if before is not None:
                point = Point(
                    [one + other for one, other in zip(point.sums, before.sums, strict=True)],
                    merged((point.durations, before.durations)),
                    merged((point.ttfts, before.ttfts)),
                )
            rows.append((*key, *point.sums, encode_counts(point.durations), encode_counts(point.ttfts)))
        _many(db, _PUT_POINTS, rows)

    def keep_names(self, db: Connection, kind: str, names: Mapping[str, str]) -> None:
        _many(
            db,
            "INSERT INTO usage_names (kind, id, name) VALUES (?, ?, ?) ON CONFLICT (kind, id)"
            " DO UPDATE SET name = excluded.name WHERE name <> excluded.name",
            [(kind, each, names[each]) for each in sorted(names)],
        )

    def keep_progress(self, db: Connection, node: str, moved: Mapping[str, int], gone: Sequence[str]) -> None:
        _many(
            db,
            "INSERT INTO journal_positions (node, segment, position) VALUES (?, ?, ?)"
            " ON CONFLICT (node, segment) DO UPDATE SET position = excluded.position",
            [(node, segment, moved[segment]) for segment in sorted(moved)],
        )
        _many(
            db,
            "DELETE FROM journal_positions WHERE node = ? AND segment = ?",
            [(node, segment) for segment in gone],
        )

    def keep_state(self, db: Connection, name: str, value: float) -> None:
        db.exec_driver_sql(
            "INSERT INTO import_state (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def remove_old(self, store: Store, cut: Cut) -> int:
        return (
            _removed(store, "usage_records", "at_s < ?", (cut.records_s,))
            + _removed(store, "task_settlements", "at_s < ?", (cut.records_s,))
            + _removed(store, "usage_points", f"grain = '{MINUTE}' AND start_s < ?", (cut.minutes_s,))
            + _removed(store, "usage_points", f"grain <> '{MINUTE}' AND start_s < ?", (cut.hours_s,))
        )


def _removed(store: Store, table: str, condition: str, values: tuple[float, ...]) -> int:
    total = 0
    while True:
        with store.bulk() as db:
            count = db.exec_driver_sql(
                f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE {condition} LIMIT {_AT_ONCE})",  # noqa: S608 - names of ours
                values,
            ).rowcount
        total += count
        if count < _AT_ONCE:
            return total
        time.sleep(_PAUSE_S)


def _known(db: Connection, table: str, ids: Sequence[str]) -> set[str]:
    if not ids:
        return set()
    found = db.exec_driver_sql(
        f"SELECT id FROM {table} WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608 - names of ours
        (_json(list(ids)),),
    )
    return {row[0] for row in found}


def _many(db: Connection, statement: str, rows: Sequence[tuple[Value | bytes, ...]]) -> None:
    if rows:
        db.exec_driver_sql(statement, list(rows))


def _json(value: list[str] | list[PointKey]) -> str:
    return msgspec.json.encode(value).decode()
