"""Long jobs at a provider: who made them, where they live, how far they are.

1. A task is known by interface and id; the id is the upstream's own. It stays bound to the key, the tenant,
   the endpoint and the credential that it was created with.
2. Once finished, a task is never unfinished again, whatever late answer comes in.
3. ``mark_settled`` is true exactly once per task, across processes and restarts. Usage that is written to the
   journal under an id derived from the task, before marking, is then counted exactly once.
4. ``claim_due`` gives a task to one worker at a time: a claim keeps the others away until it runs out.
5. A task that has just finished is nobody's: whoever ``claim_settling`` answers with true writes its usage, and
   nobody else does before the claim runs out. Whoever dies before he marked it is replaced, so nothing is lost.
6. Of all who want to ``lead``, one does; where he stays away, another does when his time has run out. Should two
   believe it for a moment, 3 to 5 hold all the same.
"""

import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from aimesh.core.clock import Clock
from aimesh.core.ids import (
    CredentialId,
    EndpointName,
    InterfaceId,
    KeyId,
    ModelName,
    ProviderId,
    RequestId,
    TaskId,
    TenantId,
)
from aimesh.store.database import DuplicateError, Session, Transactions, Value, in_list

Summary = Mapping[str, str | int | float | bool | None]
"""What of the request chooses a price and does not come back in the answer: ``{"resolution": "1080p"}``."""


HELD = "held"
"""Member of a summary: what the task holds of budgets until it is settled."""


class HeldTask(Struct, frozen=True):
    """A task that is not settled and holds something."""

    interface: InterfaceId
    id: TaskId
    note: str


class NewTask(Struct, frozen=True):
    interface: InterfaceId
    id: TaskId
    tenant: TenantId
    key_id: KeyId
    request_id: RequestId
    """Of the call that created it."""
    endpoint: EndpointName
    provider: ProviderId
    credential: CredentialId
    model: ModelName
    upstream_name: str
    status: str
    """In the upstream's own spelling."""
    document: bytes
    """The upstream's answer."""
    summary: Summary = {}
    finished: bool = False
    succeeded: bool = False


class Task(Struct, frozen=True):
    """See ``NewTask``."""

    interface: InterfaceId
    id: TaskId
    tenant: TenantId
    key_id: KeyId
    request_id: RequestId
    endpoint: EndpointName
    provider: ProviderId
    credential: CredentialId
    model: ModelName
    upstream_name: str
    status: str
    finished: bool
    succeeded: bool
    settled: bool
    """Its usage is recorded, or it ended without any."""
    summary: Summary
    document: bytes
    """The upstream's last answer."""
    polls: int
    """How often the settler asked."""
    created_at_s: float
    updated_at_s: float


class Progress(Struct, frozen=True):
    """What an answer of the upstream says."""

    status: str
    finished: bool
    succeeded: bool
    document: bytes
    poll_at_s: float | None = None
    """When the settler asks next; None: as it stands."""
    not_before_s: float = 0.0
    """The settler asks no earlier."""


class TaskFilter(Struct, frozen=True):
    """Every condition that is set must hold; an empty tuple sets none."""

    interface: InterfaceId
    key_id: KeyId
    statuses: tuple[str, ...] = ()
    ids: tuple[TaskId, ...] = ()
    models: tuple[str, ...] = ()
    """Public, upstream or endpoint names."""
    created_from_s: float | None = None
    created_until_s: float | None = None


class TaskPage(Struct, frozen=True):
    total: int
    """Over all pages."""
    tasks: tuple[Task, ...]


_INSERT = """
INSERT INTO tasks (
    interface, id, tenant, key_id, request_id, endpoint, provider, credential, model, upstream_name, status,
    finished, succeeded, settled, summary, document, polls, poll_at_s, created_at_s, updated_at_s
) VALUES (
    :interface, :id, :tenant, :key_id, :request_id, :endpoint, :provider, :credential, :model, :upstream_name,
    :status, :finished, :succeeded, FALSE, :summary, :document, 0, :poll_at_s, :now_s, :now_s
) ON CONFLICT (interface, id) DO NOTHING"""

# Of a finished task, ``poll_at_s`` says until when somebody settles it.

