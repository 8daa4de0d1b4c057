"""Tasks stay bound to their maker, survive a restart, and are settled once."""

import asyncio
import threading
from collections.abc import Iterator

import msgspec
import pytest
from tests.support.stores import any_database_url, opened_database

from aimesh.core.clock import FixedClock
from aimesh.core.ids import (
    CredentialId,
    EndpointName,
    InterfaceId,
    KeyId,
    ModelName,
    ProviderId,
    RequestId,
    TaskId,
    TenantId,
)
from aimesh.net.walk import Walk
from aimesh.store.database import Database, DuplicateError, Session
from aimesh.store.tasks import NewTask, Progress, Task, TaskFilter, TaskStore

__all__ = ["any_database_url"]

ARK = InterfaceId("task")
DASHSCOPE = InterfaceId("dashscope_video")
MINE = KeyId("key-mine")
OTHERS = KeyId("key-others")


def new_task(number: int = 1, *, key_id: KeyId = MINE, interface: InterfaceId = ARK) -> NewTask:
    return NewTask(
        interface=interface,
        id=TaskId(f"cgt-{number:04d}"),
        tenant=TenantId("default"),
        key_id=key_id,
        request_id=RequestId(f"r{number}"),
        endpoint=EndpointName("example_bj@vendor/video@task"),
        provider=ProviderId("example_bj"),
        credential=CredentialId("example_bj/main"),
        model=ModelName("vendor/video"),
        upstream_name="video-2026",
        status="queued",
        document=b'{"id": "cgt"}',
        summary={"resolution": "1080p", "audio": True, "seconds": 5},
    )


RUNNING = Progress(status="running", finished=False, succeeded=False, document=b"{}")
DONE = Progress(status="succeeded", finished=True, succeeded=True, document=b'{"video_url": "https://x"}')


@pytest.fixture
def database(any_database_url: str) -> Iterator[Database]:
    with opened_database(any_database_url) as database:
        yield database


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def tasks(database: Database, clock: FixedClock) -> TaskStore:
    return TaskStore(database, clock)


def test_a_task_survives_a_restart(any_database_url: str, clock: FixedClock) -> None:
    task = new_task()
    with opened_database(any_database_url) as database:
        asyncio.run(TaskStore(database, clock).create(task))
    clock.advance(60)
    with opened_database(any_database_url) as database:
        found = asyncio.run(TaskStore(database, clock).find_own(ARK, task.id, MINE))
    assert found == Task(
        **{name: getattr(task, name) for name in NewTask.__struct_fields__},
        settled=False,
        polls=0,
        created_at_s=1_750_000_000.0,
        updated_at_s=1_750_000_000.0,
    )


def test_another_keys_task_and_another_interfaces_task_are_not_found(tasks: TaskStore) -> None:
    async def scenario() -> None:
        await tasks.create(new_task())
        assert await tasks.find_own(ARK, TaskId("cgt-0001"), OTHERS) is None
        assert await tasks.find_own(DASHSCOPE, TaskId("cgt-0001"), MINE) is None
        assert await tasks.find_own(ARK, TaskId("cgt-0001' OR 1=1 --"), MINE) is None
        assert await tasks.find(ARK, TaskId("cgt-0001")) is not None

    asyncio.run(scenario())


def test_binding_again_changes_nothing_and_never_moves_a_task(tasks: TaskStore) -> None:
    async def scenario() -> None:
        await tasks.create(new_task())
        await tasks.update(ARK, TaskId("cgt-0001"), DONE)
        await tasks.create(new_task())
        with pytest.raises(DuplicateError):
            await tasks.create(new_task(key_id=OTHERS))
        found = await tasks.find_own(ARK, TaskId("cgt-0001"), MINE)
        assert found is not None
        assert found.status == "succeeded"

    asyncio.run(scenario())


