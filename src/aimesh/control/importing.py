"""The journal of this node into the database: a batch at a time, for ever.

1. A batch is one transaction with the positions behind it: whatever is killed when, every record is imported once.
2. While the database is away or full, records wait in the journal; the batch at hand is tried again.
3. A record that cannot be imported, for whatever reason, is set aside, whole, with an alarm, and holds nobody up. It is
   tried again when the process starts, because a newer release may be able to, and when somebody asks for it.
4. One process at a time imports a node's journal.
5. A segment is removed when it is imported to its end and older than ``journal.keep_days``.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from aimesh.control.metering import Meter, Unmetered, described
from aimesh.control.models_catalog import Catalogs
from aimesh.core.clock import Clock
from aimesh.core.record import UsageRecord
from aimesh.settings import Settings
from aimesh.store.engine import Store
from aimesh.store.import_note import ImportNote, write_note
from aimesh.store.journal_progress import ImportLock, read_positions, read_record
from aimesh.store.node import node_id
from aimesh.store.reader import JournalReader, Payload
from aimesh.store.rejected import (
    end_retry,
    is_retry_asked_for,
    list_rejected,
    read_rejected,
    set_aside,
)
from aimesh.store.session import StoreError, UnfitError
from aimesh.store.usage_import import Beside, Prepared, Progress, import_usage, prepared
from aimesh.store.usage_periods import make_next
from aimesh.store.usage_retention import Retention
from aimesh.store.usage_rows import Metered, check_fits, check_record

STEP_EVERY_S = 0.5
PAUSE_S = 0.02
"""Between batches while there are more: on SQLite others want to write too."""

RETRY_S = 1.0
_LONGEST_RETRY_S = 15.0
_MARK_EVERY_S = 15.0
"""How often it is noted that there is nothing to do."""
_NOTE_EVERY_S = 1.0
_TIDY_EVERY_S = 3600.0
_SUM_EVERY_S = 60.0
"""How often it is looked whether a day is over."""
_TIDY_AGAIN_S = 300.0
"""After removing did not work: somebody reads what is to go."""
_DAY_S = 86_400

_BATCH = {"sqlite": 500, "postgresql": 2000}
"""Records in a transaction. SQLite: while it lasts, nobody else writes."""

OnAlarm = Callable[[str, str], None]
"""A short name and a safe text; an empty text: it is well again."""


class _Read(Struct, frozen=True):
    payloads: list[Payload]
    positions: dict[str, int]
    """Behind them."""
    is_last: bool
    """There was nothing more."""
    began_s: float


class Importer:
    """One per process. ``step`` is for one thread at a time."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock: Clock,
        on_alarm: OnAlarm,
        *,
        batch: int | None = None,
    ) -> None:
        """``batch``: records in a transaction; None: what suits the database. Raises ``OSError`` where the home or the
        journal cannot be used."""
        self._store = store
        self._clock = clock
        self._on_alarm = on_alarm
        self._directory = settings.journal_directory
        self._keep_s = settings.journal.keep_days * _DAY_S
        self._retention = Retention(store, settings.usage.keep_days, clock)
        self._meter = Meter(store, settings, Catalogs(), clock)
        self._batch = batch or _BATCH[store.dialect]
        self.node = node_id(settings.home)
        self._lock = ImportLock(self._directory)
        self._alarms: dict[str, str] = {}
        self._aside: set[Path] = set()
        """Files that were written since this was emptied last."""
        self._reader: JournalReader | None = None
        self._at_hand: _Read | None = None
        self._committed: dict[str, int] = {}
        self._retry_at_s = self._retry_s = 0.0
        self._marked_at_s = self._noted_at_s = -_MARK_EVERY_S
        self._tidy_at_s = self._sum_at_s = 0.0
        self._zone = ZoneInfo(settings.timezone)
        self._done_at_s = 0.0
        self.imported = 0
        """Records, since the process began."""
        self.rejected = 0

    def step(self) -> bool:
        """One batch; whether there is more to do now. Blocks. Never raises for what may pass."""
        if self._clock.monotonic_s() < self._retry_at_s:
            return False
        try:
            is_more = self._step()
        except StoreError as error:
            self._failed(f"usage records wait in the journal: {error}")
            return False
        except OSError as error:
            self._failed(f"the journal cannot be imported: {(error.strerror or 'unknown').lower()}")
            return False
        self._retry_s = 0.0
        self._well("import")
        return is_more

    def close(self) -> None:
        self._lock.close()

    @property
    def is_importing(self) -> bool:
        """False: another process imports this journal."""
        return self._reader is not None

    def _step(self) -> bool:
        if self._reader is None:
            if not self._lock.acquire():
                return False
            with self._store.read() as db:
                self._committed = read_positions(db, self.node)
            self._retry_rejected()
            self._reader = JournalReader(self._directory, self._committed)
        elif is_retry_asked_for(self._directory):
            self._retry_rejected()
        if self._at_hand is None:
            self._at_hand = self._read(self._reader)
        at_hand = self._at_hand
        now_s = self._clock.monotonic_s()
        if at_hand.payloads or now_s - self._marked_at_s >= _MARK_EVERY_S:
            self._import(at_hand)
            self._marked_at_s = now_s
            if at_hand.is_last or now_s - self._noted_at_s >= _NOTE_EVERY_S:
                self._note("")
        self._at_hand = None
        if now_s >= self._tidy_at_s:
            self._tidy_at_s = now_s + self._tidy_up(self._reader)
        if at_hand.is_last and now_s >= self._sum_at_s:
            # One at a time: records go first.
            is_made = make_next(self._store, self._zone, self._clock.wall_s()) is not None
            self._sum_at_s = now_s + (0.0 if is_made else _SUM_EVERY_S)
        return not at_hand.is_last

    def _read(self, reader: JournalReader) -> _Read:
        began_s = self._clock.wall_s()
        payloads = reader.read_payloads(limit=self._batch)
        return _Read(payloads, reader.positions, is_last=len(payloads) < self._batch, began_s=began_s)

    def _import(self, at_hand: _Read) -> None:
        positions, committed = at_hand.positions, self._committed
        progress = Progress(
            node=self.node,
            moved={name: at for name, at in positions.items() if committed.get(name) != at},
            gone=tuple(sorted(committed.keys() - positions.keys())),
            done_at_s=at_hand.began_s if at_hand.is_last else None,
        )
        self._import_payloads(at_hand.payloads, progress)
        self._committed = positions
        if at_hand.is_last:
            self._done_at_s = at_hand.began_s

    def _import_payloads(self, payloads: Sequence[Payload], progress: Progress | None) -> None:
        """What cannot be imported is set aside before the progress is committed."""
        readable: list[tuple[Payload, UsageRecord]] = []
        for payload in payloads:
            record = read_record(payload.data)
            if record is None:
                self._reject(payload, "this release cannot read it")
                continue
            try:
                check_record(record)
            except UnfitError as error:
                self._reject(payload, str(error))
            else:
                readable.append((payload, record))
        batch = self._meter.metered([record for _, record in readable])
        fitting: list[tuple[Payload, Metered]] = []
        for (payload, _), metered in zip(readable, batch.several, strict=True):
            if isinstance(metered, Unmetered):
                self._reject(payload, metered.why)
                continue
            try:
                check_fits(metered)
            except UnfitError as error:
                self._reject(payload, str(error))
            else:
                fitting.append((payload, metered))
        self._import_fitting(fitting, batch.beside, progress)

    def _import_fitting(
        self, several: Sequence[tuple[Payload, Metered]], beside: Beside, progress: Progress | None
    ) -> None:
        try:
            ready = self._prepared([metered for _, metered in several], beside)
            self.imported += import_usage(self._store, ready, progress)
        except UnfitError as error:
            # Which of them it is, is found by halving.
            half = len(several) // 2
            if half:
                self._import_fitting(several[:half], beside, None)
                self._import_fitting(several[half:], beside, progress)
            elif several:
                self._reject(several[0][0], str(error))
                self._import_fitting((), beside, progress)
            else:
                raise

    def _prepared(self, several: Sequence[Metered], beside: Beside) -> Prepared:
        """Raises ``UnfitError``, also for what nobody foresaw: it lies with one of the records."""
        try:
            return prepared(several, self._retention.points_from(), beside=beside)
        except UnfitError:
            raise
        except Exception as error:
            if not several:
                raise
            raise UnfitError(f"it makes no row: {described(error)}") from error

    def _reject(self, payload: Payload, why: str) -> None:
        self._aside.add(set_aside(self._directory, payload, why))
        self.rejected += 1
        self._alarm("record", f"a usage record cannot be imported and was set aside: {why}")

    def _retry_rejected(self) -> None:
        """What cannot be imported now either is set aside again, in the same file."""
        paths = list_rejected(self._directory)
        for start in range(0, len(paths), self._batch):
            found = {path: read_rejected(path) for path in paths[start : start + self._batch]}
            self._aside.clear()
            self._import_payloads(
                [Payload(one.segment, one.at, one.data) for one in found.values() if one is not None], None
            )
            for path, one in found.items():
                if one is not None and path not in self._aside:
                    path.unlink(missing_ok=True)
        self._aside.clear()
        end_retry(self._directory)
        self._note("")

    def _tidy_up(self, reader: JournalReader) -> float:
        """Gives the seconds until the next time. Everything read has been imported."""
        self._prune(reader)
        try:
            self._retention.round()
        except StoreError as error:
            self._alarm("retention", f"old usage is not removed: {error}")
            return _TIDY_AGAIN_S
        self._well("retention")
        return _TIDY_EVERY_S

    def _prune(self, reader: JournalReader) -> None:
        oldest_s = self._clock.wall_s() - self._keep_s
        for path in reader.finished():
            try:
                is_old = path.stat().st_mtime < oldest_s
            except FileNotFoundError:
                continue
            if is_old:
                path.unlink(missing_ok=True)

    def _note(self, problem: str) -> None:
        """For ``aimesh journal status`` and the counters. Whether it is written changes nothing here."""
        if self._reader is None:
            return
        self._noted_at_s = self._clock.monotonic_s()
        note = ImportNote(
            node=self.node,
            positions=self._committed,
            at_s=self._clock.wall_s(),
            done_at_s=self._done_at_s,
            imported=self.imported,
            rejected=len(list_rejected(self._directory)),
            problem=problem,
        )
        with suppress(OSError):
            write_note(self._directory, note)

    def _failed(self, message: str) -> None:
        self._retry_s = min(_LONGEST_RETRY_S, self._retry_s * 2 or RETRY_S)
        self._retry_at_s = self._clock.monotonic_s() + self._retry_s
        self._alarm("import", message)
        self._note(message)

    def _alarm(self, name: str, message: str) -> None:
        if self._alarms.get(name) != message:
            self._alarms[name] = message
            self._on_alarm(name, message)

    def _well(self, name: str) -> None:
        if self._alarms.pop(name, ""):
            self._on_alarm(name, "")
