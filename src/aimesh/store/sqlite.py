"""SQLite: the file, its connections, and bringing it forward.

1. Readers see one state while a writer works (WAL). Writers follow one another, across processes as well.
2. A commit is on the disk when it returns.
3. The file is nobody else's to read: it holds hashes and ciphertext.
4. Processes that start together bring the file forward once, under a lock beside it.
"""

import fcntl
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from aimesh.core.secret import Secret
from aimesh.store.session import (
    NO_VALUES,
    DuplicateError,
    Row,
    Session,
    StoreError,
    UnavailableError,
    UnfitError,
    Values,
)

T = TypeVar("T")

HEAD = "0007"
"""The newest migration. A test compares it with ``migrations/versions``."""

BUSY_TIMEOUT_S = 5.0
"""For another process to end its transaction."""

_SCHEMA = Path(__file__).parent / "migrations" / "schema.sql"
_PASSING = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL")
_UNIQUE = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")


class _Session:
    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, sql: str, values: Values = NO_VALUES) -> Sequence[Row]:
        return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, values: Values = NO_VALUES) -> Row | None:
        row: Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def free(self, sql: str, values: Values = NO_VALUES) -> Sequence[Row]:
        # Nobody else writes as long as this one does.
        return self.all(sql, values)

    def change(self, sql: str, values: Values = NO_VALUES) -> int:
        return self._connection.execute(sql, values).rowcount


class SqliteDriver:
    def __init__(self, path: Path) -> None:
        with mapped_errors():
            self._connection = connect(path)
        self._connection.row_factory = sqlite3.Row
        self._session = _Session(self._connection)

    def transact(self, work: Callable[[Session], T], *, writes: bool) -> T:
        with mapped_errors():
            self._connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            try:
                result = work(self._session)
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite undoes it by itself after some errors: a full disk, for one.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            return result

    def check_available(self) -> None:
        """A file is always worth asking."""

    def close(self) -> None:
        self._connection.close()


@contextmanager
def mapped_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise store_error(error) from error


def store_error(error: sqlite3.Error) -> StoreError:
    # "UNIQUE constraint failed: virtual_keys.alias" names columns, never values.
    if isinstance(error, sqlite3.IntegrityError) and error.sqlite_errorname in _UNIQUE:
        return DuplicateError(str(error))
    if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorname in _PASSING:
        return UnavailableError(f"the database is not available: {error}")
    if isinstance(error, sqlite3.DataError):
        return UnfitError(f"the database cannot hold it: {error}")
    return StoreError(f"the database failed: {error}")


def error_of(error: BaseException) -> StoreError:
    if isinstance(error, sqlite3.Error):
        return store_error(error)
    return StoreError(f"the database failed: {type(error).__name__}")


def default_url(home: Path) -> str:
    return f"sqlite:///{home.absolute() / 'aimesh.db'}"


def url_of(given: Secret[str] | None, home: Path) -> str:
    """The URL that the settings give, or the usual file in the home directory. May hold a password."""
    return given.reveal() if given is not None else default_url(home)


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite:")


def database_path(url: str) -> Path:
    """Raises ``StoreError`` when the URL is not one of SQLite with a file."""
    match = re.fullmatch(r"sqlite:///([^?]+)", url)
    if match is None:
        raise StoreError("the database URL must be sqlite:///<path> or postgresql://<user>@<host>/<database>")
    return Path(match[1])


def prepare(url: str) -> Path:
    """The file, made or brought forward; blocks. A newer one is used as it is, because migrations stay compatible
    with the release before. Raises ``StoreError``."""
    path = database_path(url)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its other files the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(f"the database file cannot be opened: {error.strerror}") from error
    with mapped_errors():
        connection = connect(path)
        try:
            is_behind = _revision(connection) < HEAD
        finally:
            connection.close()
        if is_behind:
            _bring_forward(url, path)
    return path


def connect(path: Path) -> sqlite3.Connection:
    """Transactions begin where they are begun, and any one thread at a time may use it."""
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=256
    )
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


def _bring_forward(url: str, path: Path) -> None:
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        connection = connect(path)
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
