"""Policies of virtual keys in a file, found by the digest of a key's text without reading the rest.

    magic, 8 bytes | number of entries u32 | bits u32
    first   2**bits + 1 times u32: the first entry of each bucket; a bucket is the digest's first bits
    entries of digest 32 bytes | place u64 | length u32, sorted by digest
    records one after another                                      (little endian)

1. A look-up reads one bucket (about 350 bytes), and the record where there is one. Nothing else is decoded, held or
   touched, however many keys there are, and however many texts a stranger tries.
2. Files are read with ``pread``, not through a map: a map of a file that somebody cuts is a fatal signal in the
   worker, a short read is a key that is not found. The bytes lie in the kernel's cache once for all workers.
3. An empty record is a key that is gone: of two files, the one of the changes speaks first.
4. A file is complete before it has its name, and is never changed after that.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from struct import Struct as Layout

import msgspec

from aimesh.core.policy import KeyPolicy

DIGEST_BYTES = 32
GONE = b""
"""The record of a key that was there in an older file."""

_MAGIC = b"aimkeys1"
_HEAD = Layout("<8sII")
_ENTRY = Layout("<32sQI")
_FIRST = Layout("<I")
_RANGE = Layout("<II")
_IN_BUCKET = 8
_MOST_BITS = 20
_READ_BYTES = 256 << 10

Entry = tuple[bytes, bytes]
"""Digest and record."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(KeyPolicy)


class TableError(Exception):
    """A file that is not what it should be; the message is safe to show."""


def encode_policy(policy: KeyPolicy) -> bytes:
    return _ENCODER.encode(policy)


def decode_policy(record: bytes) -> KeyPolicy:
    """Raises ``TableError``."""
    try:
        return _DECODER.decode(record)
    except msgspec.MsgspecError as error:
        raise TableError(f"a key's record cannot be read: {error}") from error


def encode_table(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The file in pieces."""
    ordered = sorted(entries, key=itemgetter(0))
    bits = min(_MOST_BITS, (len(ordered) // _IN_BUCKET).bit_length())
    yield _HEAD.pack(_MAGIC, len(ordered), bits)
    yield _bucket_starts(ordered, bits)
    place = _records_start(len(ordered), bits)
    entry_lines: list[bytes] = []
    for digest, record in ordered:
        entry_lines.append(_ENTRY.pack(digest, place, len(record)))
        place += len(record)
    yield b"".join(entry_lines)
    yield b"".join(record for _, record in ordered)


def _bucket_starts(ordered: list[Entry], bits: int) -> bytes:
    starts: list[bytes] = []
    for index, (digest, _) in enumerate(ordered):
        missing = _bucket(digest, bits) + 1 - len(starts)
        if missing > 0:
            starts.append(_FIRST.pack(index))
            starts.extend([_FIRST.pack(index)] * (missing - 1))
    starts.extend([_FIRST.pack(len(ordered))] * ((1 << bits) + 1 - len(starts)))
    return b"".join(starts)


def _bucket(digest: bytes, bits: int) -> int:
    return int.from_bytes(digest[:4], "big") >> (32 - bits)


def _records_start(count: int, bits: int) -> int:
    return _HEAD.size + ((1 << bits) + 1) * _FIRST.size + count * _ENTRY.size


class TableFile:
    """One file, open as long as this lives."""

    __slots__ = ("_bits", "_descriptor", "_entries", "_size", "_starts", "count")

    def __init__(self, descriptor: int) -> None:
        """Takes the descriptor over. Raises ``TableError``, ``OSError``."""
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        head = os.pread(descriptor, _HEAD.size, 0)
        if len(head) < _HEAD.size or head[: len(_MAGIC)] != _MAGIC:
            raise TableError("the file is no table of keys")
        _, self.count, self._bits = _HEAD.unpack(head)
        if self._bits > _MOST_BITS or self._size < _records_start(self.count, self._bits):
            raise TableError("the table of keys is cut off")
        length = ((1 << self._bits) + 1) * _FIRST.size
        self._starts = os.pread(descriptor, length, _HEAD.size)
        self._entries = _HEAD.size + length

    @classmethod
    def open(cls, path: Path) -> "TableFile":
        return cls(os.open(path, os.O_RDONLY | os.O_CLOEXEC))

    def __del__(self) -> None:
        os.close(self._descriptor)

    def is_whole(self) -> bool:
        """False: somebody cut the file while it was open."""
        return os.fstat(self._descriptor).st_size == self._size

    def find(self, digest: bytes) -> bytes | None:
        """The record; ``GONE``; or None: this file says nothing of it."""
        low, high = _RANGE.unpack_from(self._starts, _bucket(digest, self._bits) * _FIRST.size)
        if low == high:
            return None
        size = _ENTRY.size
        block = os.pread(self._descriptor, (high - low) * size, self._entries + low * size)
        at = block.find(digest)
        while at >= 0 and at % size:
            # A digest's bytes across two entries: no honest one, but it costs a line.
            at = block.find(digest, at + 1)
        if at < 0 or at + size > len(block):
            return None
        _, place, length = _ENTRY.unpack_from(block, at)
        record = os.pread(self._descriptor, length, place)
        return record if len(record) == length else None

    def __iter__(self) -> Iterator[Entry]:
        """Every entry, in the order of digests. Raises ``TableError`` when the file was cut."""
        for first in range(0, self.count, _READ_BYTES // _ENTRY.size):
            count = min(self.count - first, _READ_BYTES // _ENTRY.size)
            block = os.pread(self._descriptor, count * _ENTRY.size, self._entries + first * _ENTRY.size)
            if len(block) != count * _ENTRY.size:
                raise TableError("the table of keys is cut off")
            rows = list(_ENTRY.iter_unpack(block))
            start = rows[0][1]
            records = os.pread(self._descriptor, rows[-1][1] + rows[-1][2] - start, start)
            for digest, place, length in rows:
                record = records[place - start : place - start + length]
                if len(record) != length:
                    raise TableError("the table of keys is cut off")
                yield digest, record


class KeyTable:
    """A table of every key with the changes since it was made."""

    __slots__ = ("changes", "table")

    def __init__(self, table: TableFile, changes: TableFile | None) -> None:
        self.table = table
        self.changes = changes

    def find(self, digest: bytes) -> KeyPolicy | None:
        """Raises ``TableError`` for a record that this release cannot read."""
        record = self.changes.find(digest) if self.changes is not None else None
        if record is None:
            record = self.table.find(digest)
        return decode_policy(record) if record else None

    def changed_since(self, older: "KeyTable") -> set[bytes] | None:
        """Digests whose policy may be another one than in ``older``; None: any may."""
        if self.table is not older.table:
            return None
        now = dict(self.changes) if self.changes is not None else {}
        before = dict(older.changes) if older.changes is not None else {}
        return {digest for digest, record in now.items() if before.get(digest) != record} | (
            before.keys() - now.keys()
        )

    def entries(self) -> Iterator[Entry]:
        return folded(self.table, dict(self.changes) if self.changes is not None else {})


def folded(table: Iterable[Entry], changes: Mapping[bytes, bytes]) -> Iterator[Entry]:
    """Every key that is there after the changes, in no order."""
    yield from ((digest, record) for digest, record in table if record and digest not in changes)
    yield from ((digest, record) for digest, record in changes.items() if record)
