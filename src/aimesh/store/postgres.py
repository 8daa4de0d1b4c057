"""PostgreSQL through psycopg, for workers and for the control plane; imported only where it is the database.

1. Nobody waits long for a database that is away. A connection that broke is made again at the beginning of the next
   transaction; where that fails, everybody is refused at once until a pause is over, and then one tries again.
2. Every wait is bounded: by the server (``statement_timeout``), and here, for a server that no longer answers.
3. A transaction is never repeated with work in it: only a BEGIN that was lost is.
4. Errors hold neither values nor the password.
5. A text of PostgreSQL has no NUL. It is written as U+FFFD: a search for it finds nothing, rather than failing.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from time import monotonic
from typing import TypeVar

import psycopg
from psycopg import sql as sql_text
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from psycopg.types.string import StrDumper

from aimesh.store.session import (
    NO_VALUES,
    DuplicateError,
    Row,
    Session,
    StoreError,
    UnavailableError,
    UnfitError,
    Value,
    Values,
)
from aimesh.store.sqlite import HEAD

T = TypeVar("T")

REPEATABLE_READ = psycopg.IsolationLevel.REPEATABLE_READ

STATEMENT_S = 5.0
"""For one statement of a worker; they are all small."""

_CONNECT_S = 2
"""The least that libpq allows."""

_GRACE_S = 1.0
"""The server is to give up first: it says why, and the connection stays."""

_LOOK_S = 0.1
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_TRY_S = 5.0
"""Others are refused while one tries, but not for ever, should that one never get to it."""

_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITE = "BEGIN"

# A quoted text, a cast, or a value.
_PLACE = re.compile(r"'[^']*'|::|:([a-z_][a-z0-9_]*)")


class _TextDumper(StrDumper):
    # The server sees from the statement what it is, as it does with psycopg's own.
    oid = 0

    def dump(self, obj: str) -> bytes | bytearray | memoryview | None:
        return super().dump(obj.replace("\0", "\ufffd"))


class LimitedConnection(psycopg.Connection[TupleRow]):
    """Does not wait for ever for a server that says nothing."""

    limit_s = STATEMENT_S + _GRACE_S

    def wait(self, gen: PQGen[T], interval: float = _LOOK_S, timeout: float | None = None) -> T:
        limit_s = self.limit_s if timeout is None else min(timeout, self.limit_s)
        return super().wait(_limited(gen, monotonic() + limit_s), interval=interval)


def _limited(steps: PQGen[T], end_s: float) -> PQGen[T]:
    """psycopg steps at every ``interval``, ready or not: time to look at the clock."""
    try:
        wanted = next(steps)
        while True:
            ready = yield wanted
            if not ready and monotonic() >= end_s:
                raise psycopg.OperationalError("the server does not answer")
            wanted = steps.send(ready)
    except StopIteration as end:
        # What a generator returns has no type of its own.
        result: T = end.value
        return result


def connect(url: str, *, statement_s: float = STATEMENT_S) -> LimitedConnection:
    """Raises psycopg's errors, and ``StoreError`` for a URL that is none."""
    limit_ms = int(statement_s * 1000)
    given = parsed(url)
    options = f"{given.get('options') or ''} -c statement_timeout={limit_ms} -c lock_timeout={limit_ms}"
    usual: dict[str, str | int] = {
        "connect_timeout": _CONNECT_S,
        "application_name": "aimesh",
        "tcp_user_timeout": limit_ms,
    }
    target = make_conninfo("", **{**usual, **given, "options": options.strip(), "client_encoding": "utf8"})
    connection = LimitedConnection.connect(target)
    connection.limit_s = statement_s + _GRACE_S
    connection.adapters.register_dumper(str, _TextDumper)
    return connection


def parsed(url: str) -> dict[str, str | int | None]:
    """The parts of a URL. Raises ``StoreError`` without a word of it: it may hold a password."""
    try:
        return dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError:
        raise StoreError("the database URL cannot be read: postgresql://<user>@<host>/<database>") from None


def store_error(error: psycopg.Error) -> StoreError:
    state = error.sqlstate
    # "duplicate key value violates unique constraint "users_username_key"": the values are in another field.
    said = error.diag.message_primary or str(error).partition("\n")[0]
    if isinstance(error, psycopg.errors.UniqueViolation):
        return DuplicateError(said)
    if state is None and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return UnavailableError(f"the database cannot be reached: {said}")
    if state is not None and state.startswith(("08", "53", "57", "40", "55P03", "25006")):
        # Lost, full, stopping, in conflict, locked, a standby: all of it passes.
        return UnavailableError(f"the database is not available: {said}")
    if state is not None and state.startswith(("22", "54")):
        # "invalid input syntax for type integer: ..." repeats the value.
        return UnfitError(f"the database cannot hold it: {type(error).__name__}")
    if state is None:
        return StoreError(f"the database failed: {type(error).__name__}")
    return StoreError(f"the database failed: {said}")


