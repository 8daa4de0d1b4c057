"""The control plane's database: SQLAlchemy Core on threads, over SQLite or PostgreSQL.

1. ``read`` sees one state throughout and cannot change anything. ``write`` commits at leave; an exception undoes
   it. Writers follow one another, so what a writer read is still so when it writes.
2. Errors of SQLAlchemy and of the drivers become ``StoreError`` when the block is left, so what may fail ends
   its block: one transaction does one thing.
3. Any number of threads may use a ``Store``. A connection belongs to the block it was given to.
4. No password in errors or reprs.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from aimesh.store import sqlite
from aimesh.store.session import StoreError

__all__ = ["Connection", "Store", "open_store"]

_READERS = 8
_WAIT_S = 10.0
"""For a connection of the pool: as long as other requests hold them all."""


class Store:
    """Made by ``open_store``."""

    def __init__(self, readers: Engine, writers: Engine) -> None:
        self._readers = readers
        self._writers = writers

    def read(self) -> AbstractContextManager[Connection]:
        return self._transaction(self._readers, commits=False)

    def write(self) -> AbstractContextManager[Connection]:
        return self._transaction(self._writers, commits=True)

    @contextmanager
    def _transaction(self, engine: Engine, *, commits: bool) -> Iterator[Connection]:
        with _mapped_errors(), engine.connect() as connection:
            # Leaving without a commit rolls back.
            connection.begin()
            yield connection
            if commits:
                connection.commit()

    def close(self) -> None:
        self._readers.dispose()
        self._writers.dispose()


def open_store(url: str) -> Store:
    """Creates or brings forward; blocks. Raises ``StoreError``."""
    path = sqlite.prepare(url)
    # One writer: threads wait for one another here, in order, rather than in SQLite, by chance.
    return Store(
        _sqlite_engine(path, begin="BEGIN", size=_READERS),
        _sqlite_engine(path, begin="BEGIN IMMEDIATE", size=1),
    )


def _sqlite_engine(path: Path, *, begin: str, size: int) -> Engine:
    engine = create_engine(
        "sqlite://",
        creator=partial(_connect_sqlite, path, reads_only=begin == "BEGIN"),
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=_WAIT_S,
    )

    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    # The driver's own way of beginning would put it off to the first change.
    event.listen(engine, "begin", begin_transaction)
    return engine


def _connect_sqlite(path: Path, *, reads_only: bool) -> sqlite3.Connection:
    connection = sqlite.connect(path)
    if reads_only:
        connection.execute("PRAGMA query_only = ON")
    return connection


@contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise sqlite.store_error(error.orig) from error
        raise StoreError("the database failed") from error
    except SQLAlchemyError as error:
        # Its text may hold the values of a statement.
        raise StoreError(f"the database failed: {type(error).__name__}") from error
