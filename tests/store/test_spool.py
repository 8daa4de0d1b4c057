"""Tasks outlive the absence of their database, and are there once when it is back."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from msgspec import structs
from tests.support.stores import any_database

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
from aimesh.store.database import (
    Database,
    DuplicateError,
    Session,
    StoreError,
    Transactions,
    UnavailableError,
)
from aimesh.store.spool import KEEP_S, SpooledTaskStore, open_spool, open_tasks
from aimesh.store.tasks import HELD, NewTask, Progress, TaskFilter, TaskStore

__all__ = ["any_database"]

T = TypeVar("T")

ARK = InterfaceId("task")
MINE = KeyId("key-mine")
OTHERS = KeyId("key-others")
ONE = TaskId("cgt-0001")
ALL = TaskFilter(interface=ARK, key_id=MINE)
RUNNING = Progress(status="running", finished=False, succeeded=False, document=b"{}")
DONE = Progress(status="succeeded", finished=True, succeeded=True, document=b'{"video_url": "x"}')


def new_task(number: int = 1, *, key_id: KeyId = MINE) -> NewTask:
    return NewTask(
        interface=ARK,
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
        document=b"\x00\xff",
        summary={"seconds": 5},
    )


class Switch:
    """The database, which can be taken away, or fail at one kind of statement."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_away = False
        self.error: StoreError | None = None

    async def read(self, work: Callable[[Session], T]) -> T:
        self._check()
        return await self._database.read(work)

    async def write(self, work: Callable[[Session], T]) -> T:
        self._check()
        return await self._database.write(work)

    def _check(self) -> None:
        if self.is_away:
            raise self.error or UnavailableError("away")


class Node:
    """A node with two workers, and the database as another node sees it."""

    def __init__(self, home: Path, database: Database) -> None:
        self.clock = FixedClock()
        self.errors: list[StoreError] = []
        self.switch = Switch(database)
        self.path = home / "run" / "spool.db"
        self.there = TaskStore(database, self.clock)
        self.first = self.open()
        self.second = self.open()

    def open(self, database: Transactions | None = None) -> SpooledTaskStore:
        return open_spool(self.path, database or self.switch, self.clock, self.errors.append)

    def close(self) -> None:
        self.first.close()
        self.second.close()

    def spooled(self) -> list[str]:
        with closing(sqlite3.connect(self.path)) as connection:
            return [row[0] for row in connection.execute("SELECT id FROM spooled ORDER BY id")]


@pytest.fixture
def node(tmp_path: Path, any_database: Database) -> Iterator[Node]:
    node = Node(tmp_path, any_database)
    yield node
    node.close()


def run(scenario: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 30))


@contextmanager
def away(node: Node) -> Iterator[None]:
    node.switch.is_away = True
    yield
    node.switch.is_away = False


def test_with_the_database_there_it_is_what_counts(node: Node) -> None:
    async def scenario() -> None:
        await node.first.create(new_task(), poll_after_s=7)
        assert node.spooled() == []
        found = await node.there.find(ARK, ONE)
        assert found == await node.first.find(ARK, ONE) == await node.second.find_own(ARK, ONE, MINE)
        assert await node.second.find_own(ARK, ONE, OTHERS) is None
        # Another node's doing.
        assert await node.there.update(ARK, ONE, DONE)
        assert await node.there.mark_settled(ARK, ONE)
        found = await node.first.find(ARK, ONE)
        assert found is not None
        assert (found.status, found.settled) == ("succeeded", True)
        assert not await node.second.mark_settled(ARK, ONE)
        assert await node.second.delete(ARK, ONE)
        assert await node.first.find(ARK, ONE) is None
        assert (await node.first.list_page(ALL, page=1, page_size=10)).total == 0
        assert node.errors == []

    run(scenario())


