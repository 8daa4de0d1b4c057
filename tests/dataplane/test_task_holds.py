"""What tasks hold of budgets, and who holds it, over real ledgers and a real table of tasks."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs
from tests.support.limits import CHAT, Node, tokens
from tests.support.stores import opened_database

from aimesh.catalog.price import compiled
from aimesh.catalog.schema import PriceEntry, VideoTokens
from aimesh.core.clock import FixedClock
from aimesh.core.errors import RateLimited
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
from aimesh.core.kind import Kind
from aimesh.core.money import Currency
from aimesh.core.policy import Limits, Period, Quota, TenantPolicy, Unit
from aimesh.core.secret import Secret
from aimesh.core.usage import Usage
from aimesh.dataplane.task_holds import TaskHolds, likely
from aimesh.routing.candidate import Credential
from aimesh.store.database import StoreError, default_url
from aimesh.store.ledger import tenant_scope
from aimesh.store.lives import Lives
from aimesh.store.tasks import HELD, HeldTask, NewTask, TaskStore
from aimesh.upstream.reach import candidate

CNY = 10**9
BUDGET = Limits(quotas=(Quota(unit=Unit.CNY, period=Period.TOTAL, limit=25 * CNY),))
ASKED = Usage(reported=False, video_seconds=5, video_resolution="720P")
TASK = InterfaceId("task")
FILM = structs.replace(
    CHAT,
    kind=Kind.VIDEO,
    price=compiled(PriceEntry(currency=Currency.CNY, per_second={"720p": Decimal(1)})),
)
BY_TOKENS = structs.replace(
    FILM,
    price=compiled(PriceEntry(currency=Currency.CNY, video_tokens=(VideoTokens(rate=Decimal(10)),))),
)
AT_FILM = candidate(
    FILM, Credential(CredentialId("one_bj/main"), ProviderId("one_bj"), "main", Secret("s-0123456789"))
)


class Room:
    """A node with its table of tasks, and workers that come and go."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.clock = FixedClock()
        self.node = Node(home, self.clock)
        self._opened = opened_database(default_url(home))
        self.store = TaskStore(self._opened.__enter__(), self.clock)
        self.workers: dict[int, TaskHolds] = {}

    def worker(self, slot: int, node: str = "n1") -> TaskHolds:
        if slot not in self.workers:
            self.workers[slot] = TaskHolds(self.node.holder(slot), Lives(self.home / "lives"), node)
        return self.workers[slot]

    def die(self, slot: int) -> None:
        self.workers.pop(slot).close()
        self.node.die(slot)
        if not self.node.ledgers:
            self.node.prepare()

    async def make(
        self, number: int, *, slot: int = 0, limits: Limits = BUDGET, tenant: TenantPolicy | None = None
    ) -> str:
        """As the pipeline does it; gives the note."""
        worker = self.worker(slot)
        hold = self.node.account(limits, slot=slot, tenant=tenant).admit(FILM, 100, asked=ASKED)
        note = worker.note(hold, ASKED, AT_FILM)
        task = NewTask(
            interface=TASK, id=TaskId(f"cgt-{number}"), tenant=TenantId("t"), key_id=KeyId("k"),
            request_id=RequestId("r"), endpoint=EndpointName("e"), provider=ProviderId("one_bj"),
            credential=CredentialId("one_bj/main"), model=ModelName("t/film"), upstream_name="film",
            status="queued", document=b"", summary={"key_alias": '"held":', **({HELD: note} if note else {})},
        )  # fmt: skip
        await self.store.create(task)
        if note:
            worker.keep(task.interface, task.id, note)
        hold.release()
        return note

    @property
    def held(self) -> int:
        return self.node.held(BUDGET) // CNY

    def close(self) -> None:
        for slot in list(self.workers):
            self.workers.pop(slot).close()
        self.node.close()
        self._opened.__exit__(None, None, None)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.close()


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await work()

    asyncio.run(whole())


