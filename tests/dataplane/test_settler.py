"""The settler over a real task store and a scripted upstream."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.support.walks import Plane, Script, ScriptedExchange, ended, in_loop

from aimesh.core.ids import InterfaceId, TaskId
from aimesh.core.outcome import Outcome
from aimesh.dataplane.settler import CLAIM_S, GIVE_UP_S, LONGEST_WAIT_S, MOST_AT_ONCE, Settler, wait_s
from aimesh.dataplane.snapshot import Snapshot, compile_snapshot
from aimesh.dataplane.tasks import FIRST_POLL_AFTER_S, Tasks
from aimesh.net.children import Children
from aimesh.store.database import StoreError
from aimesh.store.tasks import Progress, Task
from aimesh.upstream.reach import candidate

FILM = {"model": "test/film", "content": [{"type": "text", "text": "a cat"}]}
TASKS = "/gateway/api/v3/contents/generations/tasks"
JSON = {b"content-type": b"application/json"}
DONE = b'{"id":"cgt-1","status":"succeeded","usage":{"completion_tokens":500}}'
RUNNING = b'{"id":"cgt-1","status":"running"}'


def says(status: int, body: bytes) -> Script:
    return lambda exchange: exchange.answers(status, JSON, body)


def silent(_exchange: ScriptedExchange) -> None: ...


class World:
    """A plane with one task, and a settler on it."""

    def __init__(self, home: Path, *scripts: Script) -> None:
        self.plane = Plane(home, says(200, b'{"id":"cgt-1"}'), *scripts)
        self.crashes: list[BaseException] = []
        self.errors: list[StoreError] = []
        self.children = Children(lambda _name, error: self.crashes.append(error))
        store = self.plane.task_store
        self.settler = Settler(
            Tasks(store, self.plane.client, sink=self.plane.records, clock=self.plane.clock),
            store,
            children=self.children,
            clock=self.plane.clock,
            snapshot=lambda: self.plane.edge.snapshot,
            on_error=self.errors.append,
        )

    async def make(self) -> None:
        await ended(self.plane.call(TASKS, FILM))

    async def round(self, after_s: float, *, hangs: int = 0) -> None:
        """Time passes, then the settler looks, and all of its questions but ``hangs`` are answered."""
        self.plane.clock.advance(after_s)
        await self.settler.round()
        async with asyncio.timeout(5):
            while len(self.children.names) > hangs or self.questions < hangs:
                await asyncio.sleep(0.002)

    async def task(self) -> Task:
        found = await self.plane.task_store.find(InterfaceId("task"), TaskId("cgt-1"))
        assert found is not None
        return found

    @property
    def questions(self) -> int:
        return len(self.plane.client.exchanges) - 1

    @property
    def operations(self) -> list[str]:
        return [record.operation for record in self.plane.records.all]


def run(home: Path, work: Callable[[World], Awaitable[None]], *scripts: Script) -> None:
    async def main() -> None:
        world = World(home, *scripts)
        try:
            await world.make()
            await work(world)
        finally:
            await world.children.stop()
            world.plane.close()
        assert world.crashes == []

    in_loop(main)


def test_a_task_is_asked_about_until_it_ends_and_paid_once(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        await world.round(FIRST_POLL_AFTER_S - 1)
        assert world.questions == 0
        await world.round(1.1)
        assert (world.questions, (await world.task()).status) == (1, "running")
        await world.round(wait_s(1) - 1)
        assert world.questions == 1
        await world.round(1.1)
        task = await world.task()
        assert (world.questions, task.status, task.settled) == (2, "succeeded", True)
        await world.round(GIVE_UP_S / 2)
        assert world.questions == 2
        assert world.operations == ["create_task", "settle_task"]
        record = world.plane.records.all[1]
        assert (record.outcome, record.usage.output_tokens) == (Outcome.OK, 500)

    run(tmp_path, work, says(200, RUNNING), says(200, DONE))


@pytest.mark.parametrize("answer", [says(500, b""), says(200, b"<html>"), says(429, b"{}")])
def test_a_question_that_fails_is_put_again(tmp_path: Path, answer: Script) -> None:
    async def work(world: World) -> None:
        await world.round(FIRST_POLL_AFTER_S + 1)
        task = await world.task()
        assert (world.questions, task.finished, task.settled) == (1, False, False)
        await world.round(wait_s(1) + 1)
        assert (world.questions, (await world.task()).settled) == (2, True)

    run(tmp_path, work, answer, says(200, DONE))


def test_what_the_provider_has_forgotten_is_left_alone(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        await world.round(FIRST_POLL_AFTER_S + 1)
        assert (await world.task()).settled
        await world.round(LONGEST_WAIT_S * 2)
        assert world.questions == 1
        assert world.operations == ["create_task"]

    run(tmp_path, work, says(404, b'{"error":{"code":"NotFound","message":"no"}}'))


def test_a_week_is_enough(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        await world.round(GIVE_UP_S + 1)
        assert world.questions == 0
        assert (await world.task()).settled

    run(tmp_path, work)


def test_a_provider_that_is_no_longer_configured_is_waited_for(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        whole = world.plane.edge.snapshot
        world.plane.edge.snapshot = _without_credentials(whole)
        await world.round(FIRST_POLL_AFTER_S + 1)
        assert (world.questions, (await world.task()).settled) == (0, False)
        world.plane.edge.snapshot = whole
        await world.round(wait_s(1) + 1)
        assert (await world.task()).settled

    run(tmp_path, work, says(200, DONE))


def _without_credentials(snapshot: Snapshot) -> Snapshot:
    return compile_snapshot(2, snapshot.catalog, keys=snapshot.keys, credentials=(), make=candidate)


@pytest.mark.parametrize("after_s", [FIRST_POLL_AFTER_S + 1, GIVE_UP_S + 1])
def test_an_end_that_was_kept_but_not_recorded_is_recorded_from_what_was_kept(
    after_s: float, tmp_path: Path
) -> None:
    async def work(world: World) -> None:
        # A kill, or a caller who hung up, came between the two.
        ended_unrecorded = Progress(status="succeeded", finished=True, succeeded=True, document=DONE)
        await world.plane.task_store.update(InterfaceId("task"), TaskId("cgt-1"), ended_unrecorded)
        await world.round(after_s)
        await world.round(CLAIM_S + 1)
        assert (world.questions, (await world.task()).settled) == (0, True)
        assert world.operations == ["create_task", "settle_task"]
        assert world.plane.records.all[1].usage.output_tokens == 500

    run(tmp_path, work)


def test_a_claim_keeps_later_rounds_away_while_one_asks(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        await world.round(FIRST_POLL_AFTER_S + 1, hangs=1)
        await world.round(CLAIM_S - 2, hangs=1)
        assert world.questions == 1
        await world.round(3, hangs=2)
        assert world.questions == 2

    run(tmp_path, work, silent)


def test_a_database_that_fails_is_reported_and_tried_again(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        world.plane.database.close()
        await world.round(FIRST_POLL_AFTER_S + 1)
        assert len(world.errors) == 1

    run(tmp_path, work)


def test_no_more_than_some_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        many = MOST_AT_ONCE + 5
        made = [says(200, b'{"id":"cgt-%d"}' % number) for number in range(1, many)]
        world = World(tmp_path, *made)
        for _ in range(many):
            await world.make()
        world.plane.clock.advance(FIRST_POLL_AFTER_S + 1)
        for _ in range(2):
            await world.settler.round()
            async with asyncio.timeout(5):
                while len(world.plane.client.exchanges) < many + MOST_AT_ONCE:
                    await asyncio.sleep(0.002)
        assert len(world.children.names) == MOST_AT_ONCE
        assert len(world.plane.client.exchanges) == many + MOST_AT_ONCE
        await world.children.stop()
        world.plane.close()

    in_loop(main)


def test_waits_grow_to_a_limit() -> None:
    waits = [wait_s(polls) for polls in range(12)]
    assert waits == sorted(waits)
    assert waits[0] == 5.0
    assert waits[-1] == LONGEST_WAIT_S == wait_s(10_000)
