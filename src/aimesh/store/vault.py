"""Encrypts what must be read back: texts of virtual keys, credentials towards providers.

    envelope v1: version, 1 byte | master key's id, 4 bytes | nonce, 12 bytes | AES-256-GCM ciphertext and tag

1. The place of a secret (tenant, kind, id) is authenticated with it: an envelope copied to another row does
   not open.
2. An envelope names its master key, so several are open at once and a new one takes over by being put first:
   what is written is written under the first, what is read is read under whichever it names.
3. Master keys come from the setting (``AIMESH_MASTER_KEY``) or from a file that is made once, mode 0600, one key a
   line, the current one first. They are 32 random bytes; a passphrase is refused.
4. A file that another process changed is read again: before something is written, and when an envelope names a key
   that is not known yet. So a new master key takes over in every process without a restart.
"""

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from aimesh.core.ids import TenantId
from aimesh.core.secret import Secret

_VERSION = b"\x01"
_KEY_BYTES = 32
_ID_BYTES = 4
_NONCE_BYTES = 12
_FILE_NAME = "master.key"
_FILE_LIMIT = 64 * 1024


class VaultError(Exception):
    """The master key is unusable or an envelope does not open; the message holds no secret."""


class Place(Struct, frozen=True):
    """Where a secret lives."""

    kind: str
    tenant: TenantId
    id: str

    def bound(self) -> bytes:
        """Each part with its length, so that two different places never read the same."""
        parts = (self.kind.encode(), self.tenant.encode(), self.id.encode())
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


class _Ring(Struct, frozen=True):
    """Master keys that are open together; swapped whole, because several threads ask."""

    first: bytes
    ciphers: dict[bytes, AESGCM]


def _ring(keys: Sequence[Secret[bytes]]) -> _Ring:
    if not keys or any(len(key.reveal()) != _KEY_BYTES for key in keys):
        raise VaultError(f"a master key is {_KEY_BYTES} bytes")
    return _Ring(first=_id_of(keys[0]), ciphers={_id_of(key): AESGCM(key.reveal()) for key in keys})


class Vault:
    """Holds master keys; the first encrypts, all decrypt. ``news`` gives the keys where they have changed since it was
    asked last."""

    __slots__ = ("_news", "_ring")

    def __init__(
        self, keys: Sequence[Secret[bytes]], news: Callable[[], Sequence[Secret[bytes]] | None] | None = None
    ) -> None:
        self._ring = _ring(keys)
        self._news = news

    def encrypt(self, secret: Secret[str], place: Place) -> bytes:
        ring = self._latest()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = _VERSION + ring.first
        text = ring.ciphers[ring.first].encrypt(nonce, secret.reveal().encode(), head + place.bound())
        return head + nonce + text

    def decrypt(self, envelope: bytes, place: Place) -> Secret[str]:
        """Raises ``VaultError``: written under a master key that is not here, for another place, or damaged."""
        head, rest = envelope[: 1 + _ID_BYTES], envelope[1 + _ID_BYTES :]
        if head[:1] != _VERSION:
            raise VaultError("the secret was encrypted by a later release")
        cipher = self._ring.ciphers.get(head[1:]) or self._latest().ciphers.get(head[1:])
        if cipher is None:
            raise VaultError("the secret was encrypted under another master key")
        try:
            text = cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + place.bound())
        except (InvalidTag, ValueError) as error:
            raise VaultError("the secret is damaged or belongs elsewhere") from error
        return Secret(text.decode())

    def is_stale(self, envelope: bytes) -> bool:
        """Written under a master key that is no longer the first: to be encrypted anew."""
        return envelope[1 : 1 + _ID_BYTES] != self._ring.first

    def _latest(self) -> _Ring:
        keys = self._news() if self._news is not None else None
        if keys is not None:
            self._ring = _ring(keys)
        return self._ring


def open_vault(home: Path, setting: Secret[str] | None) -> Vault:
    """``setting``: one master key, or several separated by commas, the current one first; each 64 hex digits
    or 44 characters of base64. None: the file in ``home``, made if absent. Raises ``VaultError``."""
    if setting is not None:
        return Vault([_parsed(text.strip()) for text in setting.reveal().split(",")])
    file = _KeyFile(home / _FILE_NAME)
    return Vault(file.read(), file.news)


def add_file_key(home: Path) -> None:
    """Puts a new master key first in the file; the ones before it go on opening what they closed. Raises
    ``VaultError``."""
    path = home / _FILE_NAME
    _write_file(path, [Secret(secrets.token_bytes(_KEY_BYTES)), *_KeyFile(path).read()])


def forget_old_file_keys(home: Path) -> int:
    """Leaves the current master key alone in the file; gives the number of those that are gone. To be called when
    nothing is stale any more: what they closed opens never again. Raises ``VaultError``."""
    path = home / _FILE_NAME
    keys = _KeyFile(path).read()
    _write_file(path, keys[:1])
    return len(keys) - 1


class _KeyFile:
    """The file with the master keys, and what it was when it was read last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = (0, 0)

    def read(self) -> list[Secret[bytes]]:
        try:
            if not self._path.exists():
                _make_file(self._path)
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                found = os.fstat(descriptor)
                if found.st_mode & 0o077:
                    raise VaultError(
                        f"{self._path} can be read by others; after checking who did: chmod 600 {self._path}"
                    )
                text = os.read(descriptor, _FILE_LIMIT).decode("ascii", "replace")
            finally:
                os.close(descriptor)
        except OSError as error:
            raise VaultError(f"{self._path} cannot be used: {error.strerror}") from error
        keys = [_parsed(line.strip()) for line in text.split("\n") if line.strip()]
        if not keys:
            raise VaultError(f"{self._path} is empty: {_WANTED}")
        self._seen = (found.st_ino, found.st_mtime_ns)
        return keys

    def news(self) -> list[Secret[bytes]] | None:
        try:
            found = self._path.stat()
        except OSError:
            # Gone or unreadable for a moment: what is open stays open, and a new key is not made behind its back.
            return None
        return self.read() if (found.st_ino, found.st_mtime_ns) != self._seen else None


def _id_of(key: Secret[bytes]) -> bytes:
    return hashlib.sha256(b"aimesh master key id\0" + key.reveal()).digest()[:_ID_BYTES]


def _parsed(text: str) -> Secret[bytes]:
    try:
        key = bytes.fromhex(text) if len(text) == 2 * _KEY_BYTES else base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise VaultError(_WANTED) from error
    if len(key) != _KEY_BYTES:
        raise VaultError(_WANTED)
    return Secret(key)


_WANTED = f"a master key is {_KEY_BYTES} random bytes in hex or base64; make one with: openssl rand -hex 32"


def _make_file(path: Path) -> None:
    """Complete under its name or not there at all; of several processes the first one's key stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _draft(path, [Secret(secrets.token_bytes(_KEY_BYTES))])
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)


def _write_file(path: Path, keys: Sequence[Secret[bytes]]) -> None:
    """Replaces the file, whole or not at all."""
    try:
        _draft(path, keys).replace(path)
        directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise VaultError(f"{path} cannot be written: {error.strerror}") from error


def _draft(path: Path, keys: Sequence[Secret[bytes]]) -> Path:
    """A file with the keys beside the real one, on the disk."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, "".join(f"{key.reveal().hex()}\n" for key in keys).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return draft
