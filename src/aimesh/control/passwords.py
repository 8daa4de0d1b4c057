"""Passwords: what is accepted, and how it is kept (argon2id).

1. Checking takes as long for somebody who does not exist or has no password as for somebody who does.
2. A hash made with weaker parameters than today's is made anew at the next sign-in.
3. Few hashes are made at once: each takes tens of megabytes, and strangers may ask for them. Few wait for a turn, too:
   each holds a thread that the rest of the admin API needs.
"""

import secrets
import unicodedata
from functools import cached_property
from threading import BoundedSemaphore

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from aimesh.control.errors import Detail, Invalid, Unavailable
from aimesh.core.secret import Secret
from aimesh.store.users import fold

LEAST = 10
MOST = 256
_AT_ONCE = 2
_WAITING = 8
_WAIT_S = 10.0

Hasher = argon2.PasswordHasher
USUAL_HASHER = argon2.PasswordHasher()


class Passwords:
    """Any thread may use it. Tests give a cheap hasher."""

    def __init__(self, hasher: Hasher = USUAL_HASHER) -> None:
        self._hasher = hasher
        self._turns = _Turns()

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash(secrets.token_hex(16))

    def hash(self, password: Secret[str]) -> Secret[str]:
        with self._turns:
            return Secret(self._hasher.hash(_normal(password)))

    def is_right(self, password: Secret[str], kept: Secret[str] | None) -> bool:
        """``kept`` None: nobody's; takes as long and is never right."""
        with self._turns:
            # Made at the first check, whoever it is about.
            nobodys = self._nobodys
            try:
                self._hasher.verify(kept.reveal() if kept is not None else nobodys, _normal(password))
            except (VerificationError, InvalidHashError):
                return False
            return kept is not None

    def is_stale(self, kept: Secret[str]) -> bool:
        return self._hasher.check_needs_rehash(kept.reveal())


def check_password(password: Secret[str], username: str, *, field: str = "password") -> None:
    """Raises ``Invalid`` for one that must not be used."""
    text = _normal(password)
    if len(text) < LEAST:
        raise _unusable(field, f"a password has at least {LEAST} characters")
    if len(text) > MOST:
        raise _unusable(field, f"a password has at most {MOST} characters")
    if fold(text) == fold(username):
        raise _unusable(field, "a password differs from the username")
    if len(set(text)) < 4:
        raise _unusable(field, "a password has at least four different characters")


def _unusable(field: str, message: str) -> Invalid:
    return Invalid("PASSWORD_UNUSABLE", message, details=[Detail(path=field, message=message)])


def _normal(password: Secret[str]) -> str:
    """Keyboards compose the same character in different ways."""
    return unicodedata.normalize("NFKC", password.reveal())


class _Turns:
    """A context manager for any number of threads."""

    def __init__(self) -> None:
        self._let_in = BoundedSemaphore(_AT_ONCE + _WAITING)
        self._slots = BoundedSemaphore(_AT_ONCE)

    def __enter__(self) -> None:
        if not self._let_in.acquire(blocking=False):
            raise _busy()
        if not self._slots.acquire(timeout=_WAIT_S):
            self._let_in.release()
            raise _busy()

    def __exit__(self, *_: object) -> None:
        self._slots.release()
        self._let_in.release()


def _busy() -> Unavailable:
    return Unavailable("BUSY", "too many people sign in at once; try again in a moment")
