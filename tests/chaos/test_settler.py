"""Tasks whose callers never ask, settlers that are killed, two nodes on one database: each task is settled once."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.support.chaos_calls import TASK, VIDEO_TASK, Style
from tests.support.chaos_config import VIDEO, Config, chaos_config, patient
from tests.support.chaos_http import call, until
from tests.support.chaos_process import GatewayProcess
from tests.support.chaos_simulator import SimulatorProcess
from tests.support.postgres import PostgresServer
from tests.support.stores import own_postgres

from aimesh.dataplane.settler import CLAIM_S, FIRST_WAIT_S, LEASE_S, LOOK_EVERY_S, MOST_OF_ONE

__all__ = ["own_postgres"]

pytestmark = pytest.mark.chaos

DOCUMENTED_RATE_S = 20
"""Questions a second that both families document for an account."""
CALLERS = 6


@pytest.fixture
def url(own_postgres: PostgresServer) -> Iterator[str]:
    with own_postgres.database() as url:
        yield url


@pytest.fixture
def nodes(tmp_path: Path, simulator: SimulatorProcess, url: str) -> Iterator[list[GatewayProcess]]:
    config = patient(_two_accounts(chaos_config(simulator.url))) | {"database": url, "workers": 2}
    homes = [tmp_path / name for name in ("one", "two")]
    for home in homes:
        home.mkdir()
    nodes = [GatewayProcess(home, config) for home in homes]
    try:
        for node in nodes:
            node.start()
        yield nodes
    finally:
        for node in nodes:
            node.end()


def _two_accounts(config: Config) -> Config:
    """Ark's tasks at one provider, DashScope's at the other."""
    (film,) = (model for model in config["models"] if model["name"] == VIDEO)
    for endpoint, interface in zip(film["endpoints"], ("task", "dashscope_video"), strict=True):
        endpoint["interfaces"] = [interface]
    return config


class Questions:
    """What the simulator was asked about tasks. It remembers the last requests only: to be gathered now and then."""

    def __init__(self, simulator: SimulatorProcess) -> None:
        self._simulator = simulator
        self._seen: dict[int, tuple[float, str, str]] = {}

    def gather(self) -> None:
        for request in self._simulator.requests():
            if request["method"] == "GET":
                self._seen[request["number"]] = (request["at_s"], request["provider"], request["path"])

    def busiest(self, over_s: float) -> float:
        """Most questions to one account within so many seconds, per second."""
        most = 0
        for provider in ("alpha", "beta"):
            times = sorted(at_s for at_s, name, _ in self._seen.values() if name == provider)
            first = 0
            for last, at_s in enumerate(times):
                while times[first] < at_s - over_s:
                    first += 1
                most = max(most, last - first + 1)
        return most / over_s

    def shortest_gap_s(self) -> float:
        """Between two questions about one task."""
        times: dict[tuple[str, str], list[float]] = {}
        for at_s, provider, path in sorted(self._seen.values()):
            times.setdefault((provider, path), []).append(at_s)
        gaps = [after - before for each in times.values() for before, after in pairwise(each)]
        return min(gaps, default=FIRST_WAIT_S)


def _make(nodes: list[GatewayProcess], count: int) -> dict[str, Style]:
    """Task ids to how they were made."""
    made: dict[str, Style] = {}

    def make(number: int) -> None:
        style = (TASK, VIDEO_TASK)[number % 2]
        seen = call(nodes[number % len(nodes)].url, style.path, style.body)
        assert seen.status == 200, seen.body
        made[seen.json["id"] if style is TASK else seen.json["output"]["task_id"]] = style

    with ThreadPoolExecutor(CALLERS) as callers:
        # The simulator may give an id twice.
        while len(made) < count:
            list(callers.map(make, range(count - len(made))))
    return made


def _all(url: str, statement: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def _settled(url: str) -> int:
    ((count,),) = _all(url, "SELECT count(*) FROM tasks WHERE settled")
    return int(count)


def _in_journal(node: GatewayProcess) -> int:
    return sum(record.operation == "settle_task" for record in node.records())


def _kill_leader(nodes: list[GatewayProcess], before: list[int], chance: random.Random) -> None:
    """``before``: records of each node's journal at the last look. Kills a worker of the node that settled most since,
    or, one time in four, every process of it."""
    now = [_in_journal(node) for node in nodes]
    grown = [after - earlier for after, earlier in zip(now, before, strict=True)]
    node = nodes[grown.index(max(grown))]
    before[:] = now
    if chance.random() < 0.25:
        node.kill()
        node.start()
        return
    for pid in node.children("worker"):
        os.kill(pid, signal.SIGKILL)


def _run(
    nodes: list[GatewayProcess],
    simulator: SimulatorProcess,
    url: str,
    *,
    count: int,
    kills: int,
    every_s: float,
) -> None:
    chance, questions = random.Random(count), Questions(simulator)
    made = _make(nodes, count)
    before = [0] * len(nodes)
    killed = 0
    next_s = time.monotonic() + FIRST_WAIT_S + 1
    takeover_s = LEASE_S + LOOK_EVERY_S + CLAIM_S
    end_s = time.monotonic() + 60 + 2 * count / MOST_OF_ONE + (kills + 1) * takeover_s
    while (settled := _settled(url)) < len(made):
        assert time.monotonic() < end_s, f"{settled} of {len(made)} settled"
        questions.gather()
        if killed < kills and time.monotonic() >= next_s:
            _kill_leader(nodes, before, chance)
            killed += 1
            next_s = time.monotonic() + every_s
        time.sleep(0.5)
    assert killed == kills, "all was settled before the last kill"
    wanted = {f"task:{'task' if style is TASK else 'dashscope_video'}:{name}" for name, style in made.items()}
    _assert_settled_once(nodes, url, wanted)
    assert questions.busiest(over_s=1.0) <= DOCUMENTED_RATE_S
    # A leader that was killed and the next one share a moment.
    assert questions.busiest(over_s=20.0) <= MOST_OF_ONE * 1.2
    assert questions.shortest_gap_s() >= FIRST_WAIT_S * 0.9


def _assert_settled_once(nodes: list[GatewayProcess], url: str, wanted: set[str]) -> None:
    def imported() -> list[Any]:
        rows = _all(url, "SELECT id, outcome, record FROM usage_records WHERE operation = 'settle_task'")
        return rows if len(rows) >= len(wanted) else []

    until(lambda: _is_imported(nodes, url), "the journals are imported", within_s=60)
    rows = imported()
    assert Counter(row[0] for row in rows) == Counter(wanted)
    assert {row[1] for row in rows} == {"ok"}
    assert all('"video_seconds"' in row[2] or '"output_tokens"' in row[2] for row in rows)
    ((settlements,),) = _all(url, "SELECT count(*) FROM task_settlements")
    assert settlements == len(wanted)
    ((rolled_up,),) = _all(url, "SELECT sum(requests) FROM usage_hourly")
    ((calls,),) = _all(url, "SELECT count(*) FROM usage_records WHERE operation <> 'settle_task'")
    assert rolled_up == calls
    # What was written twice was written by somebody who was killed before he marked it.
    written = Counter(str(record.id) for node in nodes for record in node.records())
    assert set(wanted) <= set(written)


def _is_imported(nodes: list[GatewayProcess], url: str) -> bool:
    written = {str(record.id) for node in nodes for record in node.records()}
    return {row[0] for row in _all(url, "SELECT id FROM usage_records")} >= written


def test_tasks_of_two_nodes_are_settled_once(
    nodes: list[GatewayProcess], simulator: SimulatorProcess, url: str
) -> None:
    _run(nodes, simulator, url, count=120, kills=1, every_s=1.0)


@pytest.mark.long
def test_2000_tasks_and_10_restarts(
    nodes: list[GatewayProcess], simulator: SimulatorProcess, url: str
) -> None:
    _run(nodes, simulator, url, count=2000, kills=10, every_s=9.0)