def test_a_whole_life_while_the_database_is_away(node: Node) -> None:
    async def scenario() -> None:
        with away(node):
            await node.first.create(new_task(), poll_after_s=7)
            node.clock.advance(3)
            found = await node.second.find_own(ARK, ONE, MINE)
            assert found is not None
            assert (found.status, found.document, found.summary) == ("queued", b"\x00\xff", {"seconds": 5})
            assert await node.second.update(ARK, ONE, RUNNING)
            assert await node.first.update(ARK, ONE, DONE)
            assert not await node.first.update(ARK, ONE, RUNNING)
            assert sorted(
                [await node.first.mark_settled(ARK, ONE), await node.second.mark_settled(ARK, ONE)]
            ) == [
                False,
                True,
            ]
            page = await node.second.list_page(ALL, page=1, page_size=10)
            assert (page.total, page.tasks[0].status) == (1, "succeeded")
            await node.first.drain()
            assert node.spooled() == [ONE]
            kept = await node.first.find(ARK, ONE)
        await node.second.drain()
        assert node.spooled() == []
        assert await node.there.find(ARK, ONE) == kept
        assert kept is not None
        assert kept.settled
        assert kept.updated_at_s == kept.created_at_s + 3
        assert not await node.there.mark_settled(ARK, ONE)

    run(scenario())


def test_what_tasks_hold_is_known_before_the_database_hears_of_them(node: Node) -> None:
    async def scenario() -> None:
        two = structs.replace(new_task(2), summary={HELD: "note", "seconds": 5})
        await node.first.create(structs.replace(new_task(), summary={HELD: "earlier"}))
        with away(node):
            await node.first.create(two)
            with pytest.raises(StoreError):
                await node.second.held()
        assert sorted(one.note for one in await node.second.held()) == ["earlier", "note"]
        await node.second.mark_settled(ARK, ONE)
        assert [(one.id, one.note) for one in await node.first.held()] == [(two.id, "note")]

    run(scenario())


def test_tasks_from_before_are_known_and_changed_while_it_is_away(node: Node) -> None:
    async def scenario() -> None:
        for number in (1, 2, 3):
            await node.first.create(new_task(number))
        # Made on another node; this one was asked for it once.
        await node.there.create(new_task(4))
        await node.there.create(new_task(5))
        assert await node.second.find(ARK, TaskId("cgt-0004")) is not None
        with away(node):
            for number in (1, 2, 3, 4):
                assert await node.second.find(ARK, TaskId(f"cgt-{number:04d}")) is not None
            with pytest.raises(StoreError):
                await node.first.find(ARK, TaskId("cgt-0005"))
            with pytest.raises(StoreError):
                await node.first.update(ARK, TaskId("cgt-0005"), RUNNING)
            assert await node.second.update(ARK, ONE, DONE)
            assert await node.first.mark_settled(ARK, ONE)
            assert await node.first.delete(ARK, TaskId("cgt-0002"))
            assert await node.second.find(ARK, TaskId("cgt-0002")) is None
            assert not await node.second.delete(ARK, TaskId("cgt-0002"))
            assert await node.second.update(ARK, TaskId("cgt-0004"), RUNNING)
            page = await node.first.list_page(ALL, page=1, page_size=10)
            assert sorted(task.id for task in page.tasks) == ["cgt-0001", "cgt-0003", "cgt-0004"]
        # The settler's next turn moves what waits before it asks.
        node.clock.advance(60)
        due = await node.second.claim_due(limit=10, claim_s=30)
        assert sorted((task.id, task.status) for task in due) == [
            ("cgt-0003", "queued"),
            ("cgt-0004", "running"),
            ("cgt-0005", "queued"),
        ]
        assert await node.there.find(ARK, TaskId("cgt-0002")) is None
        assert node.spooled() == []

    run(scenario())


def test_what_waits_is_seen_by_the_other_worker_before_it_was_moved(node: Node) -> None:
    async def scenario() -> None:
        await node.first.create(new_task(1))
        with away(node):
            await node.first.update(ARK, ONE, DONE)
            await node.first.mark_settled(ARK, ONE)
            await node.first.create(new_task(2))
        found = await node.second.find(ARK, ONE)
        assert found is not None
        assert found.settled
        assert not await node.second.mark_settled(ARK, ONE)
        assert await node.second.update(ARK, TaskId("cgt-0002"), RUNNING)
        page = await node.second.list_page(ALL, page=1, page_size=10)
        assert sorted((task.id, task.status) for task in page.tasks) == [
            ("cgt-0001", "succeeded"),
            ("cgt-0002", "running"),
        ]

    run(scenario())


