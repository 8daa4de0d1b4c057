"""The load generator for whole calls: closed loop and open loop, on raw HTTP/1.1 keep-alive connections.

1. An open loop sends on a fixed timetable and counts the latency of a call from the moment it was due,
   whether or not a connection was free: a slow answer cannot slow the arrivals down (no coordinated
   omission).
2. Every answer is judged: status 200 and complete.
3. A run has a limit in time; what has not ended by then is an error.
"""

import asyncio
import ctypes
import gc
import os
import re
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

import uvloop
from msgspec import Struct

from bench.calls import Target

T = TypeVar("T")

Probe = Callable[[], int]
"""Reads the CPU time that a gateway has used, in nanoseconds."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
LAST_CHUNK = b"0\r\n\r\n"

SETTLE_S = 0.3
"""Waited before the clock is read again, so that work a gateway puts off (a flush, an import) is counted."""


class LoadError(Exception):
    """The load could not be put on: no connection, or too many errors to mean anything."""


class Burst(Struct, frozen=True):
    """A closed loop's outcome."""

    calls: int
    errors: int
    wall_s: float
    cpu_ns: int


class Timetable(Struct, frozen=True):
    """An open loop's outcome."""

    latencies_ns: list[int]
    errors: int
    unfinished: int


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs one piece of load to its end, without pauses by the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        return uvloop.run(work)
    finally:
        gc.enable()


class _Caller(asyncio.Protocol):
    """One connection that makes whole calls, one at a time."""

    __slots__ = ("_pending", "due_ns", "is_busy", "on_answer", "transport")

    def __init__(self, on_answer: "Callable[[_Caller, bool], None]") -> None:
        self.on_answer = on_answer
        self.due_ns = 0
        self.is_busy = False
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports implement asyncio.Transport without deriving from it.
        self.transport = cast(asyncio.Transport, transport)

    def send(self, request: bytes) -> None:
        self.is_busy = True
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._pending:
            data = self._pending + data
            self._pending = b""
        if not _is_whole(data):
            self._pending = data
            return
        self.is_busy = False
        self.on_answer(self, data.startswith(b"HTTP/1.1 200"))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self.is_busy:
            self.is_busy = False
            self.on_answer(self, False)


def _is_whole(data: bytes) -> bool:
    body_at = data.find(b"\r\n\r\n") + 4
    if body_at == 3:
        return False
    length = _LENGTH.search(data, 0, body_at)
    if length is not None:
        return len(data) >= body_at + int(length[1])
    return data.endswith(LAST_CHUNK)


async def _connect_callers(
    target: Target, count: int, on_answer: Callable[[_Caller, bool], None]
) -> list[_Caller]:
    loop = asyncio.get_running_loop()
    callers = []
    for _ in range(count):
        _, caller = await loop.create_connection(lambda: _Caller(on_answer), target.host, target.port)
        callers.append(caller)
    return callers


async def run_closed(
    target: Target, request: bytes, *, connections: int, warm_up: int, calls: int, probe: Probe
) -> Burst:
    """``connections`` callers, each sending its next call when the one before was answered."""
    left = 0
    running = 0
    errors = 0
    ended = asyncio.Event()

    def on_answer(caller: _Caller, is_good: bool) -> None:
        nonlocal left, running, errors
        if not is_good:
            errors += 1
        if left > 0 and not caller.transport.is_closing():
            left -= 1
            caller.send(request)
            return
        running -= 1
        if running == 0:
            ended.set()

    async def burst(count: int) -> None:
        nonlocal left, running
        ended.clear()
        running = min(len(callers), count)
        left = count - running
        for caller in callers[:running]:
            caller.send(request)
        await ended.wait()

    callers = await _connect_callers(target, connections, on_answer)
    try:
        async with asyncio.timeout(120):
            await burst(warm_up)
            await asyncio.sleep(SETTLE_S)
            errors = 0
            cpu_before = probe()
            began = time.perf_counter()
            await burst(calls)
            wall_s = time.perf_counter() - began
            await asyncio.sleep(SETTLE_S)
            return Burst(calls=calls, errors=errors + left, wall_s=wall_s, cpu_ns=probe() - cpu_before)
    except TimeoutError:
        raise LoadError(f"{calls} calls did not end within 120 s") from None
    finally:
        for caller in callers:
            caller.transport.abort()