UPDATE = """
UPDATE tasks SET
    status = :status, finished = :finished, succeeded = :succeeded, document = :document,
    updated_at_s = :now_s,
    poll_at_s = CASE
        WHEN finished THEN poll_at_s
        WHEN :finished THEN 0
        WHEN :not_before_s > COALESCE(:poll_at_s, poll_at_s) THEN :not_before_s
        ELSE COALESCE(:poll_at_s, poll_at_s)
    END
WHERE interface = :interface AND id = :id AND (:finished OR NOT finished)"""

MARK_SETTLED = """
UPDATE tasks SET settled = TRUE, updated_at_s = :now_s
WHERE interface = :interface AND id = :id AND NOT settled"""

_CLAIM_SETTLING = """
UPDATE tasks SET poll_at_s = :until_s
WHERE interface = :interface AND id = :id AND finished AND NOT settled AND poll_at_s <= :now_s"""

_EXPIRE = """
UPDATE tasks SET
    status = :status, finished = TRUE, succeeded = FALSE, document = :document,
    poll_at_s = :until_s, updated_at_s = :now_s
WHERE interface = :interface AND id = :id AND NOT finished AND NOT settled"""

_CLAIM = """
UPDATE tasks SET poll_at_s = :until_s, polls = polls + 1
WHERE interface = :interface AND id = :id AND NOT settled AND poll_at_s <= :now_s"""

_HELD_TASKS = "SELECT interface, id, summary FROM tasks WHERE NOT settled AND summary LIKE :member"

_LEAD = """
INSERT INTO import_state (name, value) VALUES (:name, :until_s)
ON CONFLICT (name) DO UPDATE SET value = :until_s
WHERE import_state.value = :held_until_s OR import_state.value <= :now_s OR import_state.value > :never_s"""
"""What the leader wrote last is what he is known by: it differs by microseconds from what anybody else writes."""

_LEADER = "settler"
_CLOCK_SLACK_S = 3600.0
"""A leader whose time ends later than this had a clock that was wrong."""


class TaskBook(Protocol):
    """What the data plane asks for. ``TaskStore`` says what each does; ``spool.py`` does it while the database is
    away, too."""

    async def create(self, task: NewTask, *, poll_after_s: float = 0.0) -> None: ...

    async def find(self, interface: InterfaceId, task_id: TaskId) -> Task | None: ...

    async def find_own(self, interface: InterfaceId, task_id: TaskId, key_id: KeyId) -> Task | None: ...

    async def list_page(self, wanted: TaskFilter, *, page: int, page_size: int) -> TaskPage: ...

    async def update(self, interface: InterfaceId, task_id: TaskId, progress: Progress) -> bool: ...

    async def drain(self) -> None: ...

    async def lead(self, held_until_s: float, *, lease_s: float) -> float: ...

    async def claim_due(
        self,
        *,
        limit: int,
        claim_s: float,
        each: int | None = None,
        resting: Collection[CredentialId] = (),
    ) -> list[Task]: ...

    async def unfinished(self, limit: int) -> list[Task]: ...

    async def held(self) -> list[HeldTask]: ...

    async def expire(
        self, interface: InterfaceId, task_id: TaskId, *, status: str, claim_s: float
    ) -> bool: ...

    async def claim_settling(self, interface: InterfaceId, task_id: TaskId, *, claim_s: float) -> bool: ...

    async def mark_settled(self, interface: InterfaceId, task_id: TaskId) -> bool: ...

    async def delete(self, interface: InterfaceId, task_id: TaskId) -> bool: ...

    def close(self) -> None: ...


