"""Tasks while the database is away: what cannot be written there is kept in a file of this node, and moved later.

The file has the table of the tasks, shared by the workers of the node. A row there is a *copy* of what the database
says, or it is *spooled*: the database is still to hear of it, and until then the file says what is so.

1. A task that an upstream accepted is in the file before it is in the database: nothing that ends a call or a process
   between the two loses it.
2. A change goes to the database, and to the file when that fails. What was changed in the file is spooled in the
   same transaction.
3. A spooled row is asked for and changed in the file only, until it was moved. Moving it twice is moving it once, and a
   change that came while it was moved is moved again.
4. While the database is away, tasks that were made or asked for on this node are found, listed and settled; others
   cannot be told from unknown ones, so asking for them is a ``StoreError``.
5. A file that fails is reported, and then the database alone decides.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from aimesh.core.clock import Clock
from aimesh.core.ids import CredentialId, InterfaceId, KeyId, TaskId
from aimesh.store.database import (
    Database,
    DuplicateError,
    Row,
    Session,
    StoreError,
    Transactions,
    UnavailableError,
    Value,
)
from aimesh.store.sqlite import SqliteDriver, is_sqlite, prepare
from aimesh.store.tasks import (
    HeldTask,
    NewTask,
    Progress,
    Task,
    TaskBook,
    TaskFilter,
    TaskPage,
    TaskStore,
    encode_summary,
    read_held,
    read_task,
)

T = TypeVar("T")

KEEP_S = 48 * 3600.0
"""For copies: providers forget their tasks after a day, too."""

_BATCH = 100
_TIDY_EVERY_S = 3600.0

_TABLE = """
CREATE TABLE IF NOT EXISTS spooled (
    number INTEGER PRIMARY KEY AUTOINCREMENT, interface TEXT NOT NULL, id TEXT NOT NULL, UNIQUE (interface, id)
)"""

_SPOOL = "INSERT OR REPLACE INTO spooled (interface, id) VALUES (:interface, :id)"
"""A number is never given again: whoever moved an earlier state cannot take this one for moved."""

_FORGET = "DELETE FROM spooled WHERE number = :number"

_SPOOLED = """
SELECT spooled.number, spooled.interface AS spooled_interface, spooled.id AS spooled_id, tasks.*
FROM spooled LEFT JOIN tasks ON tasks.interface = spooled.interface AND tasks.id = spooled.id"""

_HELD_HERE = """
SELECT tasks.interface, tasks.id, tasks.summary FROM tasks
JOIN spooled ON tasks.interface = spooled.interface AND tasks.id = spooled.id WHERE NOT tasks.settled"""

_COPY = """
SELECT tasks.*, spooled.number FROM tasks
LEFT JOIN spooled ON tasks.interface = spooled.interface AND tasks.id = spooled.id
WHERE tasks.interface = :interface AND tasks.id = :id"""

_TIDY = """
DELETE FROM tasks WHERE updated_at_s < :before_s AND NOT EXISTS (
    SELECT 1 FROM spooled WHERE spooled.interface = tasks.interface AND spooled.id = tasks.id
)"""

_COLUMNS = (*Task.__struct_fields__, "poll_at_s")
_TRUTHS = ("finished", "succeeded", "settled")

_INSERT = f"""
INSERT INTO tasks ({", ".join(_COLUMNS)}) VALUES ({", ".join(f":{name}" for name in _COLUMNS)})
ON CONFLICT (interface, id) DO NOTHING"""  # noqa: S608 - names of ours

_MERGE = """
UPDATE tasks SET
    status = :status, finished = :finished, succeeded = :succeeded, document = :document,
    settled = settled OR :settled, updated_at_s = :updated_at_s,
    poll_at_s = CASE WHEN :finished AND NOT finished THEN 0 ELSE poll_at_s END