def test_settling_is_claimed_once_while_it_is_away_and_due_when_it_is_back(node: Node) -> None:
    async def scenario() -> None:
        for number in (1, 2, 3):
            await node.first.create(new_task(number), poll_after_s=1000)
        with away(node):
            for number in (1, 2):
                assert await node.first.update(ARK, TaskId(f"cgt-{number:04d}"), DONE)
            claims = [await each.claim_settling(ARK, ONE, claim_s=30) for each in (node.first, node.second)]
            assert claims == [True, False]
            assert await node.second.mark_settled(ARK, ONE)
            assert await node.second.expire(ARK, TaskId("cgt-0003"), status="expired", claim_s=30)
        # The first is settled; of the second and third the database hears only now, and the next in turn settles them.
        due = await node.second.claim_due(limit=10, claim_s=30)
        assert sorted((task.id, task.status) for task in due) == [
            ("cgt-0002", "succeeded"),
            ("cgt-0003", "expired"),
        ]
        assert node.spooled() == []

    run(scenario())


def test_what_waits_survives_a_kill(node: Node) -> None:
    async def scenario() -> None:
        with away(node):
            await node.first.create(new_task())
        again = node.open()
        await again.drain()
        again.close()
        assert await node.there.find(ARK, ONE) is not None

    run(scenario())


def test_older_news_never_replaces_newer(node: Node) -> None:
    async def scenario() -> None:
        await node.first.create(new_task())
        with away(node):
            assert await node.first.update(ARK, ONE, RUNNING)
            assert await node.there.update(ARK, ONE, DONE)
            assert await node.there.mark_settled(ARK, ONE)
        await node.first.drain()
        found = await node.there.find(ARK, ONE)
        assert found is not None
        assert (found.status, found.settled) == ("succeeded", True)
        assert node.spooled() == []

    run(scenario())


def test_a_change_that_comes_while_its_task_is_moved_is_moved_again(
    node: Node, any_database: Database
) -> None:
    class Meanwhile:
        read = node.switch.read

        async def write(self, work: Callable[[Session], T]) -> T:
            result = await any_database.write(work)
            if node.spooled() and not node.switch.is_away:
                node.switch.is_away = True
                await node.second.update(ARK, ONE, DONE)
            return result

    async def scenario() -> None:
        with away(node):
            await node.first.create(new_task())
        mover = node.open(Meanwhile())
        await mover.drain()
        mover.close()
        assert node.spooled() == [ONE]
        node.switch.is_away = False
        await node.first.drain()
        found = await node.there.find(ARK, ONE)
        assert found is not None
        assert found.status == "succeeded"

    run(scenario())


def test_an_id_belongs_to_one_key(node: Node) -> None:
    async def scenario() -> None:
        await node.there.create(new_task(1, key_id=OTHERS))
        with pytest.raises(DuplicateError):
            await node.first.create(new_task(1))
        with away(node):
            await node.first.create(new_task(2))
            with pytest.raises(DuplicateError):
                await node.second.create(new_task(2, key_id=OTHERS))
            await node.second.create(new_task(2))
            await node.first.create(new_task(3))
        await node.there.create(new_task(3, key_id=OTHERS))
        await node.first.drain()
        assert [type(error) for error in node.errors] == [DuplicateError]
        assert node.spooled() == []
        for number, owner in ((1, OTHERS), (2, MINE), (3, OTHERS)):
            found = await node.first.find(ARK, TaskId(f"cgt-{number:04d}"))
            assert found is not None
            assert found.key_id == owner

    run(scenario())