class TaskStore:
    def __init__(self, database: Transactions, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, task: NewTask, *, poll_after_s: float = 0.0) -> None:
        """Binding a task again to the same key (the upstream gave one job the same id twice) changes nothing;
        to another key it raises ``DuplicateError``. The settler may ask after ``poll_after_s``."""
        now_s = self._clock.wall_s()
        fields = {name: getattr(task, name) for name in task.__struct_fields__}
        values: dict[str, Value] = {
            **fields,
            "summary": encode_summary(task.summary),
            "poll_at_s": now_s + poll_after_s,
            "now_s": now_s,
        }

        def work(session: Session) -> None:
            if session.change(_INSERT, values):
                return
            found = _find(session, task.interface, task.id)
            if found is not None and found.key_id != task.key_id:
                raise DuplicateError("another key's task has this id")

        await self._database.write(work)

    async def find(self, interface: InterfaceId, task_id: TaskId) -> Task | None:
        """Anybody's; for the settler and for administrators."""
        return await self._database.read(lambda session: _find(session, interface, task_id))

    async def find_own(self, interface: InterfaceId, task_id: TaskId, key_id: KeyId) -> Task | None:
        """None as well when the task is another key's: a caller cannot tell."""
        task = await self.find(interface, task_id)
        return task if task is not None and task.key_id == key_id else None

    async def list_page(self, wanted: TaskFilter, *, page: int, page_size: int) -> TaskPage:
        """``page`` counts from 1. Newest first."""
        where, values = _conditions(wanted)

        def work(session: Session) -> TaskPage:
            # The conditions are texts of this file; what callers say is in the values.
            count = session.one(f"SELECT count(*) FROM tasks WHERE {where}", values)  # noqa: S608
            rows = session.all(
                f"SELECT * FROM tasks WHERE {where} "  # noqa: S608 - as above
                "ORDER BY created_at_s DESC, id DESC LIMIT :limit OFFSET :offset",
                {**values, "limit": page_size, "offset": (page - 1) * page_size},
            )
            return TaskPage(total=int(count[0]) if count else 0, tasks=tuple(read_task(row) for row in rows))

        return await self._database.read(work)

    async def update(self, interface: InterfaceId, task_id: TaskId, progress: Progress) -> bool:
        """False: there is no such task, or it has finished and the news is older."""
        values: dict[str, Value] = {
            "interface": interface,
            "id": task_id,
            "status": progress.status,
            "finished": progress.finished,
            "succeeded": progress.succeeded,
            "document": progress.document,
            "poll_at_s": progress.poll_at_s,
            "not_before_s": progress.not_before_s,
            "now_s": self._clock.wall_s(),
        }
        return await self._database.write(lambda session: session.change(UPDATE, values) > 0)

    async def drain(self) -> None:
        """Holds nothing back: see ``spool.py``."""

    async def lead(self, held_until_s: float, *, lease_s: float) -> float:
        """Gives until when the one who asks leads; 0: another does. ``held_until_s``: what it gave last; 0 at first."""
        now_s = self._clock.wall_s()
        until_s = now_s + lease_s + secrets.randbelow(1_000_000) / 1_000_000
        values: dict[str, Value] = {
            "name": _LEADER,
            "now_s": now_s,
            "until_s": until_s,
            "held_until_s": held_until_s,
            "never_s": now_s + lease_s + _CLOCK_SLACK_S,
        }
        leads = await self._database.write(lambda session: session.change(_LEAD, values) > 0)
        return until_s if leads else 0.0

    async def claim_due(
        self,
        *,
        limit: int,
        claim_s: float,
        each: int | None = None,
        resting: Collection[CredentialId] = (),
    ) -> list[Task]:
        """Unsettled tasks whose turn it is, longest due first: at most ``each`` of a credential, none of those that
        are ``resting``. They are due again after ``claim_s`` unless ``update`` says otherwise."""
        now_s = self._clock.wall_s()
        return await self._database.write(
            lambda session: _claim_due(
                session, _Due(now_s, now_s + claim_s, limit, limit if each is None else each), set(resting)
            )
        )

    async def unfinished(self, limit: int) -> list[Task]:
        """Tasks that are not settled, oldest first, whoever has claimed them."""
        sql = "SELECT * FROM tasks WHERE NOT settled ORDER BY created_at_s LIMIT :limit"
        rows = await self._database.read(lambda session: session.all(sql, {"limit": limit}))
        return [read_task(row) for row in rows]

    async def held(self) -> list[HeldTask]:
        """Everything that tasks hold, of all nodes."""
        values: dict[str, Value] = {"member": f'%"{HELD}":%'}
        return await self._database.read(lambda session: read_held(session.all(_HELD_TASKS, values)))

    async def expire(self, interface: InterfaceId, task_id: TaskId, *, status: str, claim_s: float) -> bool:
        """Ends a task of which nothing more is heard. True: it had not ended otherwise, and settling it is claimed."""
        now_s = self._clock.wall_s()
        values: dict[str, Value] = {
            "interface": interface,
            "id": task_id,
            "status": status,
            "document": b"",
            "now_s": now_s,
            "until_s": now_s + claim_s,
        }
        return await self._database.write(lambda session: session.change(_EXPIRE, values) > 0)

    async def claim_settling(self, interface: InterfaceId, task_id: TaskId, *, claim_s: float) -> bool:
        """True: the task has finished, and until ``claim_s`` is over nobody else is to settle it."""
        now_s = self._clock.wall_s()
        values: dict[str, Value] = {
            "interface": interface,
            "id": task_id,
            "now_s": now_s,
            "until_s": now_s + claim_s,
        }
        return await self._database.write(lambda session: session.change(_CLAIM_SETTLING, values) > 0)

    async def mark_settled(self, interface: InterfaceId, task_id: TaskId) -> bool:
        """True for exactly one caller per task."""
        values: dict[str, Value] = {"interface": interface, "id": task_id, "now_s": self._clock.wall_s()}
        return await self._database.write(lambda session: session.change(MARK_SETTLED, values) > 0)

    async def delete(self, interface: InterfaceId, task_id: TaskId) -> bool:
        sql = "DELETE FROM tasks WHERE interface = :interface AND id = :id"
        values: dict[str, Value] = {"interface": interface, "id": task_id}
        return await self._database.write(lambda session: session.change(sql, values) > 0)

    def close(self) -> None:
        """Holds nothing of its own; the database is another's to close."""


