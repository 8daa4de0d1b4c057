"""The text of a virtual key: how it is made, and what it is found by. Imports little: who starts quickly needs it."""

import hashlib
import re
import secrets
import string

from aimesh.core.secret import Secret

PREFIX = "ck-"
_LENGTH = 40
_ALPHABET = string.digits + string.ascii_letters
_MADE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_LENGTH}}}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


def make_text() -> Secret[str]:
    return Secret(PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)))


def digest(text: Secret[str]) -> bytes:
    """What a key is looked up by. The text is 238 random bits: it needs no salt and no slow hash."""
    return hashlib.sha256(text.reveal().encode()).digest()


def is_made(text: str) -> bool:
    """Whether it looks like the whole text of a key that was made here; an alias hardly does."""
    return _MADE.fullmatch(text) is not None


def named_by_digest(text: Secret[str]) -> str:
    """What stands for the text where it would be seen by others: in the address of a request."""
    return f"sha256:{digest(text).hex()}"


def read_digest(name: str) -> bytes | None:
    """What ``named_by_digest`` wrote; None: it is something else."""
    found = _DIGEST.fullmatch(name)
    return bytes.fromhex(found[1]) if found is not None else None
