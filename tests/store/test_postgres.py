"""PostgreSQL when it is away, comes back, hangs or says no."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from tests.support.postgres import PASSWORD, PostgresServer
from tests.support.stores import opened_database, opened_store, own_postgres, postgres_server

from aimesh.store.database import (
    Database,
    DuplicateError,
    Session,
    StoreError,
    UnavailableError,
)
from aimesh.store.engine import open_store
from aimesh.store.postgres import PostgresDriver
from aimesh.store.session import UnfitError

__all__ = ["own_postgres", "postgres_server"]


def add(session: Session, name: str) -> int:
    return session.change("INSERT INTO versions (name, number) VALUES (:name, 1)", {"name": name})


def put(database: Database, name: str) -> None:
    asyncio.run(database.write(lambda session: add(session, name)))


def ask(statement: str, session: Session) -> None:
    session.all(statement)


def backend(session: Session) -> int:
    row = session.one("SELECT pg_backend_pid()")
    assert row is not None
    return int(row[0])


def names(database: Database) -> list[str]:
    rows = asyncio.run(database.read(lambda session: session.all("SELECT name FROM versions ORDER BY name")))
    return [row["name"] for row in rows]


@contextmanager
def at_most(limit_s: float) -> Iterator[None]:
    begun_s = time.monotonic()
    yield
    assert time.monotonic() - begun_s < limit_s


def put_until_it_works(database: Database, name: str) -> None:
    end_s = time.monotonic() + 15
    while True:
        try:
            put(database, name)
        except UnavailableError:
            assert time.monotonic() < end_s
            time.sleep(0.02)
        else:
            return


def test_a_worker_starts_while_the_database_is_away_and_uses_it_when_it_comes(
    own_postgres: PostgresServer,
) -> None:
    own_postgres.stop()
    with opened_database(own_postgres.url("postgres")) as database:
        for _ in range(20):
            with at_most(1.0), pytest.raises(UnavailableError):
                put(database, "x")
        own_postgres.start()
        put_until_it_works(database, "x")
        assert names(database) == ["x"]


def test_what_was_queued_is_refused_together(own_postgres: PostgresServer) -> None:
    async def many(database: Database) -> list[object]:
        asked = [database.write(lambda session: add(session, "x")) for _ in range(200)]
        return list(await asyncio.gather(*asked, return_exceptions=True))

    with own_postgres.database() as url, opened_database(url) as database:
        put(database, "before")
        own_postgres.stop(crash=True)
        with at_most(1.5):
            found = asyncio.run(many(database))
        assert {type(each) for each in found} == {UnavailableError}
        own_postgres.start()
        put_until_it_works(database, "after")
        assert names(database) == ["after", "before"]


def test_a_server_that_was_restarted_costs_nobody_anything(own_postgres: PostgresServer) -> None:
    with own_postgres.database() as url, opened_database(url) as database, opened_store(url) as store:
        put(database, "before")
        with store.read() as db:
            db.exec_driver_sql("SELECT 1")
        own_postgres.stop()
        own_postgres.start()
        put(database, "after")
        with store.write() as db:
            db.exec_driver_sql("INSERT INTO versions (name, number) VALUES ('store', 1)")
        assert names(database) == ["after", "before", "store"]


def test_nobody_waits_for_ever_for_a_server_that_hangs(own_postgres: PostgresServer) -> None:
    with own_postgres.database() as url:
        database = Database(PostgresDriver(url, statement_s=0.2))
        put(database, "before")
        own_postgres.freeze()
        try:
            # One wait for the answer, one for a new connection.
            with at_most(5.0), pytest.raises(UnavailableError):
                put(database, "lost")
            with at_most(0.1):
                for _ in range(20):
                    with pytest.raises(UnavailableError):
                        put(database, "lost")
        finally:
            own_postgres.thaw()
        put_until_it_works(database, "after")
        assert {"before", "after"} <= set(names(database))
        database.close()


def test_a_statement_that_takes_too_long_is_ended_and_the_connection_stays(
    postgres_server: PostgresServer,
) -> None:
    with postgres_server.database() as url:
        database = Database(PostgresDriver(url, statement_s=0.2))
        pid = asyncio.run(database.read(backend))
        with at_most(2.0), pytest.raises(UnavailableError):
            asyncio.run(database.read(lambda session: session.all("SELECT pg_sleep(30)")))
        assert asyncio.run(database.read(backend)) == pid
        database.close()


def test_errors_and_reprs_hold_no_password(postgres_server: PostgresServer, tmp_path: Path) -> None:
    wrong = "other-password-0815"
    with postgres_server.database() as url:
        bad_urls = [
            url.replace(PASSWORD, wrong),
            postgres_server.url("absent").replace(PASSWORD, wrong),
            f"postgresql://user:{wrong}@[broken/db",
            f"postgresql://user:{wrong}@host:port/db",
            f"postgresql://{wrong}:{wrong}@/db?host={tmp_path}&unknown_{wrong}=1",
        ]
        for bad in bad_urls:
            with pytest.raises(StoreError) as caught:
                open_store(bad)
            assert wrong not in repr(caught.value.__cause__) + str(caught.value)
            with pytest.raises(StoreError) as caught, opened_database(bad) as database:
                put(database, "x")
            assert wrong not in repr(caught.value.__cause__) + str(caught.value)
        with opened_store(url) as store, opened_database(url) as database:
            put(database, "x")
            shown = repr([vars(store), vars(database)])
        assert PASSWORD not in shown


def test_both_kinds_of_address_work(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url:
        name = url.partition("@/")[2].partition("?")[0]
        for address in (url, postgres_server.url(name, tcp=True)):
            with opened_database(address) as database, opened_store(address) as store:
                assert names(database) == []
                with store.read() as db:
                    assert db.exec_driver_sql("SELECT count(*) FROM tenants").scalar_one() == 1


def test_threads_that_start_together_create_the_tables_once(postgres_server: PostgresServer) -> None:
    def work(url: str, name: str) -> None:
        with opened_database(url) as database:
            put(database, name)

    with postgres_server.database(empty=True) as url:
        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(work, url, str(number)) for number in range(4)]:
                done.result(60)
        with opened_database(url) as database:
            assert names(database) == ["0", "1", "2", "3"]


def test_processes_that_start_together_create_the_tables_once(postgres_server: PostgresServer) -> None:
    code = "import sys; from aimesh.store.postgres import prepare; prepare(sys.argv[1])"
    with postgres_server.database(empty=True) as url:
        started = [
            subprocess.Popen([sys.executable, "-c", code, url], env={"PYTHONPATH": ":".join(sys.path)})
            for _ in range(3)
        ]
        assert [process.wait(60) for process in started] == [0] * 3
        with opened_store(url) as store, store.read() as db:
            assert db.exec_driver_sql("SELECT count(*) FROM tenants").scalar_one() == 1


def test_text_with_a_nul_is_kept_without_it_and_found_by_nothing(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url, opened_database(url) as database:
        put(database, "a\0b")
        assert names(database) == ["a\ufffdb"]


def test_every_error_is_told_in_safe_words(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url, opened_database(url) as database:
        put(database, "a-value")
        cases: list[tuple[str, type[StoreError]]] = [
            ("INSERT INTO versions VALUES ('a-value', 1)", DuplicateError),
            ("INSERT INTO versions VALUES ('a-value-2', NULL)", StoreError),
            ("SELECT CAST('a-value' AS integer)", UnfitError),
            ("SELECT 1 FROM absent", StoreError),
            ("SELECT pg_terminate_backend(pg_backend_pid())", UnavailableError),
        ]
        for statement, kind in cases:
            with pytest.raises(StoreError) as caught:
                asyncio.run(database.write(partial(ask, statement)))
            assert type(caught.value) is kind
            assert "a-value" not in str(caught.value)
        assert names(database) == ["a-value"]
