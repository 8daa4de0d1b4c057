"""One post that is to be filled at all times: a worker's seat, the control process, the demo's simulator.

1. A child that ends unasked is followed at once, and after a growing wait when that keeps happening
   (``backoff.py``). ``on_vacant`` is told when there is a wait; starting the next child fills the post again.
2. ``replace`` starts the successor first: the child in charge is asked to leave only when the successor serves. A
   successor that does not come up changes nothing.
3. ``release`` is told once of every child that ended, whoever it was.
"""

import asyncio
from collections.abc import Callable

from aimesh.supervisor.backoff import Backoff
from aimesh.supervisor.child import Child, OnEnd, how_it_ended

_END_S = 20.0
"""For a child that is to end before its successor starts."""

Start = Callable[[OnEnd], Child]
"""Starts a child for the post; raises ``OSError``."""


class Post:
    def __init__(
        self,
        title: str,
        start: Start,
        *,
        say: Callable[[str], None],
        release: Callable[[Child], None],
        on_vacant: Callable[[], None],
    ) -> None:
        self.title = title
        self._start = start
        self._say = say
        self._release = release
        self._on_vacant = on_vacant
        self._loop = asyncio.get_running_loop()
        self._backoff = Backoff()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._is_replacing = False
        self.child: Child | None = None
        """Who is in charge, or being started for it."""
        self.leaving: set[Child] = set()
        """Those before, until their last caller has gone; and a successor that is not in charge yet."""
        self.restarts = 0

    def open(self) -> None:
        """The first child; like any other it is followed if it ends."""
        self._next()

    async def fill(self) -> bool:
        """The first child, waited for; False: it did not come up, and is not followed. Raises ``OSError``."""
        self._is_replacing = True
        try:
            child = self.child = self._start(self._ended)
            is_up = await child.comes_up()
        finally:
            self._is_replacing = False
        if is_up and self.child is None:
            self._follow(0.0)
        return is_up

    async def replace(self) -> bool:
        """False: the successor did not come up, and all is as it was."""
        self._is_replacing = True
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        successor: Child | None = None
        try:
            successor = self._start(self._ended)
            self.leaving.add(successor)
            is_up = await successor.comes_up() and not successor.ended.done()
        except OSError as error:
            self._say(f"{self.title} cannot be started: {error.strerror or error}")
            is_up = False
        finally:
            self._is_replacing = False
        if is_up and successor is not None:
            self.leaving.discard(successor)
            before, self.child = self.child, successor
            if before is not None:
                self.leaving.add(before)
                before.leave()
        if self.child is None and not self._is_closed:
            # Whoever was in charge ended meanwhile.
            self._follow(0.0)
        return is_up

    async def restart(self) -> bool:
        """Ends the child in charge, then starts the next: where two at once would be in each other's way."""
        self._is_replacing = True
        try:
            if (child := self.child) is not None:
                child.stop()
                await asyncio.wait((child.ended,), timeout=_END_S)
                if not child.ended.done():
                    child.kill()
        finally:
            self._is_replacing = False
        return await self.replace()

    def _ended(self, child: Child) -> None:
        self._release(child)
        self.leaving.discard(child)
        if child is not self.child:
            return
        self.child = None
        if self._is_closed or self._is_replacing:
            return
        self.restarts += 1
        wait_s = self._backoff.after(self._loop.time() - child.began_s)
        when = f"in {wait_s:g} s" if wait_s else "at once"
        ended = how_it_ended(child.ended.result())
        self._say(f"{self.title} (process {child.pid}) ended {ended}; the next starts {when}")
        self._follow(wait_s)

    def _follow(self, wait_s: float) -> None:
        if wait_s:
            self._on_vacant()
            self._timer = self._loop.call_later(wait_s, self._next)
        else:
            self._next()

    def _next(self) -> None:
        self._timer = None
        try:
            self.child = self._start(self._ended)
        except OSError as error:
            wait_s = self._backoff.after(0.0)
            self._say(f"{self.title} cannot be started: {error.strerror or error}")
            self._follow(wait_s or 1.0)

    def retire(self) -> None:
        """The post is given up; its child leaves when its callers have gone."""
        self.close()
        child, self.child = self.child, None
        if child is not None:
            self.leaving.add(child)
            child.leave()

    def close(self) -> None:
        """From here on nobody is followed."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()

    @property
    def children(self) -> list[Child]:
        """All that live."""
        return [*([self.child] if self.child is not None else []), *self.leaving]

    async def stop(self, within_s: float) -> bool:
        """Ends all children; False: some had to be killed."""
        self.close()
        children = self.children
        for child in children:
            child.stop()
        ended = [child.ended for child in children]
        if ended:
            _, running = await asyncio.wait(ended, timeout=within_s)
            for child in children:
                child.kill()
            if running:
                await asyncio.wait(running)
            return not running
        return True
