"""Asks about unfinished tasks whether or not their callers do, so that what they cost is recorded.

1. One worker of all that share a database asks: it leads, as the database says, and another does where it stays away.
   The others cost one small statement every ``LOOK_EVERY_S``.
2. A task is asked about less and less often, never within ``FIRST_WAIT_S``, until it ends or is ``GIVE_UP_S`` old. The
   questions of a round to one account of a provider are at most ``MOST_OF_ONE``, half of what providers document;
   the other half is the callers'. One that answers "too many" is left alone for ``REST_S``.
3. A claim in the database keeps others and later rounds away while one asks; it runs out by itself. So two leaders, for
   a moment, or one that was killed, neither settle twice nor leave anything unsettled.
4. A question that fails changes nothing but the time of the next one.
5. A task that its provider has forgotten, or that is too old, is settled with a record that says so; one that is
   known to have ended is settled from what was kept, and not asked about.
"""

from collections.abc import Callable

from aimesh.core.clock import Clock
from aimesh.core.ids import CredentialId
from aimesh.dataplane.snapshot import Snapshot
from aimesh.dataplane.tasks import TASK_EXPIRED, TASK_FORGOTTEN, Tasks, is_forgotten, maker_of
from aimesh.net.children import Children
from aimesh.store.database import StoreError
from aimesh.store.tasks import Progress, Task, TaskBook
from aimesh.upstream.attempt import Failure, Whole
from aimesh.upstream.tasks import QUERY_TIMEOUTS

FIRST_WAIT_S = 5.0
WAIT_GROWTH = 1.5
USUAL_WAIT_S = 15.0
"""What providers advise for a film that is being made."""
USUAL_POLLS = 240
LONGEST_WAIT_S = 60.0
"""After an hour of the usual."""
GIVE_UP_S = 7 * 86_400.0
FORGOTTEN_POLLS = 3
"""A provider is believed to have forgotten a task when it says so to a question as late as this one."""
MOST_AT_ONCE = 100
"""Questions on their way."""
MOST_OF_ONE = 10
"""Questions of a round to one account; providers document 20 a second, and rounds are a second apart."""
REST_S = 15.0
CLAIM_S = QUERY_TIMEOUTS.whole_s + 10.0
LEASE_S = 10.0
LOOK_EVERY_S = 4.0
"""Renewing, or trying to lead: twice within a lease."""

_TOO_MANY = 429


def wait_s(polls: int) -> float:
    """Until the next question, after so many."""
    if polls > USUAL_POLLS:
        return LONGEST_WAIT_S
    # The power alone would overflow.
    return min(USUAL_WAIT_S, FIRST_WAIT_S * WAIT_GROWTH ** min(polls, 10))


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
        self._leads_until_s = 0.0
        self._looked_at_s = -LOOK_EVERY_S
        self._resting: dict[CredentialId, float] = {}
        """Until when, by the monotonic clock."""

    async def round(self) -> None:
        """Begins to ask about the tasks whose turn it is, if that is this worker's part. Once a second, no oftener."""
        try:
            await self._store.drain()
            room = MOST_AT_ONCE - self._asking
            if not await self._leads() or room <= 0:
                return
            due = await self._store.claim_due(
                limit=room, claim_s=CLAIM_S, each=MOST_OF_ONE, resting=self._at_rest()
            )
        except StoreError as error:
            self._on_error(error)
            return
        for task in due:
            self._asking += 1
            self._children.start("settle task", self._ask(task))

    async def _leads(self) -> bool:
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_at_s >= LOOK_EVERY_S:
            self._looked_at_s = now_s
            self._leads_until_s = await self._store.lead(self._leads_until_s, lease_s=LEASE_S)
        return self._clock.wall_s() < self._leads_until_s

    def _at_rest(self) -> list[CredentialId]:
        now_s = self._clock.monotonic_s()
        self._resting = {name: end_s for name, end_s in self._resting.items() if end_s > now_s}
        return list(self._resting)

    async def _ask(self, task: Task) -> None:
        try:
            await self._settle(task)
        except StoreError as error:
            self._on_error(error)
        finally:
            self._asking -= 1

    async def _settle(self, task: Task) -> None:
        if task.finished:
            if task.document:
                await self._tasks.settle_kept(task, is_claimed=True)
            else:
                await self._tasks.settle_silent(task)
            return
        now_s = self._clock.wall_s()
        if now_s - task.created_at_s > GIVE_UP_S:
            await self._tasks.expire(task, TASK_EXPIRED)
            return
        next_s = now_s + wait_s(task.polls)
        candidate = maker_of(task, self._snapshot())
        if candidate is not None:
            verdict = await self._tasks.look(task, candidate, poll_at_s=next_s)
            if is_forgotten(task, verdict):
                if task.polls >= FORGOTTEN_POLLS:
                    await self._tasks.expire(task, TASK_FORGOTTEN)
                    return
            elif isinstance(verdict, Whole) and verdict.answer.task is not None:
                return
            elif isinstance(verdict, Failure) and verdict.status == _TOO_MANY:
                self._resting[task.credential] = self._clock.monotonic_s() + REST_S
        as_it_was = Progress(
            status=task.status,
            finished=False,
            succeeded=False,
            document=task.document,
            poll_at_s=next_s,
        )
        await self._store.update(task.interface, task.id, as_it_was)