class _Due(Struct, frozen=True):
    now_s: float
    until_s: float
    limit: int
    each: int


def _claim_due(session: Session, due: _Due, full: set[str]) -> list[Task]:
    """``full``: credentials of which no more are wanted."""
    claimed: list[Task] = []
    counts: Counter[str] = Counter()
    while len(claimed) < due.limit:
        wanted = due.limit - len(claimed)
        places, values = in_list("full", sorted(full))
        others = f"AND credential NOT IN {places}" if full else ""
        rows = session.free(
            # In one order for everybody.
            f"SELECT * FROM tasks WHERE NOT settled AND poll_at_s <= :now_s {others} "  # noqa: S608 - placeholders
            "ORDER BY poll_at_s, interface, id LIMIT :limit",
            {**values, "now_s": due.now_s, "limit": wanted},
        )
        for row in rows:
            if counts[row["credential"]] >= due.each:
                full.add(row["credential"])
                continue
            claim: dict[str, Value] = {
                "interface": row["interface"],
                "id": row["id"],
                "now_s": due.now_s,
                "until_s": due.until_s,
            }
            if session.change(_CLAIM, claim):
                counts[row["credential"]] += 1
                claimed.append(msgspec.structs.replace(read_task(row), polls=row["polls"] + 1))
        if len(rows) < wanted:
            break
    return claimed


def _conditions(wanted: TaskFilter) -> tuple[str, dict[str, Value]]:
    conditions = ["interface = :interface", "key_id = :key_id"]
    values: dict[str, Value] = {"interface": wanted.interface, "key_id": wanted.key_id}
    for column, items in (("status", wanted.statuses), ("id", wanted.ids)):
        if items:
            places, more = in_list(column, items)
            conditions.append(f"{column} IN {places}")
            values |= more
    if wanted.models:
        places, more = in_list("model", wanted.models)
        conditions.append(f"(model IN {places} OR upstream_name IN {places} OR endpoint IN {places})")
        values |= more
    if wanted.created_from_s is not None:
        conditions.append("created_at_s >= :created_from_s")
        values["created_from_s"] = wanted.created_from_s
    if wanted.created_until_s is not None:
        conditions.append("created_at_s <= :created_until_s")
        values["created_until_s"] = wanted.created_until_s
    return " AND ".join(conditions), values


def _find(session: Session, interface: InterfaceId, task_id: TaskId) -> Task | None:
    sql = "SELECT * FROM tasks WHERE interface = :interface AND id = :id"
    row = session.one(sql, {"interface": interface, "id": task_id})
    return read_task(row) if row is not None else None


def encode_summary(summary: Summary) -> str:
    return msgspec.json.encode(summary).decode()


def read_held(rows: Iterable["Named"]) -> list[HeldTask]:
    """Of rows with these three columns; those that hold nothing are left out."""
    found = []
    for row in rows:
        note = msgspec.json.decode(row["summary"]).get(HELD)
        if isinstance(note, str) and note:
            found.append(HeldTask(row["interface"], row["id"], note))
    return found


class Named(Protocol):
    """A row by the names of its columns, of whichever library."""

    def __getitem__(self, name: str, /) -> Any: ...


def read_task(row: Named) -> Task:
    """A whole row of the table."""
    fields = {name: row[name] for name in Task.__struct_fields__}
    fields["summary"] = msgspec.json.decode(fields["summary"])
    # SQLite keeps truth as 0 and 1.
    for name in ("finished", "succeeded", "settled"):
        fields[name] = bool(fields[name])
    return Task(**fields)
