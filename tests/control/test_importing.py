"""The journal gets into the database: each record once, whatever fails when."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import structs
from sqlalchemy import func, select, text
from tests.support.importing import Node
from tests.support.postgres import PostgresServer
from tests.support.stores import any_database_url, any_store, opened_store, own_postgres, postgres_server
from tests.support.usage import record_totals, varied_record

from aimesh.catalog.price_record import Pricer
from aimesh.control.importing import Importer
from aimesh.core.ids import RequestId
from aimesh.core.priced import Priced
from aimesh.core.record import UsageRecord, encode_record
from aimesh.store import usage_import
from aimesh.store.engine import Store
from aimesh.store.import_note import read_note
from aimesh.store.journal_progress import read_import_times, read_positions, survey
from aimesh.store.rejected import (
    ask_for_retry,
    is_retry_asked_for,
    list_rejected,
    read_rejected,
    reasons,
)
from aimesh.store.segment import list_segments
from aimesh.store.tables import JOURNAL_POSITIONS, USAGE_HOURLY, USAGE_RECORDS
from aimesh.store.usage_rows import is_call

__all__ = ["any_database_url", "any_store", "own_postgres", "postgres_server"]

DAY_S = 86_400


@pytest.fixture
def node(any_store: Store, tmp_path: Path) -> Iterator[Node]:
    node = Node(any_store, tmp_path / "node")
    yield node
    node.close()


def records(count: int, start: int = 0) -> list[UsageRecord]:
    return [varied_record(number) for number in range(start, start + count)]


def ids(store: Store) -> list[str]:
    with store.read() as db:
        return sorted(db.execute(select(USAGE_RECORDS.c.id)).scalars())


def assert_imported(store: Store, wanted: list[UsageRecord]) -> None:
    assert ids(store) == sorted(record.id for record in wanted)
    with store.read() as db:
        requests, tokens = db.execute(
            select(func.sum(USAGE_HOURLY.c.requests), func.sum(USAGE_HOURLY.c.input_tokens))
        ).one()
    assert int(requests) == sum(is_call(record.id) for record in wanted)
    assert int(tokens) == sum(record.usage.input_tokens for record in wanted)
    assert record_totals(store)[:2] == (len(wanted), int(tokens))


def test_what_is_appended_is_imported_while_the_writer_lives(node: Node) -> None:
    journal = node.new_journal()
    try:
        for record in records(5):
            journal.append(record)
        assert not node.importer.step()
        assert_imported(node.store, records(5))
        for record in records(3, 5):
            journal.append(record)
        assert not node.importer.step()
        assert_imported(node.store, records(8))
    finally:
        journal.close()
    note = read_note(node.directory)
    assert note is not None
    assert (note.imported, note.problem) == (8, "")
    with node.store.read() as db:
        assert read_import_times(db) == {node.importer.node: node.clock.wall_s()}
        assert survey(node.directory, read_positions(db, node.importer.node)).waiting == 0


def test_a_journal_of_many_segments_and_writers_in_batches(node: Node) -> None:
    for start in range(0, 6000, 1500):
        node.write(records(1500, start))
    assert len(list_segments(node.directory)) > 8
    steps = 1
    while node.importer.step():
        steps += 1
    assert steps > 3
    assert_imported(node.store, records(6000))
    assert node.alarms == []


def test_a_new_process_goes_on_where_the_last_one_stood(node: Node) -> None:
    node.write(records(1200))
    node.importer.step()
    node.restart()
    node.write(records(100, 1200))
    node.import_all()
    assert_imported(node.store, records(1300))


def test_positions_that_were_lost_double_nothing(node: Node) -> None:
    node.write(records(300))
    node.import_all()
    with node.store.write() as db:
        db.execute(JOURNAL_POSITIONS.delete())
    node.restart()
    node.import_all()
    assert_imported(node.store, records(300))


def test_one_process_imports_at_a_time(node: Node) -> None:
    node.write(records(10))
    node.import_all()
    second = node.new_importer()
    try:
        node.write(records(10, 10))
        assert not second.step()
        assert not second.is_importing
        assert len(ids(node.store)) == 10
        node.importer.close()
        second.step()
        assert second.is_importing
        assert_imported(node.store, records(20))
    finally:
        node.importer = second


def test_what_cannot_be_imported_is_set_aside_and_tried_again_at_a_start(node: Node) -> None:
    spoilt = structs.replace(varied_record(7), id=RequestId("spoilt"), duration_ms=-1.0)
    node.write([*records(3), b"no record at all", spoilt, *records(3, 3), b"\xff\xfe"])
    node.import_all()
    assert_imported(node.store, records(6))
    aside = [read_rejected(path) for path in list_rejected(node.directory)]
    assert [each.data if each else None for each in aside][::2] == [b"no record at all", b"\xff\xfe"]
    assert [each.why for each in aside if each] == [
        "this release cannot read it",
        "it counts more than one call can use, or less than nothing",
        "this release cannot read it",
    ]
    assert {name for name, _ in node.alarms} == {"record"}
    assert all(each.data.decode("latin-1") not in str(node.alarms) for each in aside if each)
    # As if a newer release could read the first.
    path = list_rejected(node.directory)[0]
    content = read_rejected(path)
    assert content is not None
    path.write_bytes(msgspec.json.encode(structs.replace(content, data=encode_record(varied_record(6)))))
    node.restart()
    node.import_all()
    assert_imported(node.store, records(7))
    assert len(list_rejected(node.directory)) == 2


def broken_pricing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    price = Pricer.price

    def fails(self: Pricer, record: UsageRecord) -> Priced | None:
        if record.model == name:
            raise ZeroDivisionError(f"secret words of {record.key_alias}")
        return price(self, record)

    monkeypatch.setattr(Pricer, "price", fails)


def test_a_record_that_fails_as_nobody_foresaw_is_set_aside_alone(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = records(30)
    bad = [one for one in several if one.model == "default/model-1"]
    with monkeypatch.context() as patched:
        broken_pricing(patched, "default/model-1")
        node.write(several)
        node.import_all()
        assert_imported(node.store, [one for one in several if one not in bad])
        ((why, count),) = reasons(node.directory).items()
        assert count == len(bad) > 3
        assert why.startswith("its price cannot be told: ZeroDivisionError (test_importing.py:")
        # Told once, without what the exception says.
        assert [name for name, _ in node.alarms] == ["record"]
        assert "secret" not in str(node.alarms)
        note = read_note(node.directory)
        assert note is not None
        assert note.rejected == len(bad)
        # Asked for while nothing has changed: they stay, and nothing is told twice.
        ask_for_retry(node.directory)
        node.import_all()
        assert not is_retry_asked_for(node.directory)
        assert len(list_rejected(node.directory)) == len(bad)
        assert len(node.alarms) == 1
    ask_for_retry(node.directory)
    node.import_all()
    assert list_rejected(node.directory) == []
    assert_imported(node.store, several)
    note = read_note(node.directory)
    assert note is not None
    assert note.rejected == 0


def test_a_record_that_makes_no_row_is_found_among_many(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    several = records(50)

    def fails(labels: dict[str, str]) -> str:
        if labels == {"team": "red"}:
            raise RuntimeError
        return "{}"

    bad = [one for one in several if one.labels == {"team": "red"}]
    with monkeypatch.context() as patched:
        patched.setattr(usage_import, "encoded_labels", fails)
        node.write(several)
        node.import_all()
    assert 0 < len(list_rejected(node.directory)) == len(bad) < 50
    node.restart()
    node.import_all()
    assert_imported(node.store, several)


def test_segments_go_when_they_are_imported_and_old(node: Node) -> None:
    node.write(records(600))
    old, *_ = list_segments(node.directory)
    os.utime(old, (1.0, 1.0))
    node.import_all()
    assert not old.exists()
    node.clock.advance(3600.0)
    node.import_all()
    with node.store.read() as db:
        assert old.name not in read_positions(db, node.importer.node)
    assert_imported(node.store, records(600))


def test_points_and_calls_go_when_they_are_old(node: Node) -> None:
    node.write(records(400))
    node.import_all()
    with node.store.read() as db:
        before = db.execute(text("SELECT count(*) FROM usage_points WHERE grain = 'm'")).scalar_one()
    assert before > 0
    node.clock.advance(40 * DAY_S)
    node.import_all()
    with node.store.read() as db:
        assert db.execute(text("SELECT count(*) FROM usage_points WHERE grain = 'm'")).scalar_one() == 0
        assert db.execute(text("SELECT count(*) FROM usage_points WHERE grain = 'h'")).scalar_one() > 0
    assert_imported(node.store, records(400))
    node.clock.advance(100 * DAY_S)
    node.import_all()
    with node.store.read() as db:
        assert db.execute(text("SELECT count(*) FROM usage_points")).scalar_one() == 0
        assert db.execute(text("SELECT count(*) FROM task_settlements")).scalar_one() == 0
        assert db.execute(text("SELECT sum(requests) FROM usage_hourly")).scalar_one() == sum(
            is_call(record.id) for record in records(400)
        )
    assert ids(node.store) == []


def test_removing_that_does_not_work_holds_up_no_import(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    with postgres_server.database() as url, opened_store(url) as store:
        node = Node(store, tmp_path / "node")
        node.write(records(10))
        node.import_all()
        node.clock.advance(300 * DAY_S)
        node.write(records(10, 10))
        with store.read() as reader:
            # A page of calls that somebody reads: the table cannot be dropped meanwhile.
            reader.execute(select(USAGE_RECORDS.c.id).limit(1)).all()
            node.import_all()
        assert [name for name, _ in node.alarms] == ["retention"]
        assert len(ids(store)) == 20
        node.clock.advance(600.0)
        node.import_all()
        assert node.alarms[-1] == ("retention", "")
        assert ids(store) == []
        node.close()


def test_records_wait_while_postgresql_is_away(own_postgres: PostgresServer, tmp_path: Path) -> None:
    with own_postgres.database() as url, opened_store(url) as store:
        node = Node(store, tmp_path / "node")
        node.write(records(100))
        node.import_all()
        own_postgres.stop(crash=True)
        node.write(records(3000, 100))
        for _ in range(3):
            assert not node.importer.step()
            node.clock.advance(20.0)
        assert [name for name, _ in node.alarms] == ["import"]
        note = read_note(node.directory)
        assert note is not None
        assert "wait in the journal" in note.problem
        assert survey(node.directory, note.positions).waiting == 3000
        own_postgres.start()
        deadline = time.monotonic() + 20
        while len(node.alarms) < 2 and time.monotonic() < deadline:
            node.importer.step()
            node.clock.advance(20.0)
        node.import_all()
        assert_imported(store, records(3100))
        assert node.alarms[-1] == ("import", "")
        assert list_rejected(node.directory) == []
        node.close()


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    with opened_store(f"sqlite:///{tmp_path}/aimesh.db") as store:
        node = Node(store, tmp_path / "node")
        node.write(records(400))
        node.import_all()
        with store.bulk() as db:
            pages = db.execute(text("PRAGMA page_count")).scalar_one()
            db.execute(text(f"PRAGMA max_page_count = {pages + 5}"))
        node.write(records(2000, 400))
        for _ in range(4):
            assert not node.importer.step()
            node.clock.advance(20.0)
        assert len(ids(store)) == 400
        with store.bulk() as db:
            db.execute(text("PRAGMA max_page_count = 1000000"))
        node.import_all()
        assert_imported(store, records(2400))
        assert [name for name, _ in node.alarms] == ["import", "import"]
        assert list_rejected(node.directory) == []
        node.close()


CHILD = """
import sys
from pathlib import Path
from tests.support.importing import Node
from aimesh.store.engine import open_store
node = Node(open_store(sys.argv[1]), Path(sys.argv[2]), batch=40)
print("up", flush=True)
while True:
    node.importer.step()
    node.clock.advance(5.0)
