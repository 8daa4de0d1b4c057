"""Numbers for the workers that live at the same time, those that leave included.

A worker writes into its own slot of what the workers of a node share, so a slot is given again only after its
worker has ended. Workers of a supervisor that was killed may still hold theirs: ``is_foreign`` tells.
"""

import asyncio
from collections.abc import Callable


class NoSlotError(OSError):
    """All slots are taken."""


class Slots:
    def __init__(self, count: int, is_foreign: Callable[[int], bool]) -> None:
        self.count = count
        self._is_foreign = is_foreign
        self._free = list(range(count))
        self._freed = asyncio.Event()

    def take(self) -> int:
        """The lowest that is free. Raises ``NoSlotError``."""
        for index, slot in enumerate(self._free):
            if not self._is_foreign(slot):
                return self._free.pop(index)
        raise NoSlotError("too many workers are still leaving")

    def give_back(self, slot: int) -> None:
        self._free.append(slot)
        self._free.sort()
        self._freed.set()

    async def is_free_within(self, limit_s: float) -> bool:
        """Waits until one is free; False: in vain."""
        try:
            async with asyncio.timeout(limit_s):
                await self.wait()
        except TimeoutError:
            return False
        return True

    async def wait(self) -> None:
        """Until one is free."""
        while not self._free:
            self._freed.clear()
            await self._freed.wait()
