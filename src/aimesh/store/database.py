"""The workers' database: opened, migrated, and asked in transactions on a thread of its own.

Statements are plain SQL in the subset that SQLite and PostgreSQL share, with ``:name`` values, run through
the driver; ``tables.py`` describes the same tables to SQLAlchemy, for migrations and for the control plane.
``docs/decisions/0006-plain-sql.md`` says why a worker does not import SQLAlchemy.

1. One connection and one thread per process: transactions of a process follow one another, and the event loop
   never waits for a disk. What is awaited is a plain future, so it works in a walk and in an asyncio task.
2. A write that was asked for is done, even when its waiter is cancelled: a caller who hangs up between the
   upstream's "accepted" and our note of it does not lose the task.
3. The driver's exceptions do not leave ``store/``: ``DuplicateError``, or ``StoreError`` with safe text.
4. Opening brings an older database forward, under a lock, once; a newer one is used as it is, because
   migrations stay compatible with the release before.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from aimesh.store.session import (
    NO_VALUES,
    Driver,
    DuplicateError,
    Row,
    Session,
    StoreError,
    Transactions,
    UnavailableError,
    Value,
    Values,
    in_list,
)
from aimesh.store.sqlite import HEAD, SqliteDriver, database_path, default_url, is_sqlite, prepare, url_of

__all__ = [
    "HEAD",
    "NO_VALUES",
    "Database",
    "DuplicateError",
    "Row",
    "Session",
    "StoreError",
    "Transactions",
    "UnavailableError",
    "Value",
    "Values",
    "database_path",
    "default_url",
    "in_list",
    "open_database",
    "url_of",
]

T = TypeVar("T")


class Database:
    """Made by ``open_database``."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._is_closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")

    async def read(self, work: Callable[[Session], T]) -> T:
        """``work`` sees one state of the database throughout."""
        return await self._submit(work, writes=False)

    async def write(self, work: Callable[[Session], T]) -> T:
        """All or nothing; an exception of ``work`` undoes it, cancelling the waiter does not."""
        return await asyncio.shield(self._submit(work, writes=True))

    def _submit(self, work: Callable[[Session], T], *, writes: bool) -> asyncio.Future[T]:
        if self._is_closed:
            raise StoreError("the database is closed")
        self._driver.check_available()
        return asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work, writes)

    def _transact(self, work: Callable[[Session], T], writes: bool) -> T:
        return self._driver.transact(work, writes=writes)

    def close(self) -> None:
        """Lets running transactions end, then closes. A second call does nothing."""
        self._is_closed = True
        self._thread.shutdown(wait=True)
        self._driver.close()


def open_database(url: str) -> Database:
    """Opens, creates or brings forward; blocks. Raises ``StoreError``. PostgreSQL is opened by the first
    transaction, so that a worker starts while it is away."""
    if not is_sqlite(url):
        # Only here: with SQLite, a worker starts without it.
        from aimesh.store.postgres import PostgresDriver  # noqa: PLC0415

        return Database(PostgresDriver(url))
    return Database(SqliteDriver(prepare(url)))
