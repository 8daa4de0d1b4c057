"""Prices that records were priced with, and discounts that tenants have.

1. A version of a price never changes and is never removed: it says what a record's ``price_version`` means.
2. A discount counts for records that are imported after the change. For those that were imported before there is
   ``POST /usage/reprice``.
"""

from typing import Annotated

from fastapi import Query, Response

from aimesh.catalog.price_discount import Discount, DiscountTerms, Scope
from aimesh.catalog.problem import did_you_mean
from aimesh.control.audit import Target, audited, difference
from aimesh.control.errors import Detail, Invalid, NotFound, Stale
from aimesh.control.http import Edit, Pages, tag
from aimesh.control.ids import new_id
from aimesh.control.noun import Noun
from aimesh.control.parts import Parts, Uses
from aimesh.control.schemas_prices import (
    DiscountAnswer,
    DiscountChange,
    DiscountPage,
    NewDiscount,
    PriceVersionAnswer,
    PriceVersionPage,
    shown_discount,
    shown_version,
)
from aimesh.control.texts import Id, OptionalLine
from aimesh.control.visit import Visit, Visiting
from aimesh.core.ids import EndpointName
from aimesh.store import discounts as stored
from aimesh.store.engine import Connection
from aimesh.store.prices import count_versions, find_version, list_versions

NOUN = Noun("prices", "Versions of prices that usage was priced with, and what tenants pay of them.")


@NOUN.get("/price-versions", "list_price_versions")
def list_price_versions(
    parts: Uses,
    pages: Pages,
    endpoint: Annotated[OptionalLine, Query(description="Only those that this endpoint had first.")] = "",
) -> PriceVersionPage:
    """Every version of a price that something was priced with, the newest first."""
    name = EndpointName(endpoint)
    with parts.store.read() as db:
        rows = list_versions(db, name, after=pages.after(tuple[float, str]), limit=pages.limit + 1)
        total = count_versions(db, name)
    versions, cursor = pages.cut(rows, lambda one: (one.first_seen_s, one.version))
    return PriceVersionPage(data=[shown_version(one) for one in versions], next_cursor=cursor, total=total)


@NOUN.get("/price-versions/{version}", "get_price_version", errors=(404,))
def get_price_version(version: Id, parts: Uses) -> PriceVersionAnswer:
    """One version, as it was written."""
    with parts.store.read() as db:
        found = find_version(db, version)
    if found is None:
        raise NotFound("PRICE_VERSION_NOT_FOUND", "nothing was priced with such a version")
    return shown_version(found)


@NOUN.get("/discounts", "list_discounts", errors=(404,))
def list_discounts(visit: Visiting, pages: Pages) -> DiscountPage:
    """Discounts of a tenant, in the order of making."""
    with visit.parts.store.read() as db:
        rows = stored.list_discounts(db, visit.tenant, after=pages.after(str), limit=pages.limit + 1)
        total = stored.count_discounts(db, visit.tenant)
    discounts, cursor = pages.cut(rows, lambda one: one.id)
    return DiscountPage(data=[shown_discount(one) for one in discounts], next_cursor=cursor, total=total)


@NOUN.post("/discounts", "add_discount", errors=(404,), status=201)
def add_discount(body: NewDiscount, visit: Visiting, response: Response) -> DiscountAnswer:
    """Gives a tenant a discount. It holds for calls that begin from `since` on."""
    now_s = visit.caller.source.at_s
    terms = body.terms(now_s)
    _check_times(terms)
    discount = Discount(
        id=new_id("dsc", now_s),
        tenant=visit.tenant,
        terms=terms,
        created_at_s=now_s,
        updated_at_s=now_s,
        version=1,
    )
    with visit.parts.store.write() as db:
        _check_name(visit.parts, db, terms)
        stored.add_discount(db, discount)
        audited(db, visit.caller, "discount.create", _target(discount), {"terms": terms})
    tag(response, discount.version)
    return shown_discount(discount)


@NOUN.get("/discounts/{discount_id}", "get_discount", errors=(404,))
def get_discount(discount_id: Id, visit: Visiting, response: Response) -> DiscountAnswer:
    """One discount."""
    with visit.parts.store.read() as db:
        discount = _found(db, discount_id, visit)
    tag(response, discount.version)
    return shown_discount(discount)


@NOUN.patch("/discounts/{discount_id}", "change_discount", errors=(404, 412, 428))
def change_discount(discount_id: Id, body: DiscountChange, visit: Visiting, edit: Edit) -> DiscountAnswer:
    """Changes how much it is, or when it holds. Records that were priced keep their price."""
    with visit.parts.store.write() as db:
        discount = _found(db, discount_id, visit)
        edit.check(discount.version)
        terms = body.edited(discount.terms)
        _check_times(terms)
        if terms != discount.terms:
            changed = stored.change_discount(db, discount, terms, visit.caller.source.at_s)
            if changed is None:
                raise Stale
            audited(db, visit.caller, "discount.change", _target(changed), difference(discount.terms, terms))
            discount = changed
    edit.tag(discount.version)
    return shown_discount(discount)


@NOUN.delete("/discounts/{discount_id}", "delete_discount", errors=(404,), status=204)
def delete_discount(discount_id: Id, visit: Visiting) -> None:
    """Removes a discount. Records that were priced keep their price; to end it, set `until`."""
    with visit.parts.store.write() as db:
        discount = _found(db, discount_id, visit)
        stored.delete_discount(db, discount.id)
        audited(db, visit.caller, "discount.delete", _target(discount), {"terms": discount.terms})


def _found(db: Connection, discount_id: str, visit: Visit) -> Discount:
    discount = stored.find_discount(db, discount_id)
    if discount is None or discount.tenant != visit.tenant:
        raise NotFound("DISCOUNT_NOT_FOUND", "there is no such discount")
    return discount


def _check_times(terms: DiscountTerms) -> None:
    if terms.until_s is not None and terms.until_s <= terms.since_s:
        raise _invalid("until", "it would end before it begins")


def _check_name(parts: Parts, db: Connection, terms: DiscountTerms) -> None:
    if terms.scope is Scope.ALL:
        if terms.name:
            raise _invalid("name", "a discount on everything has no name", "leave it out, or set scope")
        return
    catalog = parts.catalogs.of(parts.settings, db).shown
    known = catalog.models.keys() if terms.scope is Scope.MODEL else catalog.providers.keys()
    if terms.name not in known:
        hint = did_you_mean(terms.name, known)
        raise _invalid("name", f"there is no such {terms.scope}", hint)


def _invalid(path: str, message: str, hint: str = "") -> Invalid:
    return Invalid("INVALID_REQUEST", message, details=[Detail(path=path, message=message, hint=hint)])


def _target(discount: Discount) -> Target:
    name = f"{discount.terms.scope} {discount.terms.name}".strip()
    return Target("discount", discount.id, name, discount.tenant)
