"""Migrations, the generated schema and the tables say the same."""

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from aimesh.store import migrate
from aimesh.store.database import HEAD, default_url, open_database
from aimesh.store.tables import METADATA


def test_the_newest_migration_is_the_one_that_opening_expects() -> None:
    assert migrate.head() == HEAD


def test_the_generated_schema_is_current() -> None:
    path = Path(migrate.__file__).parent / "migrations" / "schema.sql"
    assert path.read_text() == migrate.make_schema(), "run: python -m aimesh.store.migrate > schema.sql"


def test_the_tables_are_what_the_migrations_make(tmp_path: Path) -> None:
    open_database(default_url(tmp_path)).close()
    engine = create_engine(default_url(tmp_path))
    try:
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
            # What comparing leaves out: the conditions of indexes.
            sql = connection.execute(
                text("SELECT sql FROM sqlite_master WHERE name = 'tasks_due'")
            ).scalar_one()
            assert sql.endswith("WHERE NOT settled")
    finally:
        engine.dispose()


def test_upgrading_a_current_database_changes_nothing(tmp_path: Path) -> None:
    migrate.upgrade(default_url(tmp_path))
    with closing(sqlite3.connect(tmp_path / "aimesh.db")) as connection:
        before = connection.execute("SELECT name, sql FROM sqlite_master").fetchall()
    migrate.upgrade(default_url(tmp_path))
    with closing(sqlite3.connect(tmp_path / "aimesh.db")) as connection:
        assert connection.execute("SELECT name, sql FROM sqlite_master").fetchall() == before
