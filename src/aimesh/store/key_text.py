"""The text of a virtual key: how it is made, and what it is found by. Imports little: who starts quickly needs it."""

import hashlib
import secrets
import string

from aimesh.core.secret import Secret

PREFIX = "ck-"
_LENGTH = 40
_ALPHABET = string.digits + string.ascii_letters


def make_text() -> Secret[str]:
    return Secret(PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)))


def digest(text: Secret[str]) -> bytes:
    """What a key is looked up by. The text is 238 random bits: it needs no salt and no slow hash."""
    return hashlib.sha256(text.reveal().encode()).digest()
