"""Long jobs for whoever looks at them: pages of them, newest first, and what each one used and cost.

1. A task is in one of six states, whatever its provider calls it; a task that has not ended is queued or running.
2. What a task cost is in the record that settled it, which is there once the record was imported.
3. A task that is cancelled here is settled with it: one that did not run costs nothing. Everything else is settled by
   the data plane, which only hears of it from here.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct, structs
from sqlalchemy import ColumnElement, Row, and_, func, not_, select, text, tuple_

from aimesh.core.ids import InterfaceId, KeyId, ModelName, ProviderId, TaskId, TenantId, UserId
from aimesh.core.money import Currency
from aimesh.core.record import decode_record
from aimesh.core.usage import Usage
from aimesh.store.engine import Connection
from aimesh.store.tables import USAGE_RECORDS, VIRTUAL_KEYS
from aimesh.store.task_tables import TASKS
from aimesh.store.tasks import MARK_SETTLED, UPDATE, Progress, Task, read_task
from aimesh.store.usage_rows import SETTLEMENT

_CLOCKS_DIFFER_S = 3600.0


class TaskState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """Nothing more was heard of it."""


_QUEUED = ("queued", "pending")
_CANCELLED = ("cancelled", "canceled")
_EXPIRED = ("expired", "unknown")
"""As providers spell them, in small letters."""

Place = tuple[float, str, str]
"""Time of creation, interface and id of a task."""


class TasksWanted(Struct, frozen=True):
    tenant: TenantId | None = None
    """None: every tenant's."""
    owner: UserId | None = None
    """Only of keys that are this person's; None: whoever they belong to."""
    keys: frozenset[KeyId] | None = None
    models: frozenset[ModelName] | None = None
    provider: ProviderId | None = None
    states: frozenset[TaskState] = frozenset()
    """Empty: all."""
    since_s: float | None = None
    until_s: float | None = None
    """Not in it any more."""


class Settled(Struct, frozen=True):
    """What a task used and cost."""

    usage: Usage
    cost_nano: int | None
    """None: no price is known, or nothing was used."""
    list_nano: int | None
    currency: Currency | None
    error_code: str
    """Ours, where the provider said nothing."""


def state_of(task: Task) -> TaskState:
    status = task.status.lower()
    if not task.finished:
        return TaskState.QUEUED if status in _QUEUED else TaskState.RUNNING
    if task.succeeded:
        return TaskState.SUCCEEDED
    if status in _CANCELLED:
        return TaskState.CANCELLED
    return TaskState.EXPIRED if status in _EXPIRED else TaskState.FAILED


def list_tasks(db: Connection, wanted: TasksWanted, *, before: Place | None, limit: int) -> list[Task]:
    """Newest first; ``before`` is the last one seen."""
    table = TASKS.c
    parts = _matches(wanted)
    place = (table.created_at_s, table.interface, table.id)
    if before is not None:
        parts += [table.created_at_s <= before[0], tuple_(*place) < tuple_(*before)]
    question = select(TASKS).where(*parts).order_by(*(column.desc() for column in place)).limit(limit)
    return [read_task(row) for row in db.execute(question).mappings()]


def find_task(db: Connection, interface: InterfaceId, task_id: TaskId, wanted: TasksWanted) -> Task | None:
    """None as well where ``wanted`` leaves it out."""
    parts = [TASKS.c.interface == interface, TASKS.c.id == task_id, *_matches(wanted)]
    row = db.execute(select(TASKS).where(*parts)).mappings().one_or_none()
    return None if row is None else read_task(row)


def settled_of(db: Connection, tasks: Sequence[Task]) -> dict[tuple[InterfaceId, TaskId], Settled]:
    """Of those whose settlement has been imported."""
    names = {
        f"{SETTLEMENT}{task.interface}:{task.id}": (task.interface, task.id) for task in tasks if task.settled
    }
    if not names:
        return {}
    table = USAGE_RECORDS.c
    # So that a database with a table for each month looks into few of them.
    since_s = min(task.created_at_s for task in tasks) - _CLOCKS_DIFFER_S
    rows = db.execute(
        select(table.id, table.record, table.cost_nano, table.list_nano, table.currency).where(
            table.id.in_(names), table.at_s >= since_s
        )
    )
    return {names[row.id]: _settled(row) for row in rows}


