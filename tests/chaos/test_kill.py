"""``kill -9`` under load: what a caller saw complete is in the journal, exactly once, whatever else was lost."""

import asyncio
import contextlib
import http.client
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.chaos_calls import CHAT, TASK, VIDEO_TASK
from tests.support.chaos_config import chaos_config, patient
from tests.support.chaos_http import call, get, until
from tests.support.chaos_load import Load
from tests.support.chaos_process import GatewayProcess
from tests.support.chaos_simulator import SimulatorProcess

from aimesh.core.ids import TaskId

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


def test_tasks_survive_a_kill(process: GatewayProcess, simulator: SimulatorProcess) -> None:
    """A task that its caller knows of can be asked for and listed in the next life, and costs one record."""
    known: dict[str, list[str]] = {TASK.name: [], VIDEO_TASK.name: []}

    def make(number: int) -> None:
        style = (TASK, VIDEO_TASK)[number % 2]
        with contextlib.suppress(OSError, http.client.HTTPException):
            seen = call(process.url, style.path, style.body)
            if seen.status == 200:
                known[style.name].append(seen.json["id"] if style is TASK else seen.json["output"]["task_id"])

    process.start()
    with ThreadPoolExecutor(8) as callers:
        made = [callers.submit(make, number) for number in range(60)]
        until(lambda: sum(map(len, known.values())) >= 10, "no task was made")
        process.kill()
        for each in made:
            each.result()
    assert known[TASK.name]
    assert known[VIDEO_TASK.name]
    process.start()
    for name, base in ((TASK.name, TASK.path), (VIDEO_TASK.name, "/gateway/api/v1/tasks")):
        listed = get(process.url, f"{base}?page_size=100").body.decode()
        for task in known[name]:
            assert get(process.url, f"{base}/{task}").status == 200
            assert task in listed
    made_ids = Counter(
        record.task_id for record in process.records() if record.operation.startswith("create")
    )
    assert {made_ids[TaskId(task)] for tasks in known.values() for task in tasks} == {1}


@pytest.mark.long
def test_kill_20_times(process: GatewayProcess) -> None:
    _kill_rounds(process, 20)
