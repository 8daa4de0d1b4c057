"""The load generator for streams: many at once, each on a connection of its own.

1. A stream is good only if it began with status 200 and ended with ``[DONE]``; everything else is a failure,
   and the reason is kept.
2. Reads are counted beside events: fewer reads than events means that some came joined with another.
3. A run has a limit in time; what has not ended by then has failed.
"""

import asyncio
import time
from collections.abc import Callable
from typing import cast

from msgspec import Struct

from bench.calls import Target
from bench.load import LAST_CHUNK, SETTLE_S, Probe


class Streams(Struct, frozen=True):
    """Outcome of a number of streams. ``reads`` below ``events`` says how many came joined with another."""

    finished: int
    events: int
    reads: int
    errors: int
    faults: list[str]
    cpu_ns: int


class _Reader(asyncio.Protocol):
    """One connection that makes one streamed call."""

    __slots__ = (
        "_on_end",
        "_request",
        "_tail",
        "_transport",
        "events",
        "fault",
        "has_begun",
        "has_ended",
        "reads",
    )

    def __init__(self, request: bytes, on_end: "Callable[[_Reader], None]") -> None:
        self._request = request
        self._on_end = on_end
        self._tail = b""
        self.events = 0
        self.reads = 0
        self.fault = ""
        self.has_begun = False
        self.has_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports implement asyncio.Transport without deriving from it.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.has_begun:
            self.has_begun = True
            if not data.startswith(b"HTTP/1.1 200"):
                self._end(f"answered {data[:400]!r}")
                return
        self.reads += 1
        self.events += data.count(b"data: ")
        tail = (self._tail + data)[-64:]
        self._tail = tail
        if tail.endswith(LAST_CHUNK):
            self._end("" if b"data: [DONE]" in tail else f"ended without [DONE], with {tail!r}")

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.has_ended:
            is_done = b"data: [DONE]" in self._tail
            self._end("" if is_done else f"connection lost after {self.events} events: {exc}")

    def _end(self, fault: str) -> None:
        self.fault = fault
        self.has_ended = True
        self._on_end(self)
        self._transport.close()

    def abort(self, fault: str) -> None:
        if not self.has_ended:
            self.fault = fault
            self.has_ended = True
            self._on_end(self)
            self._transport.abort()


class _StreamRun:
    """Opens streams evenly over ``ramp_s`` and waits for all of them."""

    def __init__(self, target: Target, request: bytes, count: int) -> None:
        self._target = target
        self._request = request
        self._count = count
        self._ended = 0
        self._all_ended = asyncio.Event()
        self.readers: list[_Reader] = []
        self.faults: list[str] = []

    @property
    def open(self) -> int:
        """Streams that have begun to come and have not ended."""
        return sum(1 for reader in self.readers if reader.has_begun and not reader.has_ended)

    def _on_end(self, reader: _Reader) -> None:
        if reader.fault:
            self.faults.append(reader.fault)
        self._count_end()

    def _count_end(self) -> None:
        self._ended += 1
        if self._ended == self._count:
            self._all_ended.set()

    async def _open_one(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, reader = await loop.create_connection(
                lambda: _Reader(self._request, self._on_end), self._target.host, self._target.port
            )
        except OSError as error:
            self.faults.append(f"connect: {error}")
            self._count_end()
        else:
            self.readers.append(reader)

    async def run(self, ramp_s: float, limit_s: float) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(limit_s):
                for number in range(self._count):
                    wait_s = began + ramp_s * number / self._count - time.monotonic()
                    if wait_s > 0:
                        await asyncio.sleep(wait_s)
                    await self._open_one()
                await self._all_ended.wait()
        except TimeoutError:
            missing = self._count - len(self.readers) - len(self.faults)
            self.faults.extend(["not opened in time"] * max(0, missing))
            for reader in self.readers:
                reader.abort(f"not ended within {limit_s:g} s")


async def run_streams(
    target: Target,
    request: bytes,
    *,
    count: int,
    ramp_s: float,
    limit_s: float,
    probe: Probe,
    on_sample: Callable[[int], None] | None = None,
) -> Streams:
    """``count`` streams at once. ``on_sample`` is told twice a second how many are open."""
    stream_run = _StreamRun(target, request, count)
    cpu_before = probe()
    sampler = None
    if on_sample is not None:
        sampler = asyncio.get_running_loop().create_task(_sample(stream_run, on_sample))
    await stream_run.run(ramp_s, limit_s)
    if sampler is not None:
        sampler.cancel()
    await asyncio.sleep(SETTLE_S)
    return Streams(
        finished=sum(1 for reader in stream_run.readers if not reader.fault),
        events=sum(reader.events for reader in stream_run.readers),
        reads=sum(reader.reads for reader in stream_run.readers),
        errors=len(stream_run.faults),
        faults=sorted(set(stream_run.faults))[:5],
        cpu_ns=probe() - cpu_before,
    )


async def _sample(stream_run: _StreamRun, on_sample: Callable[[int], None]) -> None:
    while True:
        await asyncio.sleep(0.5)
        on_sample(stream_run.open)
