"""Bounds how many threads of the admin API wait for providers at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from aimesh.control.errors import TooManyRequests

AT_ONCE = 8


class Questions:
    """Any thread may use it."""

    def __init__(self) -> None:
        self._slots = BoundedSemaphore(AT_ONCE)

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
