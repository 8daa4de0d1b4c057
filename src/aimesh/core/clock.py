"""Time as an argument.

``monotonic_s`` measures durations and deadlines; ``wall_s`` dates records. Nothing else in the project asks
the operating system for the time, so a test can hold a clock in its hand.
"""

import time
from typing import Protocol


class Clock(Protocol):
    def monotonic_s(self) -> float: ...

    def wall_s(self) -> float: ...


class SystemClock:
    """The machine's clock. Bound functions, because the hot path calls them several times per call."""

    __slots__ = ("monotonic_s", "wall_s")

    def __init__(self) -> None:
        self.monotonic_s = time.monotonic
        # The one place that may ask for the time.
        self.wall_s = time.time  # noqa: TID251


class FixedClock:
    """A clock for tests: both times advance together and only by ``advance``."""

    __slots__ = ("_now_s",)

    def __init__(self, now_s: float = 1_750_000_000.0) -> None:
        self._now_s = now_s

    def monotonic_s(self) -> float:
        return self._now_s

    def wall_s(self) -> float:
        return self._now_s

    def advance(self, seconds: float) -> None:
        self._now_s += seconds
