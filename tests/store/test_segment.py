"""Reading a segment never invents, doubles or reorders a record, whatever was cut or damaged."""

import os
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimesh.core.clock import FixedClock, SystemClock
from aimesh.store.segment import (
    FRAME_HEAD,
    FRAME_HEAD_BYTES,
    MAGIC,
    Segment,
    has_writer,
    list_segments,
    prune,
    read_frames,
    recover,
    segment_name,
)

PAYLOADS = st.lists(st.binary(min_size=1, max_size=400), max_size=12)


def append(segment: Segment, payload: bytes) -> None:
    begin = segment.position + FRAME_HEAD_BYTES
    segment.map[begin : begin + len(payload)] = payload
    FRAME_HEAD.pack_into(segment.map, segment.position, len(payload), zlib.crc32(payload))
    segment.position = begin + len(payload)


def written(path: Path, payloads: list[bytes]) -> Segment:
    segment = Segment.create(path, 8192)
    for payload in payloads:
        append(segment, payload)
    return segment


def read_all(path: Path, limit: int = 5) -> tuple[list[bytes], bool]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        payloads: list[bytes] = []
        at = 0
        while True:
            frames = read_frames(descriptor, at, limit=limit)
            payloads += frames.payloads
            at = frames.end
            if not frames.is_more:
                return payloads, frames.is_torn
    finally:
        os.close(descriptor)


@given(payloads=PAYLOADS, limit=st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_what_was_appended_is_read_live_and_closed(payloads: list[bytes], limit: int) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / segment_name(1.0, 2, 3)
        segment = written(path, payloads)
        assert read_all(path, limit) == (payloads, False)
        segment.close()
        if payloads:
            assert read_all(path, limit) == (payloads, False)
        else:
            assert not path.exists()


@given(payloads=PAYLOADS, cut=st.integers(0, 8192))
@settings(max_examples=150, deadline=None)
def test_a_file_cut_anywhere_gives_the_whole_records_before_the_cut(payloads: list[bytes], cut: int) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / segment_name(1.0, 2, 3)
        segment = written(path, payloads)
        content = path.read_bytes()[:cut]
        segment.close()
        path.write_bytes(content)
        whole, end = [], len(MAGIC)
        for payload in payloads:
            end += FRAME_HEAD_BYTES + len(payload)
            if end <= cut:
                whole.append(payload)
        assert read_all(path)[0] == whole


@given(payloads=PAYLOADS.filter(bool), data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_byte_ends_the_reading_and_is_never_taken_for_a_record(
    payloads: list[bytes], data: st.DataObject
) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / segment_name(1.0, 2, 3)
        segment = written(path, payloads)
        end = segment.position
        content = bytearray(path.read_bytes())
        segment.close()
        at = data.draw(st.integers(0, end - 1))
        content[at] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        found, is_torn = read_all(path)
        assert found == payloads[: len(found)]
        assert len(found) < len(payloads)
        # A size that became zero looks like the end; everything else is seen to be damage.
        assert is_torn or found != payloads


def test_half_a_frame_in_a_killed_writers_file_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / segment_name(1.0, 2, 3)
    segment = written(path, [b"one", b"two"])
    size = segment.position
    content = path.read_bytes()
    segment.close()
    begin = size + FRAME_HEAD_BYTES
    half = bytearray(content)
    half[begin : begin + 3] = b"thr"
    FRAME_HEAD.pack_into(half, size, 5, zlib.crc32(b"three"))
    path.write_bytes(half)
    assert read_all(path) == ([b"one", b"two"], True)
    assert recover(tmp_path, clock=SystemClock()) == 1
    assert path.stat().st_size == size
    assert recover(tmp_path, clock=SystemClock()) == 0
    assert read_all(path) == ([b"one", b"two"], False)


def test_recovering_leaves_a_live_writers_file_alone(tmp_path: Path) -> None:
    path = tmp_path / segment_name(1.0, 2, 3)
    segment = written(path, [b"one"])
    assert recover(tmp_path, clock=SystemClock()) == 0
    assert path.stat().st_size == 8192
    append(segment, b"two")
    assert read_all(path)[0] == [b"one", b"two"]
    segment.close()


def test_recovering_removes_what_holds_nothing_and_keeps_what_is_not_ours(tmp_path: Path) -> None:
    empty = tmp_path / segment_name(1.0, 2, 3)
    empty.write_bytes(MAGIC + bytes(100))
    foreign = tmp_path / segment_name(1.0, 2, 4)
    foreign.write_bytes(b"not a journal at all")
    fresh, stale = tmp_path / "fresh.new", tmp_path / "stale.new"
    fresh.write_bytes(b"")
    stale.write_bytes(b"")
    os.utime(fresh, (1000.0, 1000.0))
    os.utime(stale, (900.0, 900.0))
    assert recover(tmp_path, clock=FixedClock(1010.0)) == 1
    assert list_segments(tmp_path) == [foreign]
    assert foreign.read_bytes() == b"not a journal at all"
    assert fresh.exists()
    assert not stale.exists()


def test_the_lock_tells_a_live_writer(tmp_path: Path) -> None:
    path = tmp_path / segment_name(1.0, 2, 3)
    segment = written(path, [b"one"])
    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert has_writer(descriptor)
        segment.close()
        assert not has_writer(descriptor)
    finally:
        os.close(descriptor)


def test_no_space_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r".+"):
        Segment.create(tmp_path / segment_name(1.0, 2, 3), 1 << 62)
    assert list(tmp_path.iterdir()) == []


def test_names_sort_by_time_and_then_by_sequence() -> None:
    names = [segment_name(5.0, 9, 1), segment_name(5.0, 9, 2), segment_name(1_750_000_000.0, 1, 1)]
    assert names == sorted(names)
    assert len(set(names)) == 3


def test_pruning_removes_old_segments_without_a_writer(tmp_path: Path) -> None:
    paths = [tmp_path / segment_name(1.0, 2, sequence) for sequence in (1, 2, 3)]
    live, old, young = (written(path, [b"one"]) for path in paths)
    old.close()
    young.close()
    for path, written_at_s in zip(paths, (100.0, 100.0, 950.0), strict=True):
        os.utime(path, (written_at_s, written_at_s))
    assert prune(tmp_path, keep_s=100.0, clock=FixedClock(1000.0)) == 1
    assert list_segments(tmp_path) == [paths[0], paths[2]]
    live.close()
