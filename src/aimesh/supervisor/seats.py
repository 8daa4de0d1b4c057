"""The workers: one seat each, with its sockets, filled at all times.

1. A worker has a seat, which is about sockets, and a slot, which is about what workers share. While a worker is
   replaced, two have the same seat and different slots.
2. A change happens seat by seat. If the first successor does not come up, everything stays as it was.
3. A seat whose workers keep ending is closed while it waits, so that its callers reach the others.
"""

import asyncio
import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from msgspec import Struct

from aimesh.net.listen import bind_unix
from aimesh.settings import Address, Source
from aimesh.supervisor.child import Child, OnEnd
from aimesh.supervisor.orders import Brief
from aimesh.supervisor.ports import Ports
from aimesh.supervisor.post import Post
from aimesh.supervisor.slots import Slots

_MODULE = "aimesh.supervisor.worker"
_PATIENCE_S = 10.0
"""How long a reload waits for a free slot before those who leave are asked to hurry. They then close connections that
wait for a request, and one may be on its way: after so long it would be from a caller who hardly calls."""


class Shared(Struct, frozen=True):
    """What all workers are given, and whom they are reported to."""

    control: str
    """Path of the control process's socket."""
    sockets: Path
    """Directory of the workers' own sockets."""
    ledger: str
    say: Callable[[str], None]
    source: Callable[[], Source]
    """The configuration that is in force."""
    release_slot: Callable[[int], None]
    """Told of every slot whose worker has ended."""


class Change(Enum):
    """What became of a change."""

    NONE = "none"
    """The first successor did not come up, and all is as it was."""
    PART = "part"
    """Some predecessors stay."""
    WHOLE = "whole"


class Seats:
    def __init__(self, shared: Shared, slots: Slots) -> None:
        self._shared = shared
        self._slots = slots
        self._loop = asyncio.get_running_loop()
        self._ports = Ports(())
        self._posts: list[Post] = []
        self._retired: list[Post] = []

    @property
    def addresses(self) -> list[str]:
        return self._ports.names

    @property
    def children(self) -> list[Child]:
        return [child for post in (*self._posts, *self._retired) for child in post.children]

    @property
    def restarts(self) -> int:
        return sum(post.restarts for post in (*self._posts, *self._retired))

    @property
    def are_served(self) -> bool:
        return any(post.child is not None and post.child.is_ready for post in self._posts)

    def bind(self, addresses: tuple[Address, ...]) -> None:
        """Before the first start. Raises ``OSError``."""
        self._ports = Ports(addresses)

    async def fill(self, count: int) -> bool:
        """The first start; False: some worker did not come up."""
        self._posts = [self._post(seat) for seat in range(count)]
        return all(await asyncio.gather(*(post.fill() for post in self._posts)))

    async def change(self, addresses: tuple[Address, ...], count: int) -> Change:
        """Replaces every worker; more or fewer, on other addresses, if so it is. Raises ``OSError`` where an address
        cannot be had; nothing has changed then."""
        before = self._ports
        self._ports = Ports(addresses, before)
        is_done = True
        for number, post in enumerate(self._posts[:count]):
            if await self._replaced(post):
                continue
            is_done = False
            if number == 0:
                self._ports, unused = before, self._ports
                unused.close(but=before)
                return Change.NONE
        for seat in range(len(self._posts), count):
            self._posts.append(self._post(seat))
            is_done = await self._replaced(self._posts[-1]) and is_done
        for post in self._posts[count:]:
            post.retire()
            self._retired.append(post)
        for seat in range(count, len(self._posts)):
            self._ports.vacate(seat)
        del self._posts[count:]
        before.close(but=self._ports)
        return Change.WHOLE if is_done else Change.PART

    async def stop(self, within_s: float) -> bool:
        """False: some had to be killed. The sockets are closed first: nobody is to wait in a queue that is not
        served any more."""
        posts = (*self._posts, *self._retired)
        for post in posts:
            post.close()
        self._ports.close()
        return all(await asyncio.gather(*(post.stop(within_s) for post in posts)))

    def socket_path(self, slot: int) -> Path:
        """Where the worker in a slot tells its health and its counters."""
        return self._shared.sockets / f"worker-{slot}.sock"

    async def _replaced(self, post: Post) -> bool:
        if not await self._slots.is_free_within(_PATIENCE_S):
            for child in self.children:
                if child.is_asked_to_go:
                    child.stop()
            await self._slots.wait()
        return await post.replace()

    def _post(self, seat: int) -> Post:
        return Post(
            f"worker {seat}",
            lambda on_end: self._start(seat, on_end),
            say=self._shared.say,
            release=self._release,
            on_vacant=lambda: self._ports.vacate(seat),
        )

    def _start(self, seat: int, on_end: OnEnd) -> Child:
        slot = self._slots.take()
        try:
            listeners = self._ports.open(seat)
            with bind_unix(self.socket_path(slot)) as admin:
                brief = Brief(
                    slot=slot,
                    listeners=tuple(each.fileno() for each in listeners),
                    admin=(admin.fileno(),),
                    control=self._shared.control,
                    ledger=self._shared.ledger,
                )
                return Child(
                    _MODULE,
                    brief,
                    source=self._shared.source(),
                    sockets=(*listeners, admin),
                    loop=self._loop,
                    on_end=on_end,
                    on_words=self._shared.say,
                )
        except OSError:
            self._slots.give_back(slot)
            raise

    def _release(self, child: Child) -> None:
        self.socket_path(child.slot).unlink(missing_ok=True)
        self._shared.release_slot(child.slot)
        self._slots.give_back(child.slot)


def count_workers(wanted: int) -> int:
    """0 means: one per core that this process may use."""
    if wanted:
        return wanted
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