def test_it_is_held_from_the_call_to_the_settlement(room: Room) -> None:
    async def work() -> None:
        for number in range(5):
            assert await room.make(number)
        assert room.held == 25
        with pytest.raises(RateLimited):
            await room.make(5)
        assert await room.store.mark_settled(TASK, TaskId("cgt-0"))
        assert await room.store.delete(TASK, TaskId("cgt-1"))
        await room.worker(0).round(room.store)
        assert room.held == 15
        room.worker(0).release(TASK, TaskId("cgt-2"))
        room.worker(0).release(TASK, TaskId("cgt-2"))
        assert room.held == 10
        assert room.node.used(BUDGET) == 0

    run(work)


def test_a_task_that_is_bound_twice_is_held_once(room: Room) -> None:
    async def work() -> None:
        note = await room.make(1)
        room.worker(0).keep(TASK, TaskId("cgt-1"), note)
        await room.worker(0).round(room.store)
        assert room.held == 5

    run(work)


def test_one_process_holds_for_the_dead(room: Room) -> None:
    async def work() -> None:
        room.worker(1)
        await room.make(1, slot=0)
        await room.make(2, slot=1)
        await room.worker(1).round(room.store)
        assert room.held == 10, "nobody holds what a living one holds"
        room.die(0)
        room.node.holder(0)
        assert room.held == 5
        for _ in range(2):
            await room.worker(1).round(room.store)
            await room.worker(2).round(room.store)
            assert room.held == 10
        await room.store.mark_settled(TASK, TaskId("cgt-1"))
        await room.worker(1).round(room.store)
        assert room.held == 5

    run(work)


def test_after_a_restart_it_is_held_again_and_not_by_another_node(room: Room) -> None:
    async def work() -> None:
        await room.make(1, slot=0)
        await room.make(2, slot=1)
        room.die(0)
        room.die(1)
        assert room.held == 0
        await room.worker(2, node="n2").round(room.store)
        assert room.held == 0
        room.die(2)
        await room.worker(0).round(room.store)
        assert room.held == 10
        for number in range(3, 6):
            await room.make(number)
        with pytest.raises(RateLimited):
            await room.make(6)
        assert room.held == 25

    run(work)


def test_a_tenant_s_budget_is_held_too_and_tokens_are_not(room: Room) -> None:
    async def work() -> None:
        tenant = TenantPolicy(id=TenantId("t"), limits=BUDGET)
        assert await room.make(1, limits=tokens(1000), tenant=tenant)
        (standing,) = room.node.standings(BUDGET, scope=tenant_scope("t"))
        assert standing.held == 5 * CNY
        assert room.node.standings(tokens(1000))[0].held == 0
        assert await room.make(2, limits=tokens(1000)) == ""

    run(work)


def test_while_the_database_is_away_it_stays_held(room: Room) -> None:
    class Away(TaskStore):
        async def held(self) -> list[HeldTask]:
            raise StoreError("away")

    async def work() -> None:
        await room.make(1)
        with pytest.raises(StoreError):
            await room.worker(0).round(Away(room.store._database, room.clock))
        assert room.held == 5

    run(work)


@pytest.mark.parametrize(
    ("asked", "tokens_likely"),
    [
        (ASKED, 108_000),
        (structs.replace(ASKED, video_resolution="1080"), 243_000),
        (structs.replace(ASKED, video_resolution=""), 0),
        (structs.replace(ASKED, video_seconds=0), 0),
    ],
)
def test_a_film_that_is_paid_by_tokens_is_as_long_and_fine_as_asked(asked: Usage, tokens_likely: int) -> None:
    assert likely(asked, BY_TOKENS).output_tokens == tokens_likely
    assert likely(asked, FILM) == asked


def test_a_model_is_one_file() -> None:
    solid = structs.replace(FILM, kind=Kind.MODEL_3D)
    assert likely(Usage(variant="1536pro"), solid) == Usage(variant="1536pro", assets=1)


def test_what_has_no_price_holds_nothing(room: Room) -> None:
    account = room.node.account(BUDGET)
    hold = account.admit(FILM, 100, asked=ASKED)
    for odd in (structs.replace(ASKED, video_resolution="8k"), structs.replace(ASKED, video_seconds=0.0)):
        assert room.worker(0).note(hold, odd, AT_FILM) == ""
    hold.release()
