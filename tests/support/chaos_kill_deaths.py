"""Kills processes of a gateway under load with -9, one kind beside the other, at moments of a seeded chance.

1. ``control`` and ``worker``: whatever they do. ``importer``: the control process, soon after a transaction of the
   import was seen open. ``settler``: the worker that settles, soon after it was seen at a task. ``postgresql``: the
   whole server, or one process that serves a connection; every other time while an import is going on.
2. A process that is to be hit inside its work is held still, looked at and then killed: ``Death.inside`` is certain.
   Of PostgreSQL it says what was seen just before.
3. Kinds do not wait for one another: several may be dead at once. A process is killed again when it has lived long
   enough that the supervisor starts the next one at once, or soon after its start, for which the supervisor waits.
"""

import asyncio
import contextlib
import http.client
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from msgspec import Struct
from tests.support.chaos_http import get
from tests.support.chaos_kill_eyes import Leader, MortalPostgres, Rows, stopped
from tests.support.chaos_process import GatewayProcess

from aimesh.supervisor.backoff import STEADY_S

CONTROL, IMPORTER, WORKER, SETTLER, POSTGRES = "control", "importer", "worker", "settler", "postgresql"
_POLL_S = 0.003
_HUNT_S = 12.0
"""Then whoever was not seen at work is killed all the same."""
_ROW = 3
"""Control processes that are killed before one lives long enough."""


class Death(Struct, frozen=True):
    kind: str
    inside: bool
    """Certainly in the middle of an import or of settling a task."""


class Plan(Struct, frozen=True):
    deaths: int
    """Of each kind."""
    outside: int
    """Deaths of the control process beside those of the importer, which is a part of it."""
    workers: int
    every_s: float
    """Between two of a kind, about."""
    within_s: float
    """For all of them."""
    youth_s: float = 1.5
    """How old a control process is, about, that is killed young."""
    is_steady: bool = True
    """Wait for long lives in between."""


