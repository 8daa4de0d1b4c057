"""Every process is killed with -9 again and again under load: what the simulator served is recorded once, to the
nano-unit.

What "served" means, and what is promised of it:

1. A call whose caller had the answer whole is recorded exactly once. The record is in the journal, a mapped file that
   outlives the process, before the last byte goes out; flushing to the disk is for power cuts.
2. A call that was cut by the death of its worker is recorded at most once: once, if the worker had the provider's whole
   answer and was killed between record and last byte. If the provider had answered whole, but the worker was killed
   before it had read that, nobody in the gateway ever knew: there is no record, and there was no answer.
3. Every task that was bound (its caller may have heard of it or not) is settled and counted exactly once, whoever was
   killed between question, record and mark. A task that a provider accepted while its worker was killed is known to
   nobody but the provider.
4. Nothing is counted twice, ever: neither a record nor a provider's answer nor a sum.
"""

import asyncio
import contextlib
import datetime
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.chaos_admin import first_admin
from tests.support.chaos_http import until
from tests.support.chaos_kill_count import (
    Reckoning,
    assert_the_sums_agree,
    priced_config,
    reckon,
    records_of,
)
from tests.support.chaos_kill_deaths import CONTROL, IMPORTER, POSTGRES, SETTLER, WORKER, Plan, Reaper
from tests.support.chaos_kill_eyes import MortalPostgres, Rows
from tests.support.chaos_kill_load import KillLoad
from tests.support.chaos_kill_simulator import NotedSimulatorProcess, running_noted_simulator
from tests.support.chaos_process import GatewayProcess

from aimesh.store.sqlite import default_url

pytestmark = pytest.mark.chaos

CALLERS = 8
PAUSE_S = 0.15
SHORT = Plan(deaths=2, outside=1, workers=2, every_s=1.2, within_s=60.0, youth_s=0.7, is_steady=False)
LONG = Plan(deaths=50, outside=50, workers=3, every_s=11.0, within_s=1200.0)


class Scene:
    """A gateway with its simulator and its callers, on one database."""

    def __init__(
        self,
        home: Path,
        url: str,
        plan: Plan,
        *,
        simulator: NotedSimulatorProcess,
        rows: Rows,
        postgres: MortalPostgres | None,
    ) -> None:
        config = priced_config(simulator.url) | {"workers": plan.workers, "database": url}
        self.gateway = GatewayProcess(home, config)
        self.reaper = Reaper(self.gateway, rows, plan, seed=plan.deaths, postgres=postgres)
        self._simulator = simulator
        self._rows = rows

    def begin(self) -> None:
        self.gateway.start()
        self._admin = first_admin(self.gateway)
        self.load = KillLoad(self.gateway.url, callers=CALLERS, pause_s=PAUSE_S, seed=0)

    def wait_until_all_is_in(self, *, is_hurried: bool) -> None:
        """Every task is settled, every record of the journal imported. ``is_hurried``: claims of the killed do not keep
        anybody waiting."""
        if is_hurried:
            self._rows.hasten()

        def are_settled() -> bool:
            if is_hurried:
                self._rows.hasten_tasks()
            time.sleep(0.3)
            return self._rows.all("SELECT count(*) FROM tasks WHERE NOT settled") == [(0,)]

        until(are_settled, "tasks stay unsettled", within_s=120)
        until(
            lambda: {one.id for one in records_of(self._rows)} >= set(self._written),
            "records stay in the journal",
            within_s=60,
        )

    @property
    def _written(self) -> list[str]:
        return [str(record.id) for record in self.gateway.records()]

    def reckon(self) -> Reckoning:
        reckoning = reckon(self.load.calls, self._simulator.served(), self._rows, self._written)
        assert_the_sums_agree(self._rows, self._admin, reckoning, _days())
        return reckoning


def _days() -> tuple[str, str]:
    """Around today, whatever the zone."""
    today = datetime.datetime.now(datetime.UTC).date()
    return str(today - datetime.timedelta(days=1)), str(today + datetime.timedelta(days=2))


@contextlib.contextmanager
def _scene(home: Path, url: str, plan: Plan, *, postgres: MortalPostgres | None = None) -> Iterator[Scene]:
    home.mkdir()
    with running_noted_simulator(home / "book") as simulator, contextlib.closing(Rows(url)) as rows:
        scene = Scene(home, url, plan, simulator=simulator, rows=rows, postgres=postgres)
        try:
            yield scene
        finally:
            scene.gateway.end()


def _kill_all_kinds(home: Path, plan: Plan) -> None:
    """On both databases at once, to share the waiting."""
    server = MortalPostgres()
    lite = home / "sqlite"
    try:
        with (
            server.database() as url,
            _scene(home / "postgresql", url, plan, postgres=server) as first,
            _scene(lite, default_url(lite), plan) as second,
        ):
            _run((first, second), plan)
    finally:
        server.remove()


def _run(scenes: Sequence[Scene], plan: Plan) -> None:
    async def kill() -> None:
        async with asyncio.TaskGroup() as group:
            for scene in scenes:
                group.create_task(scene.reaper.run())

    with ThreadPoolExecutor() as pool:
        list(pool.map(Scene.begin, scenes))
    with contextlib.ExitStack() as loads:
        for scene in scenes:
            scene.load.start()
            loads.callback(scene.load.stop)
        asyncio.run(kill())
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda scene: scene.wait_until_all_is_in(is_hurried=not plan.is_steady), scenes))
    for scene, reckoning in zip(scenes, [scene.reckon() for scene in scenes], strict=True):
        reaper, load = scene.reaper, scene.load
        print(f"\nkilled {dict(reaper.counts)}, inside their work {dict(reaper.inside)}\n{reckoning}")
        assert set((reaper.counts - Counter({CONTROL: plan.outside})).values()) == {plan.deaths}
        processes = reaper.counts.total() - reaper.counts[POSTGRES]
        assert scene.gateway.log.count("ended by SIGKILL") == scene.gateway.log.count(") ended ") == processes
        assert 0 < reckoning.whole <= reckoning.served
        assert reckoning.tasks > 0
        # A caller has one call at a time, and loses it when its worker is killed, or with the queue of a seat that is
        # closed after that.
        broken = sum(not call.is_whole for call in load.calls)
        assert plan.deaths / 2 < broken <= 2 * CALLERS * (reaper.counts[WORKER] + reaper.counts[SETTLER])
        assert reckoning.unrecorded <= broken
        if plan.is_steady:
            assert reaper.inside[IMPORTER] >= plan.deaths / 3
            assert reaper.inside[SETTLER] >= plan.deaths / 3


def test_whoever_is_killed_under_load_what_was_served_is_recorded_once(tmp_path: Path) -> None:
    _kill_all_kinds(tmp_path, SHORT)


@pytest.mark.long
def test_soak_everybody_killed_fifty_times(tmp_path: Path) -> None:
    """A quarter of an hour; the gateway waits longer when a process keeps dying, so most of it is waiting."""
    _kill_all_kinds(tmp_path, LONG)
