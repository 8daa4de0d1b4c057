"""Fills a database with millions of calls in minutes: ``python -m tests.support.usage_scale <url> --records N``.

Rows are made by the database itself, a day at a time: first a small row for each call with what chance decides, then
the call's record, the roll-ups and the points. They are what the importer would have written of the same records
(``tests/chaos/test_usage_scale.py`` compares). All calls are first attempts: none has an attempt that failed beside
one that served.
"""

import argparse
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    insert,
    text,
)
from tests.support import usage_world
from tests.support.usage_world import BIG_TENANT, FATES, PRICE, SLOTS, TENANTS, TIMES, World, make_world

from aimesh.core.clock import SystemClock
from aimesh.core.ids import TenantId
from aimesh.settings import compile_settings
from aimesh.store.engine import open_store
from aimesh.store.journal_progress import node_state
from aimesh.store.tables import (
    IMPORT_STATE,
    USAGE_HOURLY,
    USAGE_HOURLY_KEYS,
    USAGE_HOURLY_MODELS,
    USAGE_NAMES,
    USAGE_RECORDS,
    USERS,
    VIRTUAL_KEYS,
)
from aimesh.store.tenants import TenantTerms, add_tenant
from aimesh.store.usage_retention import HOURS_DAYS, MINUTES_DAYS
from aimesh.store.usage_rows import HOUR_SUMS, POINT_SUMS, RECORD_COLUMNS, encoded_labels
from aimesh.store.usage_writes import HOUR_KEY, HOUR_TABLES, POINT_COLUMNS, usage_writer

HOUR_S, DAY_S = 3600, 86_400
NODE = "scale"

Say = Callable[[str], None]


class Size(Struct, frozen=True):
    records: int = 10_000_000
    days: int = 90
    keys: int = 100_000
    calling_keys: int = 2_000


