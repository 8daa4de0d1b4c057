"""Tenants in the database, on both kinds."""

import pytest
from tests.support.stores import any_store

from aimesh.core.ids import DEFAULT_TENANT, ProviderId, TenantId
from aimesh.core.policy import Limits, Period, Quota, Route, RouteMode, TenantStatus, Unit
from aimesh.store.changes import current
from aimesh.store.database import DuplicateError
from aimesh.store.engine import Store
from aimesh.store.tenants import (
    TenantTerms,
    add_tenant,
    change_tenant,
    count_tenants,
    find_tenant,
    list_tenants,
)

__all__ = ["any_store"]

ACME = TenantId("acme")
TERMS = TenantTerms(
    name="Acme 公司",
    status=TenantStatus.OVERDUE,
    limits=Limits(quotas=(Quota(Unit.CNY, Period.MONTHLY, 1 << 62),), rpm=5),
    default_route=Route(mode=RouteMode.PROVIDER, providers=(ProviderId("a"), ProviderId("b"))),
    default_limits=Limits(concurrency=1),
)


def test_the_default_tenant_is_there(any_store: Store) -> None:
    with any_store.read() as db:
        tenant = find_tenant(db, DEFAULT_TENANT)
        assert [one.id for one in list_tenants(db, after=None, limit=9)] == ["default"]
    assert tenant is not None
    assert tenant.terms == TenantTerms(name=tenant.terms.name)
    assert tenant.version == 1


def test_everything_of_a_tenant_is_kept(any_store: Store) -> None:
    with any_store.write() as db:
        before = current(db, "world")
        added = add_tenant(db, ACME, TERMS, 100.0)
        assert current(db, "world") == before + 1
    with any_store.read() as db:
        assert find_tenant(db, ACME) == added
        assert find_tenant(db, TenantId("nowhere")) is None
    assert added.terms == TERMS
    with pytest.raises(DuplicateError), any_store.write() as db:
        add_tenant(db, ACME, TERMS, 100.0)


def test_the_list_is_by_id(any_store: Store) -> None:
    with any_store.write() as db:
        for name in ("zeta", "acme"):
            add_tenant(db, TenantId(name), TERMS, 100.0)
        assert [one.id for one in list_tenants(db, after=None, limit=2)] == ["acme", "default"]
        assert [one.id for one in list_tenants(db, after="default", limit=2)] == ["zeta"]
        assert count_tenants(db) == 3


def test_a_change_is_made_to_the_version_that_was_read(any_store: Store) -> None:
    with any_store.write() as db:
        tenant = add_tenant(db, ACME, TERMS, 100.0)
        before = current(db, "world")
        changed = change_tenant(db, tenant, TenantTerms(name="New"), 200.0)
        assert changed is not None
        assert (changed.terms, changed.version) == (TenantTerms(name="New"), 2)
        assert (changed.created_at_s, changed.updated_at_s) == (100.0, 200.0)
        assert change_tenant(db, tenant, TERMS, 300.0) is None
        assert current(db, "world") == before + 1
        assert find_tenant(db, ACME) == changed
