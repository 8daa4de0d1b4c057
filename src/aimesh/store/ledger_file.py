"""The limits' ledger as a file: rows of 64-bit cells that every process of a node maps.

    header, 64 KiB | segment 0 | segment 1 (twice as long) | ...
    header: magic, slots, identity, checksum; further on the number of segments and the rows in each
    row: hash (2) | kind and checksum | day | bases (4) | used by slot | held by slot

1. A cell is eight aligned bytes in the machine's order, written by one store and read by one load; nothing is
   ever half of two values.
2. A row is found by the hash of its name, by open addressing in each segment in turn. Its hash is written last,
   so a row that is found is complete. Rows are never moved or removed while the file is in use.
3. The cells ``used`` and ``held`` of a slot are written by the process in that slot and by nobody else. The
   others are written under the row's lock (``day``, ``bases``) or the table's (everything else).
4. Locks are POSIX byte-range locks: they die with their process. They are tried for a few milliseconds and then
   done without: a stopped process stops nobody.
5. Space is allocated, never a hole: a mapped write into a hole on a full disk is a fatal signal.
6. A slot belongs to the process that holds ``flock`` on the file ``<name>.slot<n>``.
"""

import fcntl
import mmap
import os
import time
from collections.abc import Iterator
from enum import IntEnum
from hashlib import blake2b
from pathlib import Path
from struct import Struct as Layout
from zlib import crc32

from msgspec import Struct

MAGIC = b"aimesh limits 1\n"
HEADER_BYTES = 1 << 16
"""As large as the largest page of any machine: segments are mapped one by one."""
FIRST_ROWS = 1 << 13
MOST_SEGMENTS = 16
MOST_SLOTS = 4096
_HEAD = Layout("=16sQQL")
_SEGMENTS_AT = 512
_ROWS_AT = _SEGMENTS_AT + 8
_CELL = Layout("q")
_HASH = Layout("=qq")
_TABLE_LOCK_AT = 0
KIND, DAY, BASES, USED = 2, 3, 4, 8
"""Places in a row; ``held`` begins behind ``used``."""
_KIND_BITS = 8
_TRIES = 50
_PAUSE_S = 50e-6


class LedgerError(Exception):
    """The ledger cannot be used. The text is safe to show."""


class LockBusy(Exception):
    """The table is locked by a process that does not let go of it."""


class RowKind(IntEnum):
    QUOTA = 1
    RATE = 2
    CONCURRENCY = 3


_KINDS = frozenset(RowKind)


class Place(Struct, frozen=True):
    """Where a row is."""

    segment: "Segment"
    cell: int
    """Index of its first cell."""
    offset: int
    """In the file, for its lock."""


class Segment:
    __slots__ = ("cells", "map", "rows", "start")

    def __init__(self, descriptor: int, start: int, *, rows: int, row_bytes: int, writable: bool) -> None:
        self.start = start
        self.rows = rows
        access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
        self.map = mmap.mmap(descriptor, rows * row_bytes, access=access, offset=start)
        self.cells = memoryview(self.map).cast("q")

    def close(self) -> None:
        self.cells.release()
        self.map.close()


