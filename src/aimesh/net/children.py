"""Background work with an owner: every asyncio task of the process is started, watched and stopped here.

1. A child that ends with an exception is reported to ``on_crash`` by name; it is never lost in silence.
2. ``stop`` cancels every child and waits for all of them.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

OnCrash = Callable[[str, BaseException], None]


class Children:
    """Owns the process's asyncio tasks. One per process, made by ``app.py``."""

    def __init__(self, on_crash: OnCrash) -> None:
        self._on_crash = on_crash
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, name: str, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        # The one place where a task is made.
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def repeat(self, name: str, every_s: float, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Runs ``step`` for ever, ``every_s`` after its last end. One that fails is reported and tried again: what
        keeps the process right must not end with the first surprise."""
        self.start(name, self._repeat(name, every_s, step))

    async def _repeat(self, name: str, every_s: float, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                await step()
            except Exception as error:  # noqa: BLE001 - the supervisor: reported, whatever it is
                self._on_crash(name, error)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_crash(task.get_name(), error)

    @property
    def names(self) -> list[str]:
        """Names of the children alive, for leak checks."""
        return sorted(task.get_name() for task in self._tasks)

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
