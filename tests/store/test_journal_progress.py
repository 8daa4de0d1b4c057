"""Who imports a journal, and how far it got."""

import threading
from pathlib import Path

from tests.support.stores import any_store

from aimesh.store.engine import Store
from aimesh.store.import_note import ImportNote, read_note, write_note
from aimesh.store.journal_progress import (
    ImportLock,
    is_imported_by_another,
    read_import_times,
    read_positions,
    read_record,
)
from aimesh.store.node import node_id
from aimesh.store.usage_import import Progress, import_usage, prepared

__all__ = ["any_store"]


def test_a_node_keeps_its_name(tmp_path: Path) -> None:
    first = node_id(tmp_path / "one")
    assert node_id(tmp_path / "one") == first
    assert node_id(tmp_path / "two") != first
    (tmp_path / "one" / "node-id").write_text("")
    again = node_id(tmp_path / "one")
    assert again
    assert node_id(tmp_path / "one") == again


def test_processes_that_start_together_have_one_name(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(node_id(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["node-id"]


def test_one_holds_the_lock(tmp_path: Path) -> None:
    first, second = ImportLock(tmp_path), ImportLock(tmp_path)
    assert not is_imported_by_another(tmp_path)
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    assert is_imported_by_another(tmp_path)
    first.close()
    assert second.acquire()
    second.close()


def test_positions_are_of_one_node(any_store: Store) -> None:
    nothing = prepared([])
    import_usage(any_store, nothing, Progress("a", {"x": 1, "y": 2}, done_at_s=3.0))
    import_usage(any_store, nothing, Progress("b", {"x": 5}, done_at_s=6.0))
    import_usage(any_store, nothing, Progress("a", {"y": 9}, gone=("x",)))
    with any_store.read() as db:
        assert read_positions(db, "a") == {"y": 9}
        assert read_positions(db, "b") == {"x": 5}
        assert read_positions(db, "c") == {}
        assert read_import_times(db) == {"a": 3.0, "b": 6.0}


def test_a_note_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_note(tmp_path) is None
    note = ImportNote(node="n", positions={"a": 7}, at_s=1.5, done_at_s=1.0, imported=3, problem="away")
    write_note(tmp_path, note)
    assert read_note(tmp_path) == note
    (tmp_path / "import.json").write_text("{")
    assert read_note(tmp_path) is None


def test_what_is_no_record_is_none() -> None:
    for data in (b"", b"{}", b"\xff", b'{"id": 5}', b"[1]"):
        assert read_record(data) is None
