"""``aimesh journal``: what waits, and bringing it into the database here and now."""

import json
from pathlib import Path

import msgspec
import pytest
from msgspec import structs
from tests.support.importing import Node
from tests.support.shell import Shell
from tests.support.stores import opened_store
from tests.support.usage import varied_record

from aimesh.core.record import UsageRecord, encode_record
from aimesh.store.database import default_url
from aimesh.store.rejected import list_rejected, read_rejected


def records(count: int) -> list[UsageRecord]:
    return [varied_record(number) for number in range(count)]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_an_empty_journal_has_nothing_to_import(shell: Shell) -> None:
    found = shell.data("journal", "status")
    assert (found["segments"], found["waiting_records"], found["lag_seconds"]) == (0, 0, 0.0)
    assert (found["imported_until"], found["importing"], found["problem"]) == (None, False, "")
    assert shell.data("journal", "drain")["drained"] is True


def test_what_waits_is_shown_and_drained(shell: Shell) -> None:
    with opened_store(default_url(shell.home)) as store:
        node = Node(store, shell.home)
        node.write([*records(700), b"nothing"])
        node.close()
        waiting = shell.data("journal", "status")
        assert (waiting["waiting_records"], waiting["oldest_waiting_at"] is None) == (701, False)
        assert waiting["bytes"] > waiting["waiting_bytes"] > 0
        assert waiting["lag_seconds"] > 1000
        drained = shell.data("journal", "drain", "--timeout", "30")
        assert drained["drained"] is True
        assert (drained["waiting_records"], drained["rejected_records"]) == (0, 1)
        assert drained["imported_until"] is not None
        # All of them are there: none is new.
        again = shell.data("journal", "drain")
        assert again["drained"] is True
        node = Node(store, shell.home)
        assert node.importer.imported == 0
        node.import_all()
        assert node.importer.imported == 0
        node.close()


def test_another_process_imports_and_is_waited_for(shell: Shell) -> None:
    with opened_store(default_url(shell.home)) as store:
        node = Node(store, shell.home)
        node.import_all()
        node.write(records(10))
        assert shell.data("journal", "status")["importing"] is True
        result = shell.run("journal", "drain", "--timeout", "0.5")
        assert result.exit_code == 1
        node.import_all()
        assert shell.data("journal", "drain")["drained"] is True
        node.close()


def test_while_the_database_cannot_be_used_the_journal_is_shown(shell: Shell, tmp_path: Path) -> None:
    with opened_store(default_url(shell.home)) as store:
        node = Node(store, shell.home)
        node.write(records(10))
        node.import_all()
        node.write(records(14)[10:])
        node.close()
    away = Shell(tmp_path)
    (shell.home / "aimesh.yaml").write_text("database: postgresql://user:secret-4711@127.0.0.1:1/none\n")
    found = away.data("journal", "status")
    assert found["waiting_records"] == 4
    assert "cannot be reached" in found["problem"]
    assert "secret-4711" not in str(found)
    error = away.refused("journal", "drain")
    assert "cannot be reached" in error["message"]


def test_what_was_set_aside_is_shown_and_tried_again(shell: Shell) -> None:
    with opened_store(default_url(shell.home)) as store:
        node = Node(store, shell.home)
        node.write([*records(3), b"nothing", b"nothing at all"])
        node.import_all()
        found = shell.data("journal", "status")
        assert found["rejected_records"] == 2
        assert found["rejected_because"] == ["this release cannot read it (2)"]
        # As if a newer release could read one of them; another process imports here, and is asked.
        path = list_rejected(node.directory)[0]
        content = read_rejected(path)
        assert content is not None
        path.write_bytes(msgspec.json.encode(structs.replace(content, data=encode_record(varied_record(3)))))
        result = shell.run("journal", "retry", "--timeout", "0.3", "--format", "json")
        assert result.exit_code == 1
        assert json.loads(result.stdout)["data"]["tried_again"] is False
        node.import_all()
        assert shell.data("journal", "status")["rejected_records"] == 1
        node.close()
        result = shell.run("journal", "retry", "--format", "json")
        assert result.exit_code == 1
        found = json.loads(result.stdout)["data"]
        assert (found["tried_again"], found["rejected_records"], found["imported_records"]) == (True, 1, 0)
        (path,) = list_rejected(node.directory)
        content = read_rejected(path)
        assert content is not None
        path.write_bytes(msgspec.json.encode(structs.replace(content, data=encode_record(varied_record(4)))))
        found = shell.data("journal", "retry")
        assert (found["tried_again"], found["rejected_records"], found["imported_records"]) == (True, 0, 1)
        assert shell.data("journal", "retry")["imported_records"] == 0
