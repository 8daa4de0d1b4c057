"""The door of the control process, before and after the admin API is there."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from aimesh.control.door import QUEUE_S, Door
from aimesh.core.clock import FixedClock


def ask(door: Door, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    async def main() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(door), base_url="http://control"
        ) as client:
            return await client.get(path, headers=headers)

    return asyncio.run(main())


def opened(clock: FixedClock) -> Door:
    door = Door(clock)
    door.open(PlainTextResponse("inside"))
    return door


def closed(clock: FixedClock) -> Door:
    door = Door(clock)
    door.stay_closed()
    return door


def test_health_is_told_with_and_without_a_database() -> None:
    clock = FixedClock()
    for door in (Door(clock), opened(clock)):
        assert ask(door, "/healthz").json() == {"status": "ok"}


def test_without_a_database_it_says_so_in_the_apis_own_shape() -> None:
    answer = ask(closed(FixedClock()), "/api/admin/v1/keys", {"x-request-id": "r-1"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    error: dict[str, Any] = answer.json()["error"]
    assert error.pop("message")
    assert error == {"code": "DATABASE_UNAVAILABLE", "request_id": "r-1", "details": []}


def test_who_comes_while_the_database_is_being_opened_waits() -> None:
    async def main() -> httpx.Response:
        door = Door(FixedClock())
        transport = httpx.ASGITransport(door)
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://control") as client,
            asyncio.TaskGroup() as group,
        ):
            asking = group.create_task(client.get("/api/admin/v1/keys"))
            assert (await client.get("/healthz")).status_code == 200
            assert not asking.done()
            door.open(PlainTextResponse("inside"))
            return await asking

    assert asyncio.run(main()).text == "inside"


@pytest.mark.parametrize(
    ("waited_s", "status"), [(QUEUE_S - 0.1, 200), (QUEUE_S + 0.1, 503), (None, 200), ("x", 200)]
)
def test_what_was_given_up_is_not_carried_out(waited_s: float | str | None, status: int) -> None:
    clock = FixedClock()
    headers = {}
    if isinstance(waited_s, float):
        headers["x-aimesh-begun"] = f"{clock.monotonic_s() - waited_s:.3f}"
    elif waited_s is not None:
        headers["x-aimesh-begun"] = waited_s
    answer = ask(opened(clock), "/api/admin/v1/keys", headers)
    assert answer.status_code == status
    if status == 503:
        assert answer.json()["error"]["code"] == "CONTROL_UNAVAILABLE"
