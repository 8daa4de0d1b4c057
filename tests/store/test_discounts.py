"""Discounts in the database, on both kinds."""

from collections.abc import Callable
from fractions import Fraction

import pytest
from msgspec import structs
from tests.support.stores import any_store

from aimesh.catalog.price_discount import Discount, DiscountTerms, Scope
from aimesh.catalog.price_record import payer_of
from aimesh.core.ids import DEFAULT_TENANT, ModelName, ProviderId, TenantId
from aimesh.store.database import DuplicateError
from aimesh.store.discounts import (
    add_discount,
    change_discount,
    count_discounts,
    delete_discount,
    find_discount,
    list_discounts,
    read_discounts,
)
from aimesh.store.engine import Connection, Store
from aimesh.store.published_rows import read_numbers, read_world

__all__ = ["any_store"]

TERMS = DiscountTerms(scope=Scope.MODEL, name="qwen/模型", factor="0.85", since_s=10.5, until_s=20.25)


def discount(name: str, tenant: TenantId = DEFAULT_TENANT) -> Discount:
    return Discount(id=name, tenant=tenant, terms=TERMS, created_at_s=1.0, updated_at_s=1.0, version=1)


def test_everything_of_a_discount_is_kept(any_store: Store) -> None:
    open_end = structs.replace(discount("b"), terms=structs.replace(TERMS, until_s=None))
    with any_store.write() as db:
        add_discount(db, discount("a"))
        add_discount(db, open_end)
    with any_store.read() as db:
        assert find_discount(db, "a") == discount("a")
        assert find_discount(db, "b") == open_end
        assert find_discount(db, "c") is None
    with pytest.raises(DuplicateError), any_store.write() as db:
        add_discount(db, discount("a"))


def test_the_list_is_a_tenants_own(any_store: Store) -> None:
    with any_store.write() as db:
        for name in ("c", "a", "b"):
            add_discount(db, discount(name))
        add_discount(db, discount("x", TenantId("other")))
        assert [one.id for one in list_discounts(db, DEFAULT_TENANT, after=None, limit=2)] == ["a", "b"]
        assert [one.id for one in list_discounts(db, DEFAULT_TENANT, after="b", limit=2)] == ["c"]
        assert (count_discounts(db, DEFAULT_TENANT), count_discounts(db, TenantId("other"))) == (3, 1)


def test_a_change_is_made_to_the_version_that_was_read(any_store: Store) -> None:
    terms = structs.replace(TERMS, factor="0.5")
    with any_store.write() as db:
        add_discount(db, discount("a"))
        changed = change_discount(db, discount("a"), terms, 5.0)
        assert changed == structs.replace(discount("a"), terms=terms, updated_at_s=5.0, version=2)
        assert change_discount(db, discount("a"), TERMS, 6.0) is None
        assert find_discount(db, "a") == changed


def test_all_are_read_at_once_for_looking_up(any_store: Store) -> None:
    with any_store.write() as db:
        add_discount(db, discount("a"))
        add_discount(db, discount("x", TenantId("other")))
        found = read_discounts(db)
        delete_discount(db, "a")
        gone = read_discounts(db)
    asked = (ProviderId("cloud"), ModelName("qwen/模型"), 15.0)
    assert found.factor(DEFAULT_TENANT, *asked) == Fraction(85, 100)
    assert gone.factor(DEFAULT_TENANT, *asked) == 1
    assert gone.factor(TenantId("other"), *asked) == Fraction(85, 100)


def test_workers_hear_of_every_change(any_store: Store) -> None:
    numbers, published = [], []
    terms = structs.replace(TERMS, factor="0.5")
    changes: tuple[Callable[[Connection], object], ...] = (
        lambda db: None,
        lambda db: add_discount(db, discount("a")),
        lambda db: change_discount(db, discount("a"), terms, 5.0),
        lambda db: delete_discount(db, "a"),
    )
    for change in changes:
        with any_store.write() as db:
            change(db)
        with any_store.read() as db:
            numbers.append(read_numbers(db).world)
            (tenant,) = read_world(db).tenants
        payer = payer_of(tenant)
        published.append([one.factor for one in tenant.discounts])
        assert (payer is not None) == bool(tenant.discounts)
    assert len(set(numbers)) == 4
    assert published == [[], ["0.85"], ["0.5"], []]
