"""What the journal promises: an append that returned is read back exactly once, whatever happens next."""

import errno
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.records import numbered_record, typical_record

from aimesh.core.clock import SystemClock
from aimesh.core.record import encode_record
from aimesh.store import segment as segment_module
from aimesh.store.journal import Journal, JournalPolicy
from aimesh.store.reader import read_records
from aimesh.store.segment import FRAME_HEAD_BYTES, MAGIC, list_segments, recover

SMALL = JournalPolicy(segment_bytes=4096, sync_every_s=0.005, retry_every_s=0.02)


class Alarms:
    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str, message: str) -> None:
        assert message
        self.names.append(name)


@contextmanager
def opened(
    directory: Path, policy: JournalPolicy = SMALL, process: int = 7
) -> Iterator[tuple[Journal, Alarms]]:
    alarms = Alarms()
    journal = Journal(directory, process=process, clock=SystemClock(), on_alarm=alarms, policy=policy)
    try:
        yield journal, alarms
    finally:
        journal.close()


def numbers(directory: Path) -> list[int]:
    return [record.bytes_in for record in read_records(directory)]


def wait_until(condition: Callable[[], bool], deadline_s: float = 10.0) -> None:
    end_s = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end_s, "the condition did not come true in time"
        time.sleep(0.002)


def test_a_record_is_there_as_soon_as_append_returns(tmp_path: Path) -> None:
    with opened(tmp_path) as (journal, _):
        journal.append(typical_record())
        assert list(read_records(tmp_path)) == [typical_record()]


def test_records_over_many_segments_come_back_in_order(tmp_path: Path) -> None:
    with opened(tmp_path) as (journal, alarms):
        for number in range(300):
            journal.append(numbered_record(number))
        assert numbers(tmp_path) == list(range(300))
        assert len(list_segments(tmp_path)) > 10
    assert numbers(tmp_path) == list(range(300))
    assert alarms.names == []


def test_closing_leaves_no_padding_and_no_empty_segment(tmp_path: Path) -> None:
    with opened(tmp_path) as (journal, _):
        journal.append(typical_record())
    (path,) = list_segments(tmp_path)
    assert path.stat().st_size < 1200
    assert path.stat().st_mode & 0o777 == 0o600
    with opened(tmp_path / "unused") as (_, _):
        pass
    assert list((tmp_path / "unused").iterdir()) == []


def test_a_record_larger_than_a_segment_is_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as (journal, _):
        journal.append(numbered_record(1))
        journal.append(numbered_record(2, filler="x" * 50_000))
        journal.append(numbered_record(3))
    assert numbers(tmp_path) == [1, 2, 3]


