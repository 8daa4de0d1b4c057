"""A node with a journal and an importer, in the process of a test."""

import secrets
from collections.abc import Iterable
from pathlib import Path

from tests.support.usage import BEGIN_S

from aimesh.control.importing import Importer
from aimesh.core.clock import FixedClock
from aimesh.core.record import UsageRecord
from aimesh.settings import Settings, compile_settings
from aimesh.store.engine import Store
from aimesh.store.journal import Journal, JournalPolicy

SEGMENT_BYTES = 64 << 10
PROCESSES = 1 << 32


class Node:
    def __init__(self, store: Store, home: Path, *, batch: int | None = None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.settings: Settings = compile_settings(None, {"AIMESH_HOME": str(home)})
        self._batch = batch
        self.store = store
        self.clock = FixedClock(BEGIN_S + 10.0)
        self.alarms: list[tuple[str, str]] = []
        self.importer = self.new_importer()

    def new_importer(self) -> Importer:
        return Importer(
            self.store, self.settings, self.clock, lambda *alarm: self.alarms.append(alarm), batch=self._batch
        )

    def restart(self) -> None:
        """The importer is gone as if killed; the next one begins."""
        self.importer.close()
        self.importer = self.new_importer()

    @property
    def directory(self) -> Path:
        return self.settings.journal_directory

    def new_journal(self) -> Journal:
        return Journal(
            self.directory,
            process=secrets.randbelow(PROCESSES),
            clock=self.clock,
            on_alarm=lambda *alarm: self.alarms.append(alarm),
            policy=JournalPolicy(segment_bytes=SEGMENT_BYTES),
        )

    def write(self, records: Iterable[UsageRecord | bytes]) -> None:
        """Through a journal of its own, closed at the end."""
        journal = self.new_journal()
        for record in records:
            if isinstance(record, bytes):
                journal.append_bytes(record)
            else:
                journal.append(record)
        journal.close()

    def import_all(self) -> None:
        while self.importer.step():
            pass

    def close(self) -> None:
        self.importer.close()
