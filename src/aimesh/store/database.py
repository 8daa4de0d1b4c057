"""The database: opened, migrated, and asked in transactions on a thread of its own.

Statements are plain SQL in the subset that SQLite and PostgreSQL share, with ``:name`` values, run through
the driver; ``tables.py`` describes the same tables to SQLAlchemy, for migrations and for the control plane.
``docs/decisions/0006-plain-sql.md`` says why a worker does not import SQLAlchemy.

1. One connection and one thread per process: transactions of a process follow one another, and the event loop
   never waits for a disk. What is awaited is a plain future, so it works in a walk and in an asyncio task.
2. A write that was asked for is done, even when its waiter is cancelled: a caller who hangs up between the
   upstream's "accepted" and our note of it does not lose the task.
3. The driver's exceptions do not leave this file: ``DuplicateError``, or ``StoreError`` with safe text.
4. Opening brings an older database forward, under a lock, once; a newer one is used as it is, because
   migrations stay compatible with the release before.
5. A commit is on the disk when it returns.
"""

import asyncio
import fcntl
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

HEAD = "0001"
"""The newest migration. A test compares it with ``migrations/versions``."""

BUSY_TIMEOUT_S = 5.0
"""For another process to end its transaction."""

Value = str | bytes | int | float | bool | None
Values = Mapping[str, Value]
Row = sqlite3.Row
NO_VALUES: Values = {}

_SCHEMA = Path(__file__).parent / "migrations" / "schema.sql"


class StoreError(Exception):
    """The database could not do it; the message is safe to show to an operator."""


class DuplicateError(StoreError):
    """A value that must be unique exists already."""


class Session:
    """One transaction; lives only inside the function that ``read`` or ``write`` was given."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, sql: str, values: Values = NO_VALUES) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, values: Values = NO_VALUES) -> Row | None:
        row: Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def change(self, sql: str, values: Values = NO_VALUES) -> int:
        """Gives the number of rows that it touched."""
        return self._connection.execute(sql, values).rowcount


class Database:
    """Made by ``open_database``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._session = Session(connection)
        self._is_closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")

    async def read(self, work: Callable[[Session], T]) -> T:
        """``work`` sees one state of the database throughout."""
        return await self._submit("BEGIN", work)

    async def write(self, work: Callable[[Session], T]) -> T:
        """All or nothing; an exception of ``work`` undoes it, cancelling the waiter does not."""
        return await asyncio.shield(self._submit("BEGIN IMMEDIATE", work))

    def _submit(self, begin: str, work: Callable[[Session], T]) -> asyncio.Future[T]:
        if self._is_closed:
            raise StoreError("the database is closed")
        return asyncio.get_running_loop().run_in_executor(self._thread, self._transact, begin, work)

    def _transact(self, begin: str, work: Callable[[Session], T]) -> T:
        with _mapped_errors():
            self._connection.execute(begin)
            try:
                result = work(self._session)
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            return result

    def close(self) -> None:
        """Lets running transactions end, then closes. A second call does nothing."""
        self._is_closed = True
        self._thread.shutdown(wait=True)
        self._connection.close()


@contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        # "UNIQUE constraint failed: virtual_keys.alias" names columns, never values.
        raise DuplicateError(str(error)) from error
    except sqlite3.Error as error:
        raise StoreError(f"the database failed: {error}") from error


def in_list(name: str, items: Sequence[Value]) -> tuple[str, dict[str, Value]]:
    """``column IN`` a list: the placeholders in brackets, and their values."""
    values: dict[str, Value] = {f"{name}_{index}": item for index, item in enumerate(items)}
    return f"({', '.join(f':{place}' for place in values)})", values


def default_url(home: Path) -> str:
    return f"sqlite:///{home.absolute() / 'aimesh.db'}"


def database_path(url: str) -> Path:
    """The file of an SQLite URL; raises ``StoreError`` for any other."""
    match = re.fullmatch(r"sqlite:///([^?]+)", url)
    if match is None:
        raise StoreError("the database URL must be sqlite:///<path>")
    return Path(match[1])


def open_database(url: str) -> Database:
    """Opens, creates or brings forward; blocks. Raises ``StoreError``."""
    path = database_path(url)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Holds hashes and ciphertext of keys: nobody else's to read. SQLite gives its other files the same
        # mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(f"the database file cannot be opened: {error.strerror}") from error
    with _mapped_errors():
        connection = _connect(path)
        if _is_behind(connection):
            connection.close()
            _bring_forward(url, path)
            connection = _connect(path)
        return Database(connection)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _revision(connection: sqlite3.Connection) -> str:
    """Empty: the database is new."""
    known = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    if connection.execute(known).fetchone() is None:
        return ""
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row is not None else ""


def _is_behind(connection: sqlite3.Connection) -> bool:
    return _revision(connection) < HEAD


def _bring_forward(url: str, path: Path) -> None:
    """Under a lock on a file beside the database: processes that start together migrate once."""
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        connection = _connect(path)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            revision = _revision(connection)
            if revision == "":
                # The shape that all migrations together give, without the second that it takes to load
                # Alembic.
                connection.executescript(f"BEGIN IMMEDIATE;\n{_SCHEMA.read_text()}\nCOMMIT;")
        finally:
            connection.close()
        if "" < revision < HEAD:
            # Only here, because it takes a second and starting must not.
            from aimesh.store.migrate import upgrade  # noqa: PLC0415

            upgrade(url)
    finally:
        os.close(descriptor)
