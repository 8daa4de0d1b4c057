"""``python -m bench.micro.walks``: what it costs to run a call's coroutine as a ``Walk`` and as an asyncio task.

1. A call waits twice, for an answer's head and for its body. What brings the news is a callback of the loop, as
   a socket's would be, and it comes only after the call has begun to wait for it.
2. *Alone*: one call at a time, so every wake-up pays for an iteration of the loop. *Together*: ``TOGETHER`` calls
   in step, so an iteration is shared by many.
3. The time is the process's CPU time. A figure is the best of several repeats, less what the same callbacks cost
   without any call.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from aimesh.net.listen import new_event_loop
from aimesh.net.walk import Signal, Walk

CALLS = 20_000
TOGETHER = 200
REPEATS = 7
WAITS = 2


Start = Callable[[asyncio.AbstractEventLoop, Coroutine[Any, Any, None]], object]
News = tuple[Awaitable[None], Callable[[None], object]]
"""What a call waits for, and what brings it."""
Make = Callable[[asyncio.AbstractEventLoop], News]


def start_walk(_loop: asyncio.AbstractEventLoop, call: Coroutine[Any, Any, None]) -> object:
    walk = Walk(call, _crash)
    walk.start()
    return walk


def start_task(loop: asyncio.AbstractEventLoop, call: Coroutine[Any, Any, None]) -> object:
    return loop.create_task(call)


def _crash(error: BaseException) -> None:
    raise error


class Lane:
    """Calls one after another: the next begins when the one before has ended."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start: Start, make: Make, *, calls: int) -> None:
        self._loop = loop
        self._start = start
        self._make = make
        self._left = calls
        self._running: object = None
        self.ended = loop.create_future()

    def begin(self) -> None:
        self._left -= 1
        self._running = self._start(self._loop, self._call())

    async def _call(self) -> None:
        for _ in range(WAITS):
            news, bring = self._make(self._loop)
            self._loop.call_soon(bring, None)
            await news
        self._loop.call_soon(self.begin if self._left else self._end)

    def _end(self) -> None:
        self.ended.set_result(None)


class EmptyLane(Lane):
    """The callbacks of a lane without its calls: what the loop itself costs."""

    def begin(self) -> None:
        self._left -= 1
        self._step(WAITS)

    def _step(self, left: int) -> None:
        if left:
            self._loop.call_soon(self._step, left - 1)
        else:
            self._loop.call_soon(self.begin if self._left else self._end)


async def _run(lanes: list[Lane]) -> float:
    began_s = time.process_time()
    for lane in lanes:
        lane.begin()
    await _all(lane.ended for lane in lanes)
    return time.process_time() - began_s


async def _all(ends: Any) -> None:
    for end in ends:
        await end


def measure_us(kind: type[Lane], start: Start, make: Make, *, together: int) -> float:
    """CPU time per call; the best of the repeats."""

    async def once() -> float:
        loop = asyncio.get_running_loop()
        lanes = [kind(loop, start, make, calls=CALLS // together) for _ in range(together)]
        return await _run(lanes)

    best_s = float("inf")
    for _ in range(REPEATS):
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            best_s = min(best_s, runner.run(once()))
    return best_s / CALLS * 1e6


def _signal(_loop: asyncio.AbstractEventLoop) -> News:
    signal: Signal[None] = Signal()
    return signal, signal.set


def _future(loop: asyncio.AbstractEventLoop) -> News:
    future: asyncio.Future[None] = loop.create_future()
    return future, future.set_result


ROWS: tuple[tuple[str, Start, Make], ...] = (
    ("walk, signals", start_walk, _signal),
    ("task, futures", start_task, _future),
    ("task, signals", start_task, _signal),
)


def main() -> None:
    print(f"microseconds of CPU time per call of {WAITS} waits")
    print(f"{'':24} {'alone':>8} {'together':>9}")
    empty = [measure_us(EmptyLane, start_walk, _signal, together=lanes) for lanes in (1, TOGETHER)]
    print(f"{'callbacks alone':24} {empty[0]:8.2f} {empty[1]:9.2f}")
    for name, start, make in ROWS:
        alone = measure_us(Lane, start, make, together=1) - empty[0]
        together = measure_us(Lane, start, make, together=TOGETHER) - empty[1]
        print(f"{name:24} {alone:8.2f} {together:9.2f}")


if __name__ == "__main__":
    main()
