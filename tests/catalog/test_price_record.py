from dataclasses import dataclass
from decimal import Decimal

import pytest
from msgspec import structs
from tests.support.pricing import ENDPOINTS, catalog_with, priced_record

from aimesh.catalog.price import compiled
from aimesh.catalog.price_discount import Discount, Discounts, DiscountTerms, Scope
from aimesh.catalog.price_record import Pricer
from aimesh.catalog.schema import PriceEntry, PriceTerms, Tier
from aimesh.core.ids import CredentialId, EndpointName, TenantId
from aimesh.core.money import Currency
from aimesh.core.usage import NO_USAGE, Usage

FIRST, SECOND, _, UNPRICED = ENDPOINTS
CATALOG = catalog_with({FIRST: "CNY 1 2", SECOND: "USD 3 4"})
RECORD = structs.replace(
    priced_record("r1", FIRST), usage=Usage(input_tokens=1_000_000, output_tokens=1_000_000)
)
HALF_TERMS = DiscountTerms(scope=Scope.ALL, name="", factor="0.5", since_s=0.0)
HALF_OF = Discount(
    id="dsc_1",
    tenant=TenantId("default"),
    terms=HALF_TERMS,
    created_at_s=0.0,
    updated_at_s=0.0,
    version=1,
)
HALF = Discounts([HALF_OF])


def test_a_record_costs_what_its_endpoint_costs() -> None:
    found = Pricer(CATALOG).price(RECORD)
    assert found is not None
    assert (found.cost_nano, found.list_nano, found.currency) == (3 * 10**9, 3 * 10**9, Currency.CNY)


def test_a_discount_is_taken_off_and_the_list_price_kept() -> None:
    found = Pricer(CATALOG, HALF).price(RECORD)
    assert found is not None
    assert (found.cost_nano, found.list_nano) == (1_500_000_000, 3 * 10**9)


def test_usage_over_an_own_credential_is_priced_at_list() -> None:
    own = structs.replace(RECORD, credential=CredentialId("byok:default/cloud_north/team"))
    found = Pricer(CATALOG, HALF).price(own)
    assert found is not None
    assert (found.cost_nano, found.list_nano) == (3 * 10**9, 3 * 10**9)


@dataclass
class Unknown:
    endpoint: str
    usage: Usage


@pytest.mark.parametrize(
    "unknown",
    [
        Unknown(UNPRICED, RECORD.usage),
        Unknown("gone@maker/small@open_ai", RECORD.usage),
        Unknown("", RECORD.usage),
        Unknown(FIRST, NO_USAGE),
    ],
)
def test_what_is_not_known_or_not_used_has_no_price(unknown: Unknown) -> None:
    pricer = Pricer(CATALOG, HALF)
    record = structs.replace(RECORD, endpoint=EndpointName(unknown.endpoint), usage=unknown.usage)
    assert pricer.price(record) is None
    assert pricer.used == {}


def test_it_knows_the_endpoints_of_the_catalogue() -> None:
    pricer = Pricer(CATALOG)
    assert pricer.knows(EndpointName(UNPRICED))
    assert not pricer.knows(EndpointName("gone@maker/small@open_ai"))
    assert Pricer(CATALOG, version=compiled(_ENTRY)).knows(EndpointName("gone@maker/small@open_ai"))


def test_what_was_used_is_remembered_once() -> None:
    pricer = Pricer(CATALOG)
    for endpoint in (FIRST, SECOND, FIRST):
        assert pricer.price(structs.replace(RECORD, endpoint=EndpointName(endpoint))) is not None
    assert [one.endpoint for one in pricer.used.values()] == [FIRST, SECOND]
    assert {one.price.version for one in pricer.used.values()} == set(pricer.used)


_ENTRY = PriceEntry(
    currency=Currency.CNY,
    tiers=(Tier(input=Decimal(1), output=Decimal(1)),),
    dated=(
        PriceTerms(
            currency=Currency.CNY,
            until="2026-01-01T00:00:00Z",
            tiers=(Tier(input=Decimal(5), output=Decimal(5)),),
        ),
    ),
)


def test_the_version_that_held_when_the_call_began_prices_it() -> None:
    catalog = catalog_with({FIRST: _ENTRY})
    pricer = Pricer(catalog)
    old = structs.replace(RECORD, at=1_767_225_599.0)
    new = structs.replace(RECORD, at=1_767_225_600.0)
    costs = [found.cost_nano for one in (old, new) if (found := pricer.price(one)) is not None]
    assert costs == [10 * 10**9, 2 * 10**9]
    assert set(pricer.used) == {compiled(_ENTRY).version, compiled(_ENTRY.dated[0]).version}


def test_a_task_costs_what_held_when_it_was_made_however_late_it_is_settled() -> None:
    until = structs.replace(HALF_TERMS, until_s=1_767_225_600.0)
    discounts = Discounts([structs.replace(HALF_OF, terms=until)])
    settled = structs.replace(RECORD, at=1_767_300_000.0, made_at=1_767_225_599.0)
    found = Pricer(catalog_with({FIRST: _ENTRY}), discounts).price(settled)
    assert found is not None
    assert (found.list_nano, found.cost_nano) == (10 * 10**9, 5 * 10**9)


def test_a_given_version_prices_everything_whatever_its_times() -> None:
    version = compiled(_ENTRY.dated[0])
    pricer = Pricer(CATALOG, HALF, version=version)
    found = pricer.price(structs.replace(RECORD, at=2e9))
    assert found is not None
    assert (found.list_nano, found.cost_nano) == (10 * 10**9, 5 * 10**9)
    assert found.version == version.version
