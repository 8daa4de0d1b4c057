"""One file of the journal: how it is laid out, written and read back.

    magic, 16 bytes | frame | frame | ... | zeros up to the file's size
    frame: size u32 | crc32 of the payload u32 | payload        (little endian)

1. A segment appears under its name complete with its magic, its space allocated and its lock held; before
   that it has another suffix. So a reader never meets half a header, and a mapped write never meets a missing
   block.
2. Frames are written in order, the head of each after its payload. What follows the first frame that is zero,
   does not fit or fails its checksum was never appended: it is not read.
3. The writer holds ``flock`` on the file while it lives. Free lock: the segment never grows again.
4. A closed segment is cut to its content; one without content is removed.
5. Nobody but ``Segment`` and ``recover`` may cut a segment: a mapped file that is cut under its writer kills
   it.
"""

import fcntl
import mmap
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from struct import Struct as Layout

from msgspec import Struct

from aimesh.core.clock import Clock

MAGIC = b"aimesh journal 1"
FRAME_HEAD = Layout("<II")
FRAME_HEAD_BYTES = FRAME_HEAD.size
SUFFIX = ".journal"
_UNBORN_SUFFIX = ".new"
_UNBORN_AGE_S = 60.0
_READ_BYTES = 256 << 10


def segment_name(wall_s: float, process: int, sequence: int) -> str:
    """Sorts by time of creation; unique among the processes that write into one directory."""
    return f"{int(wall_s * 1000):013d}-{process & 0xFFFFFFFF:08x}-{sequence:06d}{SUFFIX}"


class Segment:
    """The writer's side of a file; ``map``, ``position`` and ``limit`` are the journal's to use."""

    __slots__ = ("_descriptor", "_is_listed", "born_s", "limit", "map", "path", "position")

    def __init__(self, path: Path, descriptor: int, size_bytes: int) -> None:
        self.born_s = 0.0
        """Monotonic time of the first append's turn, set by the journal."""
        self.path = path
        self._descriptor = descriptor
        self._is_listed = False
        self.map = mmap.mmap(descriptor, size_bytes)
        self.position = len(MAGIC)
        self.limit = size_bytes

    @classmethod
    def create(cls, path: Path, size_bytes: int) -> "Segment":
        """Raises ``OSError``: no space, no directory, no permission; nothing is left behind then."""
        unborn = path.with_suffix(_UNBORN_SUFFIX)
        descriptor = os.open(unborn, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _allocate(descriptor, size_bytes)
            os.pwrite(descriptor, MAGIC, 0)
            segment = cls(path, descriptor, size_bytes)
            unborn.rename(path)
        except OSError:
            os.close(descriptor)
            unborn.unlink(missing_ok=True)
            raise
        return segment

    @property
    def is_used(self) -> bool:
        return self.position > len(MAGIC)

    def sync(self) -> None:
        """To the disk. Blocks, and lets other threads run meanwhile."""
        _sync_data(self._descriptor)
        if not self._is_listed:
            _sync_directory(self.path.parent)
            self._is_listed = True

    def close(self) -> None:
        """Cuts the file to its content, flushes and lets it go. The map must not be used again."""
        self.limit = 0
        try:
            if self.is_used:
                os.ftruncate(self._descriptor, self.position)
                self.sync()
            else:
                self.path.unlink(missing_ok=True)
        finally:
            self.map.close()
            os.close(self._descriptor)


# macOS has neither fdatasync nor posix_fallocate.
_sync_data: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


def _allocate(descriptor: int, size_bytes: int) -> None:
    """Real blocks, not a hole: a mapped write into a hole on a full disk is a fatal signal. Where the system
    cannot reserve blocks, zeros are written."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size_bytes)
        return
    zeros = bytes(1 << 20)
    for start in range(0, size_bytes, len(zeros)):
        os.pwrite(descriptor, zeros[: size_bytes - start], start)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Frames(Struct, frozen=True):
    payloads: list[bytes]
    end: int
    """Offset behind the last of them: where to go on reading."""
    is_torn: bool
    """What follows ``end`` is neither a frame nor zeros: half an append, if the writer is gone."""
    is_more: bool
    """The limit was reached; there may be more."""


def read_frames(descriptor: int, start: int, *, limit: int) -> Frames:
    """Up to ``limit`` payloads from offset ``start`` on (0: the beginning of the segment)."""
    if start < len(MAGIC):
        if os.pread(descriptor, len(MAGIC), 0) != MAGIC:
            return Frames([], 0, is_torn=True, is_more=False)
        start = len(MAGIC)
    payloads: list[bytes] = []
    size_bytes = os.fstat(descriptor).st_size
    data, base, at = b"", start, start
    while len(payloads) < limit:
        if at - base + FRAME_HEAD_BYTES > len(data):
            data, base = os.pread(descriptor, _READ_BYTES, at), at
            if len(data) < FRAME_HEAD_BYTES:
                return Frames(payloads, at, is_torn=any(data), is_more=False)
        size, checksum = FRAME_HEAD.unpack_from(data, at - base)
        begin = at + FRAME_HEAD_BYTES
        if size == 0:
            return Frames(payloads, at, is_torn=checksum != 0, is_more=False)
        if begin + size > size_bytes:
            return Frames(payloads, at, is_torn=True, is_more=False)
        payload = data[begin - base : begin - base + size]
        if len(payload) < size:
            data, base = os.pread(descriptor, max(_READ_BYTES, FRAME_HEAD_BYTES + size), at), at
            payload = data[FRAME_HEAD_BYTES : FRAME_HEAD_BYTES + size]
        if zlib.crc32(payload) != checksum:
            return Frames(payloads, at, is_torn=True, is_more=False)
        payloads.append(payload)
        at = begin + size
    return Frames(payloads, at, is_torn=False, is_more=True)


def has_writer(descriptor: int) -> bool:
    """Whether the process that appends to the segment is alive."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def list_segments(directory: Path) -> list[Path]:
    """Oldest first; an absent directory has none."""
    return sorted(directory.glob(f"*{SUFFIX}"))


def recover(directory: Path, *, clock: Clock) -> int:
    """Tidies up after killed writers: cuts their segments to what was appended, removes empty ones, and gives
    the number that ended in half a record. Safe beside live writers and readers."""
    torn = 0
    for path in list_segments(directory):
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            torn += _cut(path, descriptor)
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)
    oldest_s = clock.wall_s() - _UNBORN_AGE_S
    for path in directory.glob(f"*{_UNBORN_SUFFIX}"):
        if path.stat().st_mtime < oldest_s:
            path.unlink(missing_ok=True)
    return torn


def _cut(path: Path, descriptor: int) -> bool:
    frames = read_frames(descriptor, 0, limit=1 << 16)
    while frames.is_more:
        frames = read_frames(descriptor, frames.end, limit=1 << 16)
    if frames.end == 0:
        # Not a segment of ours: left as it is.
        return True
    if frames.end == len(MAGIC):
        path.unlink(missing_ok=True)
    elif frames.end < os.fstat(descriptor).st_size:
        os.ftruncate(descriptor, frames.end)
    return frames.is_torn


def prune(directory: Path, *, keep_s: float, clock: Clock) -> int:
    """Removes segments whose writer is gone and that were last written more than ``keep_s`` ago; gives how many."""
    oldest_s = clock.wall_s() - keep_s
    removed = 0
    for path in list_segments(directory):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            if os.fstat(descriptor).st_mtime < oldest_s and not has_writer(descriptor):
                path.unlink(missing_ok=True)
                removed += 1
        finally:
            os.close(descriptor)
    return removed
