"""The audit log: written with every change, read by administrators.

1. A line is written in the transaction of the change; a change without a line is a defect.
2. Changes name fields with their values before and after, except for secrets, of which it is only said that they
   changed: ``SECRET``.
3. A line belongs to the tenant of the thing that was changed, not of who changed it.
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from fastapi import Depends, Query
from msgspec import Struct, structs
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from aimesh.control.access import Permission
from aimesh.control.http import Page, Pages
from aimesh.control.identity import Caller, CallerKind, InTenant, Signed
from aimesh.control.ids import line_id
from aimesh.control.noun import Noun
from aimesh.control.parts import Uses
from aimesh.control.source import Source
from aimesh.control.texts import OptionalLine, Time, seconds, shown_time
from aimesh.core.ids import TenantId
from aimesh.store.audit import ActorKind, AuditFilter, AuditLine, add_line, count_lines, list_lines
from aimesh.store.engine import Connection

NOUN = Noun("audit", "Who changed what.")

Change = Mapping[str, object]
"""Field to what can be shown as JSON; structs and enums can."""

SECRET = {"changed": True}
"""What a line says of a secret."""


class Target(Struct, frozen=True):
    """What was changed."""

    kind: str
    id: str
    name: str
    tenant: TenantId
    """Empty: it belongs to the installation."""


def audited(db: Connection, by: Caller | Source, action: str, target: Target, changes: Change) -> None:
    """Writes the line of a change, in the change's own transaction. ``by`` a source alone: the system did it."""
    source = by if isinstance(by, Source) else by.source
    kind, actor, name = _actor(by)
    line = AuditLine(
        id=line_id(source.at_s, next(source.lines)),
        at_s=source.at_s,
        tenant=target.tenant,
        actor_kind=kind,
        actor_id=actor,
        actor_name=name,
        ip=source.ip,
        action=action,
        target_kind=target.kind,
        target_id=target.id,
        target_name=target.name,
        changes=msgspec.json.encode(changes).decode(),
        request_id=source.request_id,
    )
    add_line(db, line)


def _actor(by: Caller | Source) -> tuple[ActorKind, str, str]:
    if isinstance(by, Source):
        return "system", "", "system"
    if by.token is not None:
        return "token", by.token.id, by.name
    return ("local" if by.kind is CallerKind.LOCAL else "user"), by.user_id, by.name


def difference(before: Struct, after: Struct) -> dict[str, object]:
    """The fields in which two values of one type differ, each as ``{"from": ..., "to": ...}``."""
    old, new = msgspec.to_builtins(before), msgspec.to_builtins(after)
    return {
        name: {"from": old.get(name), "to": new.get(name)}
        for name in type(before).__struct_fields__
        if old.get(name) != new.get(name)
    }


class Actor(BaseModel):
    kind: ActorKind
    id: str = Field(description="Of the person or token; empty for the local operator and the system.")
    name: str


class Changed(BaseModel):
    kind: str = Field(examples=["key"])
    id: str
    name: str = Field(description="At the time of the change.")


class AuditEntry(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0190f2a4c1de5f3b9a77c0d2",
                "at": "2026-01-31T08:00:00Z",
                "tenant": "default",
                "actor": {"kind": "user", "id": "usr_0190f2a4c1de5f3b9a77c0d2", "name": "lin"},
                "ip": "203.0.113.7",
                "action": "key.change",
                "target": {"kind": "key", "id": "key_0190f2a4c1de5f3b9a77c0d2", "name": "search-prod"},
                "changes": {"enabled": {"from": True, "to": False}},
                "request_id": "0190f2a4c1de5f3b00000001",
            }
        }
    )

    id: str
    at: Time
    tenant: str = Field(description="Whose thing was changed; empty: the installation's.")
    actor: Actor
    ip: str
    action: str = Field(description="Kind and verb.", examples=["key.create"])
    target: Changed
    changes: dict[str, JsonValue] = Field(description="Fields before and after; never a secret.")
    request_id: str


class AuditPage(Page[AuditEntry]):
    """Newest first."""


def _asked(
    actor: Annotated[OptionalLine, Query(description="Id or name of who did it.")] = "",
    action: Annotated[
        OptionalLine, Query(description="`key.create`, or `key` for all that was done to keys.")
    ] = "",
    target: Annotated[OptionalLine, Query(description="Id or name of what it was done to.")] = "",
    since: Annotated[Time | None, Query(description="Not before.")] = None,
    until: Annotated[Time | None, Query(description="Before.")] = None,
) -> AuditFilter:
    return AuditFilter(
        actor=actor,
        action=action,
        target=target,
        since_s=None if since is None else seconds(since),
        until_s=None if until is None else seconds(until),
    )


@NOUN.get("/audit", "list_audit", errors=(404,))
def list_audit(
    parts: Uses,
    caller: Signed,
    tenant: InTenant,
    pages: Pages,
    wanted: Annotated[AuditFilter, Depends(_asked)],
) -> AuditPage:
    """Changes, newest first: those of a tenant. Who may look into any tenant and names none sees all, also what
    was changed in the installation itself."""
    sees_all = caller.may(Permission.ANY_TENANT) and tenant == caller.tenant
    wanted = structs.replace(wanted, tenant=None if sees_all else tenant)
    with parts.store.read() as db:
        rows = list_lines(db, wanted, before=pages.after(str), limit=pages.limit + 1)
        total = count_lines(db, wanted)
    lines, cursor = pages.cut(rows, lambda line: line.id)
    return AuditPage(data=[_shown(line) for line in lines], next_cursor=cursor, total=total)


def _shown(line: AuditLine) -> AuditEntry:
    return AuditEntry(
        id=line.id,
        at=shown_time(line.at_s),
        tenant=line.tenant,
        actor=Actor(kind=line.actor_kind, id=line.actor_id, name=line.actor_name),
        ip=line.ip,
        action=line.action,
        target=Changed(kind=line.target_kind, id=line.target_id, name=line.target_name),
        changes=msgspec.json.decode(line.changes),
        request_id=line.request_id,
    )
