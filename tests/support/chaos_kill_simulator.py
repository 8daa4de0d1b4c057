"""``python -m tests.support.chaos_kill_simulator BOOK``: the simulator, with a book of every answer it gave.

1. A line of the book is written when an answer has been handed over whole, or when its reader is gone before that. So
   the book says which calls were served, and with what usage, whatever becomes of the gateway.
2. Questions about tasks are answered after a random moment, as over a network: who asks can be killed meanwhile.
"""

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from msgspec import Struct
from tests.support.chaos_simulator import SimulatorProcess
from tests.support.live import clean_environment

from aimesh.net.listen import new_event_loop, on_signal
from aimesh.net.message import Reply, Request
from aimesh.simulator.app import FILES, Simulator
from aimesh.simulator.control import PREFIX
from aimesh.simulator.world import Settings

MARK = re.compile(rb"call-(\d+)-")
"""In the words of every call of ``chaos_kill_load``."""
_ID = re.compile(rb"(?:^|\n)x-request-id: ([^\r]+)\r\n")
_USAGE = re.compile(rb'"usage": ?(\{(?:[^{}]|\{[^{}]*\})*\})')
_SLOWEST_S = 0.3
CHUNK_MS = 2.0


class Served(Struct, frozen=True):
    """One answer of the simulator."""

    upstream_id: str
    provider: str
    method: str
    path: str
    mark: int | None
    """Of the call that was answered; None: a question of the gateway's own."""
    status: int
    is_whole: bool
    """False: the reader was gone before its end."""
    usage: dict[str, Any] | None
    task: dict[str, Any] | None
    """The answer itself, of the task APIs."""


class _Noted:
    """A reply that tells how it ended; see ``net.message.Reply``."""

    def __init__(self, inner: Reply, note: Callable[[int, bytes, bytes, bool], None]) -> None:
        self._inner = inner
        self._note = note
        self._head = b""
        self._status = 0
        self._pieces: list[bytes] = []
        self.on_gone: Callable[[], None] | None = None
        inner.on_gone = self._gone

    @property
    def is_gone(self) -> bool:
        return self._inner.is_gone

    @property
    def is_open(self) -> bool:
        return self._inner.is_open

    @property
    def is_writable(self) -> bool:
        return self._inner.is_writable

    @property
    def on_writable(self) -> Callable[[], None] | None:
        return self._inner.on_writable

    @on_writable.setter
    def on_writable(self, told: Callable[[], None] | None) -> None:
        self._inner.on_writable = told

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        self.open_noted(status, headers)
        if not self._inner.is_gone:
            self._inner.send(status, headers, body)
            self._note(status, headers, body, True)

    def open(self, status: int, headers: bytes) -> None:
        self.open_noted(status, headers)
        self._inner.open(status, headers)

    def open_noted(self, status: int, headers: bytes) -> None:
        self._status, self._head = status, headers

    def write(self, data: bytes) -> None:
        self._pieces.append(data)
        self._inner.write(data)

    def close(self) -> None:
        if not self._inner.is_gone:
            self._inner.close()
            self._note(self._status, self._head, b"".join(self._pieces), True)

    def abort(self) -> None:
        self._inner.abort()

    def _gone(self) -> None:
        self._note(self._status, self._head, b"".join(self._pieces), False)
        if self.on_gone is not None:
            self.on_gone()


class NotedSimulator(Simulator):
    def __init__(self, settings: Settings, book: IO[bytes]) -> None:
        super().__init__(settings)
        self._book = book
        self._chance = random.Random(4711)

    def handle(self, request: Request, reply: Reply) -> None:
        if request.path.startswith((PREFIX, FILES)):
            super().handle(request, reply)
            return

        def note(status: int, headers: bytes, body: bytes, is_whole: bool) -> None:
            self._write(request, status, (headers, body), is_whole=is_whole)

        # What the contract lets be set, whoever answers only reads.
        noted = cast("Reply", _Noted(reply, note))
        if request.method == b"GET":
            wait_s = self._chance.uniform(0, _SLOWEST_S)
            asyncio.get_running_loop().call_later(wait_s, super().handle, request, noted)
        else:
            super().handle(request, noted)

    def _write(self, request: Request, status: int, answer: tuple[bytes, bytes], *, is_whole: bool) -> None:
        headers, body = answer
        found, mark = _ID.search(headers), MARK.search(request.body)
        usages = _USAGE.findall(body)
        line = {
            "upstream_id": found[1].decode() if found else "",
            "provider": request.path.split(b"/")[1].decode(),
            "method": request.method.decode(),
            "path": request.path.decode(),
            "mark": int(mark[1]) if mark else None,
            "status": status,
            "is_whole": is_whole,
            "usage": json.loads(usages[-1]) if usages else None,
            "task": json.loads(body) if body and _is_of_tasks(request.path) else None,
        }
        self._book.write(json.dumps(line).encode() + b"\n")
        self._book.flush()


def _is_of_tasks(path: bytes) -> bool:
    return b"/tasks" in path or b"video-synthesis" in path


class NotedSimulatorProcess(SimulatorProcess):
    def __init__(self, url: str, pid: int, book: Path) -> None:
        super().__init__(url, pid)
        self._book = book

    def served(self) -> list[Served]:
        lines = self._book.read_bytes().splitlines()
        return [Served(**json.loads(line)) for line in lines]


@contextmanager
def running_noted_simulator(book: Path) -> Iterator[NotedSimulatorProcess]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.chaos_kill_simulator", str(book)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env=clean_environment(),
    )
    assert process.stdout is not None
    try:
        ready = json.loads(process.stdout.readline())
        yield NotedSimulatorProcess(ready["url"], ready["pid"], book)
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(10)


async def _serve(book: IO[bytes]) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        on_signal(loop, number, stopped.set)
    simulator = NotedSimulator(Settings(chunk_delay_ms=CHUNK_MS), book)
    port = await simulator.start()
    print(json.dumps({"url": f"http://127.0.0.1:{port}", "pid": os.getpid()}), flush=True)
    await stopped.wait()
    await simulator.stop()


if __name__ == "__main__":
    with Path(sys.argv[1]).open("ab") as opened, asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(opened))
