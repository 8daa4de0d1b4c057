"""The settler over a real task store and a scripted upstream."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.support.walks import CONFIG, Plane, Script, ScriptedExchange, ended, in_loop

from aimesh.core.ids import InterfaceId, TaskId
from aimesh.core.outcome import Outcome
from aimesh.core.record import UsageRecord
from aimesh.core.usage import Usage
from aimesh.dataplane.settle import RecordSink
from aimesh.dataplane.settler import (
    CLAIM_S,
    FORGOTTEN_POLLS,
    GIVE_UP_S,
    LEASE_S,
    LONGEST_WAIT_S,
    LOOK_EVERY_S,
    MOST_OF_ONE,
    REST_S,
    USUAL_WAIT_S,
    Settler,
    wait_s,
)
from aimesh.dataplane.snapshot import Snapshot, compile_snapshot
from aimesh.dataplane.tasks import (
    CALLER_ASKED_S,
    FIRST_POLL_AFTER_S,
    SETTLE_CLAIM_S,
    TASK_EXPIRED,
    TASK_FORGOTTEN,
    Tasks,
)
from aimesh.net.children import Children
from aimesh.store.database import StoreError
from aimesh.store.tasks import Progress, Task
from aimesh.upstream.reach import candidate

FILM = {"model": "test/film", "content": [{"type": "text", "text": "a cat"}]}
TASKS = "/gateway/api/v3/contents/generations/tasks"
VIDEOS = "/gateway/api/v1/services/aigc/video-generation/video-synthesis"
VIDEO_CONFIG = CONFIG.replace("task: {}}}", "task: {}, dashscope_video: {}}}", 1).replace(
    "interfaces: [task]", "interfaces: [task, dashscope_video]"
)
JSON = {b"content-type": b"application/json"}
DONE = b'{"id":"cgt-1","status":"succeeded","usage":{"completion_tokens":500}}'
RUNNING = b'{"id":"cgt-1","status":"running"}'


def says(status: int, body: bytes) -> Script:
    return lambda exchange: exchange.answers(status, JSON, body)


def silent(_exchange: ScriptedExchange) -> None: ...


class World:
    """A plane with one task, and a settler on it."""

    def __init__(self, home: Path, *scripts: Script, made: bytes = b'{"id":"cgt-1"}') -> None:
        self.plane = Plane(home, says(200, made), *scripts, config=VIDEO_CONFIG)
        self.crashes: list[BaseException] = []
        self.errors: list[StoreError] = []
        self.children = Children(lambda _name, error: self.crashes.append(error))
        self.charged: list[tuple[TaskId, int]] = []
        self.settler = self.another()

    def another(self, sink: RecordSink | None = None) -> Settler:
        """Of another worker, on the same database."""
        store = self.plane.task_store
        return Settler(
            Tasks(
                store,
                self.plane.client,
                sink=sink or self.plane.records,
                clock=self.plane.clock,
                charge=self._charge,
            ),
            store,
            children=self.children,
            clock=self.plane.clock,
            snapshot=lambda: self.plane.edge.snapshot,
            on_error=self.errors.append,
        )

    def _charge(self, task: Task, usage: Usage) -> None:
        self.charged.append((task.id, usage.output_tokens))

    async def make(self) -> None:
        await ended(self.plane.call(TASKS, FILM))

    async def round(self, after_s: float, *, hangs: int = 0, by: Settler | None = None) -> None:
        """Time passes, then the settler looks, and all of its questions but ``hangs`` are answered."""
        self.plane.clock.advance(after_s)
        await (by or self.settler).round()
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
        # It is paid as on the day it was made.
        assert record.priced_at == task.created_at_s < record.at

    run(tmp_path, work, says(200, RUNNING), says(200, DONE))


@pytest.mark.parametrize("answer", [says(500, b""), says(200, b"<html>"), says(404, b"{}")])
def test_a_question_that_fails_is_put_again(tmp_path: Path, answer: Script) -> None:
    async def work(world: World) -> None:
        await world.round(FIRST_POLL_AFTER_S + 1)
        task = await world.task()
        assert (world.questions, task.finished, task.settled) == (1, False, False)
        await world.round(wait_s(1) + 1)
        assert (world.questions, (await world.task()).settled) == (2, True)

    run(tmp_path, work, answer, says(200, DONE))


def test_a_provider_that_says_too_many_is_left_alone(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        await world.round(FIRST_POLL_AFTER_S + 1)
        assert wait_s(1) < REST_S
        await world.round(REST_S - 1)
        assert world.questions == 1
        await world.round(1.1)
        assert (world.questions, (await world.task()).settled) == (2, True)

    run(tmp_path, work, says(429, b"{}"), says(200, DONE))


def test_what_the_provider_has_forgotten_ends_with_a_record(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        for _ in range(FORGOTTEN_POLLS):
            assert not (await world.task()).settled
            await world.round(USUAL_WAIT_S + 1)
        assert (await world.task()).settled
        await world.round(LONGEST_WAIT_S * 2)
        assert world.questions == FORGOTTEN_POLLS
        assert world.operations == ["create_task", "settle_task"]
        record = world.plane.records.all[1]
        assert (record.outcome, record.error_code) == (Outcome.UPSTREAM_FAILED, TASK_FORGOTTEN)
        assert world.charged == []

    gone = says(404, b'{"error":{"code":"NotFound","message":"no"}}')
    run(tmp_path, work, *[gone] * FORGOTTEN_POLLS)


def test_an_unknown_video_is_believed_to_be_forgotten_only_after_some_questions(tmp_path: Path) -> None:
    """DashScope says it with a good answer."""
    unknown = says(200, b'{"request_id":"r","output":{"task_id":"v-1","task_status":"UNKNOWN"}}')
    done = says(
        200,
        b'{"request_id":"r","output":{"task_id":"v-1","task_status":"SUCCEEDED","video_url":"http://x"},'
        b'"usage":{"SR":720,"output_video_duration":5,"duration":5,"video_count":1}}',
    )

    async def main() -> None:
        for number, (scripts, code) in enumerate(
            [([unknown] * (FORGOTTEN_POLLS - 1) + [done], ""), ([unknown] * FORGOTTEN_POLLS, TASK_FORGOTTEN)]
        ):
            made = b'{"request_id":"r","output":{"task_id":"v-1","task_status":"PENDING"}}'
            world = World(tmp_path / str(number), *scripts, made=made)
            await ended(world.plane.call(VIDEOS, {"model": "test/film", "input": {"prompt": "a cat"}}))
            for _ in range(FORGOTTEN_POLLS):
                assert len(world.plane.records.all) == 1
                await world.round(USUAL_WAIT_S + 1)
            record = world.plane.records.all[1]
            assert (record.id, record.error_code) == ("task:dashscope_video:v-1", code)
            assert record.usage.video_seconds == (0.0 if code else 5.0)
            await world.children.stop()
            world.plane.close()

    in_loop(main)


def test_a_week_is_enough(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        await world.round(GIVE_UP_S + 1)
        assert world.questions == 0
        task = await world.task()
        assert (task.settled, task.finished, task.succeeded, task.status) == (True, True, False, "expired")
        record = world.plane.records.all[1]
        assert (record.id, record.error_code) == ("task:task:cgt-1", TASK_EXPIRED)
        assert not record.usage.output_tokens
        await world.round(CLAIM_S + 1)
        assert len(world.plane.records.all) == 2

    run(tmp_path, work)


def test_a_caller_that_asks_is_not_asked_for(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        world.plane.clock.advance(FIRST_POLL_AFTER_S - 1)
        await ended(world.plane.call(f"{TASKS}/cgt-1", method="GET"))
        await world.round(CALLER_ASKED_S - 1)
        assert world.questions == 1
        await world.round(1.1)
        assert (world.questions, (await world.task()).settled) == (2, True)

    run(tmp_path, work, says(200, RUNNING), says(200, DONE))


def test_one_of_several_workers_asks_and_another_when_it_is_gone(tmp_path: Path) -> None:
    async def work(world: World) -> None:
        other = world.another()
        await world.settler.round()
        await other.round()
        await world.round(FIRST_POLL_AFTER_S + 1, by=other)
        assert world.questions == 0
        await world.round(0)
        assert world.questions == 1
        # The first has renewed its part just now, and is gone.
        await world.round(LEASE_S - 0.1, by=other)
        assert world.questions == 1
        await world.round(LOOK_EVERY_S + 1.1, by=other)
        assert (world.questions, (await world.task()).settled) == (2, True)
        await world.settler.round()
        assert world.errors == []

    run(tmp_path, work, says(200, RUNNING), says(200, DONE))


def test_a_kill_between_record_and_mark_costs_a_second_record_of_the_same_id_and_one_charge(
    tmp_path: Path,
) -> None:
    class Deadly:
        def append(self, record: UsageRecord) -> None:
            world_of.plane.records.append(record)
            raise StoreError("killed here")

    world_of: World

    async def work(world: World) -> None:
        nonlocal world_of
        world_of = world
        await world.round(FIRST_POLL_AFTER_S + 1, by=world.another(Deadly()))
        assert (len(world.errors), (await world.task()).settled) == (1, False)
        await world.round(SETTLE_CLAIM_S - 1)
        assert (len(world.plane.records.all), world.charged) == (2, [])
        await world.round(1.1)
        assert (await world.task()).settled
        first, second = world.plane.records.all[1:]
        assert (first.id, first.usage) == (second.id, second.usage)
        assert world.charged == [("cgt-1", 500)]
        assert world.questions == 1

    run(tmp_path, work, says(200, DONE))


@pytest.mark.parametrize(("status", "records"), [("cancelled", 1), ("expired", 2)])
def test_an_end_without_words_is_finished_by_the_next(status: str, records: int, tmp_path: Path) -> None:
    async def work(world: World) -> None:
        silent_end = Progress(status=status, finished=True, succeeded=False, document=b"")
        await world.plane.task_store.update(InterfaceId("task"), TaskId("cgt-1"), silent_end)
        await world.round(1)
        assert (world.questions, (await world.task()).settled) == (0, True)
        assert len(world.plane.records.all) == records

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


def test_a_round_asks_one_account_no_more_than_some(tmp_path: Path) -> None:
    async def main() -> None:
        many = MOST_OF_ONE * 2 + 5
        made = [says(200, b'{"id":"cgt-%d"}' % number) for number in range(2, many + 1)]
        world = World(tmp_path, *made)
        for _ in range(many):
            await world.make()
        world.plane.clock.advance(FIRST_POLL_AFTER_S + 1)
        for asked in (MOST_OF_ONE, MOST_OF_ONE * 2, many):
            await world.settler.round()
            async with asyncio.timeout(5):
                while len(world.plane.client.exchanges) < many + asked:
                    await asyncio.sleep(0.002)
            assert len(world.plane.client.exchanges) == many + asked
        await world.children.stop()
        world.plane.close()

    in_loop(main)


def test_waits_grow_to_a_limit() -> None:
    waits = [wait_s(polls) for polls in range(300)]
    assert waits == sorted(waits)
    assert waits[0] == 5.0
    assert waits[12] == USUAL_WAIT_S
    assert waits[-1] == LONGEST_WAIT_S == wait_s(10_000)