class LedgerFile:
    """An open ledger. Raises ``LedgerError`` where the file is none."""

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        self.path = path
        self._is_writable = writable
        self.segments: list[Segment] = []
        try:
            self.descriptor = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
        except OSError as error:
            raise LedgerError(f"the limits' ledger cannot be opened: {error.strerror}") from error
        try:
            self.slots = self._read_head()
            self.row_cells = USED + 2 * self.slots
            self._row_bytes = 8 * self.row_cells
            self.held = USED + self.slots
            self.read_slots = Layout(f"{self.slots}q").unpack_from
            access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
            self._head = mmap.mmap(self.descriptor, HEADER_BYTES, access=access)
            self.refresh()
        except (OSError, ValueError) as error:
            os.close(self.descriptor)
            raise LedgerError("the limits' ledger is damaged") from error
        except LedgerError:
            os.close(self.descriptor)
            raise

    @classmethod
    def create(cls, path: Path, *, slots: int) -> "LedgerFile":
        """An empty ledger under a name that does not exist yet. Raises ``OSError``."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            _allocate(descriptor, 0, HEADER_BYTES)
            identity = int.from_bytes(os.urandom(8), "little")
            head = _HEAD.pack(MAGIC, slots, identity, 0)
            os.pwrite(descriptor, _HEAD.pack(MAGIC, slots, identity, crc32(head)), 0)
        finally:
            os.close(descriptor)
        file = cls(path)
        file.grow()
        return file

    def _read_head(self) -> int:
        data = os.pread(self.descriptor, _HEAD.size, 0)
        if len(data) < _HEAD.size:
            raise LedgerError("the limits' ledger is damaged")
        magic, slots, identity, check = _HEAD.unpack(data)
        if magic != MAGIC or check != crc32(_HEAD.pack(magic, slots, identity, 0)) or slots > MOST_SLOTS:
            raise LedgerError("the limits' ledger is damaged")
        return int(slots)

    def refresh(self) -> None:
        """Maps the segments that were added since."""
        count = self._head_cell(_SEGMENTS_AT)
        if not 0 <= count <= MOST_SEGMENTS:
            raise LedgerError("the limits' ledger is damaged")
        while len(self.segments) < count:
            start, rows = self._segment_bounds(len(self.segments))
            self.segments.append(
                Segment(
                    self.descriptor, start, rows=rows, row_bytes=self._row_bytes, writable=self._is_writable
                )
            )

    def _segment_bounds(self, index: int) -> tuple[int, int]:
        return HEADER_BYTES + FIRST_ROWS * ((1 << index) - 1) * self._row_bytes, FIRST_ROWS << index

    def grow(self) -> None:
        """Adds a segment. Under the table's lock. Raises ``OSError``."""
        count = len(self.segments)
        if count >= MOST_SEGMENTS:
            raise OSError("the limits' ledger is full")
        start, rows = self._segment_bounds(count)
        # What an earlier try may have left behind is made zero by cutting it off.
        os.ftruncate(self.descriptor, start)
        _allocate(self.descriptor, start, rows * self._row_bytes)
        self._set_head_cell(_ROWS_AT + 8 * count, 0)
        self._set_head_cell(_SEGMENTS_AT, count + 1)
        self.refresh()

    def find(self, name: bytes) -> Place | None:
        """A row by its name. Needs no lock."""
        first, second = _hash(name)
        if self._head_cell(_SEGMENTS_AT) != len(self.segments):
            self.refresh()
        for segment in self.segments:
            index, found = self._probe(segment, first, second)
            if found:
                return self._place(segment, index)
        return None

    def insert(self, name: bytes, kind: RowKind, day: int) -> Place:
        """The row of that name, made if there is none. Raises ``LockBusy``, ``OSError``."""
        if not self.try_lock(_TABLE_LOCK_AT):
            raise LockBusy
        try:
            return self.find(name) or self._insert(_hash(name), kind, day)
        finally:
            self.unlock(_TABLE_LOCK_AT)

    def _insert(self, key: tuple[int, int], kind: RowKind, day: int) -> Place:
        if not self.segments:
            self.grow()
        number = len(self.segments) - 1
        rows_at = _ROWS_AT + 8 * number
        if self._head_cell(rows_at) * 4 >= self.segments[number].rows * 3:
            self.grow()
            number += 1
            rows_at += 8
        segment = self.segments[number]
        index, _ = self._probe(segment, *key)
        at = index * self.row_cells
        cells = segment.cells
        if cells[at]:
            raise OSError("the limits' ledger is full")
        for place in range(at + DAY, at + self.row_cells):
            cells[place] = 0
        cells[at + KIND] = _marked(kind, key)
        cells[at + DAY] = day
        cells[at + 1] = key[1]
        cells[at] = key[0]
        self._set_head_cell(rows_at, self._head_cell(rows_at) + 1)
        return self._place(segment, index)

    def _probe(self, segment: Segment, first: int, second: int) -> tuple[int, bool]:
        """Index of the row with that hash, or of the empty place where it belongs."""
        cells, width, mask = segment.cells, self.row_cells, segment.rows - 1
        index = first & mask
        for _ in range(segment.rows):
            at = index * width
            if cells[at] == first and cells[at + 1] == second:
                return index, True
            if not cells[at]:
                return index, False
            index = (index + 1) & mask
        return index, False

    def _place(self, segment: Segment, index: int) -> Place:
        cell = index * self.row_cells
        return Place(segment, cell, segment.start + 8 * cell)

    def read_rows(self) -> Iterator[tuple[memoryview, int, tuple[int, ...], RowKind | None]]:
        """All rows: the cells they are in, the index of their first, what they say. Kind None: damaged."""
        layout = Layout(f"={self.row_cells}q")
        for segment in self.segments:
            for index, row in enumerate(layout.iter_unpack(segment.map)):
                if row[0]:
                    yield segment.cells, index * self.row_cells, row, _kind(row)

    def adopt(self, row: tuple[int, ...], kind: RowKind) -> None:
        """Takes over a row of another ledger: hash, day and bases as they were, all use in slot 0."""
        place = self._insert((row[0], row[1]), kind, row[DAY])
        cells = place.segment.cells
        for offset in range(BASES, USED + 1):
            cells[place.cell + offset] = row[offset]

    def try_lock(self, offset: int) -> bool:
        """False: it could not be had in a few milliseconds."""
        for _ in range(_TRIES):
            try:
                fcntl.lockf(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 8, offset)
            except OSError:
                # The holder may wait for this very core.
                time.sleep(_PAUSE_S)
            else:
                return True
        return False

    def unlock(self, offset: int) -> None:
        fcntl.lockf(self.descriptor, fcntl.LOCK_UN, 8, offset)

    def clear_held(self, slot: int) -> None:
        """What the process that was in a slot held is held no more. Only the slot's owner may say so."""
        for segment in self.segments:
            cells, width = segment.cells, self.row_cells
            for at in range(0, segment.rows * width, width):
                if cells[at]:
                    cells[at + self.held + slot] = 0

    def sync(self) -> None:
        """To the disk. Blocks, and lets other threads run meanwhile."""
        # Dirty pages of a mapping belong to the file. macOS has no fdatasync.
        getattr(os, "fdatasync", os.fsync)(self.descriptor)

    def close(self) -> None:
        for segment in self.segments:
            segment.close()
        self._head.close()
        os.close(self.descriptor)

    def _head_cell(self, at: int) -> int:
        value: int = _CELL.unpack_from(self._head, at)[0]
        return value

    def _set_head_cell(self, at: int, value: int) -> None:
        _CELL.pack_into(self._head, at, value)