class _Ticker:
    """A kernel timer that fires every ``period_ns``, far more exactly than an event loop's own."""

    class _Spec(ctypes.Structure):
        _fields_ = (
            ("period_s", ctypes.c_long),
            ("period_ns", ctypes.c_long),
            ("first_s", ctypes.c_long),
            ("first_ns", ctypes.c_long),
        )

    def __init__(self, first_ns: int, period_ns: int) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK)
        spec = self._Spec(*divmod(period_ns, 10**9), *divmod(first_ns, 10**9))
        absolute = 1
        if self.fd < 0 or libc.timerfd_settime(self.fd, absolute, ctypes.byref(spec), None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd")

    def read_count(self) -> int:
        """How many times it fired since the last reading."""
        try:
            return int.from_bytes(os.read(self.fd, 8), "little")
        except BlockingIOError:
            return 0

    def close(self) -> None:
        os.close(self.fd)


class _OpenLoop:
    """Sends on the timetable, on whichever connection is free; what finds none waits, and its clock runs."""

    def __init__(self, request: bytes, period_ns: int, calls: int) -> None:
        self._request = request
        self._period_ns = period_ns
        self._calls = calls
        self._idle: list[_Caller] = []
        self._waiting: list[int] = []
        self._sent = 0
        self._ended = 0
        self._first_ns = 0
        self.latencies_ns: list[int] = []
        self.errors = 0
        self.ended = asyncio.Event()

    def on_answer(self, caller: _Caller, is_good: bool) -> None:
        now_ns = time.monotonic_ns()
        if is_good:
            self.latencies_ns.append(now_ns - caller.due_ns)
        else:
            self.errors += 1
        self._ended += 1
        if self._ended == self._calls:
            self.ended.set()
        if caller.transport.is_closing():
            return
        if self._waiting:
            self._send(caller, self._waiting.pop(0))
        else:
            self._idle.append(caller)

    def _send(self, caller: _Caller, due_ns: int) -> None:
        caller.due_ns = due_ns
        caller.send(self._request)

    def _tick(self, ticker: _Ticker) -> None:
        for _ in range(ticker.read_count()):
            if self._sent == self._calls:
                return
            due_ns = self._first_ns + self._sent * self._period_ns
            self._sent += 1
            if self._idle:
                self._send(self._idle.pop(), due_ns)
            else:
                self._waiting.append(due_ns)

    async def run(self, target: Target, connections: int) -> None:
        loop = asyncio.get_running_loop()
        callers = await _connect_callers(target, connections, self.on_answer)
        self._idle.extend(callers)
        self._first_ns = time.monotonic_ns() + 50_000_000
        ticker = _Ticker(self._first_ns, self._period_ns)
        loop.add_reader(ticker.fd, self._tick, ticker)
        try:
            async with asyncio.timeout(self._calls * self._period_ns / 10**9 + 10):
                await self.ended.wait()
        except TimeoutError:
            pass
        finally:
            loop.remove_reader(ticker.fd)
            ticker.close()
            for caller in callers:
                caller.is_busy = False
                caller.transport.abort()

    @property
    def unfinished(self) -> int:
        return self._calls - self._ended


async def run_open(
    target: Target, request: bytes, *, rate: int, duration_s: float, connections: int
) -> Timetable:
    """``rate`` calls a second, evenly spaced, for ``duration_s``; the first half second is not counted."""
    loop = _OpenLoop(request, 10**9 // rate, int(rate * duration_s))
    await loop.run(target, connections)
    return Timetable(
        latencies_ns=loop.latencies_ns[rate // 2 :], errors=loop.errors, unfinished=loop.unfinished
    )


def call_once(target: Target, request: bytes, *, timeout_s: float = 10.0) -> tuple[int, bytes]:
    """One whole call with a plain socket: its status and its answer. Raises ``OSError``."""
    with socket.create_connection((target.host, target.port), timeout=timeout_s) as connection:
        connection.sendall(request)
        data = b""
        while not _is_whole(data):
            piece = connection.recv(65536)
            if not piece:
                raise ConnectionResetError("the answer was cut")
            data += piece
    return int(data[9:12]), data


def wait_served(
    target: Target, request: bytes, *, timeout_s: float, is_alive: Callable[[], bool] = lambda: True
) -> float:
    """Calls until the first 200; gives the seconds that took. Raises ``LoadError``."""
    began = time.perf_counter()
    last = "nobody listened"
    while time.perf_counter() - began < timeout_s:
        if not is_alive():
            raise LoadError("it ended by itself")
        try:
            status, answer = call_once(target, request)
        except OSError as error:
            last = str(error)
        else:
            if status == 200:
                return time.perf_counter() - began
            last = answer[:600].decode(errors="replace")
        time.sleep(0.005)
    raise LoadError(f"no 200 from {target.host}:{target.port}{target.path} in {timeout_s:g} s; last: {last}")