def test_appending_from_several_threads_loses_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as (journal, _):

        def work(start: int) -> None:
            for number in range(start, start + 200):
                journal.append(numbered_record(number))

        threads = [threading.Thread(target=work, args=(1000 * i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(numbers(tmp_path)) == [1000 * i + n for i in range(4) for n in range(200)]


def test_several_writers_share_a_directory(tmp_path: Path) -> None:
    with opened(tmp_path, process=1) as (first, _), opened(tmp_path, process=2) as (second, _):
        for number in range(50):
            first.append(numbered_record(number))
            second.append(numbered_record(1000 + number))
    assert sorted(numbers(tmp_path)) == [*range(50), *range(1000, 1050)]


def test_flushes_come_in_groups_and_stop_when_there_is_nothing_to_flush(tmp_path: Path) -> None:
    policy = JournalPolicy(segment_bytes=1 << 20, sync_every_s=0.02)
    with opened(tmp_path, policy) as (journal, _):
        for number in range(500):
            journal.append(numbered_record(number))
        assert journal.stats().unsynced_s >= 0.0
        wait_until(lambda: journal.stats().unsynced_s == 0.0)
        flushed = journal.stats()
        assert 1 <= flushed.syncs < 100
        assert flushed.appended == 500
        time.sleep(0.1)
        assert journal.stats().syncs == flushed.syncs


def test_an_old_segment_is_turned_over_without_a_further_append(tmp_path: Path) -> None:
    policy = JournalPolicy(segment_bytes=1 << 20, segment_age_s=0.05, sync_every_s=0.005)
    with opened(tmp_path, policy) as (journal, _):
        journal.append(numbered_record(1))
        wait_until(lambda: len(list_segments(tmp_path)) == 2)
        journal.append(numbered_record(2))
        assert numbers(tmp_path) == [1, 2]


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """While set, the disk has no space for a further segment."""
    full = threading.Event()
    allocate = segment_module._allocate

    def allocate_unless_full(descriptor: int, size_bytes: int) -> None:
        if full.is_set():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        allocate(descriptor, size_bytes)

    monkeypatch.setattr(segment_module, "_allocate", allocate_unless_full)
    return full


def test_a_full_disk_makes_records_wait_and_nothing_is_lost_when_space_returns(
    tmp_path: Path, full_disk: threading.Event
) -> None:
    with opened(tmp_path) as (journal, alarms):
        full_disk.set()
        for number in range(100):
            journal.append(numbered_record(number))
        stats = journal.stats()
        assert stats.waiting + stats.appended == 100
        assert stats.waiting > 80
        wait_until(lambda: alarms.names == ["journal_disk"])
        full_disk.clear()
        wait_until(lambda: journal.stats().waiting == 0)
        journal.append(numbered_record(100))
        assert numbers(tmp_path) == list(range(101))
        assert journal.stats().dropped == 0
    assert numbers(tmp_path) == list(range(101))
    assert not list(tmp_path.glob("*.new"))


def test_a_full_disk_and_full_memory_drop_the_newest_and_say_so(
    tmp_path: Path, full_disk: threading.Event
) -> None:
    policy = JournalPolicy(
        segment_bytes=4096, sync_every_s=0.005, retry_every_s=0.02, waiting_limit_bytes=8192
    )
    with opened(tmp_path, policy) as (journal, alarms):
        full_disk.set()
        for number in range(100):
            journal.append(numbered_record(number))
        stats = journal.stats()
        assert stats.dropped > 70
        assert stats.appended + stats.waiting + stats.dropped == 100
        full_disk.clear()
        wait_until(lambda: journal.stats().waiting == 0)
        assert numbers(tmp_path) == list(range(100 - stats.dropped))
        assert sorted(alarms.names) == ["journal_disk", "journal_dropping"]


def test_closing_on_a_full_disk_counts_what_it_loses(tmp_path: Path, full_disk: threading.Event) -> None:
    with opened(tmp_path) as (journal, alarms):
        full_disk.set()
        for number in range(20):
            journal.append(numbered_record(number))
        waiting = journal.stats().waiting
        assert waiting > 0
        journal.close()
        assert journal.stats().dropped == waiting
        assert "journal_dropping" in alarms.names
    assert numbers(tmp_path) == list(range(20 - waiting))


def test_appending_after_the_end_is_counted_not_raised(tmp_path: Path) -> None:
    with opened(tmp_path) as (journal, _):
        journal.append(numbered_record(1))
        journal.close()
        journal.append(numbered_record(2))
        assert journal.stats().dropped == 1
    assert numbers(tmp_path) == [1]


def test_a_directory_that_cannot_be_used_is_an_error_at_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        Journal(tmp_path / "file", process=1, clock=SystemClock(), on_alarm=Alarms(), policy=SMALL)


_WRITER = """
import sys
from pathlib import Path
from aimesh.core.clock import SystemClock
from aimesh.core.record import encode_record
from aimesh.store.journal import Journal, JournalPolicy
from tests.support.records import numbered_record

directory, filler, process = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
policy = JournalPolicy(segment_bytes=16384, sync_every_s=0.005)
journal = Journal(directory, process=process, clock=SystemClock(), on_alarm=print, policy=policy)
write = sys.stdout.buffer.raw.write
for number in range(10**7):
    journal.append(numbered_record(number, filler="x" * (number % 7 * filler)))
    write(b"%d\\n" % number)
"""


@pytest.mark.parametrize("seed", range(6))
def test_a_killed_writer_loses_nothing_that_it_appended(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _WRITER, str(tmp_path), str(chance.randrange(200)), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"0\n"
        end_s = time.monotonic() + chance.uniform(0.0, 0.15)
        acknowledged = 0
        while time.monotonic() < end_s:
            acknowledged = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        for line in writer.stdout:
            # The kill may have cut the number itself short.
            if line.endswith(b"\n"):
                acknowledged = int(line)
    found = numbers(tmp_path)
    # One more may have been appended and not acknowledged.
    assert found in (list(range(acknowledged + 1)), list(range(acknowledged + 2)))
    assert recover(tmp_path, clock=SystemClock()) <= 1
    assert numbers(tmp_path) == found
    # Nothing is left of the space that was allocated in advance.
    content = sum(FRAME_HEAD_BYTES + len(encode_record(record)) for record in read_records(tmp_path))
    segments = list_segments(tmp_path)
    assert sum(path.stat().st_size for path in segments) == content + len(MAGIC) * len(segments)
