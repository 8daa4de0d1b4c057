"""What keys and tenants have used and hold, shared by all processes of a node, without a server.

Every process counts in cells of its own (``store/ledger_row.py``) and reads everybody's. Quotas are exact all the
same:

1. A call writes its hold first and reads the others after it. Of any calls that were let in, the one whose hold
   was written last has seen all of them; so together they fit, or the last would have been refused. No lock is
   needed for that, and no lock that fails can break it.
2. A process settles by adding to ``used`` before it takes from ``held``, and everybody reads ``held`` before
   ``used`` (``Row.sums``); so a call that settles meanwhile is seen twice rather than not at all.
3. Two calls that see each other may both be refused although one would have fitted. So a call that was refused
   tries again under the row's lock, and where little is left everybody begins with the lock.
4. ``used`` only grows. A period begins by writing down what ``used`` was (``bases``), so nothing is ever reset
   under a writer's hands. A call that spans midnight counts once: in the new day if it has begun for somebody.
5. What a dead process held is released by whoever gets its slot, or by ``release_slot``; what it had used stays.
6. A row that cannot be made (disk full, table locked by a stopped process) limits nobody; ``on_alarm`` hears of it.

(1) needs a store to be visible before a later load is done. ``Ledger.fence`` is for that: a lock that nobody else
takes is taken and given back, which is a full barrier on x86 and, for all practical purposes, on ARM. Where it were
not, the bound would be one more estimate, not one more quota.
"""

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from aimesh.core.policy import Limits, Period, Quota
from aimesh.limits.bucket import FULL
from aimesh.limits.periods import PERIODS, Day, day_at, resets_at_s
from aimesh.store.ledger_file import (
    BASES,
    DAY,
    USED,
    LedgerError,
    LedgerFile,
    LockBusy,
    RowKind,
    SlotLock,
)
from aimesh.store.ledger_row import MOST, Row

FEW_ROWS = 1000
"""So many rows that nobody needs are left where they are."""


class Ledger:
    """A process's place in the ledger. Raises ``LedgerError`` where there is none, or the slot is taken."""

    def __init__(self, path: Path, *, slot: int, on_alarm: Callable[[str], None]) -> None:
        self._on_alarm = on_alarm
        self._is_alarmed = False
        self._rows: dict[bytes, Row] = {}
        self.fence = threading.Lock()
        """Taken and given back between a call's stores and its loads."""
        self._claim = SlotLock(path, slot)
        try:
            self._file = LedgerFile(path)
        except LedgerError:
            self._claim.release()
            raise
        self.slot = slot
        self.slots = self._file.slots
        if slot >= self.slots:
            self.close()
            raise LedgerError(f"the limits' ledger has {self.slots} slots; there is no slot {slot}")
        self._file.clear_held(slot)

    def row(self, name: bytes, kind: RowKind, day: Day) -> Row | None:
        """The row of that name, made if there is none. None: it cannot be made now."""
        row = self.known(name)
        if row is not None:
            return row
        try:
            place = self._file.insert(name, kind, int(day.start_s))
        except (LockBusy, OSError, LedgerError) as error:
            if not self._is_alarmed:
                self._is_alarmed = True
                why = "its table is locked" if isinstance(error, LockBusy) else str(error)
                self._on_alarm(f"a limit is not enforced: the ledger has no row for it ({why})")
            return None
        self._is_alarmed = False
        self._rows[name] = row = Row(self._file, place, self.slot)
        if kind is RowKind.RATE and not row.base(0):
            row.set_base(0, FULL)
        return row

    def known(self, name: bytes) -> Row | None:
        """The row of that name, if any process has made it."""
        row = self._rows.get(name)
        if row is None and (place := self._file.find(name)) is not None:
            self._rows[name] = row = Row(self._file, place, self.slot)
        return row

    def sync(self) -> None:
        """To the disk, against a power cut. One process of a node is enough. Blocks: for a thread."""
        self._file.sync()

    def close(self) -> None:
        """Rows must not be used any more."""
        self._rows.clear()
        self._file.close()
        self._claim.release()


def ledger_path(home: Path) -> Path:
    return home / "run" / "limits.bin"


def row_name(scope: str, unit: str) -> bytes:
    """``scope``: see below; ``unit``: a ``core.policy.Unit``, or a word for what is not a quota."""
    return f"{unit} {scope}".encode()


def key_scope(key_id: str) -> str:
    return f"key:{key_id}"


def tenant_scope(tenant: str) -> str:
    return f"tenant:{tenant}"


