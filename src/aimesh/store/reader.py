"""Reads the journal back: for the import into the database, for ``aimesh usage tail``, after a kill.

1. Reading needs no leave of the writer and works from any process while it lives.
2. ``JournalReader.positions`` is all there is to remember; a reader made with it goes on where it stood.
   Reading twice from one position gives the same records: what is built on it is idempotent by record id.
3. Within a segment records come in the order of their appending; segments come in the order of their names.
4. Half a record at the end of a killed writer's segment was never promised to anybody and is skipped.
"""

import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from aimesh.core.record import UsageRecord, decode_record
from aimesh.store.segment import FRAME_HEAD_BYTES, MAGIC, has_writer, list_segments, read_frames


class Payload(Struct, frozen=True, gc=False):
    """One appended record, as its bytes."""

    segment: str
    """File name."""
    at: int
    """Offset of its frame."""
    data: bytes


class JournalReader:
    def __init__(self, directory: Path, positions: Mapping[str, int] | None = None) -> None:
        self._directory = directory
        self._positions = dict(positions or {})
        self._finished: set[str] = set()
        self.torn = 0
        """Segments that ended in half a record."""
        self.unreadable = 0
        """Frames that are whole but hold no usage record that this release can read."""

    @property
    def positions(self) -> dict[str, int]:
        """Offset reached in each segment that still exists, by file name."""
        return dict(self._positions)

    def read(self, *, limit: int = 1000) -> list[UsageRecord]:
        """What is there and was not read yet, about ``limit`` records at most; empty: nothing new for now. Frames
        without a record are counted and left out."""
        while payloads := self.read_payloads(limit=limit):
            if records := list(self._decoded(payloads)):
                return records
        return []

    def read_payloads(self, *, limit: int = 1000) -> list[Payload]:
        """The same for whoever cares about every frame."""
        payloads: list[Payload] = []
        paths = list_segments(self._directory)
        names = {path.name for path in paths}
        self._positions = {name: at for name, at in self._positions.items() if name in names}
        self._finished &= names
        for path in paths:
            if path.name not in self._finished and len(payloads) < limit:
                payloads += self._read_segment(path, limit - len(payloads))
        return payloads

    def finished(self) -> list[Path]:
        """Segments that are read to the end and never grow again: they may be removed once their records are
        safe elsewhere."""
        return sorted(self._directory / name for name in self._finished)

    def _read_segment(self, path: Path, limit: int) -> list[Payload]:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return []
        payloads: list[Payload] = []
        try:
            # Asked first: what a writer appended before it went is then seen by the reading below.
            is_live = has_writer(descriptor)
            is_more = True
            while is_more and len(payloads) < limit:
                at = self._positions.get(path.name, 0)
                frames = read_frames(descriptor, at, limit=limit - len(payloads))
                payloads += _placed(path.name, max(at, len(MAGIC)), frames.payloads)
                self._positions[path.name] = frames.end
                is_more = frames.is_more
        finally:
            os.close(descriptor)
        if not is_live and not is_more:
            self._finished.add(path.name)
            self.torn += frames.is_torn
        return payloads

    def _decoded(self, payloads: list[Payload]) -> Iterator[UsageRecord]:
        for payload in payloads:
            try:
                yield decode_record(payload.data)
            except msgspec.DecodeError:
                self.unreadable += 1


def _placed(segment: str, at: int, payloads: list[bytes]) -> Iterator[Payload]:
    for data in payloads:
        yield Payload(segment, at, data)
        at += FRAME_HEAD_BYTES + len(data)


def read_records(directory: Path) -> Iterator[UsageRecord]:
    """Every record in the directory, once."""
    reader = JournalReader(directory)
    while records := reader.read():
        yield from records


def tail(
    directory: Path, *, follow: bool, last: int | None = None, poll_s: float = 0.1
) -> Iterator[UsageRecord]:
    """The ``last`` records (None: all), then, if ``follow``, every further one as it is appended, without
    end."""
    reader = JournalReader(directory)
    newest: deque[UsageRecord] = deque(maxlen=last)
    while records := reader.read():
        newest.extend(records)
    yield from sorted(newest, key=lambda record: record.at)
    while follow:
        if records := reader.read():
            yield from records
        else:
            time.sleep(poll_s)
