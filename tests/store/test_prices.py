"""Versions of prices in the database, on both kinds."""

from decimal import Decimal

from tests.support.pricing import ENDPOINTS, catalog_with, priced_record
from tests.support.stores import any_store

from aimesh.catalog.price import compiled, read_version
from aimesh.catalog.price_discount import Discount, DiscountTerms, Scope
from aimesh.catalog.price_record import Version
from aimesh.catalog.schema import PriceEntry, PriceTerms
from aimesh.core.ids import DEFAULT_TENANT, EndpointName
from aimesh.core.money import Currency
from aimesh.store.discounts import add_discount
from aimesh.store.engine import Store
from aimesh.store.prices import count_versions, find_version, keep_versions, list_versions, read_pricer

__all__ = ["any_store"]

NORTH, SOUTH = EndpointName("north@m@open_ai"), EndpointName("south@m@open_ai")


def version(endpoint: EndpointName, amount: str) -> dict[str, Version]:
    price = compiled(
        PriceEntry(
            currency=Currency.CNY,
            per_image=Decimal(amount),
            dated=(PriceTerms(currency=Currency.USD, until="2026-01-01T00:00:00Z", per_image=Decimal(9)),),
        )
    )
    return {price.version: Version(endpoint=endpoint, price=price)}


def test_a_version_is_written_once_and_never_changes(any_store: Store) -> None:
    used = version(NORTH, "1")
    (name,) = used
    with any_store.write() as db:
        keep_versions(db, used, 10.0)
    with any_store.write() as db:
        keep_versions(db, version(SOUTH, "1") | version(SOUTH, "2"), 20.0)
        keep_versions(db, {}, 30.0)
    with any_store.read() as db:
        kept = find_version(db, name)
        assert find_version(db, "none") is None
        assert count_versions(db, EndpointName("")) == 2
    assert kept is not None
    assert (kept.endpoint, kept.first_seen_s) == (NORTH, 10.0)
    again = read_version(kept.document)
    assert (again.version, again.per_image, again.dated) == (name, used[name].price.per_image, ())


def test_the_list_is_the_newest_first(any_store: Store) -> None:
    with any_store.write() as db:
        for number in range(5):
            keep_versions(db, version(NORTH if number % 2 else SOUTH, str(number + 1)), float(number // 2))
        anywhere = EndpointName("")
        whole = list_versions(db, anywhere, after=None, limit=9)
        assert [one.first_seen_s for one in whole] == [2.0, 1.0, 1.0, 0.0, 0.0]
        place, pages = None, []
        while page := list_versions(db, anywhere, after=place, limit=2):
            pages += page
            place = (page[-1].first_seen_s, page[-1].version)
        assert pages == whole
        assert {one.endpoint for one in list_versions(db, NORTH, after=None, limit=9)} == {NORTH}
        assert (count_versions(db, NORTH), count_versions(db, SOUTH)) == (2, 3)


def test_a_pricer_prices_by_the_discounts_of_the_database(any_store: Store) -> None:
    terms = DiscountTerms(scope=Scope.ALL, name="", factor="0.25", since_s=0.0)
    catalog = catalog_with({ENDPOINTS[0]: "CNY 1 1"})
    with any_store.write() as db:
        add_discount(db, Discount("dsc_1", DEFAULT_TENANT, terms, 0.0, 0.0, 1))
        found = read_pricer(db, catalog).price(priced_record("r1", ENDPOINTS[0]))
    assert found is not None
    assert found.cost_nano * 4 == found.list_nano > 0
