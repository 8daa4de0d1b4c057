"""Who imports a node's journal, how far it got, and what still waits.

1. One process at a time imports a journal: the system takes the lock from whoever dies.
2. Positions are in the database and move with the records themselves (``usage_import.py``).
"""

import fcntl
import os
from pathlib import Path

from msgspec import Struct
from sqlalchemy import select

from aimesh.core.record import UsageRecord, decode_record
from aimesh.store.engine import Connection
from aimesh.store.reader import JournalReader
from aimesh.store.rejected import list_rejected
from aimesh.store.segment import MAGIC, list_segments
from aimesh.store.tables import IMPORT_STATE, JOURNAL_POSITIONS

_NODE = "node:"


class ImportLock:
    """Not held until ``acquire`` says so."""

    def __init__(self, journal: Path) -> None:
        """Raises ``OSError``."""
        journal.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(journal / "import.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._is_held = False

    def acquire(self) -> bool:
        if not self._is_held:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self._is_held = True
        return True

    def close(self) -> None:
        os.close(self._descriptor)


def read_positions(db: Connection, node: str) -> dict[str, int]:
    table = JOURNAL_POSITIONS.c
    return {
        row.segment: row.position
        for row in db.execute(select(table.segment, table.position).where(table.node == node))
    }


def node_state(node: str) -> str:
    """Name of the row in ``import_state``."""
    return f"{_NODE}{node}"


def read_import_times(db: Connection) -> dict[str, float]:
    """Node to the time at which its journal held nothing more to import: everything before is in the database."""
    rows = db.execute(select(IMPORT_STATE.c.name, IMPORT_STATE.c.value))
    return {row.name.removeprefix(_NODE): row.value for row in rows if row.name.startswith(_NODE)}


def is_imported_by_another(journal: Path) -> bool:
    """Whether a process imports this journal now. Raises ``OSError``."""
    lock = ImportLock(journal)
    try:
        return not lock.acquire()
    finally:
        lock.close()


class Survey(Struct, frozen=True):
    """A journal against the positions that were imported."""

    segments: int
    bytes: int
    """Of all segments, as the disk has them."""
    waiting: int
    """Records not imported yet."""
    waiting_bytes: int
    oldest_at_s: float | None
    """When the oldest call began that waits; None: none does."""
    rejected: int
    """Records set aside, because the database cannot hold them or this release cannot read them."""
    ends: dict[str, int]
    """Of the segments in which something waits: the offset behind it."""


def survey(journal: Path, positions: dict[str, int]) -> Survey:
    """Reads what waits. Raises ``OSError``."""
    sizes = [_size(path) for path in list_segments(journal)]
    reader = JournalReader(journal, positions)
    waiting = waiting_bytes = 0
    oldest_at_s: float | None = None
    while payloads := reader.read_payloads():
        waiting += len(payloads)
        waiting_bytes += sum(len(payload.data) for payload in payloads)
        for payload in payloads:
            record = read_record(payload.data)
            if record is not None and (oldest_at_s is None or record.at < oldest_at_s):
                oldest_at_s = record.at
    return Survey(
        segments=len(sizes),
        bytes=sum(sizes),
        waiting=waiting,
        waiting_bytes=waiting_bytes,
        oldest_at_s=oldest_at_s,
        rejected=len(list_rejected(journal)),
        ends={name: at for name, at in reader.positions.items() if at > positions.get(name, len(MAGIC))},
    )


def read_record(data: bytes) -> UsageRecord | None:
    """None: this release cannot read it."""
    try:
        return decode_record(data)
    except ValueError:
        # What msgspec raises, and what text raises that is none.
        return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:
        return 0
