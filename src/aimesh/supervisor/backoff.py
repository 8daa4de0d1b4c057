"""How long a child that ended is left alone: not at all at first, longer and longer while it keeps ending."""

LONGEST_S = 30.0
STEADY_S = 10.0
"""Who lived so long is no longer held to have ended before."""


class Backoff:
    def __init__(self) -> None:
        self._ends = 0

    def after(self, lived_s: float) -> float:
        """Seconds until the next start of a child that lived ``lived_s``: 0, 1, 2, 4 ... 30."""
        if lived_s >= STEADY_S:
            self._ends = 0
        self._ends += 1
        if self._ends == 1:
            return 0.0
        return min(LONGEST_S, 2.0 ** (self._ends - 2))
