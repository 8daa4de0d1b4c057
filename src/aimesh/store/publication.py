"""What the control process tells the workers, as files in ``<home>/published``.

    current.json     the manifest: which parts, how long, with which checksums
    previous.json    the manifest before it
    keys-...         every virtual key               (``key_table.py``)
    changes-...      the keys that changed since     (``key_table.py``)
    world-...        tenants, credentials, changes to providers and models

1. A part is complete, and on the disk, before a manifest names it; its name is of its content. The manifest is
   replaced by a rename: a reader has the old publication or the new one, whole.
2. A reader believes nothing before sizes and checksums fit. What does not fit is reported once and changes nothing;
   a reader that has nothing yet falls back to the manifest before.
3. Parts that no manifest names stay for ``GRACE_S``, for a reader that is just opening them.
4. One writer at a time: it holds ``lock`` as long as it lives.
5. Secrets are here only as envelopes of the vault. The directory is the owner's alone all the same.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from aimesh.core.clock import Clock
from aimesh.core.ids import ModelName, ProviderId, TenantId
from aimesh.core.policy import CredentialPolicy, TenantPolicy
from aimesh.store.key_table import KeyTable, TableError, TableFile
from aimesh.store.vault import Place

GRACE_S = 60.0
RETRY_POLLS = 25
"""A bad publication is looked at again after so many polls: a file may come back."""

_FORMAT = 1
_CURRENT = "current.json"
_PREVIOUS = "previous.json"
_LOCK = "lock"
_DRAFT = ".draft"
_LARGEST_MANIFEST = 64 << 10
_READ_BYTES = 256 << 10

OnAlarm = Callable[[str, str], None]
"""A short name and a safe text."""


def published_directory(home: Path) -> Path:
    return home / "published"


class PublicationError(Exception):
    """A publication that cannot be used; the message is safe to show."""


class World(Struct, frozen=True, omit_defaults=True):
    """Everything but the keys."""

    tenants: tuple[TenantPolicy, ...] = ()
    credentials: tuple[CredentialPolicy, ...] = ()
    """Those that are enabled."""
    providers: dict[ProviderId, bytes] = {}
    """JSON of ``catalog.schema.ProviderEntry``. As bytes, so that decoding is the reader's to pace."""
    models: dict[ModelName, bytes] = {}
    """JSON of ``catalog.schema.ModelEntry``."""


EMPTY_WORLD = World()


class Part(Struct, frozen=True):
    name: str
    size: int
    sha256: str


class Manifest(Struct, frozen=True):
    version: int
    """Moves with every publication."""
    keys_number: int
    """Of the database, see ``store/changes.py``."""
    world_number: int
    table: Part
    changes: Part | None
    world: Part | None
    format: int = _FORMAT


class Published(Struct, frozen=True):
    version: int
    keys: KeyTable
    world: World
    """The same object as before when it did not change."""


_WORLD = msgspec.msgpack.Decoder(World)
_MANIFEST = msgspec.json.Decoder(Manifest)


class Publication:
    """The reader's side; may be called from any one thread at a time."""

    def __init__(self, directory: Path, on_alarm: OnAlarm) -> None:
        self._directory = directory
        self._on_alarm = on_alarm
        self._seen: tuple[int, int, int] | None = None
        self._bad_polls = 0
        self._manifest: Manifest | None = None
        self.published: Published | None = None
        """What ``poll`` or ``take`` gave last."""

    def has_moved(self) -> bool:
        """Whether ``poll`` has something to do. One ``stat``."""
        if self._bad_polls:
            self._bad_polls -= 1
            if not self._bad_polls:
                return True
        return _signature(self._directory / _CURRENT) != self._seen

    def poll(self) -> Published | None:
        """The newest publication, when it is another one than before. Reads files."""
        seen = _signature(self._directory / _CURRENT)
        was_bad = seen == self._seen
        self._seen = seen
        self._bad_polls = 0
        if seen is not None:
            try:
                return self.take(_read_manifest(self._directory / _CURRENT))
            except PublicationError as error:
                self._bad_polls = RETRY_POLLS
                if not was_bad:
                    self._on_alarm("publication_bad", str(error))
        if self.published is not None:
            return None
        try:
            return self.take(_read_manifest(self._directory / _PREVIOUS))
        except PublicationError:
            return None

    def take(self, manifest: Manifest) -> Published | None:
        """What the manifest names; None when it is the one before. Raises ``PublicationError`` and keeps that one."""
        if manifest == self._manifest:
            return None
        old, given = self._manifest, self.published
        if old is not None and given is not None:
            table = self._table(manifest.table, old.table, given.keys.table)
            changes = self._changes(manifest.changes, old.changes, given.keys.changes)
            world = given.world if manifest.world == old.world else self._world(manifest.world)
        else:
            table = self._table(manifest.table)
            changes = self._changes(manifest.changes)
            world = self._world(manifest.world)
        published = Published(version=manifest.version, keys=KeyTable(table, changes), world=world)
        self._manifest, self.published = manifest, published
        return published

    def _table(self, part: Part, known: Part | None = None, file: TableFile | None = None) -> TableFile:
        """``file``, if it is the open one of the same part."""
        if file is not None and part == known and file.is_whole():
            return file
        try:
            return TableFile(_open_checked(self._directory, part))
        except (TableError, OSError) as error:
            raise PublicationError(f"{part.name}: {_why(error)}") from error

    def _changes(
        self, part: Part | None, known: Part | None = None, file: TableFile | None = None
    ) -> TableFile | None:
        return None if part is None else self._table(part, known, file)

    def _world(self, part: Part | None) -> World:
        if part is None:
            return EMPTY_WORLD
        descriptor = _open_checked(self._directory, part)
        try:
            return _WORLD.decode(os.pread(descriptor, part.size, 0))
        except (msgspec.MsgspecError, OSError) as error:
            raise PublicationError(f"{part.name}: {_why(error)}") from error
        finally:
            os.close(descriptor)


