"""Sums of whole days and weeks: made of the hourly roll-ups once a day is over, read instead of them.

1. What is read is exact at any time. A day counts only while it has a row in ``usage_periods``; whoever adds to its
   hours takes the row away in the same transaction (``outdate``), and hours are read until the day is made anew.
2. Days are those of the installation's time zone, weeks begin on Monday. When the zone changes all are made anew.
3. On PostgreSQL whoever adds to hours shares a lock that making a day takes alone: nothing is added while it is made.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import Table, text

from aimesh.core.histogram import Counts, decode_counts, encode_counts
from aimesh.core.outcome import Outcome
from aimesh.store.engine import Connection, Store
from aimesh.store.period_tables import (
    PERIOD_SUMS,
    USAGE_SUMS,
    USAGE_SUMS_KEYS,
    USAGE_SUMS_LABELS,
    USAGE_SUMS_MODELS,
)

PeriodGrain = Literal["d", "w"]

ALL = "*"
"""In ``usage_trends``: every tenant, every model."""

_LATE_S = 600
"""Records of a day still come after it."""
_DAY_S = 86_400
_LOCK = 0x61_69_6D_65_73_6B
"""A number for PostgreSQL's advisory lock; the one before is that of ``usage_postgres.py``."""

_SHORTER = (USAGE_SUMS_MODELS, USAGE_SUMS_KEYS, USAGE_SUMS_LABELS)
_KEY = ("grain", "start_s", "tenant", "place")


class Period(Struct, frozen=True):
    grain: PeriodGrain
    start_s: int
    until_s: int


