"""A request that is sent again gets the first answer; a different one under the same key is refused."""

import asyncio
import hashlib
from collections.abc import Iterator

import msgspec
import pytest
from tests.support.stores import any_database_url, opened_database

from aimesh.core.clock import FixedClock, SystemClock
from aimesh.core.ids import KeyId, RequestId
from aimesh.store.database import Database
from aimesh.store.idempotency import (
    Begun,
    Claim,
    Conflict,
    IdempotencyPolicy,
    IdempotencyStore,
    InProgress,
    Replayed,
    StoredAnswer,
)

__all__ = ["any_database_url"]


def claim(request_id: str = "r1", *, body: bytes = b"{}", key: str = "abc", owner: str = "key-1") -> Claim:
    return Claim(KeyId(owner), key, hashlib.sha256(body).digest(), RequestId(request_id))


ANSWER = StoredAnswer(RequestId("r1"), 200, b"content-type: application/json\r\n", b'{"id": "x"}')


@pytest.fixture
def database(any_database_url: str) -> Iterator[Database]:
    with opened_database(any_database_url) as database:
        yield database


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def store(database: Database, clock: FixedClock) -> IdempotencyStore:
    return IdempotencyStore(database, clock)


def test_the_same_request_gets_the_first_answer(store: IdempotencyStore) -> None:
    async def scenario() -> None:
        assert await store.begin(claim("r1")) == Begun()
        assert await store.finish(claim("r1"), ANSWER)
        assert await store.begin(claim("r2")) == Replayed(ANSWER)
        assert await store.begin(claim("r3", body=b"{ }")) == Conflict()
        assert await store.begin(claim("r4", key="other")) == Begun()
        assert await store.begin(claim("r5", owner="key-2")) == Begun()

    asyncio.run(scenario())


def test_while_the_first_call_runs_the_second_is_told_so(store: IdempotencyStore) -> None:
    async def scenario() -> None:
        assert await store.begin(claim("r1")) == Begun()
        assert await store.begin(claim("r2")) == InProgress()
        assert await store.begin(claim("r3", body=b"other")) == Conflict()

    asyncio.run(scenario())


def test_of_many_at_once_one_goes_on_and_the_others_wait_for_its_answer(any_database_url: str) -> None:
    async def call(store: IdempotencyStore, number: int) -> Begun | Replayed | Conflict | InProgress:
        mine = claim(f"r{number}")
        found = await store.begin(mine, wait_s=10)
        if found == Begun():
            await asyncio.sleep(0.05)
            await store.finish(mine, msgspec.structs.replace(ANSWER, request_id=mine.request_id))
        return found

    async def scenario() -> list[Begun | Replayed | Conflict | InProgress]:
        with opened_database(any_database_url) as first, opened_database(any_database_url) as second:
            stores = [IdempotencyStore(first, SystemClock()), IdempotencyStore(second, SystemClock())]
            return await asyncio.gather(*(call(stores[i % 2], i) for i in range(8)))

    found = asyncio.run(scenario())
    assert found.count(Begun()) == 1
    (winner,) = [number for number, result in enumerate(found) if result == Begun()]
    replayed = [result for result in found if isinstance(result, Replayed)]
    assert len(replayed) == 7
    assert {result.answer.request_id for result in replayed} == {f"r{winner}"}


def test_waiting_ends_with_in_progress(database: Database) -> None:
    async def scenario() -> None:
        store = IdempotencyStore(database, SystemClock())
        assert await store.begin(claim("r1")) == Begun()
        assert await store.begin(claim("r2"), wait_s=0.05) == InProgress()

    asyncio.run(scenario())


def test_an_abandoned_call_lets_the_next_one_try(store: IdempotencyStore) -> None:
    async def scenario() -> None:
        await store.begin(claim("r1"))
        assert not await store.abandon(claim("r2"))
        assert await store.abandon(claim("r1"))
        assert await store.begin(claim("r2", body=b"other")) == Begun()

    asyncio.run(scenario())


def test_a_finished_call_cannot_be_abandoned_or_finished_again(store: IdempotencyStore) -> None:
    async def scenario() -> None:
        await store.begin(claim("r1"))
        await store.finish(claim("r1"), ANSWER)
        assert not await store.abandon(claim("r1"))
        assert not await store.finish(claim("r1"), msgspec.structs.replace(ANSWER, status=500))
        assert await store.begin(claim("r2")) == Replayed(ANSWER)

    asyncio.run(scenario())


def test_a_killed_calls_claim_runs_out_and_its_late_answer_changes_nothing(
    store: IdempotencyStore, clock: FixedClock
) -> None:
    async def scenario() -> None:
        await store.begin(claim("r1"))
        clock.advance(IdempotencyPolicy().claim_s - 1)
        assert await store.begin(claim("r2")) == InProgress()
        clock.advance(1)
        assert await store.begin(claim("r2")) == Begun()
        assert not await store.finish(claim("r1"), ANSWER)
        assert await store.begin(claim("r3")) == InProgress()

    asyncio.run(scenario())


def test_an_answer_is_kept_for_a_day_and_then_purged(store: IdempotencyStore, clock: FixedClock) -> None:
    async def scenario() -> None:
        await store.begin(claim("r1"))
        await store.finish(claim("r1"), ANSWER)
        clock.advance(24 * 3600 - 1)
        assert await store.begin(claim("r2")) == Replayed(ANSWER)
        assert await store.purge() == 0
        clock.advance(1)
        assert await store.purge() == 1
        assert await store.begin(claim("r2", body=b"other")) == Begun()

    asyncio.run(scenario())
