"""Migrations, the generated schema and the tables say the same, on both databases; nothing is lost on the way."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text
from tests.support.postgres import PostgresServer
from tests.support.stores import any_database_url, opened_database, opened_store, postgres_server

from aimesh.store import migrate, postgres
from aimesh.store.database import StoreError, default_url
from aimesh.store.sqlite import HEAD, is_sqlite, prepare
from aimesh.store.tables import METADATA

__all__ = ["any_database_url", "postgres_server"]

OLD_KEY = """
INSERT INTO virtual_keys (
    id, tenant, alias, sha256, masked, ciphertext, enabled, allowed_models, allowed_cidrs, expires_at_s, labels,
    created_at_s, updated_at_s
) VALUES (
    :id, 'default', :alias, :sha256, 'ck-...', NULL, TRUE, '["qwen/*"]', '[]', NULL, '{"team": "red"}', 1.5, 2.5
)"""
"""As the release of revision 0001 writes them, before and after the database was brought forward."""


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = (
        create_engine(url)
        if is_sqlite(url)
        else create_engine("postgresql+psycopg://", creator=lambda: postgres.connect(url))
    )
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_server: PostgresServer
) -> Iterator[str]:
    if request.param == "sqlite":
        yield default_url(tmp_path)
    else:
        with postgres_server.database(empty=True) as url:
            yield url


def test_the_newest_migration_is_the_one_that_opening_expects() -> None:
    assert migrate.head() == HEAD


def test_the_generated_schema_is_current() -> None:
    path = Path(migrate.__file__).parent / "migrations" / "schema.sql"
    assert path.read_text() == migrate.make_schema(), "run: python -m aimesh.store.migrate > schema.sql"


def test_the_tables_are_what_the_migrations_make(any_database_url: str) -> None:
    with opened_store(any_database_url), connected(any_database_url) as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        # What comparing leaves out: the conditions of indexes.
        found = connection.execute(
            text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
            if is_sqlite(any_database_url)
            else text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'")
        )
        partial = {name for name, sql in found.all() if " WHERE " in sql}
    wanted = {
        str(index.name)
        for table in METADATA.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    assert partial == wanted
    for table in METADATA.tables.values():
        for index in table.indexes:
            conditions = [index.dialect_options[name]["where"] for name in ("sqlite", "postgresql")]
            assert len(set(map(str, conditions))) == 1


def test_an_empty_database_gets_everything(empty_url: str) -> None:
    with opened_store(empty_url) as store, store.read() as db:
        assert db.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == HEAD
        assert db.execute(text("SELECT id, version FROM tenants")).all() == [("default", 1)]


def test_a_populated_database_of_the_first_release_is_brought_forward(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0001")
    with connected(empty_url) as connection:
        connection.execute(text(OLD_KEY), {"id": "key-1", "alias": "one", "sha256": b"\x00\x01"})
        connection.execute(text("INSERT INTO versions VALUES ('keys', 41)"))
        connection.execute(
            text("INSERT INTO idempotency VALUES ('k', 'i', :b, 'r', 200, :b, :b, 1, 2)"), {"b": b"x"}
        )
        connection.commit()
    with opened_store(empty_url) as store:
        with store.write() as db:
            # A release next to this one, still running.
            db.execute(text(OLD_KEY), {"id": "key-2", "alias": "two", "sha256": b"\x00\x02"})
        with store.read() as db:
            rows = db.execute(text("SELECT * FROM virtual_keys ORDER BY id")).mappings().all()
            assert [row["id"] for row in rows] == ["key-1", "key-2"]
            for row in rows:
                assert (row["owner"], row["route"], row["limits"], row["changed"]) == ("", "{}", "{}", 0)
                assert (row["version"], bool(row["deleted"]), row["labels"]) == (1, False, '{"team": "red"}')
            assert bytes(rows[0]["sha256"]) == b"\x00\x01"
            assert db.execute(text("SELECT number FROM versions")).scalar_one() == 41
            assert db.execute(text("SELECT count(*) FROM idempotency")).scalar_one() == 1
            assert db.execute(text("SELECT id FROM tenants")).scalar_one() == "default"


def test_a_worker_brings_the_database_forward_as_well(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0001")
    with opened_database(empty_url) as database:
        row = asyncio.run(database.read(lambda session: session.one("SELECT id FROM tenants")))
    assert row is not None
    assert row["id"] == "default"


def test_upgrading_a_current_database_changes_nothing(tmp_path: Path) -> None:
    migrate.upgrade(default_url(tmp_path))
    with closing(sqlite3.connect(tmp_path / "aimesh.db")) as connection:
        before = connection.execute("SELECT name, sql FROM sqlite_master").fetchall()
    migrate.upgrade(default_url(tmp_path))
    prepare(default_url(tmp_path))
    with closing(sqlite3.connect(tmp_path / "aimesh.db")) as connection:
        assert connection.execute("SELECT name, sql FROM sqlite_master").fetchall() == before


def test_a_migration_does_not_wait_for_ever_for_a_table(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "TABLE_LOCK_S", 1)
    with postgres_server.database(empty=True) as url:
        migrate.upgrade(url, "0001")
        with connected(url) as user:
            user.execute(text("LOCK TABLE virtual_keys IN ACCESS SHARE MODE"))
            with pytest.raises(StoreError, match="lock timeout"):
                migrate.upgrade(url)
            user.rollback()
        # Nothing was done by halves.
        migrate.upgrade(url)
        with opened_store(url) as store, store.read() as db:
            assert db.execute(text("SELECT count(*) FROM tenants")).scalar_one() == 1
