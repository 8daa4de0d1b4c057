"""Opening, migrating, transactions, and what happens when several processes use one file."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from tests.support.database import opened_database

from aimesh.store.database import (
    HEAD,
    Database,
    DuplicateError,
    Session,
    StoreError,
    database_path,
    default_url,
    in_list,
    open_database,
)
from aimesh.store.migrate import upgrade

_ADD = "INSERT INTO versions (name, number) VALUES (:name, :number)"


def add(session: Session, name: str, number: int = 1) -> int:
    return session.change(_ADD, {"name": name, "number": number})


def names(database: Database) -> list[str]:
    rows = asyncio.run(database.read(lambda session: session.all("SELECT name FROM versions ORDER BY name")))
    return [row["name"] for row in rows]


def revision(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_a_new_database_has_the_newest_shape_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    with opened_database(home) as database:
        assert names(database) == []
    assert revision(home / "aimesh.db") == HEAD
    assert (home / "aimesh.db").stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700


def test_opening_needs_neither_sqlalchemy_nor_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from aimesh.store.database import open_database, default_url\n"
        "url = default_url(Path(sys.argv[1])); open_database(url).close(); open_database(url).close()\n"
        "print([name for name in ('sqlalchemy', 'alembic') if name in sys.modules])"
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
    with opened_database(tmp_path) as database:
        assert names(database) == [str(number) for number in range(6)]


def test_a_database_that_alembic_made_is_used_as_it_is(tmp_path: Path) -> None:
    upgrade(default_url(tmp_path))
    with opened_database(tmp_path) as database:
        asyncio.run(database.write(lambda session: add(session, "x")))
    with opened_database(tmp_path) as database:
        assert names(database) == ["x"]


def test_a_database_of_a_later_release_is_used_as_it_is(tmp_path: Path) -> None:
    with opened_database(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "aimesh.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with opened_database(tmp_path) as database:
        assert names(database) == []
    assert revision(tmp_path / "aimesh.db") == "9999"


def test_a_write_is_all_or_nothing(tmp_path: Path) -> None:
    def half(session: Session) -> None:
        add(session, "first")
        raise LookupError("second thoughts")

    with opened_database(tmp_path) as database:
        with pytest.raises(LookupError):
            asyncio.run(database.write(half))
        asyncio.run(database.write(lambda session: add(session, "third")))
        assert names(database) == ["third"]


def test_what_is_there_already_is_a_duplicate_and_the_next_write_works(tmp_path: Path) -> None:
    with opened_database(tmp_path) as database:
        asyncio.run(database.write(lambda session: add(session, "x")))
        with pytest.raises(DuplicateError):
            asyncio.run(database.write(lambda session: add(session, "x")))
        asyncio.run(database.write(lambda session: add(session, "y")))
        assert names(database) == ["x", "y"]


def test_the_drivers_errors_do_not_come_out(tmp_path: Path) -> None:
    with opened_database(tmp_path) as database, pytest.raises(StoreError, match="no such table"):
        asyncio.run(database.read(lambda session: session.all("SELECT * FROM absent")))


def test_a_closed_database_says_so(tmp_path: Path) -> None:
    with opened_database(tmp_path) as database:
        database.close()
        database.close()
        with pytest.raises(StoreError, match="closed"):
            asyncio.run(database.read(lambda session: session.all("SELECT 1")))


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "aimesh.db").write_bytes(b"this is a text, not a database; " * 100)
    with pytest.raises(StoreError):
        open_database(default_url(tmp_path))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError):
        open_database(default_url(tmp_path / "file"))


def test_many_writers_of_several_connections_wait_for_one_another(tmp_path: Path) -> None:
    async def fill(database: Database, prefix: str) -> None:
        for number in range(50):
            name = f"{prefix}{number}"
            await database.write(partial(add, name=name))

    async def scenario() -> int:
        with opened_database(tmp_path) as first, opened_database(tmp_path) as second:
            await asyncio.gather(*(fill(one, f"{at}-") for at, one in enumerate((first, second, first))))
            return len(await first.read(lambda session: session.all("SELECT name FROM versions")))

    assert asyncio.run(scenario()) == 150


def test_only_sqlite_urls_are_known_so_far() -> None:
    assert database_path("sqlite:///a/b.db") == Path("a/b.db")
    assert database_path("sqlite:////a/b.db") == Path("/a/b.db")
    for url in ("sqlite://", "sqlite:///", "postgresql://user:secret@host/db", "/a/b.db", ""):
        with pytest.raises(StoreError) as caught:
            database_path(url)
        assert "secret" not in str(caught.value)


def test_lists_become_placeholders() -> None:
    assert in_list("id", ("a", 2)) == ("(:id_0, :id_1)", {"id_0": "a", "id_1": 2})
