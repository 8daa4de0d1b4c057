"""The control plane's database: SQLAlchemy Core on threads, over SQLite or PostgreSQL.

1. ``read`` sees one state throughout and cannot change anything. ``write`` commits at leave; an exception undoes it.
   Writers follow one another, those of other processes included, so what a writer read is still so when it writes.
   ``bulk`` is for rows that many add to and nobody decides by: on PostgreSQL it does not take the writers' turn.
2. Errors of SQLAlchemy and of the drivers become ``StoreError`` when the block is left, so what may fail ends its
   block: one transaction does one thing.
3. Any number of threads may use a ``Store``. A connection belongs to the block that it was given to.
4. No values and no password in errors or reprs.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from aimesh.store import sqlite
from aimesh.store.session import StoreError, UnavailableError

if TYPE_CHECKING:
    # For its type: with SQLite, psycopg is not loaded.
    from aimesh.store.postgres import LimitedConnection

__all__ = ["Connection", "Store", "open_store"]

_READERS = 8
_WAIT_S = 10.0
"""For a connection of the pool: as long as other requests hold them all."""

_STATEMENT_S = 15.0
"""For one statement, on PostgreSQL; waiting for another writer is one."""

_BULK_STATEMENT_S = 60.0

_WRITERS_LOCK = 0x61_69_6D_65_73_69
"""A number for PostgreSQL's advisory lock; the one before is that of ``migrate.py``."""

ErrorMap = Callable[[BaseException], StoreError]


class Store:
    """Made by ``open_store``."""

    def __init__(self, readers: Engine, writers: Engine, bulk: Engine, error_of: ErrorMap) -> None:
        self._readers = readers
        self._writers = writers
        self._bulk = bulk
        self._error_of = error_of

    def read(self) -> AbstractContextManager[Connection]:
        return self._transaction(self._readers, commits=False)

    def write(self) -> AbstractContextManager[Connection]:
        return self._transaction(self._writers, commits=True)

    def bulk(self) -> AbstractContextManager[Connection]:
        return self._transaction(self._bulk, commits=True)

    @contextmanager
    def _transaction(self, engine: Engine, *, commits: bool) -> Iterator[Connection]:
        with self._mapped_errors(), engine.connect() as connection:
            # Leaving without a commit rolls back.
            connection.begin()
            yield connection
            if commits:
                connection.commit()

    @contextmanager
    def _mapped_errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._error_of(error.orig or error) from error
        except PoolTimeout as error:
            raise UnavailableError("the database is busy") from error
        except SQLAlchemyError as error:
            # Its text may hold the values of a statement.
            raise StoreError(f"the database failed: {type(error).__name__}") from error

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._bulk.dialect.name

    def close(self) -> None:
        self._readers.dispose()
        self._writers.dispose()
        self._bulk.dispose()


def open_store(url: str) -> Store:
    """Creates or brings forward; blocks. Raises ``StoreError``."""
    return _open_sqlite(url) if sqlite.is_sqlite(url) else _open_postgres(url)


def _open_sqlite(url: str) -> Store:
    path = sqlite.prepare(url)
    readers = _engine("sqlite://", partial(_connect_reader, path), _READERS)
    # One writer: threads wait for one another here, in order, rather than in SQLite, by chance.
    writers = _engine("sqlite://", partial(sqlite.connect, path), 1)
    # The driver's own way of beginning would put it off to the first change.
    event.listen(readers, "begin", partial(_execute, "BEGIN"))
    event.listen(writers, "begin", partial(_execute, "BEGIN IMMEDIATE"))
    return Store(readers, writers, writers, sqlite.error_of)


def _connect_reader(path: Path) -> sqlite3.Connection:
    connection = sqlite.connect(path)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _open_postgres(url: str) -> Store:
    # Only here: with SQLite, a process starts without psycopg.
    from aimesh.store import postgres  # noqa: PLC0415

    def connect_reader() -> "LimitedConnection":
        connection = postgres.connect(url, statement_s=_STATEMENT_S)
        connection.isolation_level = postgres.REPEATABLE_READ
        connection.read_only = True
        return connection

    postgres.prepare(url)
    dialect = "postgresql+psycopg://"
    readers = _engine(dialect, connect_reader, _READERS)
    writers = _engine(dialect, partial(postgres.connect, url, statement_s=_STATEMENT_S), 1)
    event.listen(writers, "begin", partial(_execute, f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})"))
    bulk = _engine(dialect, partial(postgres.connect, url, statement_s=_BULK_STATEMENT_S), 2)
    return Store(readers, writers, bulk, postgres.error_of)


def _engine(url: str, creator: Callable[[], object], size: int) -> Engine:
    return create_engine(
        url,
        creator=creator,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=_WAIT_S,
        # A server that was restarted has closed them.
        pool_pre_ping=True,
        hide_parameters=True,
    )


def _execute(statement: str, connection: Connection) -> None:
    connection.exec_driver_sql(statement)
