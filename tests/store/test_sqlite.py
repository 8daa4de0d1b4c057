"""The file of SQLite: made, migrated, kept private, and shared by several processes."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.stores import opened_database, opened_store

from aimesh.store.database import DuplicateError, StoreError, UnavailableError, open_database
from aimesh.store.migrate import upgrade
from aimesh.store.sqlite import HEAD, connect, database_path, default_url, prepare, store_error


def revision(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def keys_in(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM versions ORDER BY name")]


def test_a_new_database_has_the_newest_shape_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    path = prepare(default_url(home))
    assert revision(path) == HEAD
    assert path.stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_worker_needs_neither_sqlalchemy_nor_psycopg(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from aimesh.store.database import open_database, default_url\n"
        "url = default_url(Path(sys.argv[1])); open_database(url).close(); open_database(url).close()\n"
        "print([name for name in ('sqlalchemy', 'alembic', 'psycopg') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "[]\n"


def test_processes_that_start_together_on_a_new_home_agree(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path\n"
        "from aimesh.store.database import open_database, default_url\n"
        "database = open_database(default_url(Path(sys.argv[1])))\n"
        "add = lambda s: s.change('INSERT INTO versions VALUES (:n, 1)', {'n': sys.argv[2]})\n"
        "asyncio.run(database.write(add)); database.close()"
    )
    environment = {"PYTHONPATH": ":".join(sys.path)}
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(number)], env=environment)
        for number in range(6)
    ]
    assert [process.wait(30) for process in started] == [0] * 6
    assert keys_in(tmp_path / "aimesh.db") == [str(number) for number in range(6)]


def test_a_database_that_alembic_made_is_used_as_it_is(tmp_path: Path) -> None:
    upgrade(default_url(tmp_path))
    inode = (tmp_path / "aimesh.db").stat().st_ino
    assert prepare(default_url(tmp_path)).stat().st_ino == inode


def test_a_database_of_a_later_release_is_used_as_it_is(tmp_path: Path) -> None:
    path = prepare(default_url(tmp_path))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with opened_database(default_url(tmp_path)), opened_store(default_url(tmp_path)):
        pass
    assert revision(path) == "9999"


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "aimesh.db").write_bytes(b"this is a text, not a database; " * 100)
    with pytest.raises(StoreError):
        open_database(default_url(tmp_path))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError):
        open_database(default_url(tmp_path / "file"))


def test_a_url_is_a_path_and_an_error_repeats_nothing_of_it() -> None:
    assert database_path("sqlite:///a/b.db") == Path("a/b.db")
    assert database_path("sqlite:////a/b.db") == Path("/a/b.db")
    for url in ("sqlite://", "sqlite:///", "mysql://user:secret@host/db", "/a/secret.db", ""):
        with pytest.raises(StoreError) as caught:
            database_path(url)
        assert "secret" not in str(caught.value)


def test_errors_say_what_may_pass_and_no_value(tmp_path: Path) -> None:
    path = prepare(default_url(tmp_path))
    with closing(connect(path)) as first, closing(connect(path)) as second:
        second.execute("PRAGMA busy_timeout = 1")
        first.execute("BEGIN IMMEDIATE")
        first.execute("INSERT INTO versions VALUES ('a-value', 1)")
        with pytest.raises(sqlite3.Error) as locked:
            second.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.Error) as twice:
            first.execute("INSERT INTO versions VALUES ('a-value', 1)")
        with pytest.raises(sqlite3.Error) as empty:
            first.execute("INSERT INTO versions VALUES ('a-value-2', NULL)")
    assert type(store_error(locked.value)) is UnavailableError
    assert type(store_error(twice.value)) is DuplicateError
    assert type(store_error(empty.value)) is StoreError
    assert "a-value" not in str([store_error(each.value) for each in (locked, twice, empty)])


def test_an_error_that_has_undone_its_transaction_is_told_as_it_is(tmp_path: Path) -> None:
    async def main() -> None:
        database = open_database(default_url(tmp_path))
        spoil = "INSERT OR ROLLBACK INTO versions (name, number) VALUES ('odd', 1), ('odd', 2)"
        try:
            with pytest.raises(DuplicateError):
                await database.write(lambda session: session.change(spoil))
            assert await database.read(lambda session: session.all("SELECT * FROM versions")) == []
        finally:
            database.close()

    asyncio.run(main())
