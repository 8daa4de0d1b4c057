"""Reading goes on where it stood, sees live writers, and knows when a segment is done."""

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.records import numbered_record

from aimesh.core.clock import SystemClock
from aimesh.store.journal import Journal, JournalPolicy
from aimesh.store.reader import JournalReader, read_records, tail
from aimesh.store.segment import list_segments

SMALL = JournalPolicy(segment_bytes=4096, sync_every_s=0.005)


def quiet(name: str, message: str) -> None:
    raise AssertionError(f"{name}: {message}")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path, process=3, clock=SystemClock(), on_alarm=quiet, policy=SMALL)
    yield journal
    journal.close()


def append(journal: Journal, numbers: range) -> None:
    for number in numbers:
        journal.append(numbered_record(number))


def read_all(reader: JournalReader, limit: int = 1000) -> list[int]:
    numbers: list[int] = []
    while records := reader.read(limit=limit):
        numbers += [record.bytes_in for record in records]
    return numbers


def test_an_absent_directory_holds_nothing(tmp_path: Path) -> None:
    assert list(read_records(tmp_path / "absent")) == []


def test_reading_goes_on_while_the_writer_lives(tmp_path: Path, journal: Journal) -> None:
    reader = JournalReader(tmp_path)
    assert read_all(reader) == []
    append(journal, range(30))
    assert read_all(reader, limit=7) == list(range(30))
    append(journal, range(30, 35))
    assert read_all(reader) == list(range(30, 35))
    assert reader.torn == 0


def test_another_reader_goes_on_from_remembered_positions(tmp_path: Path, journal: Journal) -> None:
    append(journal, range(20))
    first = JournalReader(tmp_path)
    seen = [record.bytes_in for record in first.read(limit=11)]
    append(journal, range(20, 40))
    second = JournalReader(tmp_path, first.positions)
    assert seen + read_all(second) == list(range(40))


def test_segments_that_never_grow_again_are_reported_and_may_be_removed(
    tmp_path: Path, journal: Journal
) -> None:
    append(journal, range(30))
    reader = JournalReader(tmp_path)
    assert read_all(reader) == list(range(30))
    journal.close()
    assert read_all(reader) == []
    finished = reader.finished()
    assert finished == list_segments(tmp_path)
    for path in finished:
        path.unlink()
    assert read_all(reader) == []
    assert reader.finished() == []
    assert reader.positions == {}


def test_a_live_segment_is_not_reported_as_finished(tmp_path: Path, journal: Journal) -> None:
    append(journal, range(2))
    reader = JournalReader(tmp_path)
    assert read_all(reader) == [0, 1]
    assert reader.finished() == []


def test_what_this_release_cannot_read_is_counted_and_passed(tmp_path: Path, journal: Journal) -> None:
    append(journal, range(1))
    for _ in range(50):
        journal.append_bytes(b'{"written_by":"a later release"}')
    append(journal, range(1, 2))
    reader = JournalReader(tmp_path)
    assert read_all(reader, limit=1) == [0, 1]
    assert reader.unreadable == 50


def test_tail_gives_the_last_ones_and_ends(tmp_path: Path, journal: Journal) -> None:
    append(journal, range(25))
    assert [record.bytes_in for record in tail(tmp_path, follow=False, last=3)] == [22, 23, 24]
    assert len(list(tail(tmp_path, follow=False))) == 25
    assert list(tail(tmp_path, follow=False, last=0)) == []


def test_tail_follows_a_live_writer(tmp_path: Path, journal: Journal) -> None:
    append(journal, range(5))
    following = tail(tmp_path, follow=True, last=2, poll_s=0.001)
    assert [record.bytes_in for record in itertools.islice(following, 2)] == [3, 4]
    append(journal, range(5, 40))
    assert [record.bytes_in for record in itertools.islice(following, 35)] == list(range(5, 40))


_FOLLOWER = """
import sys
from pathlib import Path
from aimesh.store.reader import tail
print("ready", flush=True)
for record in tail(Path(sys.argv[1]), follow=True, poll_s=0.005):
    print(record.bytes_in, flush=True)
"""


def test_tail_follows_from_another_process(tmp_path: Path, journal: Journal) -> None:
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _FOLLOWER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as follower:
        try:
            assert follower.stdout is not None
            assert follower.stdout.readline() == b"ready\n"
            for number in range(60):
                append(journal, range(number, number + 1))
                assert int(follower.stdout.readline()) == number
        finally:
            follower.send_signal(signal.SIGKILL)
