"""How fast endpoints are: time to first byte and output tokens per second, as calls found them. Pure.

1. Kept per circuit (endpoint and credential), for streamed and for whole calls apart.
2. A mean in which a measurement counts half after ``HALF_LIFE_S``; feeding it costs the same however many there were.
3. What was not measured for ``STALE_S`` is as good as never measured.
"""

from aimesh.routing.candidate import Circuit

HALF_LIFE_S = 300.0
STALE_S = 5 * HALF_LIFE_S
MOST = 50_000
"""Circuits kept; beyond it the stale ones go."""
LEAST_TOKENS = 32
"""Shorter answers are all waiting: they say nothing about the pace."""

_DECAY = -1.0 / HALF_LIFE_S


class _Pace:
    """Decayed sums of one circuit for one way of answering."""

    __slots__ = ("first_s", "last_s", "tokens", "tokens_last_s", "tokens_weight", "weight")

    def __init__(self) -> None:
        self.last_s = 0.0
        self.weight = 0.0
        self.first_s = 0.0
        self.tokens_last_s = 0.0
        self.tokens_weight = 0.0
        self.tokens = 0.0


class Measures:
    """One per worker. Times are monotonic seconds."""

    __slots__ = ("_streamed", "_whole")

    def __init__(self) -> None:
        self._streamed: dict[Circuit, _Pace] = {}
        self._whole: dict[Circuit, _Pace] = {}

    def feed(
        self, circuit: Circuit, *, stream: bool, now_s: float, ttfb_s: float, tokens_per_s: float | None
    ) -> None:
        """One call that was answered well. ``tokens_per_s``: None where it says nothing (no usage, few tokens)."""
        paces = self._streamed if stream else self._whole
        pace = paces.get(circuit)
        if pace is None:
            if len(paces) >= MOST:
                _drop_stale(paces, now_s)
            pace = paces[circuit] = _Pace()
        fade = 2.0 ** ((now_s - pace.last_s) * _DECAY)
        pace.last_s = now_s
        pace.weight = pace.weight * fade + 1.0
        pace.first_s = pace.first_s * fade + ttfb_s
        if tokens_per_s is not None:
            fade = 2.0 ** ((now_s - pace.tokens_last_s) * _DECAY)
            pace.tokens_last_s = now_s
            pace.tokens_weight = pace.tokens_weight * fade + 1.0
            pace.tokens = pace.tokens * fade + tokens_per_s

    def ttfb_s(self, circuit: Circuit, *, stream: bool, now_s: float) -> float | None:
        """None: never measured, or long ago."""
        pace = (self._streamed if stream else self._whole).get(circuit)
        if pace is None or now_s - pace.last_s > STALE_S:
            return None
        return pace.first_s / pace.weight

    def tokens_per_s(self, circuit: Circuit, *, stream: bool, now_s: float) -> float | None:
        pace = (self._streamed if stream else self._whole).get(circuit)
        if pace is None or not pace.tokens_weight or now_s - pace.tokens_last_s > STALE_S:
            return None
        return pace.tokens / pace.tokens_weight


def tokens_per_s(output_tokens: int, seconds: float) -> float | None:
    """The pace of an answer from the request sent to the answer's end; None where it says nothing. The wait is in it,
    because an upstream that gathers a whole answer before it streams it would look infinitely fast without."""
    if output_tokens < LEAST_TOKENS or seconds <= 0:
        return None
    return output_tokens / seconds


def _drop_stale(paces: dict[Circuit, _Pace], now_s: float) -> None:
    for circuit in [name for name, pace in paces.items() if now_s - pace.last_s > STALE_S]:
        del paces[circuit]
    if len(paces) >= MOST:
        # All of them busy: measured anew within minutes.
        paces.clear()