def prepare(path: Path, *, slots: int) -> list[str]:
    """Makes a ledger ready for processes in so many slots; gives what an administrator should know of.

    Use in running periods is kept, whatever the number of slots was. A ledger that living processes use is left as
    it is. Raises ``LedgerError`` where it cannot be written, or does not fit and is in use."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise LedgerError(f"the limits' ledger cannot be written: {error.strerror}") from error
    notes: list[str] = []
    with contextlib.ExitStack() as stack:
        old: LedgerFile | None = None
        if path.exists():
            try:
                old = LedgerFile(path)
                stack.callback(old.close)
            except LedgerError:
                notes.append("the limits' ledger was damaged: what was used in running periods is forgotten")
        try:
            for slot in range(max(slots, old.slots if old is not None else 0)):
                stack.callback(SlotLock(path, slot).release)
        except LedgerError:
            if old is not None and old.slots >= slots:
                return []
            raise
        if old is None or old.slots != slots or not _renew(old):
            _fold(old, path, slots=slots, notes=notes)
    return notes


def _renew(file: LedgerFile) -> bool:
    """Rates and holds begin anew where they are. False: the file is better written anew."""
    kept = dropped = 0
    for cells, at, row, kind in file.read_rows():
        if _is_damaged(file, row, kind):
            return False
        if kind is RowKind.QUOTA and any(row[USED : file.held]):
            kept += 1
        else:
            dropped += 1
        if kind is RowKind.RATE:
            cells[at + BASES] = FULL
        elif any(row[file.held :]):
            for place in range(at + file.held, at + file.row_cells):
                cells[place] = 0
    return dropped <= max(kept, FEW_ROWS)


def _fold(old: LedgerFile | None, path: Path, *, slots: int, notes: list[str]) -> None:
    fresh = path.with_suffix(".new")
    try:
        fresh.unlink(missing_ok=True)
        file = LedgerFile.create(fresh, slots=slots)
        try:
            damaged = 0 if old is None else _copy(old, file)
            file.sync()
            fresh.rename(path)
        finally:
            file.close()
    except OSError as error:
        raise LedgerError(f"the limits' ledger cannot be written: {error.strerror}") from error
    if damaged:
        notes.append(f"the limits' ledger had {damaged} damaged rows: what they said is forgotten")


def _copy(old: LedgerFile, new: LedgerFile) -> int:
    """Rows of quotas that were used; gives the number of damaged ones."""
    damaged = 0
    for _, _, row, kind in old.read_rows():
        if _is_damaged(old, row, kind):
            damaged += 1
        elif kind is RowKind.QUOTA and (total := sum(row[USED : old.held])):
            new.adopt((*row[:USED], total), kind)
    return damaged


def _is_damaged(file: LedgerFile, row: tuple[int, ...], kind: RowKind | None) -> bool:
    if kind is not RowKind.QUOTA:
        return kind is None
    total = sum(row[USED : file.held])
    return not (0 <= total <= MOST and min(row[BASES:USED]) >= 0 and max(row[BASES:USED]) <= total)


def release_slot(path: Path, slot: int) -> None:
    """After the death of the process in a slot: what it held is held no more. Raises ``LedgerError``."""
    claim = SlotLock(path, slot)
    try:
        file = LedgerFile(path)
        try:
            if slot < file.slots:
                file.clear_held(slot)
        finally:
            file.close()
    finally:
        claim.release()


class Standing(Struct, frozen=True):
    """How a quota stands."""

    quota: Quota
    used: int
    held: int
    resets_at_s: float | None
    """Wall-clock seconds; None: never."""

    @property
    def remaining(self) -> int:
        return max(0, self.quota.limit - self.used - self.held)


class LedgerView:
    """Reads the ledger without a slot: for the control process and the command. A context manager; an absent or
    damaged ledger reads as if nothing had been used."""

    def __init__(self, path: Path, zone: ZoneInfo) -> None:
        self._zone = zone
        self._file: LedgerFile | None = None
        with contextlib.suppress(LedgerError):
            self._file = LedgerFile(path, writable=False)

    def __enter__(self) -> "LedgerView":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def standings(self, scope: str, limits: Limits, now_s: float) -> list[Standing]:
        day = day_at(self._zone, now_s)
        return [self._standing(scope, quota, day, now_s) for quota in limits.quotas]

    def _standing(self, scope: str, quota: Quota, day: Day, now_s: float) -> Standing:
        used = held = 0
        place = self._file.find(row_name(scope, quota.unit)) if self._file is not None else None
        if self._file is not None and place is not None:
            row = place.segment.cells[place.cell : place.cell + self._file.row_cells].tolist()
            held = max(0, sum(row[self._file.held :]))
            if row[DAY] >= day.begins(quota.period):
                used = max(0, sum(row[USED : self._file.held]) - row[BASES + PERIODS.index(quota.period)])
        return Standing(quota, used, held, resets_at_s(self._zone, now_s, quota.period))


def period_index(period: Period) -> int:
    """Which base belongs to it."""
    return PERIODS.index(period)