def fill(url: str, size: Size, *, end_s: float, say: Say = print) -> World:
    """A database without usage; the calls end at the last full hour before ``end_s``. Gives who called."""
    began_s = time.monotonic()

    def said(what: str) -> None:
        say(f"{time.monotonic() - began_s:6.0f} s  {what}")

    with TemporaryDirectory() as home:
        catalog = compile_settings(None, {"AIMESH_HOME": home}).catalog
    world = make_world(catalog, size.calling_keys)
    last_hour = int(end_s // HOUR_S) * HOUR_S
    hours = _hours(size, last_hour)
    store = open_store(url)
    try:
        usage_writer(store.dialect).make_room(
            store, [float(hour_s) for hour_s, _, _ in hours[::24]] + [end_s]
        )
        with store.write() as db:
            _add_people(db, world, size, end_s)
    finally:
        store.close()
    said(f"{size.keys:,} keys")
    with _fast_connection(url) as db:
        filler = _Filler(db, world, last_hour + HOUR_S)
        filler.prepare()
        for start in range(0, len(hours), 24):
            filler.fill_day(hours[start : start + 24])
            done = sum(count for _, _, count in hours[: start + 24])
            if start // 24 % 10 == 9 or start + 24 >= len(hours):
                said(f"{done:,} calls")
        filler.finish()
        said("indexes")
    return world


def _hours(size: Size, last_hour: int) -> list[tuple[int, int, int]]:
    """Beginning, number of the first call, and how many: more by day than by night, fewer on Sundays."""
    starts = [last_hour - HOUR_S * (size.days * 24 - 1 - step) for step in range(size.days * 24)]
    weights = [
        (1.0 + 0.8 * math.sin((start_s / HOUR_S % 24 - 1) / 24 * 2 * math.pi))
        * (0.6 if start_s // DAY_S % 7 == 3 else 1.0)
        for start_s in starts
    ]
    whole, spent, hours, first = sum(weights), 0.0, [], 0
    for start_s, weight in zip(starts, weights, strict=True):
        spent += weight
        until = round(size.records * spent / whole)
        hours.append((start_s, first, until - first))
        first = until
    return hours


def _add_people(db: Connection, world: World, size: Size, now_s: float) -> None:
    for tenant in TENANTS[1:]:
        add_tenant(db, TenantId(tenant), TenantTerms(name=tenant), now_s)
    db.execute(
        insert(USERS),
        [
            {
                "id": id_, "tenant": tenant, "username": name, "display_name": name, "email": "",
                "role": "MEMBER", "enabled": True, "failed_logins": 0, "created_at_s": now_s,
                "updated_at_s": now_s, "version": 1,
            }
            for id_, tenant, name in world.users
        ],
    )  # fmt: skip
    rows = [_key_row(number, world, now_s) for number in range(max(size.keys, len(world.keys)))]
    for start in range(0, len(rows), 5_000):
        db.execute(insert(VIRTUAL_KEYS), rows[start : start + 5_000])
    names = [{"kind": "key", "id": key.id, "name": key.alias} for key in world.keys]
    names += [{"kind": "user", "id": id_, "name": name} for id_, _, name in world.users]
    db.execute(insert(USAGE_NAMES), names)
    db.execute(insert(IMPORT_STATE), [{"name": node_state(NODE), "value": now_s}])


def _key_row(number: int, world: World, now_s: float) -> dict[str, object]:
    key = world.keys[number] if number < len(world.keys) else None
    return {
        "id": f"key-{number:012}",
        "tenant": BIG_TENANT if key is None else key.tenant,
        "alias": f"line {number}",
        "sha256": number.to_bytes(32, "big"),
        "masked": f"ck-0****{number % 10_000:04}",
        "enabled": True,
        "allowed_models": "[]",
        "allowed_cidrs": "[]",
        "labels": "{}" if key is None else encoded_labels(key.labels),
        "limits": '{"quotas":[{"unit":"tokens","period":"total","limit":10000000}]}',
        "owner": "" if key is None else key.user,
        "created_at_s": now_s - 100 * DAY_S + number,
        "updated_at_s": now_s,
        "changed": 1,
    }


@contextmanager
def _fast_connection(url: str) -> Iterator[Connection]:
    """What is lost when the machine stops is made again."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as db:
            if db.dialect.name == "sqlite":
                for pragma in (
                    "journal_mode = OFF",
                    "synchronous = OFF",
                    "cache_size = -400000",
                    "temp_store = MEMORY",
                ):
                    db.exec_driver_sql(f"PRAGMA {pragma}")
            else:
                for setting in (
                    "work_mem = '256MB'",
                    "maintenance_work_mem = '512MB'",
                    "synchronous_commit = off",
                ):
                    db.exec_driver_sql(f"SET {setting}")
            db.commit()
            yield db
            db.commit()
            if db.dialect.name == "sqlite":
                db.exec_driver_sql("PRAGMA journal_mode = WAL")
    finally:
        engine.dispose()


_META = MetaData()


def _scratch(name: str, **columns: type) -> Table:
    first, *others = columns.items()
    return Table(
        f"scale_{name}",
        _META,
        Column(first[0], first[1], primary_key=True),
        *(Column(*one) for one in others),
        prefixes=["TEMPORARY"],
    )


_SLOTS = _scratch("slots", slot=Integer, combo=Integer)
_FATES = _scratch(
    "fates", fate=Integer, outcome=Text, status=Integer, error_code=Text, used=Integer, outcome_json=Text,
    status_json=Text,
)  # fmt: skip
_TIMES = _scratch("times", place=Integer, ms=Double, us=BigInteger, bucket=Integer, shown=Text)
_COMBOS = _scratch(
    "combos", combo=Integer, tenant=Text, key_id=Text, key_alias=Text, user_id=Text, labels=Text, model=Text,
    endpoint=Text, provider=Text, credential=Text, is_byok=Boolean, kind=Text, interface=Text, operation=Text,
    is_priced=Integer, rate_in=BigInteger, rate_out=BigInteger, rate_unit=BigInteger, percent=BigInteger,
    client_ip=Text, is_stream=Boolean, begin_json=Text, middle_json=Text,
)  # fmt: skip
_SUMS = Table(
    "scale_sums",
    _META,
    Column("combo", Integer, primary_key=True),
    Column("fate", Integer, primary_key=True),
    *(Column(name, Integer) for name in ("whole_group", "model_group", "key_group", "point_group")),
    prefixes=["TEMPORARY"],
)
_WHOLES = _scratch(
    "wholes", place=Integer, tenant=Text, key_id=Text, user_id=Text, model=Text, endpoint=Text, provider=Text,
    is_byok=Boolean, kind=Text, labels=Text, outcome=Text, currency=Text, dimensions=LargeBinary,
)  # fmt: skip
_MODELS = _scratch(
    "models", place=Integer, tenant=Text, model=Text, provider=Text, is_byok=Boolean, kind=Text, outcome=Text,
    currency=Text, dimensions=LargeBinary,
)  # fmt: skip
_KEYS = _scratch(
    "keys", place=Integer, tenant=Text, key_id=Text, user_id=Text, is_byok=Boolean, outcome=Text,
    currency=Text, dimensions=LargeBinary,
)  # fmt: skip
_POINTS = _scratch("points", place=Integer, model=Text, endpoint=Text, outcome=Text, error_code=Text)
_CALLS = _scratch(
    "calls", n=BigInteger, hour_s=BigInteger, at_ms=BigInteger, combo=Integer, fate=Integer, took=Integer,
    first=Integer, input=BigInteger, output=BigInteger, cached=BigInteger, reasoning=BigInteger,
    images=BigInteger, seconds=BigInteger, cost=BigInteger, listed=BigInteger, estimated=Integer,
)  # fmt: skip
_DAY = Table(
    "scale_day",
    _META,
    *(Column(name, BigInteger) for name in ("hour_s", "combo", "fate", *HOUR_SUMS)),
    prefixes=["TEMPORARY"],
)

_PRIME = 2_147_483_647


def _chances(count: int) -> str:
    """Of each ``n`` of ``series`` numbers below ``_PRIME``, as if by chance, as the table ``chance``."""

    def layer(name: str, source: str, each: Callable[[int], str]) -> str:
        columns = ", ".join(f"{each(number)} AS x{number}" for number in range(count))
        # Else each would be computed wherever it is used.
        return f"{name} AS MATERIALIZED (SELECT n, {columns} FROM {source})"

    layers = (
        layer(
            "line", "series", lambda one: f"(n * {48_271 + 7919 * one} + {104_729 * (one + 1)}) % {_PRIME}"
        ),
        layer("square", "line", lambda one: f"(x{one} * x{one} + {1_299_709 * (one + 3)}) % {_PRIME}"),
        layer("chance", "square", lambda one: f"x{one} * x{one} % {_PRIME}"),
    )
    return ", ".join(layers)


def _fate_of(chance: str) -> str:
    cases, below = [], 0
    for number, fate in enumerate(FATES):
        below += fate.of_thousand
        cases.append(f"WHEN {chance} % 1000 < {below} THEN {number}")
    return f"CASE {' '.join(cases)} ELSE 0 END"


_CALL = f"""
SELECT n, CAST(:hour_s AS bigint) AS hour_s,
  CAST(:hour_s AS bigint) * 1000
    + (n - CAST(:first AS bigint)) * 3600000 / CAST(:count AS bigint) / 10 * 10 + 1 + x5 % 9 AS at_ms,
  c.combo, f.fate, (x2 % {TIMES} + x2 / {TIMES} % {TIMES}) / 2 AS took,
  CASE WHEN c.is_stream AND f.used = 1 THEN (x2 % {TIMES} + x2 / {TIMES} % {TIMES}) / 3 END AS first,
  CASE WHEN f.used = 1 AND c.kind IN ('chat', 'embedding') THEN 50 + x3 % 3000 * (1 + x3 / 3000 % 4) ELSE 0 END
    AS input,
  CASE WHEN f.used = 1 AND c.kind = 'chat' THEN 10 + x4 % 1200 ELSE 0 END AS output,
  CASE WHEN f.used = 1 AND c.kind = 'chat' AND x4 / 1200 % 3 = 0 THEN 25 ELSE 0 END AS cached,
  CASE WHEN f.used = 1 AND c.kind = 'chat' AND x4 / 1200 % 4 = 0 THEN 5 ELSE 0 END AS reasoning,
  CASE WHEN f.used = 1 AND c.kind = 'image' THEN 1 + x3 % 4 ELSE 0 END AS images,
  CASE WHEN f.used = 1 AND c.kind = 'video' THEN 5 + x3 % 2 * 5 ELSE 0 END AS seconds,
  CASE WHEN f.used = 1 AND x5 / 9 % 100 = 0 THEN 1 ELSE 0 END AS estimated
FROM chance
JOIN scale_slots AS s ON s.slot = x0 % {SLOTS}
JOIN scale_combos AS c ON c.combo = s.combo
JOIN scale_fates AS f ON f.fate = {_fate_of("x1")}
"""
_LISTED = (
    "CASE WHEN c.is_priced = 1 THEN k.input * c.rate_in + k.output * c.rate_out"
    " + (k.images + k.seconds) * c.rate_unit ELSE 0 END"
)
_ADD_CALLS = (
    "INSERT INTO scale_calls (n, hour_s, at_ms, combo, fate, took, first, input, output, cached, reasoning, images,"
    f" seconds, estimated, listed, cost) {{with_}}, {_chances(6)}"
    " SELECT k.n, k.hour_s, k.at_ms, k.combo, k.fate, k.took, k.first, k.input, k.output, k.cached, k.reasoning,"
    f" k.images, k.seconds, k.estimated, {_LISTED}, {_LISTED} * c.percent / 100 FROM ({_CALL}) AS k"
    " JOIN scale_combos AS c ON c.combo = k.combo"
)
_SERIES = {
    "sqlite": (
        "WITH RECURSIVE series(n) AS"
        " (SELECT CAST(:first AS INTEGER) UNION ALL SELECT n + 1 FROM series WHERE n + 1 < :first + :count)"
    ),
    "postgresql": (
        "WITH series(n) AS (SELECT generate_series(CAST(:first AS bigint),"
        " CAST(:first AS bigint) + CAST(:count AS bigint) - 1))"
    ),
}

_ID = "'0197' || k.at_ms || '-' || substr(CAST(10000000000 + k.n AS text), 2) || 'dead'"
_AT = "(k.at_ms / 1000) || '.' || substr(CAST(1000 + k.at_ms % 1000 AS text), 2)"
_UPSTREAM = "CASE WHEN f.used = 1 THEN 'chatcmpl-' || substr(CAST(10000000000 + k.n AS text), 2) ELSE '' END"
_TASK = (
    "CASE WHEN c.kind = 'video' AND f.used = 1 THEN 'cgt-' || substr(CAST(10000000000 + k.n AS text), 2)"
    " ELSE '' END"
)


def _given(name: str, number: str) -> str:
    return f"CASE WHEN {number} > 0 THEN ',\"{name}\":' || {number} ELSE '' END"


_UNITS = " || ".join(
    (
        "CASE WHEN k.estimated = 1 THEN ',\"reported\":false' ELSE '' END",
        _given("input_tokens", "k.input"),
        _given("output_tokens", "k.output"),
        _given("cached_tokens", "k.cached"),
        _given("reasoning_tokens", "k.reasoning"),
        _given("images", "k.images"),
        "CASE WHEN k.seconds > 0 THEN ',\"video_seconds\":' || k.seconds"
        " || '.0,\"video_resolution\":\"720p\"' ELSE '' END",
    )
)
_RECORD = " || ".join(
    (
        f'\'{{"id":"\' || {_ID}',
        f'\'","at":\' || {_AT}',
        "c.begin_json",
        "f.outcome_json",
        "',\"duration_ms\":' || t.shown",
        "c.middle_json",
        "CASE WHEN c.is_stream THEN ',\"stream\":true' ELSE '' END",
        "f.status_json",
        f"CASE WHEN f.used = 1 THEN ',\"usage\":{{' || substr({_UNITS}, 2) || '}}' ELSE '' END",
        "CASE WHEN k.first IS NULL THEN '' ELSE ',\"ttft_ms\":' || u.shown END",
        f"CASE WHEN f.used = 1 THEN ',\"upstream_request_id\":\"' || {_UPSTREAM} || '\"' ELSE '' END",
        "',\"bytes_in\":' || (200 + k.input * 4) || ',\"bytes_out\":' || (300 + k.output * 4)",
        f"CASE WHEN {_TASK} = '' THEN '' ELSE ',\"task_id\":\"' || {_TASK} || '\"' END",
        "',\"client_ip\":\"' || c.client_ip || '\"}'",
    )
)
_IS_PRICED = "c.is_priced = 1 AND f.used = 1"
_ZERO = ("cache_write_tokens", "cache_write_1h_tokens", "input_image_tokens", "input_audio_tokens",
         "output_audio_tokens", "assets")  # fmt: skip
_COLUMN: Mapping[str, str] = {
    **{name: f"c.{name}" for name in RECORD_COLUMNS if name in _COMBOS.c},
    **{name: f"f.{name}" for name in ("outcome", "status", "error_code")},
    **dict.fromkeys(_ZERO, "0"),
    "id": _ID, "at_s": "k.at_ms / 1000.0", "model_asked": "c.model", "stream": "c.is_stream",
    "reported": "(f.used = 1 AND k.estimated = 0)", "input_tokens": "k.input", "output_tokens": "k.output",
    "cached_tokens": "k.cached", "reasoning_tokens": "k.reasoning", "images": "k.images",
    "video_seconds": "k.seconds * 1.0", "video_resolution": "CASE WHEN k.seconds > 0 THEN '720p' ELSE '' END",
    "cost_nano": f"CASE WHEN {_IS_PRICED} THEN k.cost END", "list_nano": f"CASE WHEN {_IS_PRICED} THEN k.listed END",
    "currency": f"CASE WHEN {_IS_PRICED} THEN 'CNY' END", "price_version": f"CASE WHEN {_IS_PRICED} THEN '{PRICE}' END",
    "duration_ms": "t.ms", "ttft_ms": "u.ms", "bytes_in": "200 + k.input * 4", "bytes_out": "300 + k.output * 4",
    "attempts": "'[]'", "upstream_request_id": _UPSTREAM, "task_id": _TASK, "record": _RECORD,
}  # fmt: skip
_CALLS_JOINED = (
    "scale_calls AS k JOIN scale_combos AS c ON c.combo = k.combo JOIN scale_fates AS f ON f.fate = k.fate"
    " JOIN scale_times AS t ON t.place = k.took LEFT JOIN scale_times AS u ON u.place = k.first"
)
_ADD_RECORDS = (
    f"INSERT INTO usage_records ({', '.join(RECORD_COLUMNS)})"
    f" SELECT {', '.join(_COLUMN[name] for name in RECORD_COLUMNS)} FROM {_CALLS_JOINED} ORDER BY k.n"
)
_SUM: Mapping[str, str] = {
    "requests": "count(*)", "input_tokens": "sum(k.input)", "output_tokens": "sum(k.output)",
    "cached_tokens": "sum(k.cached)", "cache_write_tokens": "0", "reasoning_tokens": "sum(k.reasoning)",
    "images": "sum(k.images)", "video_ms": "sum(k.seconds) * 1000", "assets": "0", "cost_nano": "sum(k.cost)",
    "list_nano": "sum(k.listed)", "unpriced": "sum(CASE WHEN f.used = 1 AND c.is_priced = 0 THEN 1 ELSE 0 END)",
    "estimated": "sum(k.estimated)", "duration_us": "sum(t.us)", "ttft_us": "sum(coalesce(u.us, 0))",
    "ttft_count": "count(k.first)",
}  # fmt: skip
_ADD_DAY = (
    f"INSERT INTO scale_day (hour_s, combo, fate, {', '.join(HOUR_SUMS)})"
    f" SELECT k.hour_s, k.combo, k.fate, {', '.join(_SUM[name] for name in HOUR_SUMS)} FROM {_CALLS_JOINED}"
    " GROUP BY k.hour_s, k.combo, k.fate"
)


def _add_hourly(table: str, group: str) -> str:
    columns = ", ".join((*HOUR_KEY, *HOUR_TABLES[table], *HOUR_SUMS))
    own = ", ".join(f"o.{name}" for name in HOUR_TABLES[table])
    # Several combos and fates are the same to a roll-up.
    sums = ", ".join(f"sum(d.{name}) AS {name}" for name in HOUR_SUMS)
    return (
        f"INSERT INTO {table} ({columns}) SELECT o.tenant, s.hour_s, o.dimensions, {own},"
        f" {', '.join(f's.{name}' for name in HOUR_SUMS)} FROM (SELECT d.hour_s, g.{group}_group AS place, {sums}"
        " FROM scale_day AS d JOIN scale_sums AS g ON g.combo = d.combo AND g.fate = d.fate"
        f" GROUP BY d.hour_s, g.{group}_group) AS s JOIN scale_{group}s AS o ON o.place = s.place ORDER BY 1, 2, 3"
    )


_ORDERED = {
    "sqlite": "group_concat('\"' || bucket || '\":' || count)",
    "postgresql": "string_agg('\"' || bucket || '\":' || count, ',' ORDER BY bucket)",
}


def _add_points(grain: str, seconds: int, dialect: str) -> str:
    start = f"k.at_ms / {seconds * 1000} * {seconds}"
    sums = {
        "requests": "count(*)", "output_tokens": "sum(k.output)", "duration_us": "sum(t.us)",
        "ttft_us": "sum(coalesce(u.us, 0))",
    }  # fmt: skip

    def counts(place: str) -> str:
        return (
            f"SELECT start_s, point_group, '{{' || {_ORDERED[dialect]} || '}}' AS counts"
            f" FROM (SELECT {start} AS start_s, g.point_group, {place}.bucket AS bucket,"
            f" count(*) AS count FROM {_CALLS_JOINED}"
            " JOIN scale_sums AS g ON g.combo = k.combo AND g.fate = k.fate"
            f" WHERE {place}.bucket IS NOT NULL AND k.at_ms >= CAST(:from_ms AS bigint)"
            " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3) AS one GROUP BY start_s, point_group"
        )

    return (
        f"INSERT INTO usage_points ({', '.join(POINT_COLUMNS)}) SELECT '{grain}', s.start_s, o.model, o.endpoint,"
        f" o.outcome, o.error_code, {', '.join(f's.{name}' for name in POINT_SUMS)}, coalesce(a.counts, '{{}}'),"
        " coalesce(b.counts, '{}')"
        f" FROM (SELECT {start} AS start_s, g.point_group,"
        f" {', '.join(f'{sums[name]} AS {name}' for name in POINT_SUMS)}"
        f" FROM {_CALLS_JOINED} JOIN scale_sums AS g ON g.combo = k.combo AND g.fate = k.fate"
        " WHERE k.at_ms >= CAST(:from_ms AS bigint) GROUP BY 1, 2) AS s"
        " JOIN scale_points AS o ON o.place = s.point_group"
        f" LEFT JOIN ({counts('t')}) AS a ON a.start_s = s.start_s AND a.point_group = s.point_group"
        f" LEFT JOIN ({counts('u')}) AS b ON b.start_s = s.start_s AND b.point_group = s.point_group"
        " ORDER BY 2, 3, 4, 5, 6"
    )


_LARGE = (USAGE_RECORDS, USAGE_HOURLY, USAGE_HOURLY_KEYS, USAGE_HOURLY_MODELS)


class _Filler:
    def __init__(self, db: Connection, world: World, end_s: int) -> None:
        self._db = db
        self._world = world
        self._minutes_from_s = end_s - MINUTES_DAYS * DAY_S
        self._hours_from_s = end_s - HOURS_DAYS * DAY_S
        self._dialect = db.dialect.name

    def prepare(self) -> None:
        _META.create_all(self._db)
        world, found = self._world, usage_world.groups(self._world)
        for table, rows in (
            (_SLOTS, usage_world.slot_rows(world)),
            (_FATES, usage_world.fate_rows()),
            (_TIMES, usage_world.time_rows()),
            (_COMBOS, usage_world.combo_rows(world)),
            (_SUMS, found.sums),
            (_WHOLES, found.wholes),
            (_MODELS, found.models),
            (_KEYS, found.keys),
            (_POINTS, found.points),
        ):
            self._db.execute(insert(table), rows)
        # Rows are added much faster without; they are made again at the end.
        for table in _LARGE:
            for index in table.indexes:
                index.drop(self._db, checkfirst=True)
        self._analyze(*_META.tables)
        self._db.commit()

    def fill_day(self, hours: Sequence[tuple[int, int, int]]) -> None:
        self._run("DELETE FROM scale_calls")
        self._run("DELETE FROM scale_day")
        add = text(_ADD_CALLS.format(with_=_SERIES[self._dialect]))
        for hour_s, first, count in hours:
            if count:
                self._db.execute(add, {"hour_s": hour_s, "first": first, "count": count})
        self._analyze("scale_calls")
        self._run(_ADD_RECORDS)
        self._run(_ADD_DAY)
        self._analyze("scale_day")
        self._run(_add_hourly("usage_hourly", "whole"))
        self._run(_add_hourly("usage_hourly_models", "model"))
        self._run(_add_hourly("usage_hourly_keys", "key"))
        until_s = hours[-1][0] + HOUR_S
        for grain, seconds, from_s in (("m", 60, self._minutes_from_s), ("h", HOUR_S, self._hours_from_s)):
            if until_s > from_s:
                self._run(_add_points(grain, seconds, self._dialect), from_ms=from_s * 1000)
        self._db.commit()

    def finish(self) -> None:
        for table in _LARGE:
            for index in sorted(table.indexes, key=lambda one: str(one.name)):
                index.create(self._db)
                self._db.commit()
        if self._dialect == "postgresql":
            # As the server does by itself after a while; SQLite does not.
            self._run("ANALYZE")

    def _run(self, statement: str, **values: object) -> None:
        # A colon of JSON is no parameter.
        self._db.execute(text(statement.replace('":', '"\\:')), values)

    def _analyze(self, *tables: str) -> None:
        for table in tables:
            if self._dialect == "postgresql":
                self._run(f"ANALYZE {table}")
            else:
                self._run(f"ANALYZE temp.{table}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="sqlite:///<path> or postgresql://<user>@<host>/<database>")
    parser.add_argument("--records", type=int, default=Size().records)
    parser.add_argument("--keys", type=int, default=Size().keys)
    parser.add_argument("--days", type=int, default=Size().days)
    given = parser.parse_args()
    size = Size(records=given.records, keys=given.keys, days=given.days)
    fill(given.url, size, end_s=SystemClock().wall_s(), say=lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
