"""Millions of calls: what fills a database with them, and how long the pages of usage take then.

The long one is ``pytest -m long -k soak tests/chaos/test_usage_scale.py``: ten million calls, ten minutes and 17 GB of
disk for each database.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec import structs
from sqlalchemy import event
from sqlalchemy.engine import Engine
from tests.support.postgres import PostgresServer
from tests.support.stores import opened_store, postgres_server
from tests.support.usage_again import COMPARED, import_again, rows_of
from tests.support.usage_measure import make_sums, measure, shown
from tests.support.usage_scale import HOUR_S, Size, fill

from aimesh.core.clock import SystemClock
from aimesh.store.database import default_url
from aimesh.store.engine import Store
from aimesh.store.usage_calls import CallFilter, list_calls
from aimesh.store.usage_import import PointsFrom
from aimesh.store.usage_queries import UsageFilter

__all__ = ["postgres_server"]

END_S = 1_780_000_000.0
DAY_S = 86_400
SMALL = Size(records=20_000, days=2, keys=2_100)
BOTH = ["sqlite", "postgresql"]


@contextmanager
def database(kind: str, home: Path, server: PostgresServer) -> Iterator[str]:
    if kind == "sqlite":
        yield default_url(home)
    else:
        with server.database() as url:
            yield url


@pytest.mark.parametrize("kind", BOTH)
def test_a_filled_database_is_as_the_importer_makes_it(
    kind: str, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    last_s = int(END_S // HOUR_S) * HOUR_S + HOUR_S
    points_from = PointsFrom(minutes_s=last_s - 3 * DAY_S, hours_s=last_s - 62 * DAY_S)
    with database(kind, tmp_path, postgres_server) as url:
        fill(url, SMALL, end_s=END_S, say=print)
        with opened_store(url) as filled, opened_store(default_url(tmp_path / "again")) as again:
            assert import_again(filled, again, points_from) == SMALL.records
            for table in COMPARED:
                assert rows_of(filled, table) == rows_of(again, table), table.name
            calls = CallFilter(UsageFilter(since_s=0.0, until_s=END_S * 2))
            assert "usage_records_by_upstream" in plans(
                filled, structs.replace(calls, upstream_request="chatcmpl-0000000007")
            ).replace("_upstream_request_id_idx", "usage_records_by_upstream")
            assert "usage_records_by_task" in plans(
                filled, structs.replace(calls, task="cgt-0000000007")
            ).replace("_task_id_idx", "usage_records_by_task")


def plans(store: Store, wanted: CallFilter) -> str:
    """How the database finds these calls."""
    asked: list[tuple[str, object]] = []

    # The types are SQLAlchemy's.
    def note(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        asked.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        with store.read() as db:
            list_calls(db, wanted, before=None, limit=50)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if store.dialect == "sqlite" else "EXPLAIN "
    lines = []
    for statement, values in asked:
        if re.match(r"\s*SELECT", statement):
            with store.read() as db:
                lines += [str(row) for row in db.exec_driver_sql(explain + statement, values)]  # type: ignore[arg-type]  # as it was given
    return "\n".join(lines)


@pytest.mark.long
@pytest.mark.parametrize("kind", BOTH)
def test_ten_million_calls_soak(kind: str, tmp_path: Path, postgres_server: PostgresServer) -> None:
    with database(kind, tmp_path, postgres_server) as url:
        fill(url, Size(), end_s=SystemClock().wall_s())
        print(f"{make_sums(url)} days and weeks summed")
        found = measure(url)
    assert [shown(one) for one in found if one.at_s(0.95) > one.bar_s] == []
