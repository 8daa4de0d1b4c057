"""Tells whoever looks (the console) which circuits of this worker are not closed.

1. Looked at once a second at most, beside the calls; while every circuit is closed a look is one question.
2. Written only when something changed, on a thread: a slow disk holds no call up.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from aimesh.core.clock import Clock
from aimesh.core.ids import CredentialId, EndpointName
from aimesh.routing.breaker import Breakers
from aimesh.routing.candidate import Circuit
from aimesh.store.circuit_notes import (
    CircuitNote,
    WorkerCircuits,
    forget_the_gone,
    note_path,
    write_circuits,
)

LOOK_EVERY_S = 1.0

_Seen = dict[Circuit, tuple[float, int]]
"""Until when (monotonic seconds), and failures in a row."""


class CircuitTeller:
    """One per worker."""

    def __init__(
        self,
        breakers: Breakers,
        home: Path,
        *,
        slot: int,
        clock: Clock,
        on_error: Callable[[OSError], None],
    ) -> None:
        self._breakers = breakers
        self._home = home
        self._path = note_path(home, os.getpid())
        self._slot = slot
        self._clock = clock
        self._on_error = on_error
        self._told: _Seen = {}
        self._since: dict[Circuit, float] = {}
        self._has_failed = False

    async def start(self) -> None:
        await self._write(lambda: forget_the_gone(self._home))

    async def round(self) -> None:
        """For one child, every ``LOOK_EVERY_S``."""
        troubled = self._breakers.troubled
        if not troubled and not self._told:
            return
        seen = {circuit: (breaker.open_until_s, breaker.failures) for circuit, breaker in troubled.items()}
        if seen == self._told:
            return
        note = self._note(seen)
        if await self._write(lambda: write_circuits(self._path, note)):
            self._told = seen

    def close(self) -> None:
        self._path.unlink(missing_ok=True)

    def _note(self, seen: _Seen) -> WorkerCircuits:
        wall_s = self._clock.wall_s()
        ahead_s = wall_s - self._clock.monotonic_s()
        self._since = {circuit: self._since.get(circuit, wall_s) for circuit in seen}
        circuits = tuple(
            CircuitNote(
                endpoint=EndpointName(circuit[0]),
                credential=CredentialId(circuit[1]),
                since_s=self._since[circuit],
                until_s=until_s + ahead_s,
                failures=failures,
            )
            for circuit, (until_s, failures) in seen.items()
        )
        return WorkerCircuits(slot=self._slot, at_s=wall_s, circuits=circuits)

    async def _write(self, work: Callable[[], None]) -> bool:
        try:
            await asyncio.get_running_loop().run_in_executor(None, work)
        except OSError as error:
            if not self._has_failed:
                self._on_error(error)
            self._has_failed = True
            return False
        self._has_failed = False
        return True