class PublicationWriter:
    """The control process's side. Raises ``OSError`` where the disk does."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        self.directory = directory
        self._clock = clock
        self._lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._is_ours = False
        self._retired: dict[str, float] = {}
        self.current: Manifest | None = None
        """As last published, by this writer or the one before it."""
        self._previous: Manifest | None = None

    def acquire(self) -> bool:
        """Whether this is the writer now. Asked before everything else."""
        if not self._is_ours:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self._is_ours = True
            self.current = self._known(_CURRENT)
            self._previous = self._known(_PREVIOUS)
        return True

    def put(self, kind: str, pieces: Iterable[bytes]) -> Part:
        """Writes a part; nobody reads it before ``commit``."""
        size, sha256 = self._draft(kind, pieces)
        part = Part(name=f"{kind}-{sha256[:16]}", size=size, sha256=sha256)
        (self.directory / (kind + _DRAFT)).rename(self.directory / part.name)
        return part

    def is_intact(self) -> bool:
        """Whether what was published last is still there, by its looks."""
        if self.current is None:
            return True
        try:
            return _read_manifest(self.directory / _CURRENT) == self.current and all(
                (self.directory / part.name).stat().st_size == part.size for part in _parts(self.current)
            )
        except (PublicationError, OSError):
            return False

    def commit(self, manifest: Manifest) -> None:
        """From here on it is what workers take."""
        if self.current is not None:
            self._write(_PREVIOUS, self.current)
        self._write(_CURRENT, manifest)
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._previous, self.current = self.current, manifest
        self._sweep()

    def close(self) -> None:
        """Lets another writer begin. A second call does nothing."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
            self._is_ours = False

    def _known(self, name: str) -> Manifest | None:
        try:
            return _read_manifest(self.directory / name)
        except PublicationError:
            return None

    def _write(self, name: str, manifest: Manifest) -> None:
        self._draft(name, [msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"])
        (self.directory / (name + _DRAFT)).rename(self.directory / name)

    def _draft(self, name: str, pieces: Iterable[bytes]) -> tuple[int, str]:
        """Length and checksum of what is on the disk now."""
        digest = hashlib.sha256()
        size = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        with os.fdopen(os.open(self.directory / (name + _DRAFT), flags, 0o600), "wb") as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
            file.flush()
            os.fsync(file.fileno())
        return size, digest.hexdigest()

    def _sweep(self) -> None:
        kept = {_CURRENT, _PREVIOUS, _LOCK}
        for manifest in (self.current, self._previous):
            if manifest is not None:
                kept.update(part.name for part in _parts(manifest))
        now_s = self._clock.monotonic_s()
        names = {path.name for path in self.directory.iterdir()} - kept
        self._retired = {name: self._retired.get(name, now_s) for name in names}
        for name, since_s in self._retired.items():
            if now_s - since_s >= GRACE_S:
                (self.directory / name).unlink(missing_ok=True)


def _parts(manifest: Manifest) -> list[Part]:
    return [part for part in (manifest.table, manifest.changes, manifest.world) if part is not None]


def place_of(credential: CredentialPolicy) -> Place:
    """What its envelope is bound to (``store/credentials.py`` seals it)."""
    return Place("credential", credential.tenant or TenantId(""), credential.id)


def encode_world(world: World) -> bytes:
    return msgspec.msgpack.encode(world)


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read_manifest(path: Path) -> Manifest:
    try:
        with path.open("rb") as file:
            manifest = _MANIFEST.decode(file.read(_LARGEST_MANIFEST))
    except (OSError, msgspec.MsgspecError) as error:
        raise PublicationError(f"{path.name}: {_why(error)}") from error
    if manifest.format != _FORMAT:
        raise PublicationError(f"{path.name}: written by another release")
    return manifest


def _open_checked(directory: Path, part: Part) -> int:
    """The part, proved to be what the manifest says. Hashing lets other threads run."""
    descriptor = -1
    try:
        descriptor = os.open(directory / Path(part.name).name, os.O_RDONLY | os.O_CLOEXEC)
        is_whole = os.fstat(descriptor).st_size == part.size and _sha256(descriptor) == part.sha256
    except OSError as error:
        if descriptor >= 0:
            os.close(descriptor)
        raise PublicationError(f"{part.name}: {_why(error)}") from error
    if not is_whole:
        os.close(descriptor)
        raise PublicationError(f"{part.name}: length or checksum do not fit")
    return descriptor


def _sha256(descriptor: int) -> str:
    digest = hashlib.sha256()
    place = 0
    while piece := os.pread(descriptor, _READ_BYTES, place):
        digest.update(piece)
        place += len(piece)
    return digest.hexdigest()


def _why(error: Exception) -> str:
    return (error.strerror or "unreadable").lower() if isinstance(error, OSError) else str(error)
