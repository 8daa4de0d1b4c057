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
