"""Tasks stay bound to their maker, survive a restart, and are settled once."""

import asyncio
import threading
from collections.abc import Iterator

import msgspec
import pytest
from tests.support.postgres import PostgresServer
from tests.support.stores import any_database_url, opened_database, postgres_server

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

__all__ = ["any_database_url", "postgres_server"]

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


def test_a_claim_takes_so_many_of_each_credential_and_none_of_those_at_rest(
    tasks: TaskStore, clock: FixedClock
) -> None:
    async def scenario() -> None:
        names = {"a": range(5), "b": range(10, 12), "c": range(20, 23)}
        for credential, numbers in names.items():
            for number in numbers:
                task = msgspec.structs.replace(new_task(number), credential=CredentialId(credential))
                await tasks.create(task)
        due = await tasks.claim_due(limit=4, claim_s=30, each=2, resting=[CredentialId("c")])
        assert [task.credential for task in due] == ["a", "a", "b", "b"]
        due = await tasks.claim_due(limit=100, claim_s=30, each=2)
        assert [task.credential for task in due] == ["a", "a", "c", "c"]
        assert len(await tasks.claim_due(limit=100, claim_s=30)) == 2

    asyncio.run(scenario())


def test_who_claims_settling_is_alone_until_the_claim_is_over(
    any_database_url: str, clock: FixedClock
) -> None:
    async def scenario() -> None:
        with opened_database(any_database_url) as first, opened_database(any_database_url) as second:
            stores = [TaskStore(first, clock), TaskStore(second, clock)]
            task_id = new_task().id
            await stores[0].create(new_task(), poll_after_s=1000)
            assert not await stores[0].claim_settling(ARK, task_id, claim_s=30)
            await stores[0].update(ARK, task_id, DONE)
            for _ in range(2):
                asked = [stores[i % 2].claim_settling(ARK, task_id, claim_s=30) for i in range(10)]
                assert sorted(await asyncio.gather(*asked)) == [False] * 9 + [True]
                # New words do not give the claim away.
                await stores[1].update(ARK, task_id, DONE)
                assert await stores[1].claim_due(limit=10, claim_s=30) == []
                clock.advance(30)
            assert await stores[1].mark_settled(ARK, task_id)
            assert not await stores[0].claim_settling(ARK, task_id, claim_s=30)

    asyncio.run(scenario())


def test_the_end_of_a_task_makes_it_due_at_once(tasks: TaskStore) -> None:
    async def scenario() -> None:
        await tasks.create(new_task(), poll_after_s=1000)
        await tasks.update(ARK, new_task().id, DONE)
        assert [task.finished for task in await tasks.claim_due(limit=10, claim_s=30)] == [True]

    asyncio.run(scenario())


def test_only_what_has_not_ended_expires(tasks: TaskStore, clock: FixedClock) -> None:
    async def scenario() -> None:
        for number in (1, 2):
            await tasks.create(new_task(number))
        await tasks.update(ARK, TaskId("cgt-0001"), DONE)
        assert not await tasks.expire(ARK, TaskId("cgt-0001"), status="expired", claim_s=30)
        assert await tasks.expire(ARK, TaskId("cgt-0002"), status="expired", claim_s=30)
        assert not await tasks.expire(ARK, TaskId("cgt-0002"), status="expired", claim_s=30)
        assert not await tasks.claim_settling(ARK, TaskId("cgt-0002"), claim_s=30)
        found = await tasks.find(ARK, TaskId("cgt-0002"))
        assert found is not None
        assert (found.status, found.finished, found.succeeded, found.document) == (
            "expired",
            True,
            False,
            b"",
        )
        clock.advance(30)
        assert await tasks.claim_settling(ARK, TaskId("cgt-0002"), claim_s=30)

    asyncio.run(scenario())


def test_a_caller_that_asks_puts_the_settler_off(tasks: TaskStore, clock: FixedClock) -> None:
    async def scenario() -> None:
        await tasks.create(new_task(), poll_after_s=5)
        asked = msgspec.structs.replace(RUNNING, not_before_s=clock.wall_s() + 10)
        await tasks.update(ARK, new_task().id, asked)
        clock.advance(9)
        assert await tasks.claim_due(limit=10, claim_s=30) == []
        clock.advance(1)
        assert len(await tasks.claim_due(limit=10, claim_s=30)) == 1
        # A claim lasts longer than that.
        await tasks.update(
            ARK, new_task().id, msgspec.structs.replace(RUNNING, not_before_s=clock.wall_s() + 10)
        )
        clock.advance(29)
        assert await tasks.claim_due(limit=10, claim_s=30) == []

    asyncio.run(scenario())


def test_one_leads_and_another_when_it_stays_away(any_database_url: str, clock: FixedClock) -> None:
    async def scenario() -> None:
        with opened_database(any_database_url) as first, opened_database(any_database_url) as second:
            one, two = TaskStore(first, clock), TaskStore(second, clock)
            answers = await asyncio.gather(*[store.lead(0.0, lease_s=10) for store in (one, two) * 5])
            (held_s,) = [answer for answer in answers if answer]
            assert 10 <= held_s - clock.wall_s() <= 11
            clock.advance(9)
            renewed_s = await two.lead(held_s, lease_s=10)
            assert renewed_s >= held_s + 8
            # Who was replaced, or never led, does not come back by what it held.
            assert not await one.lead(held_s, lease_s=10)
            clock.advance(11.1)
            assert await one.lead(0.0, lease_s=10)
            assert not await two.lead(renewed_s, lease_s=10)
            # A clock that was years ahead.
            clock.advance(-1e8)
            assert await two.lead(0.0, lease_s=10)

    asyncio.run(scenario())


def test_rows_that_another_transaction_is_at_are_passed_over(
    postgres_server: PostgresServer, clock: FixedClock
) -> None:
    async def scenario(url: str) -> None:
        with opened_database(url) as first, opened_database(url) as second:
            for number in range(4):
                await TaskStore(first, clock).create(new_task(number))
            is_held, may_go = threading.Event(), threading.Event()

            def hold(session: Session) -> int:
                rows = session.free("SELECT id FROM tasks ORDER BY id LIMIT 2")
                is_held.set()
                assert may_go.wait(10)
                return len(rows)

            async def claim() -> list[Task]:
                try:
                    assert await asyncio.to_thread(is_held.wait, 10)
                    return await TaskStore(second, clock).claim_due(limit=10, claim_s=30)
                finally:
                    may_go.set()

            held, due = await asyncio.gather(first.write(hold), claim())
            assert (held, [task.id for task in due]) == (2, ["cgt-0002", "cgt-0003"])

    with postgres_server.database() as url:
        asyncio.run(scenario(url))


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
