"""The mock upstream and the load generator in one loop that never sleeps: the stage for whole calls.

1. While load runs, the loop polls. Writing to a process that sleeps on another core costs the writer the waking of
   that core, several microseconds in a virtual machine. A fast gateway keeps its peers awake and a slower one
   does not, so peers that sleep would charge the slower one for what is no work of its own.
2. The connections of a gateway to the upstream outlive a burst: the loop is kept, and stands still in between.
3. Where gateway and load share the only core nothing polls: it would take the gateway's time.
"""

import asyncio
import gc
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar

import uvloop

from bench.mock_upstream import Upstream
from bench.subject import Subject, await_served

T = TypeVar("T")


class Stage:
    """A context manager; gateways are pointed at ``port``."""

    def __init__(self, *, may_poll: bool) -> None:
        self._may_poll = may_poll
        self._is_polling = False
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self.port = 0

    def __enter__(self) -> "Stage":
        loop = self._runner.get_loop()
        self._server = self._runner.run(_listen(loop))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs one piece of load to its end, polling and without pauses by the garbage collector."""
        gc.collect()
        gc.disable()
        self._is_polling = self._may_poll
        self._poll()
        try:
            return self._runner.run(work)
        finally:
            self._is_polling = False
            gc.enable()

    def await_served(self, subject: Subject, timeout_s: float) -> None:
        """Like ``subject.await_served``, answering as the upstream meanwhile."""
        self._runner.run(asyncio.to_thread(await_served, subject, timeout_s))

    def _poll(self) -> None:
        if self._is_polling:
            self._runner.get_loop().call_soon(self._poll)


async def _listen(loop: asyncio.AbstractEventLoop) -> asyncio.Server:
    return await loop.create_server(lambda: Upstream(loop), "127.0.0.1", 0, backlog=4096)
