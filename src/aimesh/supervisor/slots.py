"""Numbers for the workers that live at the same time, those that leave included.

A worker writes into its own slot of what the workers of a node share, so a slot is given again only after its
worker has ended.
"""

import asyncio


class NoSlotError(OSError):
    """All slots are taken."""


class Slots:
    def __init__(self, count: int) -> None:
        self.count = count
        self._free = list(range(count))
        self._freed = asyncio.Event()

    def take(self) -> int:
        """The lowest that is free."""
        if not self._free:
            raise NoSlotError("too many workers are still leaving")
        return self._free.pop(0)

    def give_back(self, slot: int) -> None:
        self._free.append(slot)
        self._free.sort()
        self._freed.set()

    @property
    def has_free(self) -> bool:
        return bool(self._free)

    async def wait(self) -> None:
        """Until one is free."""
        while not self._free:
            self._freed.clear()
            await self._freed.wait()