def test_progress_is_kept_and_never_goes_back(tasks: TaskStore, clock: FixedClock) -> None:
    async def scenario() -> None:
        await tasks.create(new_task())
        clock.advance(3)
        assert await tasks.update(ARK, TaskId("cgt-0001"), RUNNING)
        assert await tasks.update(ARK, TaskId("cgt-0001"), DONE)
        assert not await tasks.update(ARK, TaskId("cgt-0001"), RUNNING)
        # The finished document may be refreshed: result addresses are signed anew.
        assert await tasks.update(ARK, TaskId("cgt-0001"), msgspec.structs.replace(DONE, document=b"2"))
        assert not await tasks.update(ARK, TaskId("cgt-9999"), RUNNING)
        found = await tasks.find(ARK, TaskId("cgt-0001"))
        assert found is not None
        assert (found.status, found.finished, found.succeeded, found.document) == (
            "succeeded",
            True,
            True,
            b"2",
        )
        assert found.updated_at_s == found.created_at_s + 3

    asyncio.run(scenario())


def test_settling_is_granted_once_however_many_ask(any_database_url: str, clock: FixedClock) -> None:
    async def scenario() -> list[bool]:
        with opened_database(any_database_url) as first, opened_database(any_database_url) as second:
            stores = [TaskStore(first, clock), TaskStore(second, clock)]
            await stores[0].create(new_task())
            asked = [stores[i % 2].mark_settled(ARK, TaskId("cgt-0001")) for i in range(20)]
            return await asyncio.gather(*asked)

    assert sorted(asyncio.run(scenario())) == [False] * 19 + [True]
    with opened_database(any_database_url) as database:
        assert not asyncio.run(TaskStore(database, clock).mark_settled(ARK, TaskId("cgt-0001")))


def test_due_tasks_go_to_one_worker_at_a_time(any_database_url: str, clock: FixedClock) -> None:
    async def scenario() -> None:
        with opened_database(any_database_url) as first, opened_database(any_database_url) as second:
            one, two = TaskStore(first, clock), TaskStore(second, clock)
            for number in range(6):
                await one.create(new_task(number), poll_after_s=10)
            assert await one.claim_due(limit=10, claim_s=30) == []
            clock.advance(10)
            mine, theirs = await asyncio.gather(
                one.claim_due(limit=3, claim_s=30), two.claim_due(limit=10, claim_s=30)
            )
            ids = [task.id for task in mine + theirs]
            assert sorted(ids) == [f"cgt-{number:04d}" for number in range(6)]
            assert {task.polls for task in mine + theirs} == {1}
            assert await one.claim_due(limit=10, claim_s=30) == []
            later = msgspec.structs.replace(RUNNING, poll_at_s=clock.wall_s() + 1000)
            assert await one.update(ARK, TaskId("cgt-0000"), later)
            assert await one.mark_settled(ARK, TaskId("cgt-0001"))
            clock.advance(30)
            again = await two.claim_due(limit=10, claim_s=30)
            assert sorted(task.id for task in again) == [f"cgt-{number:04d}" for number in range(2, 6)]

    asyncio.run(scenario())


def test_unfinished_tasks_are_those_not_settled(tasks: TaskStore, clock: FixedClock) -> None:
    async def scenario() -> None:
        for number in range(5):
            await tasks.create(new_task(number))
            clock.advance(1)
        await tasks.update(ARK, TaskId("cgt-0001"), DONE)
        await tasks.mark_settled(ARK, TaskId("cgt-0003"))
        assert [task.id for task in await tasks.unfinished(3)] == ["cgt-0000", "cgt-0001", "cgt-0002"]
        assert len(await tasks.unfinished(100)) == 4

    asyncio.run(scenario())