class Reaper:
    def __init__(
        self, gateway: GatewayProcess, rows: Rows, plan: Plan, *, seed: int, postgres: MortalPostgres | None
    ) -> None:
        self._gateway = gateway
        self._rows = rows
        self._plan = plan
        self._chance = random.Random(seed)
        self._postgres = postgres
        self._leader = Leader(gateway)
        self._seen: dict[int, float] = {}
        """Processes to the time when they were first seen."""
        self._killed: set[int] = set()
        """Some of them may not be gone yet."""
        self._abandoned: set[tuple[str, str]] = set()
        """Tasks whose settler was killed."""
        self.deaths: list[Death] = []

    @property
    def _worker_s(self) -> float:
        """How long a worker lives at least before it is killed: from its start, which takes a moment."""
        return STEADY_S + 2.0 if self._plan.is_steady else 0.0

    async def run(self) -> None:
        async with asyncio.timeout(self._plan.within_s), asyncio.TaskGroup() as group:
            group.create_task(self._control())
            group.create_task(self._repeated(self._kill_worker))
            group.create_task(self._repeated(self._kill_settler))
            if self._postgres is not None:
                group.create_task(self._repeated(self._kill_postgres))

    @property
    def counts(self) -> Counter[str]:
        return Counter(death.kind for death in self.deaths)

    @property
    def inside(self) -> Counter[str]:
        return Counter(death.kind for death in self.deaths if death.inside)

    async def _repeated(self, kill: Callable[[], Awaitable[None]]) -> None:
        for _ in range(self._plan.deaths):
            await asyncio.sleep(self._plan.every_s * self._chance.uniform(0.5, 1.5))
            await kill()

    async def _control(self) -> None:
        kinds = [CONTROL] * self._plan.outside + [IMPORTER] * self._plan.deaths
        self._chance.shuffle(kinds)
        for number, kind in enumerate(kinds):
            is_long = self._plan.is_steady and number % _ROW == 0
            pid = await self._lives("control", self._chance.uniform(0.1, 2 * self._plan.youth_s))
            if is_long:
                await self._answers()
                await asyncio.sleep(STEADY_S + 0.2)
            if kind == IMPORTER:
                await self._kill_importer(pid)
            else:
                self._kill(pid, CONTROL)

    async def _lives(self, kind: str, for_s: float) -> int:
        """A process of a kind that lives at least so long."""
        while not (old := self._old(kind, for_s)):
            await asyncio.sleep(0.05)
        return self._chance.choice(old)

    def _old(self, kind: str, for_s: float) -> list[int]:
        now_s = time.monotonic()
        alive = sorted(set(self._gateway.children(kind)) - self._killed)
        return [pid for pid in alive if now_s - self._seen.setdefault(pid, now_s) >= for_s]

    async def _answers(self) -> None:
        """Returns when the control process is up: its life counts from there."""
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                seen = await asyncio.to_thread(get, self._gateway.url, "/api/admin/v1/setup")
                if seen.status == 200:
                    return
            await asyncio.sleep(0.1)

    async def _kill_importer(self, pid: int) -> None:
        await self._waits(lambda: self._rows.is_importing(pid))
        if self._chance.random() < 0.5:
            await asyncio.sleep(self._chance.uniform(0, 0.006))
        with stopped(pid):
            self._kill(pid, IMPORTER, inside=self._rows.is_importing(pid))

    async def _kill_worker(self) -> None:
        self._kill(await self._lives("worker", self._worker_s), WORKER)
        self._rows.hasten()

    async def _kill_settler(self) -> None:
        pid = await self._settler()
        await asyncio.sleep(self._chance.uniform(0, 0.3))
        while pid in self._killed:
            # As any worker, meanwhile.
            pid = await self._settler()
        with stopped(pid):
            at_hand = self._at_hand()
            self._abandoned |= at_hand
            self._kill(pid, SETTLER, inside=bool(at_hand))
        self._rows.hasten()

    async def _kill_postgres(self) -> None:
        assert self._postgres is not None
        is_hunt = self._chance.random() < 0.5
        if is_hunt:
            await self._waits(lambda: self._rows.is_importing(0))
        backends = [
            int(row[0])
            for row in self._rows.all(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND datname = current_database() AND pid <> pg_backend_pid()"
            )
        ]
        is_inside = self._rows.is_importing(0)
        if backends and self._chance.random() < 0.3:
            before = self._postgres.recoveries
            self._postgres.kill_backend(self._chance.choice(backends))
            await self._waits(lambda: self._postgres is not None and self._postgres.recoveries > before)
        else:
            self._postgres.kill()
            self._postgres.start()
        self.deaths.append(Death(POSTGRES, is_inside))

    async def _settler(self) -> int:
        """The one who settles, when he is at it."""
        until_s, hurry_s = time.monotonic() + _HUNT_S, 0.0
        while (pid := self._leader.pid(among=self._old("worker", self._worker_s))) is None or (
            not self._at_hand() and time.monotonic() < until_s
        ):
            if not self._plan.is_steady and time.monotonic() >= hurry_s:
                self._rows.hasten_tasks()
                hurry_s = time.monotonic() + 1.0
            await asyncio.sleep(_POLL_S if pid is not None else 0.1)
        return pid

    def _at_hand(self) -> set[tuple[str, str]]:
        # Wall clock: that of the rows.
        return self._rows.asked(time.time()) - self._abandoned  # noqa: TID251 - as said

    async def _waits(self, what: Callable[[], bool]) -> None:
        until_s = time.monotonic() + _HUNT_S
        while not what() and time.monotonic() < until_s:
            await asyncio.sleep(_POLL_S)

    def _kill(self, pid: int, kind: str, *, inside: bool = False) -> None:
        os.kill(pid, signal.SIGKILL)
        self._killed.add(pid)
        self.deaths.append(Death(kind, inside))
