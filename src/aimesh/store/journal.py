"""The journal: usage records on the local disk, written before the caller has its last byte.

A segment is a file of fixed size, allocated in advance and mapped into memory. Appending copies the record
into the map: the bytes are then in the kernel's page cache, which survives the process.
``docs/decisions/0004-journal.md`` has the measurements; ``segment.py`` has the layout of a file and how it is
read back.

1. When ``append`` has returned, the record survives ``kill -9`` of this process, exactly once - unless it is
   counted in ``stats().waiting`` (the disk is full; it waits in memory) or ``stats().dropped``.
2. ``append`` never raises and never waits for the disk. What it does on the hot path is one encoding, one
   copy, one checksum, under a lock that is held for microseconds by whoever holds it.
3. A power cut loses at most what was appended since the last flush: flushes follow one another at
   ``JournalPolicy.sync_every_s`` while there is something to flush. They happen on the journal's own thread.
4. A full disk: records wait in memory up to ``waiting_limit_bytes``, in order, and are written when space
   returns; beyond that the newest are dropped and counted. Either is alarmed once, when it begins.
5. Segments of several processes live side by side in one directory; a lock on the file tells a live one from
   one whose writer is gone.
"""

import threading
import zlib
from collections import deque
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from aimesh.core.clock import Clock
from aimesh.core.record import UsageRecord, encode_record
from aimesh.store.segment import FRAME_HEAD, FRAME_HEAD_BYTES, MAGIC, Segment, segment_name

OnAlarm = Callable[[str, str], None]
"""Takes a name from ``ALARMS`` and a message. Called from any thread, sometimes under the journal's lock: it
takes note and returns, and never calls the journal."""

ALARMS = ("journal_disk", "journal_dropping", "journal_sync")
"""The disk gives no space; records are lost; a flush failed."""

_DRAIN_RECORDS = 512
"""Written under one hold of the lock once a full disk has space again."""


class JournalPolicy(Struct, frozen=True):
    segment_bytes: int = 8 << 20
    segment_age_s: float = 3600.0
    """An older segment that holds records is closed, so that it can be imported and removed whole."""
    sync_every_s: float = 0.05
    waiting_limit_bytes: int = 32 << 20
    """Records that wait in memory while the disk is full."""
    retry_every_s: float = 1.0
    """Between two attempts to get space from a full disk."""


class JournalStats(Struct, frozen=True):
    appended: int
    """Records that are safe from a kill."""
    appended_bytes: int
    waiting: int
    """Records in memory, because the disk gave no space."""
    dropped: int
    syncs: int
    sync_failures: int
    last_sync_s: float
    """How long the last flush took."""
    unsynced_s: float
    """Age of the oldest record that a power cut would take; 0 when there is none."""


