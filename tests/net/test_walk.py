import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from aimesh.net.walk import Signal, Walk


def run(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(body())


def fail(error: BaseException) -> None:
    raise AssertionError("unexpected") from error


def test_a_signal_that_is_set_is_not_waited_for() -> None:
    signal: Signal[int] = Signal()
    signal.set(1)
    signal.set(2)
    signal.fail(ValueError())
    got: list[int] = []

    async def walk() -> None:
        got.append(await signal)

    one = Walk(walk(), fail)
    one.start()
    assert one.is_done
    assert got == [1]


def test_setting_resumes_before_set_returns() -> None:
    signal: Signal[str] = Signal()
    got: list[str] = []

    async def walk() -> None:
        got.append(await signal)

    one = Walk(walk(), fail)
    one.start()
    assert not one.is_done
    signal.set("now")
    assert got == ["now"]
    assert one.is_done


def test_failing_raises_at_the_wait() -> None:
    signal: Signal[str] = Signal()
    seen: list[BaseException] = []

    async def walk() -> None:
        await signal

    one = Walk(walk(), seen.append)
    one.start()
    signal.fail(KeyError("x"))
    assert [type(error) for error in seen] == [KeyError]


def test_cancelling_runs_the_cleanup_and_reports_nothing() -> None:
    signal: Signal[str] = Signal()
    steps: list[str] = []

    async def walk() -> None:
        try:
            await signal
        finally:
            steps.append("cleaned")

    one = Walk(walk(), fail)
    one.start()
    one.cancel()
    one.cancel()
    assert steps == ["cleaned"]
    assert one.is_done
    signal.set("too late")
    assert steps == ["cleaned"]


def test_cancelling_from_inside_takes_effect_at_the_next_wait() -> None:
    signal: Signal[str] = Signal()
    steps: list[str] = []
    holder: list[Walk] = []

    async def walk() -> None:
        holder[0].cancel()
        steps.append("still here")
        await signal
        steps.append("never")

    one = Walk(walk(), fail)
    holder.append(one)
    one.start()
    assert steps == ["still here"]
    assert one.is_done


def test_futures_of_asyncio_can_be_awaited_and_are_cancelled_along() -> None:
    async def body() -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        stuck: asyncio.Future[int] = loop.create_future()
        got: list[int] = []

        async def walk() -> None:
            got.append(await future)
            await stuck

        one = Walk(walk(), fail)
        one.start()
        loop.call_soon(future.set_result, 5)
        while not got:
            await asyncio.sleep(0)
        one.cancel()
        assert stuck.cancelled()
        assert got == [5]

    run(body)


def test_signals_can_be_awaited_by_asyncio_tasks() -> None:
    async def body() -> None:
        signal: Signal[int] = Signal()
        broken: Signal[int] = Signal()

        async def wait(one: Signal[int]) -> int:
            return await one

        first = asyncio.get_running_loop().create_task(wait(signal))
        second = asyncio.get_running_loop().create_task(wait(broken))
        await asyncio.sleep(0)
        signal.set(3)
        broken.fail(OSError("x"))
        assert await first == 3
        with pytest.raises(OSError, match="x"):
            await second

    run(body)


def test_a_cancelled_task_cancels_its_signal() -> None:
    async def body() -> None:
        signal: Signal[int] = Signal()

        async def wait() -> int:
            return await signal

        task = asyncio.get_running_loop().create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert signal.is_set

    run(body)
