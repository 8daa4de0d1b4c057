"""Encrypts what must be read back: texts of virtual keys now, credentials towards providers later.

    envelope v1: version, 1 byte | master key's id, 4 bytes | nonce, 12 bytes | AES-256-GCM ciphertext and tag

1. The place of a secret (tenant, kind, id) is authenticated with it: an envelope copied to another row does
   not open.
2. An envelope names its master key, so several are open at once and a new one takes over by being put first:
   what is written is written under the first, what is read is read under whichever it names.
3. Master keys come from the setting (``AIMESH_MASTER_KEY``) or from a file that is made once, mode 0600. They
   are 32 random bytes; a passphrase is refused.
"""

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Sequence
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


class Vault:
    """Holds master keys; the first encrypts, all decrypt."""

    __slots__ = ("_ciphers", "_first")

    def __init__(self, keys: Sequence[Secret[bytes]]) -> None:
        if not keys or any(len(key.reveal()) != _KEY_BYTES for key in keys):
            raise VaultError(f"a master key is {_KEY_BYTES} bytes")
        self._ciphers = {_id_of(key): AESGCM(key.reveal()) for key in keys}
        self._first = _id_of(keys[0])

    def encrypt(self, secret: Secret[str], place: Place) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = _VERSION + self._first
        text = self._ciphers[self._first].encrypt(nonce, secret.reveal().encode(), head + place.bound())
        return head + nonce + text

    def decrypt(self, envelope: bytes, place: Place) -> Secret[str]:
        """Raises ``VaultError``: written under a master key that is not here, for another place, or damaged."""
        head, rest = envelope[: 1 + _ID_BYTES], envelope[1 + _ID_BYTES :]
        if head[:1] != _VERSION:
            raise VaultError("the secret was encrypted by a later release")
        cipher = self._ciphers.get(head[1:])
        if cipher is None:
            raise VaultError("the secret was encrypted under another master key")
        try:
            text = cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + place.bound())
        except (InvalidTag, ValueError) as error:
            raise VaultError("the secret is damaged or belongs elsewhere") from error
        return Secret(text.decode())

    def is_stale(self, envelope: bytes) -> bool:
        """Written under a master key that is no longer the first: to be encrypted anew."""
        return envelope[1 : 1 + _ID_BYTES] != self._first


def open_vault(home: Path, setting: Secret[str] | None) -> Vault:
    """``setting``: one master key, or several separated by commas, the current one first; each 64 hex digits
    or 44 characters of base64. None: the file in ``home``, made if absent. Raises ``VaultError``."""
    if setting is not None:
        return Vault([_parsed(text.strip()) for text in setting.reveal().split(",")])
    return Vault([_from_file(home / _FILE_NAME)])


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


def _from_file(path: Path) -> Secret[bytes]:
    try:
        if not path.exists():
            _make_file(path)
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if os.fstat(descriptor).st_mode & 0o077:
                raise VaultError(f"{path} can be read by others; after checking who did: chmod 600 {path}")
            text = os.read(descriptor, 1024).decode("ascii", "replace")
        finally:
            os.close(descriptor)
    except OSError as error:
        raise VaultError(f"{path} cannot be used: {error.strerror}") from error
    return _parsed(text.strip())


def _make_file(path: Path) -> None:
    """Complete under its name or not there at all; of several processes the first one's key stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(_KEY_BYTES).encode() + b"\n")
        os.fsync(descriptor)
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        os.close(descriptor)
        draft.unlink(missing_ok=True)
