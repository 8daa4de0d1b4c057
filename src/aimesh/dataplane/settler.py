"""Asks about unfinished tasks whether or not their callers do, so that what they cost is recorded.

1. A task is asked about less and less often, at least every ``LONGEST_WAIT_S``, until it ends or is
   ``GIVE_UP_S`` old.
2. A claim in the database keeps other workers and later rounds away while one asks; it runs out by itself.
3. A question that fails changes nothing but the time of the next one.
4. A task that its provider no longer knows, or that is too old, is settled without usage; one that is known to
   have ended is settled from what was kept, and not asked about.
"""

from collections.abc import Callable

from aimesh.core.clock import Clock
from aimesh.dataplane.snapshot import Snapshot
from aimesh.dataplane.tasks import QUERY_TIMEOUTS, Tasks, maker_of
from aimesh.net.children import Children
from aimesh.store.database import StoreError
from aimesh.store.tasks import Progress, Task, TaskBook
from aimesh.upstream.attempt import Failure, Whole

FIRST_WAIT_S = 5.0
WAIT_GROWTH = 1.5
LONGEST_WAIT_S = 60.0
GIVE_UP_S = 7 * 86_400.0
MOST_AT_ONCE = 20
CLAIM_S = QUERY_TIMEOUTS.whole_s + 30.0


def wait_s(polls: int) -> float:
    """Until the next question, after so many."""
    # No film takes longer than the exponents that matter here; beyond them the power overflows.
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * WAIT_GROWTH ** min(polls, 20))


class Settler:
    """One per worker. ``snapshot`` gives the current one, ``on_error`` hears of a database that fails."""

    def __init__(
        self,
        tasks: Tasks,
        store: TaskBook,
        *,
        children: Children,
        clock: Clock,
        snapshot: Callable[[], Snapshot],
        on_error: Callable[[StoreError], None],
    ) -> None:
        self._tasks = tasks
        self._store = store
        self._children = children
        self._clock = clock
        self._snapshot = snapshot
        self._on_error = on_error
        self._asking = 0

    async def round(self) -> None:
        """Begins to ask about the tasks whose turn it is."""
        room = MOST_AT_ONCE - self._asking
        if room <= 0:
            return
        try:
            due = await self._store.claim_due(limit=room, claim_s=CLAIM_S)
        except StoreError as error:
            self._on_error(error)
            return
        for task in due:
            self._asking += 1
            self._children.start("settle task", self._ask(task))

    async def _ask(self, task: Task) -> None:
        try:
            await self._settle(task)
        except StoreError as error:
            self._on_error(error)
        finally:
            self._asking -= 1

    async def _settle(self, task: Task) -> None:
        if task.finished and task.document:
            await self._tasks.settle_kept(task)
            return
        now_s = self._clock.wall_s()
        if now_s - task.created_at_s > GIVE_UP_S:
            await self._store.mark_settled(task.interface, task.id)
            return
        next_s = now_s + wait_s(task.polls)
        candidate = maker_of(task, self._snapshot())
        if candidate is not None:
            verdict = await self._tasks.look(task, candidate, poll_at_s=next_s)
            if isinstance(verdict, Failure) and verdict.status == 404:
                await self._store.mark_settled(task.interface, task.id)
                return
            if isinstance(verdict, Whole) and verdict.answer.task is not None:
                return
        as_it_was = Progress(
            status=task.status,
            finished=task.finished,
            succeeded=task.succeeded,
            document=task.document,
            poll_at_s=next_s,
        )
        await self._store.update(task.interface, task.id, as_it_was)
