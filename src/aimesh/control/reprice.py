"""Pricing again what was priced: after a price was wrong, came late, or a discount was agreed for the past.

1. An answer is about so many records; the caller asks again with the cursor until there is none. What an answer says
   is done is done, so breaking off and beginning anew loses and doubles nothing.
2. Every batch that changes something is one transaction with its line in the audit log.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated

from fastapi import Query
from msgspec import Struct, field

from aimesh.catalog.price import Price, read_version
from aimesh.catalog.price_record import Pricer
from aimesh.control.audit import Target, audited
from aimesh.control.errors import Detail, Invalid, NotFound
from aimesh.control.http import Paging, cursor_of
from aimesh.control.identity import Caller, Signed
from aimesh.control.noun import Noun
from aimesh.control.parts import Parts, Uses
from aimesh.control.schemas_prices import (
    PricedSum,
    Reprice,
    RepricedAnswer,
    RepricedEndpoint,
    shown_amounts,
)
from aimesh.control.texts import Slug, seconds, shown_time
from aimesh.core.ids import EndpointName, TenantId
from aimesh.core.money import Currency
from aimesh.core.priced import Priced
from aimesh.store.discounts import read_discounts
from aimesh.store.engine import Connection
from aimesh.store.prices import find_version
from aimesh.store.reprice import Difference, Place, Repriced, Selection, reprice
from aimesh.store.tenants import find_tenant

NOUN = Noun("re-pricing", "Prices and discounts, applied again to usage that was priced before.")

BATCH = 2_000
_MOST_BATCHES = 10
_LONGEST_S = 5.0
"""An answer is given after so long, whatever is left."""


class _Sum(Struct):
    cost: Counter[Currency] = field(default_factory=Counter)
    list_price: Counter[Currency] = field(default_factory=Counter)
    unpriced: int = 0

    def add(self, priced: Priced | None) -> None:
        if priced is None:
            self.unpriced += 1
        else:
            self.cost[priced.currency] += priced.cost_nano
            self.list_price[priced.currency] += priced.list_nano

    def shown(self) -> PricedSum:
        return PricedSum(
            cost=shown_amounts(self.cost), list=shown_amounts(self.list_price), unpriced=self.unpriced
        )


@NOUN.post("/usage/reprice", "reprice_usage", errors=(404,))
def reprice_usage(
    body: Reprice,
    parts: Uses,
    caller: Signed,
    tenant: Annotated[Slug | None, Query(description="Only this tenant's; default: every tenant's.")] = None,
) -> RepricedAnswer:
    """Prices records again, some thousands an answer: ask again with `next_cursor` until it is null."""
    selection = Selection(
        since_s=seconds(body.since),
        until_s=caller.source.at_s if body.until is None else seconds(body.until),
        tenant=None if tenant is None else TenantId(tenant),
        endpoint=EndpointName(body.endpoint) if body.endpoint else None,
    )
    version = _version(parts, body, selection)
    place: Place | None = Paging(limit=1, cursor=body.cursor).after(tuple[float, str])
    began_s = parts.clock.monotonic_s()
    batches: list[Repriced] = []
    while True:
        batch = _batch(parts, caller, selection, version, place, is_dry=body.dry_run)
        batches.append(batch)
        place = batch.last
        is_late = parts.clock.monotonic_s() - began_s > _LONGEST_S
        if place is None or is_late or len(batches) == _MOST_BATCHES:
            break
    return _answer(batches, place)


def _version(parts: Parts, body: Reprice, selection: Selection) -> Price | None:
    with parts.store.read() as db:
        if selection.tenant is not None and find_tenant(db, selection.tenant) is None:
            raise NotFound("TENANT_NOT_FOUND", "there is no such tenant")
        if not body.version:
            return None
        found = find_version(db, body.version)
    if found is None:
        raise NotFound("PRICE_VERSION_NOT_FOUND", "nothing was priced with such a version")
    if selection.endpoint is None:
        message = "a version is one endpoint's: say which"
        raise Invalid("INVALID_REQUEST", message, details=[Detail(path="endpoint", message=message)])
    return read_version(found.document)


def _batch(
    parts: Parts,
    caller: Caller,
    selection: Selection,
    version: Price | None,
    after: Place | None,
    *,
    is_dry: bool,
) -> Repriced:
    if is_dry:
        with parts.store.read() as db:
            pricer = _pricer(parts, db, version)
            return reprice(db, selection, pricer, after=after, limit=BATCH, now_s=None)
    with parts.store.write() as db:
        pricer = _pricer(parts, db, version)
        batch = reprice(db, selection, pricer, after=after, limit=BATCH, now_s=caller.source.at_s)
        if batch.differences:
            _audit(db, caller, selection, version, batch)
    return batch


def _pricer(parts: Parts, db: Connection, version: Price | None) -> Pricer:
    # With the models that are switched off: they were called before.
    catalog = parts.catalogs.of(parts.settings, db).shown
    return Pricer(catalog, read_discounts(db), version=version)


def _audit(
    db: Connection, caller: Caller, selection: Selection, version: Price | None, batch: Repriced
) -> None:
    before, after = _sums(batch.differences)
    since, until = (shown_time(at_s).isoformat() for at_s in (selection.since_s, selection.until_s))
    target = Target("usage", "", f"{since} to {until}", selection.tenant or TenantId(""))
    changes = {
        "records": len(batch.differences),
        "endpoint": selection.endpoint,
        "version": None if version is None else version.version,
        "cost": {"from": shown_amounts(before.cost), "to": shown_amounts(after.cost)},
        "unpriced": {"from": before.unpriced, "to": after.unpriced},
    }
    audited(db, caller, "usage.reprice", target, changes)


def _sums(differences: Iterable[Difference]) -> tuple[_Sum, _Sum]:
    before, after = _Sum(), _Sum()
    for one in differences:
        before.add(one.before)
        after.add(one.after)
    return before, after


def _answer(batches: list[Repriced], place: Place | None) -> RepricedAnswer:
    by_endpoint: dict[EndpointName, list[Difference]] = {}
    for batch in batches:
        for one in batch.differences:
            by_endpoint.setdefault(one.endpoint, []).append(one)
    endpoints: list[RepricedEndpoint] = []
    for name, differences in sorted(by_endpoint.items()):
        before, after = _sums(differences)
        endpoints.append(
            RepricedEndpoint(
                endpoint=name, records=len(differences), before=before.shown(), after=after.shown()
            )
        )
    return RepricedAnswer(
        examined=sum(one.examined for one in batches),
        changed=sum(len(one.differences) for one in batches),
        kept=sum(one.kept for one in batches),
        endpoints=endpoints,
        next_cursor=None if place is None else cursor_of(place),
    )