def outdate(db: Connection, hours: Collection[int]) -> None:
    """For whoever adds to these hours, before the end of the transaction: the sums of their days are wrong from now
    on."""
    if not hours:
        return
    if db.dialect.name == "postgresql":
        db.execute(text(f"SELECT pg_advisory_xact_lock_shared({_LOCK})"))
    by_day: dict[int, list[int]] = defaultdict(list)
    for hour_s in hours:
        by_day[hour_s // _DAY_S].append(hour_s)
    for day in sorted(by_day):
        db.execute(
            text("DELETE FROM usage_periods WHERE until_s > :first AND start_s <= :last"),
            {"first": min(by_day[day]), "last": max(by_day[day])},
        )


def make_next(store: Store, zone: ZoneInfo, now_s: float) -> Period | None:
    """The latest day or week that is over and has no sums; None: all have. Blocks; raises ``StoreError``."""
    with store.read() as db:
        wanted = _wanted(db, zone, now_s)
    if wanted is None:
        return None
    with store.bulk() as db:
        if db.dialect.name == "postgresql":
            db.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        _forget_others(db, zone)
        _make(db, wanted, zone)
    return wanted


def made_within(db: Connection, since_s: float, until_s: float, *, is_by_days: bool = False) -> list[Period]:
    """That do not overlap, in order: weeks where there are, and days beside them; or days alone."""
    rows = db.execute(
        text(
            "SELECT grain, start_s, until_s FROM usage_periods WHERE start_s >= :since AND until_s <= :until"
            " ORDER BY grain DESC, start_s"
        ),
        {"since": since_s, "until": until_s},
    )
    found: list[Period] = []
    for row in rows:
        period = Period(*row)
        if is_by_days and period.grain != "d":
            continue
        if not any(period.start_s < one.until_s and one.start_s < period.until_s for one in found):
            found.append(period)
    return sorted(found, key=lambda one: one.start_s)


def left_over(periods: Sequence[Period], since_s: float, until_s: float) -> list[tuple[float, float]]:
    """The times between them."""
    gaps, at_s = [], since_s
    for period in periods:
        if period.start_s > at_s:
            gaps.append((at_s, float(period.start_s)))
        at_s = period.until_s
    if until_s > at_s:
        gaps.append((at_s, until_s))
    return gaps


def _wanted(db: Connection, zone: ZoneInfo, now_s: float) -> Period | None:
    first_s = db.execute(text("SELECT min(hour_s) FROM usage_hourly")).scalar()
    if first_s is None:
        return None
    rows = db.execute(
        text("SELECT grain, start_s, until_s FROM usage_periods WHERE zone = :zone"), {"zone": zone.key}
    )
    made = {Period(*row) for row in rows}
    first = datetime.fromtimestamp(first_s, zone).date()
    day = datetime.fromtimestamp(now_s - _LATE_S, zone).date() - timedelta(days=1)
    while day >= first:
        period = _period("d", day, zone)
        if period not in made:
            return period
        if day.weekday() == 0:
            week = _period("w", day, zone)
            days = [_period("d", day + timedelta(days=step), zone) for step in range(7)]
            if week not in made and all(one in made for one in days):
                return week
        day -= timedelta(days=1)
    return None


def _period(grain: PeriodGrain, day: date, zone: ZoneInfo) -> Period:
    until = day + timedelta(days=7 if grain == "w" else 1)
    return Period(grain, _midnight_s(day, zone), _midnight_s(until, zone))


def _midnight_s(day: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp())


def _forget_others(db: Connection, zone: ZoneInfo) -> None:
    """Of another zone: days would overlap."""
    found = db.execute(
        text("DELETE FROM usage_periods WHERE zone <> :zone RETURNING grain, start_s"), {"zone": zone.key}
    ).all()
    for grain, start_s in found:
        _remove(db, grain, start_s)


def _remove(db: Connection, grain: str, start_s: int) -> None:
    for table in (USAGE_SUMS, *_SHORTER):
        db.execute(table.delete().where(table.c.grain == grain, table.c.start_s == start_s))
    db.execute(
        text("DELETE FROM usage_points WHERE grain = :grain AND start_s = :start"),
        {"grain": grain, "start": start_s},
    )


def _make(db: Connection, period: Period, zone: ZoneInfo) -> None:
    values = {"grain": period.grain, "start": period.start_s, "until": period.until_s}
    _remove(db, period.grain, period.start_s)
    db.execute(text(_ADD[period.grain]), values)
    for table in _SHORTER:
        db.execute(text(_shorter(table)), values)
    if period.grain == "d":
        db.execute(text("DELETE FROM usage_trends WHERE hour_s >= :start AND hour_s < :until"), values)
        for statement in _ADD_TRENDS:
            db.execute(text(statement), values)
    _add_points(db, period)
    db.execute(
        text(
            "INSERT INTO usage_periods (grain, start_s, until_s, zone) VALUES (:grain, :start, :until, :zone)"
            # Another node may have made it meanwhile.
            " ON CONFLICT (grain, start_s) DO UPDATE SET until_s = excluded.until_s, zone = excluded.zone"
        ),
        values | {"zone": zone.key},
    )


def _dimensions(table: Table) -> tuple[str, ...]:
    return tuple(one.name for one in table.c if one.name not in _KEY and one.name not in PERIOD_SUMS)


def _insert(table: Table, source: str, sums: Iterable[str]) -> str:
    """Groups of rows of ``source``, numbered."""
    dimensions = ", ".join(_dimensions(table))
    names = ", ".join(PERIOD_SUMS)
    numbered = f"row_number() OVER (ORDER BY tenant, {dimensions})"
    return (
        f"INSERT INTO {table.name} (grain, start_s, tenant, place, {dimensions}, {names})"  # noqa: S608 - names of ours
        f" SELECT :grain, :start, tenant, {numbered}, {dimensions}, {names}"
        f" FROM (SELECT tenant, {dimensions}, {', '.join(sums)} FROM {source} GROUP BY tenant, {dimensions}) AS g"
    )


def _ended(outcome: Outcome) -> str:
    return f"sum(CASE WHEN outcome = '{outcome.value}' THEN requests ELSE 0 END)"


_SUMMED = [f"sum({name}) AS {name}" for name in PERIOD_SUMS]
_ADD: dict[PeriodGrain, str] = {
    "d": _insert(
        USAGE_SUMS,
        "usage_hourly WHERE hour_s >= :start AND hour_s < :until",
        (
            *(_SUMMED[: PERIOD_SUMS.index("succeeded")]),
            f"{_ended(Outcome.OK)} AS succeeded",
            f"{_ended(Outcome.CLIENT_GONE)} AS abandoned",
        ),
    ),
    "w": _insert(
        USAGE_SUMS, "usage_sums WHERE grain = 'd' AND start_s >= :start AND start_s < :until", _SUMMED
    ),
}


def _shorter(table: Table) -> str:
    return _insert(table, "usage_sums WHERE grain = :grain AND start_s = :start", _SUMMED)


def _trend(tenant: str, model: str) -> str:
    return (
        "INSERT INTO usage_trends (tenant, model, hour_s, is_byok, currency, requests, tokens, cost_nano)"  # noqa: S608 - names of ours
        f" SELECT {tenant}, {model}, hour_s, is_byok, currency, sum(requests), sum(input_tokens + output_tokens),"
        " sum(cost_nano) FROM usage_hourly_models WHERE hour_s >= :start AND hour_s < :until"
        " GROUP BY 1, 2, hour_s, is_byok, currency"
    )


_ADD_TRENDS = tuple(
    _trend(tenant, model) for tenant in ("tenant", f"'{ALL}'") for model in ("model", f"'{ALL}'")
)

_POINTS_OF: dict[PeriodGrain, str] = {"d": "h", "w": "d"}
_POINT = ("model", "endpoint", "outcome", "error_code")
_POINT_SUMS = ("requests", "output_tokens", "duration_us", "ttft_us")


class _Point(Struct):
    sums: list[int]
    durations: Counts
    ttfts: Counts

    def add(self, sums: Sequence[int], durations: str, ttfts: str) -> None:
        for place, amount in enumerate(sums):
            self.sums[place] += amount
        for mine, more in ((self.durations, decode_counts(durations)), (self.ttfts, decode_counts(ttfts))):
            for bucket, count in more.items():
                mine[bucket] = mine.get(bucket, 0) + count


def _add_points(db: Connection, period: Period) -> None:
    rows = db.execute(
        text(
            f"SELECT {', '.join((*_POINT, *_POINT_SUMS))}, duration_counts, ttft_counts FROM usage_points"  # noqa: S608 - names of ours
            " WHERE grain = :finer AND start_s >= :start AND start_s < :until"
        ),
        {"finer": _POINTS_OF[period.grain], "start": period.start_s, "until": period.until_s},
    )
    points: dict[tuple[str, ...], _Point] = {}
    for row in rows:
        point = points.setdefault(tuple(row[:4]), _Point([0] * len(_POINT_SUMS), {}, {}))
        point.add(row[4:8], row[8], row[9])
    if not points:
        return
    names = ("grain", "start_s", *_POINT, *_POINT_SUMS, "duration_counts", "ttft_counts")
    db.execute(
        text(
            f"INSERT INTO usage_points ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"  # noqa: S608 - names of ours
        ),
        [
            dict(
                zip(
                    names,
                    (
                        period.grain,
                        period.start_s,
                        *key,
                        *point.sums,
                        encode_counts(point.durations),
                        encode_counts(point.ttfts),
                    ),
                    strict=True,
                )
            )
            for key, point in points.items()
        ],
    )
