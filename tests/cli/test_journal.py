"""``aimesh journal``: what waits, and bringing it into the database here and now."""

from pathlib import Path

import pytest
from tests.support.importing import Node
from tests.support.shell import Shell
from tests.support.stores import opened_store
from tests.support.usage import varied_record

from aimesh.core.record import UsageRecord
from aimesh.store.database import default_url


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
