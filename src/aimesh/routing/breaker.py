"""Circuit breakers, one per endpoint and credential. Pure: the time is an argument.

States: *closed* (calls pass), *open* until a time (calls are skipped), *half open* (one probe at a time).

1. It opens after ``FAILURES_IN_A_ROW`` failures, or when at least half of ``WINDOW_CALLS`` or more in
   ``WINDOW_S`` seconds failed, or at once for as long as a ``Retry-After`` says (at most ``MAX_OPEN_S``).
2. A probe that succeeds closes it; one that fails opens it again, for twice as long, up to ``MAX_OPEN_S``.
3. A probe that never reports (its call was cancelled) is forgotten after ``PROBE_S``.
4. Only failures of the provider count; a call that the caller broke off says nothing.
5. Circuits that are not closed are in ``Breakers.troubled``, so that the usual call, which meets none, asks one
   question and not one per candidate.
"""

from aimesh.routing.candidate import Circuit

FAILURES_IN_A_ROW = 5
WINDOW_CALLS = 20
WINDOW_S = 30.0
FIRST_OPEN_S = 5.0
MAX_OPEN_S = 60.0
PROBE_S = 120.0
MOST = 50_000
"""Circuits kept; beyond it the closed ones begin anew."""


class Breaker:
    """One circuit. Mutable by design: it is a counter, owned by the data plane's loop."""

    __slots__ = (
        "_calls",
        "_circuit",
        "_failures",
        "_in_a_row",
        "_open_s",
        "_open_until_s",
        "_probe_until_s",
        "_troubled",
        "_window_start_s",
    )

    def __init__(self, circuit: Circuit = ("", ""), troubled: "dict[Circuit, Breaker] | None" = None) -> None:
        """``troubled``: where it is listed while it is not closed."""
        self._circuit = circuit
        self._troubled = {} if troubled is None else troubled
        self._in_a_row = 0
        self._calls = 0
        self._failures = 0
        self._window_start_s = 0.0
        self._open_until_s = 0.0
        self._open_s = FIRST_OPEN_S
        self._probe_until_s = 0.0

    def allows(self, now_s: float) -> bool:
        """Whether a call may go now."""
        if self._open_until_s == 0.0:
            return True
        return now_s >= self._open_until_s and now_s >= self._probe_until_s

    def is_cooling(self, now_s: float) -> bool:
        return self._open_until_s > now_s

    @property
    def open_until_s(self) -> float:
        """0: it is closed."""
        return self._open_until_s

    @property
    def failures(self) -> int:
        """In a row."""
        return self._in_a_row

    def began(self, now_s: float) -> None:
        """A call was sent. In the half-open state it is the probe."""
        if now_s - self._window_start_s > WINDOW_S:
            self._window_start_s = now_s
            self._calls = self._failures = 0
        if self._open_until_s:
            self._probe_until_s = now_s + PROBE_S

    def succeeded(self) -> None:
        self._in_a_row = 0
        self._calls += 1
        if self._open_until_s:
            self._open_until_s = 0.0
            self._open_s = FIRST_OPEN_S
            self._probe_until_s = 0.0
            self._calls = self._failures = 0
            self._troubled.pop(self._circuit, None)

    def failed(self, now_s: float, retry_after_s: float | None) -> None:
        self._in_a_row += 1
        self._calls += 1
        self._failures += 1
        was_probe = self._open_until_s != 0.0
        too_many = self._calls >= WINDOW_CALLS and self._failures * 2 >= self._calls
        if retry_after_s is not None and retry_after_s > 0:
            self._open(now_s, min(retry_after_s, MAX_OPEN_S))
        elif was_probe:
            self._open_s = min(self._open_s * 2, MAX_OPEN_S)
            self._open(now_s, self._open_s)
        elif self._in_a_row >= FAILURES_IN_A_ROW or too_many:
            self._open(now_s, self._open_s)

    def _open(self, now_s: float, for_s: float) -> None:
        self._open_until_s = now_s + for_s
        self._probe_until_s = 0.0
        self._troubled[self._circuit] = self


class Breakers:
    """All circuits of a worker, made on first use."""

    __slots__ = ("_circuits", "troubled")

    def __init__(self) -> None:
        self._circuits: dict[Circuit, Breaker] = {}
        self.troubled: dict[Circuit, Breaker] = {}
        """Those that are open or half open."""

    def of(self, circuit: Circuit) -> Breaker:
        found = self._circuits.get(circuit)
        if found is None:
            if len(self._circuits) >= MOST:
                self._circuits = dict(self.troubled)
            found = self._circuits[circuit] = Breaker(circuit, self.troubled)
        return found

    def cooling(self, now_s: float) -> list[Circuit]:
        return [circuit for circuit, breaker in self.troubled.items() if breaker.is_cooling(now_s)]
