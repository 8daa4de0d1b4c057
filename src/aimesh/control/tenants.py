"""Tenants: made, limited, marked overdue, disabled. For who runs the installation.

1. A change of status or limits is seen by calls within a second; it goes out with the next publication.
2. Nothing deletes a tenant: its records stay.
"""

from fastapi import Response

from aimesh.control.audit import Target, audited, difference
from aimesh.control.errors import Conflict, NotFound, Stale
from aimesh.control.http import Edit, Pages, tag
from aimesh.control.identity import Signed
from aimesh.control.noun import Noun
from aimesh.control.parts import Uses
from aimesh.control.schemas_people import NewTenant, TenantAnswer, TenantChange, TenantPage, shown_tenant
from aimesh.control.texts import Id
from aimesh.core.ids import TenantId
from aimesh.store.database import DuplicateError
from aimesh.store.engine import Connection
from aimesh.store.tenants import (
    Tenant,
    TenantTerms,
    add_tenant,
    change_tenant,
    count_tenants,
    find_tenant,
)
from aimesh.store.tenants import list_tenants as stored_tenants

NOUN = Noun("tenants", "Separate parties with people, keys, secrets and limits of their own.")


@NOUN.get("/tenants", "list_tenants")
def list_tenants(parts: Uses, pages: Pages) -> TenantPage:
    """All tenants, by id."""
    with parts.store.read() as db:
        rows = stored_tenants(db, after=pages.after(str), limit=pages.limit + 1)
        total = count_tenants(db)
    tenants, cursor = pages.cut(rows, lambda tenant: tenant.id)
    return TenantPage(data=[shown_tenant(tenant) for tenant in tenants], next_cursor=cursor, total=total)


@NOUN.post("/tenants", "add_tenant", errors=(409,), status=201)
def make_tenant(body: NewTenant, parts: Uses, caller: Signed, response: Response) -> TenantAnswer:
    """Adds a tenant. Its first administrator is added with `POST /members?tenant=`."""
    terms = TenantTerms(
        name=body.name,
        status=body.status,
        limits=body.limits.value(),
        default_route=body.default_route.value(),
        default_limits=body.default_limits.value(),
    )
    try:
        with parts.store.write() as db:
            tenant = add_tenant(db, TenantId(body.id), terms, caller.source.at_s)
            audited(db, caller, "tenant.create", _target(tenant), {"terms": terms})
    except DuplicateError as error:
        raise Conflict("TENANT_EXISTS", "there is a tenant with this id already") from error
    tag(response, tenant.version)
    return shown_tenant(tenant)


@NOUN.get("/tenants/{tenant_id}", "get_tenant", errors=(404,))
def get_tenant(tenant_id: Id, parts: Uses, response: Response) -> TenantAnswer:
    """One tenant."""
    with parts.store.read() as db:
        tenant = _found(db, tenant_id)
    tag(response, tenant.version)
    return shown_tenant(tenant)


@NOUN.patch("/tenants/{tenant_id}", "change_tenant", errors=(404, 412, 428))
def edit_tenant(tenant_id: Id, body: TenantChange, parts: Uses, caller: Signed, edit: Edit) -> TenantAnswer:
    """Changes name, status, limits, or what new keys get. What was used in running periods is kept."""
    with parts.store.write() as db:
        tenant = _found(db, tenant_id)
        edit.check(tenant.version)
        terms = _edited(tenant.terms, body)
        if terms != tenant.terms:
            changed = change_tenant(db, tenant, terms, caller.source.at_s)
            if changed is None:
                raise Stale
            audited(db, caller, "tenant.change", _target(changed), difference(tenant.terms, terms))
            tenant = changed
    edit.tag(tenant.version)
    return shown_tenant(tenant)


def _edited(terms: TenantTerms, body: TenantChange) -> TenantTerms:
    return TenantTerms(
        name=terms.name if body.name is None else body.name,
        status=terms.status if body.status is None else body.status,
        limits=terms.limits if body.limits is None else body.limits.value(),
        default_route=terms.default_route if body.default_route is None else body.default_route.value(),
        default_limits=terms.default_limits if body.default_limits is None else body.default_limits.value(),
    )


def _found(db: Connection, tenant_id: str) -> Tenant:
    tenant = find_tenant(db, TenantId(tenant_id))
    if tenant is None:
        raise NotFound("TENANT_NOT_FOUND", "there is no such tenant")
    return tenant


def _target(tenant: Tenant) -> Target:
    return Target("tenant", tenant.id, tenant.terms.name, tenant.id)
