"""A data-plane worker inside this process, on a thread of its own: its insides can be looked at.

The tests stay blocking; ``ask`` runs a function on the worker's loop and gives its result.
"""

import asyncio
import concurrent.futures
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from tests.support.chaos_config import Config, write_config
from tests.support.chaos_http import until

from aimesh.app import Worker
from aimesh.core.clock import SystemClock
from aimesh.core.record import UsageRecord
from aimesh.net.listen import new_event_loop
from aimesh.settings import compile_settings
from aimesh.store.reader import read_records

T = TypeVar("T")


class LoopThread:
    """A fast loop that runs on its own thread."""

    def __init__(self) -> None:
        self._loop = new_event_loop()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def run(self, coroutine: Coroutine[Any, Any, T], timeout_s: float = 30.0) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout_s)

    def ask(self, what: Callable[[], T]) -> T:
        answer: concurrent.futures.Future[T] = concurrent.futures.Future()

        def told() -> None:
            try:
                answer.set_result(what())
            except Exception as error:
                answer.set_exception(error)

        self._loop.call_soon_threadsafe(told)
        return answer.result(30.0)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class InnerGateway:
    """A worker that was started, with its journal."""

    def __init__(self, thread: LoopThread, config: Config, home: Path) -> None:
        self._thread = thread
        self.home = home
        self._file = home / "aimesh.yaml"
        write_config(self._file, config)
        settings = compile_settings(self._file, {"AIMESH_HOME": str(home), "HOME": str(home)})
        self._journal = settings.journal_directory

        async def start() -> tuple[Worker, str, list[str]]:
            worker = Worker(settings, SystemClock())
            addresses = await worker.start()
            return worker, addresses[0], worker.children.names

        self.worker, address, self._names_at_rest = thread.run(start())
        self.url = f"http://{address}"

    def stop(self) -> None:
        self._thread.run(self.worker.stop())

    def ask(self, what: Callable[[], T]) -> T:
        return self._thread.ask(what)

    def records(self) -> list[UsageRecord]:
        return list(read_records(self._journal))

    def record(self) -> UsageRecord:
        """The one record of the one call made here; more or fewer are a failure."""
        until(self.records, "no usage record", within_s=5)
        found = self.records()
        assert len(found) == 1, [(record.id, record.outcome) for record in found]
        return found[0]

    def wait_at_rest(self, within_s: float = 5.0) -> None:
        """No call, no connection in use on either side, no child that was not there at the start."""
        deadline_s = time.monotonic() + within_s
        while (busy := self.busy()) != (0, 0, 0, 0, []):
            assert time.monotonic() < deadline_s, f"leaked (see busy): {busy}"
            time.sleep(0.01)

    def busy(self) -> tuple[int, int, int, int, list[str]]:
        """Calls, upstream connections in use, connections being made, callers' connections, extra children."""
        return self.ask(self._busy)

    def _busy(self) -> tuple[int, int, int, int, list[str]]:
        worker = self.worker
        client = worker.client.stats()
        extra = [name for name in worker.children.names if name not in self._names_at_rest]
        return worker.edge.in_flight, client.in_use, client.dialling, worker.server.stats.open, extra