def error_of(error: BaseException) -> StoreError:
    if isinstance(error, psycopg.Error):
        return store_error(error)
    return StoreError(f"the database failed: {type(error).__name__}")


def revision(connection: LimitedConnection) -> str:
    """Of the newest migration that was done; empty: the database is new."""
    known = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    if known is None or known[0] is None:
        return ""
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row is not None else ""


def prepare(url: str) -> None:
    """Creates the tables or brings them forward; blocks. A newer database is used as it is. Raises ``StoreError``."""
    try:
        with connect(url) as connection:
            is_behind = revision(connection) < HEAD
    except psycopg.Error as error:
        raise store_error(error) from error
    if is_behind:
        # Only here, because it takes a second and starting must not.
        from aimesh.store.migrate import upgrade  # noqa: PLC0415

        upgrade(url)


class _Row:
    __slots__ = ("_places", "_values")

    def __init__(self, places: dict[str, int], values: Sequence[Value]) -> None:
        self._places = places
        self._values = values

    def __getitem__(self, key: int | str, /) -> Value:
        return self._values[self._places[key] if isinstance(key, str) else key]


class _Session:
    __slots__ = ("_connection",)

    def __init__(self, connection: LimitedConnection) -> None:
        self._connection = connection

    def all(self, sql: str, values: Values = NO_VALUES) -> Sequence[Row]:
        cursor = self._connection.execute(_translated(sql), values)
        places = _places(cursor)
        return [_Row(places, row) for row in cursor.fetchall()]

    def one(self, sql: str, values: Values = NO_VALUES) -> Row | None:
        cursor = self._connection.execute(_translated(sql), values)
        row = cursor.fetchone()
        return _Row(_places(cursor), row) if row is not None else None

    def free(self, sql: str, values: Values = NO_VALUES) -> Sequence[Row]:
        return self.all(f"{sql} FOR UPDATE SKIP LOCKED", values)

    def change(self, sql: str, values: Values = NO_VALUES) -> int:
        return self._connection.execute(_translated(sql), values).rowcount


@lru_cache(maxsize=256)
def _translated(statement: str) -> sql_text.SQL:
    """``:name`` to psycopg's own ``%(name)s``; once for each of the few statements that there are."""
    text = _PLACE.sub(lambda found: f"%({found[1]})s" if found[1] else found[0], statement.replace("%", "%%"))
    return sql_text.SQL(text)


def _places(cursor: psycopg.Cursor[TupleRow]) -> dict[str, int]:
    return {column.name: place for place, column in enumerate(cursor.description or ())}


class PostgresDriver:
    """Connects at the first transaction, so that a process starts while the database is away."""

    def __init__(self, url: str, *, statement_s: float = STATEMENT_S) -> None:
        parsed(url)
        self._url = url
        self._statement_s = statement_s
        self._connection: LimitedConnection | None = None
        self._is_current = False
        self._pause_s = _FIRST_PAUSE_S
        self._paused_until_s = 0.0
        self._refused_until_s = 0.0

    def transact(self, work: Callable[[Session], T], *, writes: bool) -> T:
        try:
            connection = self._begun(_WRITE if writes else _READ)
            try:
                result = work(_Session(connection))
                connection.execute("COMMIT")
            except BaseException:
                self._undo(connection)
                raise
        except psycopg.Error as error:
            raise store_error(error) from error
        return result

    def check_available(self) -> None:
        if not self._refused_until_s:
            return
        now_s = monotonic()
        if now_s < self._refused_until_s:
            raise UnavailableError("the database cannot be reached")
        self._refused_until_s = now_s + _TRY_S

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _begun(self, begin: str) -> LimitedConnection:
        if self._connection is not None:
            # The database may have been away while nobody asked.
            with suppress(psycopg.OperationalError, psycopg.InterfaceError):
                self._connection.execute(begin)
                return self._connection
            self.close()
        self._connection = connection = self._connected()
        connection.execute(begin)
        return connection

    def _connected(self) -> LimitedConnection:
        """Refuses what was queued before the pause began."""
        if monotonic() < self._paused_until_s:
            raise UnavailableError("the database cannot be reached")
        try:
            if not self._is_current:
                prepare(self._url)
                self._is_current = True
            connection = connect(self._url, statement_s=self._statement_s)
            connection.autocommit = True
        except (psycopg.Error, StoreError):
            self._paused_until_s = self._refused_until_s = monotonic() + self._pause_s
            self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
            raise
        self._pause_s = _FIRST_PAUSE_S
        self._paused_until_s = self._refused_until_s = 0.0
        return connection

    def _undo(self, connection: LimitedConnection) -> None:
        try:
            connection.execute("ROLLBACK")
        except psycopg.Error:
            # The server undoes what a lost connection has not committed.
            self.close()
