"""Bounds how many questions to providers are on their way at a time, and how many of their files."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from aimesh.control.errors import TooManyRequests

AT_ONCE = 8
FILES_AT_ONCE = 32


class Questions:
    """Any thread may use it."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._slots = BoundedSemaphore(at_once)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Raises ``TooManyRequests``."""
        if not self._slots.acquire(blocking=False):
            raise TooManyRequests(
                "SLOW_DOWN", "providers are being asked about other tasks; try again", retry_after_s=2.0
            )
        try:
            yield
        finally:
            self._slots.release()