# A row of a SQLAlchemy query has columns of any type.
def _settled(row: Row[Any, Any, Any, Any, Any]) -> Settled:
    record = decode_record(row.record.encode())
    return Settled(
        usage=record.usage,
        cost_nano=row.cost_nano,
        list_nano=row.list_nano,
        currency=None if row.currency is None else Currency(row.currency),
        error_code=record.error_code,
    )


def note_progress(db: Connection, task: Task, progress: Progress, now_s: float) -> Task:
    """Keeps what the upstream said. One that has ended is the settler's from then on."""
    changed = db.execute(
        text(UPDATE),
        {
            "interface": task.interface,
            "id": task.id,
            "status": progress.status,
            "finished": progress.finished,
            "succeeded": progress.succeeded,
            "document": progress.document,
            "poll_at_s": progress.poll_at_s,
            "not_before_s": progress.not_before_s,
            "now_s": now_s,
        },
    )
    if not changed.rowcount:
        return task
    return structs.replace(
        task,
        status=progress.status,
        finished=progress.finished,
        succeeded=progress.succeeded,
        document=progress.document,
        updated_at_s=now_s,
    )


def note_cancelled(db: Connection, task: Task, status: str, now_s: float) -> Task:
    """The upstream cancelled it before it began."""
    gone = Progress(status=status, finished=True, succeeded=False, document=b"")
    done = note_progress(db, task, gone, now_s)
    db.execute(text(MARK_SETTLED), {"interface": task.interface, "id": task.id, "now_s": now_s})
    return structs.replace(done, settled=True)


def _matches(wanted: TasksWanted) -> list[ColumnElement[bool]]:
    table = TASKS.c
    parts: list[ColumnElement[bool]] = []
    if wanted.tenant is not None:
        parts.append(table.tenant == wanted.tenant)
    if wanted.owner is not None:
        own = select(VIRTUAL_KEYS.c.id).where(VIRTUAL_KEYS.c.owner == wanted.owner)
        parts.append(table.key_id.in_(own))
    if wanted.keys is not None:
        parts.append(table.key_id.in_(sorted(wanted.keys)))
    if wanted.models is not None:
        parts.append(table.model.in_(sorted(wanted.models)))
    if wanted.provider is not None:
        parts.append(table.provider == wanted.provider)
    if wanted.states:
        parts.append(_is_one_of(wanted.states))
    if wanted.since_s is not None:
        parts.append(table.created_at_s >= wanted.since_s)
    if wanted.until_s is not None:
        parts.append(table.created_at_s < wanted.until_s)
    return parts


def _is_one_of(states: frozenset[TaskState]) -> ColumnElement[bool]:
    found: ColumnElement[bool] | None = None
    for state in sorted(states):
        found = _is(state) if found is None else found | _is(state)
    assert found is not None
    return found


def _is(state: TaskState) -> ColumnElement[bool]:
    """The same as ``state_of``."""
    table = TASKS.c
    status = func.lower(table.status)
    ended_badly = and_(table.finished, not_(table.succeeded))
    match state:
        case TaskState.QUEUED:
            return and_(not_(table.finished), status.in_(_QUEUED))
        case TaskState.RUNNING:
            return and_(not_(table.finished), status.not_in(_QUEUED))
        case TaskState.SUCCEEDED:
            return and_(table.finished, table.succeeded)
        case TaskState.CANCELLED:
            return and_(ended_badly, status.in_(_CANCELLED))
        case TaskState.EXPIRED:
            return and_(ended_badly, status.in_(_EXPIRED))
        case TaskState.FAILED:
            return and_(ended_badly, status.not_in((*_CANCELLED, *_EXPIRED)))
