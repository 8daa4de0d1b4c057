"""``kill -9`` under load: what a caller saw complete is in the journal, exactly once, whatever else was lost."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.chaos_calls import CHAT
from tests.support.chaos_config import chaos_config, patient
from tests.support.chaos_http import call, until
from tests.support.chaos_load import Load
from tests.support.chaos_process import GatewayProcess
from tests.support.chaos_simulator import SimulatorProcess

pytestmark = pytest.mark.chaos

CALLERS = 24


@pytest.fixture
def process(tmp_path: Path, simulator: SimulatorProcess) -> Iterator[GatewayProcess]:
    gateway = GatewayProcess(tmp_path, patient(chaos_config(simulator.url)))
    yield gateway
    gateway.end()


async def _load_until_killed(gateway: GatewayProcess, *, seed: int, for_s: float) -> Load:
    load = Load(gateway.url, seed=seed)
    async with asyncio.timeout(for_s + 20), asyncio.TaskGroup() as callers:
        for index in range(CALLERS):
            callers.create_task(load.caller(keeps_connection=index % 2 == 0))
        await asyncio.sleep(for_s)
        gateway.kill()
        load.is_stopped = True
    return load


def _kill_rounds(gateway: GatewayProcess, rounds: int) -> None:
    chance = random.Random(rounds)
    complete: list[str] = []
    in_middle = 0
    for number in range(rounds):
        gateway.start()
        load = asyncio.run(_load_until_killed(gateway, seed=number, for_s=chance.uniform(0.05, 0.6)))
        assert set(load.statuses) <= {200}
        complete += load.complete
        in_middle += load.broken
        # Between two lives, too: nothing waits for the next start to become whole.
        _assert_recorded(gateway, complete)
    gateway.start()
    last = call(gateway.url, CHAT.path, CHAT.body)
    assert last.status == 200
    complete.append(last.request_id)
    until(lambda: last.request_id in {record.id for record in gateway.records()}, "the new life records")
    _assert_recorded(gateway, complete)
    assert len(complete) > rounds * CALLERS // 2, "the load was no load"
    assert in_middle > 0, "no call was hit"


def _assert_recorded(gateway: GatewayProcess, complete: list[str]) -> None:
    counts = Counter(str(record.id) for record in gateway.records())
    assert [name for name in complete if counts[name] != 1] == []
    assert max(counts.values(), default=1) == 1
    assert len(set(complete)) == len(complete), "two calls had the same request id"


def test_kill_4_times(process: GatewayProcess) -> None:
    _kill_rounds(process, 4)


@pytest.mark.long
def test_kill_20_times(process: GatewayProcess) -> None:
    _kill_rounds(process, 20)
