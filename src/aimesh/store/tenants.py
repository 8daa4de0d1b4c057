"""Tenants: rows of ``tenants``, with the limits and defaults that an administrator gave them.

1. The tenant ``default`` is always there; no tenant is ever deleted, only disabled.
2. A change that calls must see moves the number of "world" in its own transaction.
3. A change is made to the version that was read; one that came between is not overwritten.
"""

import msgspec
from msgspec import Struct
from sqlalchemy import RowMapping, func, insert, select, update

from aimesh.core.ids import TenantId
from aimesh.core.policy import NO_LIMITS, Limits, Route, TenantStatus
from aimesh.store.changes import bump
from aimesh.store.engine import Connection
from aimesh.store.tables import TENANTS


class TenantTerms(Struct, frozen=True):
    """What may be edited."""

    name: str
    status: TenantStatus = TenantStatus.ACTIVE
    limits: Limits = NO_LIMITS
    """Over all keys of the tenant together."""
    default_route: Route = Route()
    default_limits: Limits = NO_LIMITS
    """What a new key has unless its maker says otherwise."""


class Tenant(Struct, frozen=True):
    id: TenantId
    terms: TenantTerms
    created_at_s: float
    updated_at_s: float
    version: int


def find_tenant(db: Connection, tenant: TenantId) -> Tenant | None:
    row = db.execute(select(TENANTS).where(TENANTS.c.id == tenant)).mappings().first()
    return _tenant(row) if row is not None else None


def list_tenants(db: Connection, *, after: str | None, limit: int) -> list[Tenant]:
    """By id; ``after`` is the last one seen."""
    question = select(TENANTS).order_by(TENANTS.c.id).limit(limit)
    if after is not None:
        question = question.where(TENANTS.c.id > after)
    return [_tenant(row) for row in db.execute(question).mappings()]


def count_tenants(db: Connection) -> int:
    return db.execute(select(func.count()).select_from(TENANTS)).scalar_one()


def add_tenant(db: Connection, tenant: TenantId, terms: TenantTerms, now_s: float) -> Tenant:
    """A taken id makes the block end in ``DuplicateError``."""
    db.execute(
        insert(TENANTS).values(
            id=tenant, created_at_s=now_s, updated_at_s=now_s, version=1, **_columns(terms)
        )
    )
    bump(db, "world")
    return Tenant(id=tenant, terms=terms, created_at_s=now_s, updated_at_s=now_s, version=1)


def change_tenant(db: Connection, tenant: Tenant, terms: TenantTerms, now_s: float) -> Tenant | None:
    """None: somebody else changed it since it was read."""
    done = db.execute(
        update(TENANTS)
        .where(TENANTS.c.id == tenant.id, TENANTS.c.version == tenant.version)
        .values(updated_at_s=now_s, version=TENANTS.c.version + 1, **_columns(terms))
    )
    if not done.rowcount:
        return None
    bump(db, "world")
    return find_tenant(db, tenant.id)


def _columns(terms: TenantTerms) -> dict[str, str]:
    return {
        "name": terms.name,
        "status": terms.status.value,
        "limits": _text(terms.limits),
        "default_route": _text(terms.default_route),
        "default_limits": _text(terms.default_limits),
    }


def _text(value: Limits | Route) -> str:
    return msgspec.json.encode(value).decode()


def _tenant(row: RowMapping) -> Tenant:
    return Tenant(
        id=TenantId(row["id"]),
        terms=TenantTerms(
            name=row["name"],
            status=TenantStatus(row["status"]),
            limits=msgspec.json.decode(row["limits"], type=Limits),
            default_route=msgspec.json.decode(row["default_route"], type=Route),
            default_limits=msgspec.json.decode(row["default_limits"], type=Limits),
        ),
        created_at_s=row["created_at_s"],
        updated_at_s=row["updated_at_s"],
        version=row["version"],
    )
