"""Looking into a gateway and its database from outside: who does what at this moment, and who can be killed.

1. ``Rows`` is a database of the gateway, seen by plain SQL that both databases understand; while it is away there are
   no rows and nothing changes.
2. ``stopped`` holds a process still, so that what it was in the middle of stays as it is until it is killed.
"""

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from tests.support.chaos_http import until
from tests.support.chaos_process import GatewayProcess
from tests.support.postgres import PostgresServer

from aimesh.core.record import decode_record
from aimesh.store.reader import JournalReader

_WRITE_LOCK = "120"
"""The byte of a WAL index that SQLite's writer holds."""

_IMPORTING = """
SELECT 1 FROM pg_stat_activity
WHERE datname = current_database() AND backend_xid IS NOT NULL
    AND query ~ 'usage_|journal_positions|task_settlements'"""


class Rows:
    def __init__(self, url: str) -> None:
        self._url = url
        self.file = Path(urlsplit(url).path) if url.startswith("sqlite") else None
        self._postgres: psycopg.Connection[Any] | None = None

    def close(self) -> None:
        if self._postgres is not None:
            self._postgres.close()
            self._postgres = None

    def all(self, statement: str) -> list[tuple[Any, ...]]:
        if self.file is not None:
            with contextlib.closing(
                sqlite3.connect(self.file, timeout=15, isolation_level=None)
            ) as connection:
                return connection.execute(statement).fetchall()
        try:
            if self._postgres is None:
                self._postgres = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
            # The statements are texts of this file's callers.
            cursor = self._postgres.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []
        except psycopg.OperationalError:
            self.close()
            return []

    def one(self, statement: str) -> tuple[Any, ...]:
        (row,) = self.all(statement)
        return row

    def is_importing(self, control: int) -> bool:
        """Whether the import's transaction is open, in this control process."""
        if self.file is None:
            return bool(self.all(_IMPORTING))
        try:
            inode = self.file.with_name(self.file.name + "-shm").stat().st_ino
        except FileNotFoundError:
            return False
        return any(
            words[1] == "POSIX" and int(words[4]) == control and words[6] == _WRITE_LOCK
            for words in _locks(inode)
        )

    def asked(self, now_s: float) -> set[tuple[str, str]]:
        """Tasks that somebody claimed and has not settled or put off: he is asking, or between question and mark."""
        put_off_s = now_s + 16
        return {
            (row[0], row[1])
            for row in self.all(
                "SELECT interface, id FROM tasks"
                f" WHERE NOT settled AND (finished OR poll_at_s > {put_off_s!r})"
            )
        }

    def hasten(self) -> None:
        """As if the time that the leader of the settlers claimed had run out."""
        self.all(f"UPDATE import_state SET value = {time.time()!r} WHERE name = 'settler'")  # noqa: TID251 - what the database compares with

    def hasten_tasks(self) -> None:
        """As if the claims of the killed had run out and every task were due."""
        self.all("UPDATE tasks SET poll_at_s = 0 WHERE NOT settled")


def _locks(inode: int) -> Iterator[list[str]]:
    """Lines of the kernel's list about one file: number, kind, ADVISORY, mode, process, device:inode, from, to."""
    for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
        words = line.split()
        if len(words) == 8 and words[5].endswith(f":{inode}"):
            yield words


class Leader:
    """The worker that settles: the one whose journal got the newest settlement."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self._directory = gateway.home / "journal"
        self._reader = JournalReader(self._directory)
        self._segment = ""

    def pid(self, *, among: Collection[int]) -> int | None:
        """None: it is not known yet, or it is gone, or none of these."""
        while payloads := self._reader.read_payloads():
            for payload in payloads:
                if (
                    b'"settle_task"' in payload.data
                    and decode_record(payload.data).operation == "settle_task"
                ):
                    self._segment = payload.segment
        if not self._segment:
            return None
        inode = (self._directory / self._segment).stat().st_ino
        holders = {int(words[4]) for words in _locks(inode) if words[1] == "FLOCK"}
        return next(iter(holders.intersection(among)), None)


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Goes on afterwards, unless it was killed."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    until(lambda: _state(pid) in "TZX", "a process does not stop")
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return "X"


class MortalPostgres(PostgresServer):
    """A server that can be killed."""

    def kill(self) -> None:
        """Every process of it, at once: nobody is left to tidy up."""
        process = self._process
        assert process is not None
        pids = self._children()
        for pid in (process.pid, *pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(10)
        until(lambda: all(_state(pid) in "ZX" for pid in pids), "processes of PostgreSQL stay")
        self._process = None

    def kill_backend(self, backend: int) -> None:
        """One process that serves a connection; the server ends the others and recovers by itself."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(backend, signal.SIGKILL)

    def _children(self) -> list[int]:
        assert self._process is not None
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(child) for child in path.read_text(encoding="ascii").split()]

    @property
    def recoveries(self) -> int:
        """How often it found at its start, or after a death, that it had not been shut down."""
        log = self._log.read_text(encoding="utf-8", errors="replace")
        return log.count("automatic recovery in progress")