def test_pages_are_the_keys_own_newest_first(tasks: TaskStore, clock: FixedClock) -> None:
    async def scenario() -> None:
        for number in range(7):
            await tasks.create(new_task(number))
            clock.advance(1)
        await tasks.create(new_task(7, key_id=OTHERS))
        await tasks.create(new_task(8, interface=DASHSCOPE))
        mine = TaskFilter(interface=ARK, key_id=MINE)
        page = await tasks.list_page(mine, page=1, page_size=3)
        assert page.total == 7
        assert [task.id for task in page.tasks] == ["cgt-0006", "cgt-0005", "cgt-0004"]
        page = await tasks.list_page(mine, page=3, page_size=3)
        assert [task.id for task in page.tasks] == ["cgt-0000"]
        page = await tasks.list_page(mine, page=4, page_size=3)
        assert (page.total, page.tasks) == (7, ())

    asyncio.run(scenario())


def test_every_filter_narrows(tasks: TaskStore, clock: FixedClock) -> None:
    begin_s = clock.wall_s()

    async def scenario() -> None:
        for number in range(6):
            await tasks.create(new_task(number))
            clock.advance(1)
        await tasks.update(ARK, TaskId("cgt-0002"), DONE)
        await tasks.update(ARK, TaskId("cgt-0003"), RUNNING)

        async def ids(**conditions: object) -> list[str]:
            wanted = msgspec.structs.replace(TaskFilter(interface=ARK, key_id=MINE), **conditions)
            page = await tasks.list_page(wanted, page=1, page_size=100)
            assert page.total == len(page.tasks)
            return sorted(task.id[-1] for task in page.tasks)

        assert await ids(statuses=("succeeded", "running")) == ["2", "3"]
        assert await ids(ids=(TaskId("cgt-0001"), TaskId("cgt-0002"), TaskId("absent"))) == ["1", "2"]
        assert await ids(ids=(TaskId("cgt-0001"), TaskId("cgt-0002")), statuses=("queued",)) == ["1"]
        for name in ("vendor/video", "video-2026", "example_bj@vendor/video@task"):
            assert len(await ids(models=(name,))) == 6
        assert await ids(models=("other",)) == []
        assert await ids(created_from_s=begin_s + 4) == ["4", "5"]
        assert await ids(created_from_s=begin_s + 1, created_until_s=begin_s + 2) == ["1", "2"]
        assert await ids(statuses=("x' OR '1'='1",)) == []

    asyncio.run(scenario())


def test_a_deleted_task_is_gone(tasks: TaskStore) -> None:
    async def scenario() -> None:
        await tasks.create(new_task())
        assert await tasks.delete(ARK, TaskId("cgt-0001"))
        assert not await tasks.delete(ARK, TaskId("cgt-0001"))
        assert await tasks.find(ARK, TaskId("cgt-0001")) is None

    asyncio.run(scenario())


def test_a_walk_can_wait_for_the_database(tasks: TaskStore) -> None:
    """The data plane's coroutines run in walks, not in asyncio tasks."""
    found: list[Task | None] = []
    errors: list[BaseException] = []

    async def call(done: asyncio.Event) -> None:
        await tasks.create(new_task())
        found.append(await tasks.find_own(ARK, TaskId("cgt-0001"), MINE))
        done.set()

    async def scenario() -> None:
        done = asyncio.Event()
        Walk(call(done), errors.append).start()
        await asyncio.wait_for(done.wait(), 10)

    asyncio.run(scenario())
    assert errors == []
    assert found[0] is not None


def test_a_write_that_was_asked_for_is_done_even_when_its_walk_is_cancelled(
    database: Database, tasks: TaskStore
) -> None:
    errors: list[BaseException] = []
    busy, go = threading.Event(), threading.Event()

    def occupy(_: Session) -> None:
        busy.set()
        assert go.wait(10)

    async def scenario() -> None:
        # The database's thread is busy, so the write has not begun when its walk is cancelled.
        occupied = asyncio.get_running_loop().create_task(database.read(occupy))
        while not busy.is_set():
            await asyncio.sleep(0.001)
        walk = Walk(tasks.create(new_task()), errors.append)
        walk.start()
        walk.cancel()
        assert walk.is_done
        go.set()
        await occupied
        assert [task.id for task in await tasks.unfinished(10)] == ["cgt-0001"]

    asyncio.run(scenario())
    assert errors == []
