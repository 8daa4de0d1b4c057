"""The audit log: who changed what, when, from where.

1. A line is written in the transaction of the change that it tells of, and is never changed afterwards.
2. ``changes`` holds no secret; whoever writes a line sees to it (``control/audit.py``).
3. Ids sort by time, so a page is a range of ids.
"""

from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, and_, func, insert, or_, select, true

from aimesh.core.ids import TenantId
from aimesh.store.engine import Connection
from aimesh.store.tables import AUDIT

ActorKind = Literal["user", "token", "local", "system"]


class AuditLine(Struct, frozen=True):
    id: str
    at_s: float
    tenant: TenantId
    """Whose thing was changed; empty: the installation's."""
    actor_kind: ActorKind
    actor_id: str
    actor_name: str
    ip: str
    action: str
    """``key.create``."""
    target_kind: str
    target_id: str
    target_name: str
    changes: str
    """JSON object."""
    request_id: str


class AuditFilter(Struct, frozen=True):
    tenant: TenantId | None = None
    """None: all of them, and the installation's own."""
    actor: str = ""
    """Id or name."""
    action: str = ""
    """Whole, or its first part: ``key`` finds ``key.create``."""
    target: str = ""
    """Id or name."""
    since_s: float | None = None
    until_s: float | None = None


def add_line(db: Connection, line: AuditLine) -> None:
    db.execute(insert(AUDIT).values(**msgspec.to_builtins(line)))


def list_lines(db: Connection, wanted: AuditFilter, *, before: str | None, limit: int) -> list[AuditLine]:
    """Newest first; ``before`` is the id of the last one seen."""
    question = select(AUDIT).where(_matches(wanted))
    if before is not None:
        question = question.where(AUDIT.c.id < before)
    rows = db.execute(question.order_by(AUDIT.c.id.desc()).limit(limit))
    return [msgspec.convert(row, AuditLine, from_attributes=True) for row in rows]


def count_lines(db: Connection, wanted: AuditFilter) -> int:
    return db.execute(select(func.count()).select_from(AUDIT).where(_matches(wanted))).scalar_one()


def last_line(db: Connection, *, kind: str, target: str, action: str) -> AuditLine | None:
    """The newest line that tells of this done to that."""
    question = select(AUDIT).where(
        AUDIT.c.target_kind == kind, AUDIT.c.target_id == target, AUDIT.c.action == action
    )
    row = db.execute(question.order_by(AUDIT.c.id.desc()).limit(1)).first()
    return msgspec.convert(row, AuditLine, from_attributes=True) if row is not None else None


def _matches(wanted: AuditFilter) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = []
    if wanted.tenant is not None:
        parts.append(AUDIT.c.tenant == wanted.tenant)
    if wanted.actor:
        parts.append(or_(AUDIT.c.actor_id == wanted.actor, AUDIT.c.actor_name == wanted.actor))
    if wanted.action:
        inside = AUDIT.c.action.startswith(f"{wanted.action}.", autoescape=True)
        parts.append(or_(AUDIT.c.action == wanted.action, inside))
    if wanted.target:
        parts.append(or_(AUDIT.c.target_id == wanted.target, AUDIT.c.target_name == wanted.target))
    if wanted.since_s is not None:
        parts.append(AUDIT.c.at_s >= wanted.since_s)
    if wanted.until_s is not None:
        parts.append(AUDIT.c.at_s < wanted.until_s)
    return and_(true(), *parts)