WHERE interface = :interface AND id = :id AND key_id = :key_id AND (:finished OR NOT finished)"""

_DELETE = "DELETE FROM tasks WHERE interface = :interface AND id = :id"
_OWNER = "SELECT key_id FROM tasks WHERE interface = :interface AND id = :id"


class _Spooled(Struct, frozen=True):
    number: int
    interface: InterfaceId
    id: TaskId
    row: dict[str, Value] | None
    """None: it was deleted."""

    @property
    def place(self) -> dict[str, Value]:
        return {"interface": self.interface, "id": self.id}


class _Known(Struct, frozen=True):
    """What the file says of a task."""

    is_spooled: bool = False
    task: Task | None = None


_UNKNOWN = _Known()


class _Spooling:
    """Transactions on the file that spool the one task that they change."""

    def __init__(self, file: Database, interface: InterfaceId, task_id: TaskId) -> None:
        self._file = file
        self._place: dict[str, Value] = {"interface": interface, "id": task_id}

    async def read(self, work: Callable[[Session], T]) -> T:
        return await self._file.read(work)

    async def write(self, work: Callable[[Session], T]) -> T:
        def spooling(session: Session) -> T:
            result = work(session)
            # False: there was nothing to change.
            if result is not False:
                session.change(_SPOOL, self._place)
            return result

        return await self._file.write(spooling)


class SpooledTaskStore:
    """A ``TaskStore`` that goes on without its database. Made by ``open_spool``."""

    def __init__(
        self, database: Transactions, file: Database, clock: Clock, on_error: Callable[[StoreError], None]
    ) -> None:
        self._database = database
        self._file = file
        self._clock = clock
        self._on_error = on_error
        self._there = TaskStore(database, clock)
        self._here = TaskStore(file, clock)
        self._moving = asyncio.Lock()
        self._tidied_at_s = -_TIDY_EVERY_S

    async def create(self, task: NewTask, *, poll_after_s: float = 0.0) -> None:
        try:
            await self._spooling(task.interface, task.id).create(task, poll_after_s=poll_after_s)
        except DuplicateError:
            raise
        except StoreError as error:
            self._on_error(error)
            await self._there.create(task, poll_after_s=poll_after_s)
            return
        try:
            others = await self._move(await self._file.read(partial(_spooled, task.interface, task.id)))
        except StoreError:
            # It is spooled; ``drain`` tries again.
            return
        if others:
            raise DuplicateError("another key's task has this id")

    async def find(self, interface: InterfaceId, task_id: TaskId) -> Task | None:
        known = await self._known(interface, task_id)
        if known.is_spooled:
            return known.task
        try:
            found = await self._there.find(interface, task_id)
        except StoreError:
            if known.task is None:
                raise
            return known.task
        if found is not None and known.task is None:
            await self._reported(self._file.write(partial(_copy, found)))
        return found

    async def find_own(self, interface: InterfaceId, task_id: TaskId, key_id: KeyId) -> Task | None:
        task = await self.find(interface, task_id)
        return task if task is not None and task.key_id == key_id else None

    async def list_page(self, wanted: TaskFilter, *, page: int, page_size: int) -> TaskPage:
        # Not all of them: somebody waits.
        await self._drain_batch()
        try:
            return await self._there.list_page(wanted, page=page, page_size=page_size)
        except StoreError:
            return await self._here.list_page(wanted, page=page, page_size=page_size)

    async def update(self, interface: InterfaceId, task_id: TaskId, progress: Progress) -> bool:
        return await self._change(
            interface, task_id, lambda store: store.update(interface, task_id, progress)
        )

    async def mark_settled(self, interface: InterfaceId, task_id: TaskId) -> bool:
        return await self._change(interface, task_id, lambda store: store.mark_settled(interface, task_id))

    async def delete(self, interface: InterfaceId, task_id: TaskId) -> bool:
        return await self._change(interface, task_id, lambda store: store.delete(interface, task_id))

    async def expire(self, interface: InterfaceId, task_id: TaskId, *, status: str, claim_s: float) -> bool:
        return await self._change(
            interface, task_id, lambda store: store.expire(interface, task_id, status=status, claim_s=claim_s)
        )

    async def claim_settling(self, interface: InterfaceId, task_id: TaskId, *, claim_s: float) -> bool:
        return await self._change(
            interface, task_id, lambda store: store.claim_settling(interface, task_id, claim_s=claim_s)
        )

    async def lead(self, held_until_s: float, *, lease_s: float) -> float:
        return await self._there.lead(held_until_s, lease_s=lease_s)

    async def claim_due(
        self,
        *,
        limit: int,
        claim_s: float,
        each: int | None = None,
        resting: Collection[CredentialId] = (),
    ) -> list[Task]:
        await self.drain()
        return await self._there.claim_due(limit=limit, claim_s=claim_s, each=each, resting=resting)

    async def unfinished(self, limit: int) -> list[Task]:
        await self.drain()
        return await self._there.unfinished(limit)

    async def held(self) -> list[HeldTask]:
        await self.drain()
        # In this order: what is moved meanwhile is seen twice rather than not at all.
        here = await self._file.read(lambda session: read_held(session.all(_HELD_HERE, {})))
        return here + await self._there.held()

    async def drain(self) -> None:
        """Moves what is spooled, as far as the database lets it. Cheap when there is nothing; call it often."""
        after = await self._drain_batch()
        while after is not None:
            after = await self._drain_batch(after)
        await self._tidy()

    async def _drain_batch(self, after: int = 0) -> int | None:
        """Of those with a number above ``after``; gives the number to go on from, or None at the end."""
        async with self._moving:
            try:
                waiting = await self._file.read(partial(_batch, after))
            except StoreError as error:
                self._on_error(error)
                return None
            try:
                await self._move_or_report(waiting)
            except UnavailableError:
                return None
            except StoreError:
                # One of them; the others go on.
                for spooled in waiting:
                    await self._reported(self._move_or_report([spooled]))
            return waiting[-1].number if len(waiting) == _BATCH else None

    def close(self) -> None:
        """Leaves what is spooled for the next process."""
        self._file.close()

    def _spooling(self, interface: InterfaceId, task_id: TaskId) -> TaskStore:
        return TaskStore(_Spooling(self._file, interface, task_id), self._clock)

    async def _change(
        self, interface: InterfaceId, task_id: TaskId, change: Callable[[TaskStore], Awaitable[bool]]
    ) -> bool:
        known = await self._known(interface, task_id)
        if not known.is_spooled:
            try:
                changed = await change(self._there)
            except StoreError:
                if known.task is None:
                    raise
            else:
                await self._reported(change(self._here))
                return changed
        return await change(self._spooling(interface, task_id))

    async def _known(self, interface: InterfaceId, task_id: TaskId) -> _Known:
        try:
            return await self._file.read(partial(_known, interface, task_id))
        except StoreError as error:
            self._on_error(error)
            return _UNKNOWN

    async def _reported(self, work: Awaitable[object]) -> None:
        try:
            await work
        except StoreError as error:
            self._on_error(error)

    async def _move_or_report(self, waiting: Sequence[_Spooled]) -> None:
        for spooled in await self._move(waiting):
            self._on_error(DuplicateError(f"another key's task has the id {spooled.id}"))

    async def _move(self, waiting: Sequence[_Spooled]) -> Sequence[_Spooled]:
        """Gives those whose id is another key's, which are forgotten."""
        if not waiting:
            return ()
        others = await self._database.write(
            lambda session: [each for each in waiting if not _moved(each, session)]
        )
        await self._file.write(partial(_forget, waiting, others))
        return others

    async def _tidy(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._tidied_at_s < _TIDY_EVERY_S:
            return
        self._tidied_at_s = now_s
        before_s = self._clock.wall_s() - KEEP_S
        await self._reported(self._file.write(lambda session: session.change(_TIDY, {"before_s": before_s})))


def open_tasks(
    url: str, home: Path, database: Transactions, *, clock: Clock, on_error: Callable[[StoreError], None]
) -> TaskBook:
    """``url`` is that of ``database``. With SQLite there is nothing to go on without: the file is the database.
    Blocks. Raises ``StoreError``."""
    if is_sqlite(url):
        return TaskStore(database, clock)
    return open_spool(home / "run" / "spool.db", database, clock, on_error)


def open_spool(
    path: Path, database: Transactions, clock: Clock, on_error: Callable[[StoreError], None]
) -> SpooledTaskStore:
    """``path``: the file; made if absent, with its folder. Blocks. Raises ``StoreError``."""
    driver = SqliteDriver(prepare(f"sqlite:///{path.absolute()}"))
    driver.transact(lambda session: session.change(_TABLE), writes=True)
    return SpooledTaskStore(database, Database(driver), clock, on_error)


def _known(interface: InterfaceId, task_id: TaskId, session: Session) -> _Known:
    place: dict[str, Value] = {"interface": interface, "id": task_id}
    row = session.one(_COPY, place)
    if row is not None:
        return _Known(is_spooled=row["number"] is not None, task=read_task(row))
    deleted = session.one("SELECT 1 FROM spooled WHERE interface = :interface AND id = :id", place)
    return _Known(is_spooled=deleted is not None)


def _spooled(interface: InterfaceId, task_id: TaskId, session: Session) -> list[_Spooled]:
    """None of them: somebody else moved it."""
    where = " WHERE spooled.interface = :interface AND spooled.id = :id"
    return [_decoded(row) for row in session.all(_SPOOLED + where, {"interface": interface, "id": task_id})]


def _batch(after: int, session: Session) -> list[_Spooled]:
    where = " WHERE spooled.number > :after ORDER BY spooled.number LIMIT :limit"
    return [_decoded(row) for row in session.all(_SPOOLED + where, {"after": after, "limit": _BATCH})]


def _decoded(row: Row) -> _Spooled:
    values: dict[str, Value] | None = None
    if row["key_id"] is not None:
        values = {name: row[name] for name in _COLUMNS}
        values |= {name: bool(values[name]) for name in _TRUTHS}
    return _Spooled(row["number"], row["spooled_interface"], row["spooled_id"], values)


def _moved(spooled: _Spooled, session: Session) -> bool:
    """Whether the task is ours."""
    row = spooled.row
    if row is None:
        session.change(_DELETE, spooled.place)
        return True
    if session.change(_INSERT, row) or session.change(_MERGE, row):
        return True
    # What the database has is newer, or another's.
    owner = session.one(_OWNER, spooled.place)
    return owner is None or bool(owner["key_id"] == row["key_id"])


def _forget(waiting: Sequence[_Spooled], others: Sequence[_Spooled], session: Session) -> None:
    for spooled in waiting:
        if session.change(_FORGET, {"number": spooled.number}) and spooled in others:
            session.change(_DELETE, spooled.place)


def _copy(task: Task, session: Session) -> None:
    values: dict[str, Value] = {name: getattr(task, name) for name in Task.__struct_fields__}
    values |= {"summary": encode_summary(task.summary), "poll_at_s": task.updated_at_s}
    session.change(_INSERT, values)
