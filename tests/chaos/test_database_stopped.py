"""The database is away under load: no call fails, no record is lost, and no task."""

import asyncio
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from tests.support.chaos_calls import CHAT, TASK, VIDEO_TASK
from tests.support.chaos_config import chaos_config, patient
from tests.support.chaos_http import call, get, until
from tests.support.chaos_load import Load
from tests.support.chaos_process import GatewayProcess
from tests.support.chaos_simulator import SimulatorProcess
from tests.support.postgres import PostgresServer
from tests.support.stores import own_postgres

__all__ = ["own_postgres"]

pytestmark = pytest.mark.chaos

CALLERS = 6
TASK_CALLERS = 4
QUERY = {TASK.name: TASK.path, VIDEO_TASK.name: "/gateway/api/v1/tasks"}


class TaskLoad:
    """Callers that make tasks, ask for any that they know, and list them, until they are told to stop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.is_stopped = False
        self.made: dict[str, str] = {}
        """Id of the call to id of the task."""
        self._known: list[str] = []
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.slowest_s = 0.0

    def caller(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self.is_stopped:
            style = chance.choice((TASK, VIDEO_TASK))
            seen = call(self._url, style.path, style.body)
            self._note("create", seen.status, seen.took_s)
            if seen.status == 200:
                task = seen.json["id"] if style is TASK else seen.json["output"]["task_id"]
                self.made[seen.request_id] = task
                self._known.append(f"{QUERY[style.name]}/{task}")
            for path in chance.choices(self._known, k=3) if self._known else []:
                seen = get(self._url, path)
                self._note("query", seen.status, seen.took_s)
            seen = get(self._url, f"{TASK.path}?page_size=10")
            self._note("list", seen.status, seen.took_s)

    def _note(self, what: str, status: int, took_s: float) -> None:
        self.statuses[what, status] += 1
        self.slowest_s = max(self.slowest_s, took_s)


@pytest.fixture
def url(own_postgres: PostgresServer) -> Iterator[str]:
    with own_postgres.database() as url:
        yield url


@pytest.fixture
def gateway(tmp_path: Path, simulator: SimulatorProcess, url: str) -> Iterator[GatewayProcess]:
    config = patient(chaos_config(simulator.url)) | {"database": url, "workers": 2}
    gateway = GatewayProcess(tmp_path, config)
    gateway.start()
    yield gateway
    gateway.end()


async def _load(chat: Load, tasks: TaskLoad) -> None:
    async with asyncio.TaskGroup() as callers:
        for index in range(CALLERS):
            callers.create_task(chat.caller(keeps_connection=index % 2 == 0))
        for index in range(TASK_CALLERS):
            callers.create_task(asyncio.to_thread(tasks.caller, index))


def _load_through(gateway: GatewayProcess, server: PostgresServer, away_s: float) -> tuple[Load, TaskLoad]:
    chat, tasks = Load(gateway.url), TaskLoad(gateway.url)
    with ThreadPoolExecutor(1) as thread:
        loading = thread.submit(asyncio.run, _load(chat, tasks))
        try:
            time.sleep(1.0)
            server.stop()
            time.sleep(away_s)
            server.start()
            time.sleep(1.0)
        finally:
            chat.is_stopped = tasks.is_stopped = True
        loading.result(60)
    return chat, tasks


def _ids_in(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("SELECT id FROM tasks").fetchall()}


def _waiting(home: Path) -> int:
    with closing(sqlite3.connect(home / "run" / "spool.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM spooled").fetchone()[0])


def _stopped_for(gateway: GatewayProcess, server: PostgresServer, url: str, away_s: float) -> None:
    load, tasks = _load_through(gateway, server, away_s)
    assert set(load.statuses) == {200}
    assert load.broken == 0
    assert {status for _, status in tasks.statuses} == {200}, tasks.statuses
    assert len(load.complete) > 20 * away_s, "the load was no load"
    assert len(tasks.made) > 2 * away_s

    counts = Counter(str(record.id) for record in gateway.records())
    assert [name for name in (*load.complete, *tasks.made) if counts[name] != 1] == []
    until(lambda: _ids_in(url) >= set(tasks.made.values()), "tasks are missing in the database")
    until(lambda: _waiting(gateway.home) == 0, "something still waits")
    bound = {record.task_id for record in gateway.records() if record.operation.startswith("create")}
    assert bound == set(tasks.made.values())


def test_a_database_that_is_stopped_for_seconds(
    gateway: GatewayProcess, own_postgres: PostgresServer, url: str
) -> None:
    _stopped_for(gateway, own_postgres, url, 4.0)


@pytest.mark.long
def test_soak_a_database_that_is_stopped_for_a_minute(
    gateway: GatewayProcess, own_postgres: PostgresServer, url: str
) -> None:
    _stopped_for(gateway, own_postgres, url, 60.0)


def test_a_gateway_starts_again_while_its_database_is_away(
    gateway: GatewayProcess, own_postgres: PostgresServer, url: str
) -> None:
    before = call(gateway.url, TASK.path, TASK.body)
    assert before.status == 200
    own_postgres.stop()
    during = call(gateway.url, TASK.path, TASK.body)
    assert during.status == 200
    gateway.kill()
    gateway.start()
    assert call(gateway.url, CHAT.path, CHAT.body).status == 200
    for seen in (before, during):
        assert get(gateway.url, f"{TASK.path}/{seen.json['id']}").status == 200
    refused = call(gateway.url, TASK.path, TASK.body, headers={"idempotency-key": "once"})
    assert (refused.status, refused.json["error"]["code"]) == (503, "GATEWAY_UNAVAILABLE")
    own_postgres.start()
    made = {before.json["id"], during.json["id"]}
    until(lambda: _ids_in(url) >= made, "tasks are missing in the database")

    def accepted() -> bool:
        time.sleep(0.1)
        return call(gateway.url, TASK.path, TASK.body, headers={"idempotency-key": "once"}).status == 200

    until(accepted, "the database is back and nobody notices")