def test_a_row_that_the_database_refuses_does_not_hold_up_the_others(
    node: Node, any_database: Database
) -> None:
    class Picky:
        read = node.switch.read

        async def write(self, work: Callable[[Session], T]) -> T:
            def picky(session: Session) -> T:
                result = work(session)
                if session.one("SELECT 1 FROM tasks WHERE id = 'cgt-0001'") is not None:
                    raise StoreError("not this one")
                return result

            return await any_database.write(picky)

    async def scenario() -> None:
        with away(node):
            for number in range(1, 4):
                await node.first.create(new_task(number))
        picky = node.open(Picky())
        await picky.drain()
        picky.close()
        assert node.spooled() == [ONE]
        assert [str(error) for error in node.errors] == ["not this one"]
        assert (await node.there.list_page(ALL, page=1, page_size=10)).total == 2

    run(scenario())


def test_many_are_moved_in_few_transactions(node: Node, any_database: Database) -> None:
    writes: list[int] = []

    class Counted:
        read = node.switch.read

        async def write(self, work: Callable[[Session], T]) -> T:
            writes.append(1)
            return await any_database.write(work)

    async def scenario() -> None:
        with away(node):
            for number in range(250):
                await node.first.create(new_task(number))
        mover = node.open(Counted())
        await mover.drain()
        mover.close()
        assert node.spooled() == []
        assert len(writes) == 3
        assert (await node.there.list_page(ALL, page=1, page_size=1)).total == 250

    run(scenario())


def test_without_its_file_it_goes_on_with_the_database(node: Node) -> None:
    async def scenario() -> None:
        await node.first.create(new_task(1))
        with closing(sqlite3.connect(node.path)) as connection:
            connection.executescript("DROP TABLE spooled; DROP TABLE tasks;")
        await node.first.create(new_task(2))
        assert await node.first.update(ARK, TaskId("cgt-0002"), RUNNING)
        assert await node.first.mark_settled(ARK, ONE)
        assert len((await node.first.list_page(ALL, page=1, page_size=10)).tasks) == 2
        assert node.errors
        with away(node), pytest.raises(StoreError):
            await node.first.create(new_task(3))

    run(scenario())


def test_copies_go_after_two_days_and_what_waits_does_not(node: Node) -> None:
    def kept() -> list[str]:
        with closing(sqlite3.connect(node.path)) as connection:
            return [row[0] for row in connection.execute("SELECT id FROM tasks ORDER BY id")]

    async def scenario() -> None:
        await node.first.create(new_task(1))
        with away(node):
            await node.first.create(new_task(2))
            node.clock.advance(KEEP_S + 1)
            await node.first.drain()
            assert node.spooled() == kept() == ["cgt-0002"]
        await node.first.drain()
        node.clock.advance(3600)
        await node.first.drain()
        assert kept() == []
        assert (await node.there.list_page(ALL, page=1, page_size=10)).total == 2

    run(scenario())


def test_a_task_is_kept_though_its_walk_is_cancelled_at_once(node: Node) -> None:
    errors: list[BaseException] = []

    async def scenario() -> None:
        walk = Walk(node.first.create(new_task()), errors.append)
        walk.start()
        walk.cancel()
        await node.second.drain()
        while await node.there.find(ARK, ONE) is None:
            await asyncio.sleep(0.01)
            await node.second.drain()

    run(scenario())
    assert errors == []


def test_a_file_that_is_the_database_needs_no_other(tmp_path: Path, node: Node) -> None:
    for url, kind in (("sqlite:///x.db", TaskStore), ("postgresql://user@host/db", SpooledTaskStore)):
        home = tmp_path / kind.__name__
        tasks = open_tasks(url, home, node.switch, clock=node.clock, on_error=node.errors.append)
        assert type(tasks) is kind
        run(tasks.create(new_task()))
        tasks.close()
        assert (home / "run" / "spool.db").exists() == (kind is SpooledTaskStore)
        assert asyncio.run(node.there.delete(ARK, ONE))


def test_a_copy_is_whole(node: Node) -> None:
    """What is found while the database is away equals what it said before."""

    async def scenario() -> None:
        await node.there.create(new_task(1))
        await node.there.update(ARK, ONE, DONE)
        await node.there.mark_settled(ARK, ONE)
        before = await node.first.find(ARK, ONE)
        with away(node):
            assert await node.second.find(ARK, ONE) == before
        assert before is not None
        assert msgspec.json.decode(msgspec.json.encode(before.summary)) == {"seconds": 5}

    run(scenario())