"""


def test_an_importer_that_is_killed_loses_and_doubles_nothing(any_database_url: str, tmp_path: Path) -> None:
    home = tmp_path / "node"
    with opened_store(any_database_url) as store:
        node = Node(store, home)
        node.write(records(50))
        written = 50
        for round_number in range(6):
            child = subprocess.Popen(
                [sys.executable, "-c", CHILD, any_database_url, str(home)],
                stdout=subprocess.PIPE,
                cwd=Path(__file__).parents[2],
            )
            try:
                assert child.stdout is not None
                assert child.stdout.readline() == b"up\n"
                node.write(records(400, written))
                written += 400
                time.sleep(0.015 * round_number)
            finally:
                child.send_signal(signal.SIGKILL)
                child.wait()
                if child.stdout is not None:
                    child.stdout.close()
        node.restart()
        deadline = time.monotonic() + 10
        while len(ids(store)) < written and time.monotonic() < deadline:
            node.importer.step()
        assert_imported(store, records(written))
        node.close()


def test_the_importer_is_an_importer_of_its_home(node: Node, tmp_path: Path) -> None:
    other = Node(node.store, tmp_path / "other")
    try:
        assert isinstance(other.importer, Importer)
        assert other.importer.node != node.importer.node
        node.write(records(10))
        other.write(records(10, 5))
        node.import_all()
        other.import_all()
        assert_imported(node.store, records(15))
    finally:
        other.close()