class SlotLock:
    """A process's claim to a slot; it ends with the process. Raises ``LedgerError`` where it is taken."""

    __slots__ = ("_descriptor",)

    def __init__(self, path: Path, slot: int) -> None:
        try:
            self._descriptor = os.open(
                path.with_name(f"{path.name}.slot{slot}"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise LedgerError(f"the limits' ledger cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise LedgerError(f"slot {slot} of the limits' ledger belongs to a living process") from error

    def release(self) -> None:
        os.close(self._descriptor)


def _hash(name: bytes) -> tuple[int, int]:
    first, second = _HASH.unpack(blake2b(name, digest_size=16).digest())
    # Zero marks an empty place.
    return first or 1, second


def _marked(kind: int, key: tuple[int, ...]) -> int:
    return crc32(_HASH.pack(*key), kind) << _KIND_BITS | kind


def _kind(row: tuple[int, ...]) -> RowKind | None:
    mark = row[KIND]
    kind = mark & ((1 << _KIND_BITS) - 1)
    return RowKind(kind) if kind in _KINDS and mark == _marked(kind, row[:KIND]) else None


def _allocate(descriptor: int, start: int, size_bytes: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, start, size_bytes)
        return
    zeros = bytes(1 << 20)
    for at in range(start, start + size_bytes, len(zeros)):
        os.pwrite(descriptor, zeros[: start + size_bytes - at], at)