class Journal:
    """The append side. One per process; ``append`` may be called from any thread."""

    def __init__(
        self,
        directory: Path,
        *,
        process: int,
        clock: Clock,
        on_alarm: OnAlarm,
        policy: JournalPolicy | None = None,
    ) -> None:
        """``process`` is a random 32-bit number, unique among the writers of the directory. Raises
        ``OSError`` when the directory cannot be used: at start that is an error of the installation, later it
        is not."""
        self._directory = directory
        self._process = process
        self._clock = clock
        self._on_alarm = on_alarm
        self._policy = policy or JournalPolicy()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._is_closed = False
        self._sequence = 0
        self._named_s = 0.0
        self._spare: Segment | None = None
        self._retired: deque[Segment] = deque()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._appended = self._appended_bytes = self._dropped = 0
        self._syncs = self._sync_failures = 0
        self._last_sync_s = 0.0
        self._is_dirty = False
        self._dirty_since_s = 0.0
        self._flushing_since_s: float | None = None
        self._alarmed: set[str] = set()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._segment = Segment.create(self._next_path(), self._policy.segment_bytes)
        self._segment.born_s = clock.monotonic_s()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def append(self, record: UsageRecord) -> None:
        self.append_bytes(encode_record(record))

    def append_bytes(self, payload: bytes) -> None:
        """One encoded record, not empty."""
        size = len(payload)
        with self._lock:
            segment = self._segment
            start = segment.position
            begin = start + FRAME_HEAD_BYTES
            end = begin + size
            if end > segment.limit or self._waiting:
                self._append_slowly(payload)
                return
            # The head goes last: a frame without its head does not exist.
            segment.map[begin:end] = payload
            FRAME_HEAD.pack_into(segment.map, start, size, zlib.crc32(payload))
            segment.position = end
            self._appended += 1
            self._appended_bytes += size
            if not self._is_dirty:
                self._soil()

    def stats(self) -> JournalStats:
        with self._lock:
            since_s = self._flushing_since_s
            if since_s is None and self._is_dirty:
                since_s = self._dirty_since_s
            return JournalStats(
                appended=self._appended,
                appended_bytes=self._appended_bytes,
                waiting=len(self._waiting),
                dropped=self._dropped,
                syncs=self._syncs,
                sync_failures=self._sync_failures,
                last_sync_s=self._last_sync_s,
                unsynced_s=0.0 if since_s is None else self._clock.monotonic_s() - since_s,
            )

    def close(self) -> None:
        """Flushes, cuts the segment to its content and ends the thread. Records that still find no space, and
        those appended later, are dropped and counted. Blocks for the disk; a second call does nothing."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        if self._is_closed:
            return
        self._tend()
        with self._lock:
            self._is_closed = True
            self._drop(len(self._waiting))
            self._waiting.clear()
            self._waiting_bytes = 0
            self._retired.append(self._segment)
            if self._spare is not None:
                self._retired.append(self._spare)
                self._spare = None
        self._flush(None)

    # The rare paths of appending. All run under the lock.

    def _append_slowly(self, payload: bytes) -> None:
        """The segment is full or closed, or older records wait for space."""
        size = len(payload)
        if self._is_closed:
            self._drop(1)
        elif not self._waiting and self._turn_over(size):
            self._write(payload)
        elif self._waiting_bytes + size > self._policy.waiting_limit_bytes:
            self._drop(1)
        else:
            if not self._waiting:
                self._wake.set()
            self._waiting.append(payload)
            self._waiting_bytes += size

    def _write(self, payload: bytes) -> None:
        """The copy, where there is certainly room."""
        segment = self._segment
        begin = segment.position + FRAME_HEAD_BYTES
        segment.map[begin : begin + len(payload)] = payload
        FRAME_HEAD.pack_into(segment.map, segment.position, len(payload), zlib.crc32(payload))
        segment.position = begin + len(payload)
        self._appended += 1
        self._appended_bytes += len(payload)
        if not self._is_dirty:
            self._soil()

    def _soil(self) -> None:
        self._is_dirty = True
        self._dirty_since_s = self._clock.monotonic_s()
        self._wake.set()

    def _turn_over(self, payload_bytes: int) -> bool:
        """Goes to the next segment. False: the disk gave none."""
        fresh, self._spare = self._spare, None
        if fresh is not None and fresh.position + FRAME_HEAD_BYTES + payload_bytes > fresh.limit:
            self._retired.append(fresh)
            fresh = None
        if fresh is None:
            fresh = self._try_segment(self._next_path(), payload_bytes)
        if fresh is None:
            return False
        fresh.born_s = self._clock.monotonic_s()
        self._retired.append(self._segment)
        self._segment = fresh
        self._wake.set()
        return True

    def _next_path(self) -> Path:
        """Names ascend even when the wall clock does not."""
        self._sequence += 1
        self._named_s = max(self._named_s, self._clock.wall_s())
        return self._directory / segment_name(self._named_s, self._process, self._sequence)

    def _try_segment(self, path: Path, payload_bytes: int = 0) -> Segment | None:
        """Needs no lock."""
        size_bytes = max(self._policy.segment_bytes, len(MAGIC) + FRAME_HEAD_BYTES + payload_bytes)
        try:
            return Segment.create(path, size_bytes)
        except OSError as error:
            self._alarm("journal_disk", f"the journal's disk gives no space: {error.strerror}")
            return None

    def _drain(self) -> None:
        """Writes some of what waits for space, in order, as far as there is any."""
        for _ in range(min(_DRAIN_RECORDS, len(self._waiting))):
            size = len(self._waiting[0])
            fits = self._segment.position + FRAME_HEAD_BYTES + size <= self._segment.limit
            if not fits and (self._spare is None or not self._turn_over(size)):
                return
            self._write(self._waiting.popleft())
            self._waiting_bytes -= size
        if not self._waiting:
            self._alarmed.clear()

    def _drop(self, records: int) -> None:
        if records:
            self._dropped += records
            self._alarm("journal_dropping", "the journal has neither disk nor memory left: records are lost")

    def _alarm(self, name: str, message: str) -> None:
        if name not in self._alarmed:
            self._alarmed.add(name)
            self._on_alarm(name, message)

    # The thread.

    def _run(self) -> None:
        while not self._closing.is_set():
            age_left_s = self._policy.segment_age_s - self._age_s()
            self._wake.wait(self._policy.retry_every_s if self._waiting else max(age_left_s, 0.01))
            # Records of the next moments share this flush.
            self._closing.wait(self._policy.sync_every_s)
            self._wake.clear()
            self._tend()

    def _age_s(self) -> float:
        """An empty segment does not age."""
        segment = self._segment
        return self._clock.monotonic_s() - segment.born_s if segment.is_used else 0.0

    def _tend(self) -> None:
        is_old = self._age_s() >= self._policy.segment_age_s
        if is_old or self._segment.position > self._segment.limit // 2:
            self._prepare_spare()
        while self._waiting and self._prepare_spare():
            with self._lock:
                self._drain()
        with self._lock:
            if is_old and self._spare is not None:
                self._turn_over(0)
            segment = self._segment if self._is_dirty else None
            self._is_dirty = False
            self._flushing_since_s = self._dirty_since_s if segment else None
        self._flush(segment)

    def _prepare_spare(self) -> bool:
        """The slow part, away from the lock."""
        if self._spare is None:
            with self._lock:
                path = self._next_path()
            spare = self._try_segment(path)
            with self._lock:
                if spare is None or spare.path > self._segment.path:
                    self._spare = spare
                else:
                    # An append was quicker and made its own: behind that one, this one would be out of order.
                    self._retired.append(spare)
        return self._spare is not None

    def _flush(self, segment: Segment | None) -> None:
        begin_s = self._clock.monotonic_s()
        try:
            # First: an append may retire this very segment meanwhile, and closing belongs to this thread
            # alone.
            if segment is not None:
                segment.sync()
                self._syncs += 1
                self._last_sync_s = self._clock.monotonic_s() - begin_s
            while self._retired:
                self._retired.popleft().close()
        except OSError as error:
            self._sync_failures += 1
            self._alarm("journal_sync", f"the journal cannot be flushed to disk: {error.strerror}")
        self._flushing_since_s = None
