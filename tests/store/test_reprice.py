"""Pricing again, on both kinds of database: what changes in records is what changes in the sums."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from random import Random

import pytest
from msgspec import structs
from sqlalchemy import func, select
from tests.support.pricing import ENDPOINTS, catalog_with, priced_record
from tests.support.stores import any_store

from aimesh.catalog.price import compiled
from aimesh.catalog.price_discount import Discount, Discounts, DiscountTerms, Scope
from aimesh.catalog.price_record import Pricer
from aimesh.catalog.schema import PriceEntry, Tier
from aimesh.core.ids import CredentialId, EndpointName, TenantId, UserId
from aimesh.core.money import Currency
from aimesh.core.record import UsageRecord
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.store.engine import Store
from aimesh.store.prices import find_version
from aimesh.store.reprice import Place, Repriced, Selection, reprice
from aimesh.store.tables import (
    TASK_SETTLEMENTS,
    USAGE_HOURLY,
    USAGE_HOURLY_KEYS,
    USAGE_HOURLY_MODELS,
    USAGE_RECORDS,
)
from aimesh.store.usage_import import import_usage, prepared
from aimesh.store.usage_rows import Metered

__all__ = ["any_store"]

_HOUR = 1_750_000_000 // 3600 * 3600
ROLLUPS = (USAGE_HOURLY, USAGE_HOURLY_MODELS, USAGE_HOURLY_KEYS)
EVERYTHING = Selection(since_s=0.0, until_s=1e11)
CHEAP, DEAR, FOREIGN, UNKNOWN = ENDPOINTS
BEFORE = catalog_with({CHEAP: "CNY 1 2", DEAR: "CNY 3 4", FOREIGN: "CNY 5 6"})
AFTER = catalog_with({CHEAP: "CNY 1 2.5", DEAR: "CNY 3 4", FOREIGN: "USD 0.7 0.9", UNKNOWN: "CNY 1 1"})
HALF = Discount(
    id="dsc_1",
    tenant=TenantId("other"),
    terms=DiscountTerms(scope=Scope.ALL, name="", factor="0.5", since_s=0.0),
    created_at_s=0.0,
    updated_at_s=0.0,
    version=1,
)


def some_records(count: int) -> list[UsageRecord]:
    """Over tenants, endpoints and hours; several at one moment, some without usage, some over own credentials, some
    that settle a task."""
    random = Random(4711)
    return [
        structs.replace(
            priced_record(f"{'task:' if number % 5 == 2 else ''}r{number:05d}", random.choice(ENDPOINTS)),
            at=_HOUR + number // 3 * 211.5,
            tenant=TenantId(random.choice(["default", "other"])),
            credential=CredentialId(random.choice(["main", "byok:other/a/b"])),
            labels=random.choice([{}, {"team": "a"}]),
            usage=NO_USAGE
            if number % 7 == 0
            else Usage(input_tokens=random.randrange(1, 10**6), output_tokens=random.randrange(10**5)),
        )
        for number in range(count)
    ]


def imported(store: Store, records: list[UsageRecord], pricer: Pricer) -> None:
    metered = [
        Metered(record=one, user=UserId(f"usr_{one.tenant}"), kind="chat", priced=pricer.price(one))
        for one in records
    ]
    import_usage(store, prepared(metered))


def hourly(store: Store) -> list[list[tuple[object, ...]]]:
    """Of every roll-up."""
    with store.read() as db:
        return [sorted(tuple(row) for row in db.execute(select(table))) for table in ROLLUPS]


def empty(store: Store) -> None:
    with store.write() as db:
        for table in (USAGE_RECORDS, TASK_SETTLEMENTS, *ROLLUPS):
            db.execute(table.delete())


def prices(store: Store) -> dict[str, tuple[object, ...]]:
    row = USAGE_RECORDS.c
    with store.read() as db:
        question = select(row.id, row.cost_nano, row.list_nano, row.currency, row.price_version)
        return {found.id: tuple(found)[1:] for found in db.execute(question)}


def in_batches(store: Store, pricer: Pricer, limit: int, selection: Selection = EVERYTHING) -> list[Repriced]:
    place: Place | None = None
    batches: list[Repriced] = []
    while not batches or place is not None:
        with store.write() as db:
            batch = reprice(db, selection, pricer, after=place, limit=limit, now_s=99.0)
        batches.append(batch)
        place = batch.last
    return batches


def changed(batches: list[Repriced]) -> int:
    return sum(len(batch.differences) for batch in batches)


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_afterwards_all_is_as_if_it_had_been_priced_so(any_store: Store, limit: int) -> None:
    records = some_records(90)
    imported(any_store, records, Pricer(BEFORE))
    new = Pricer(AFTER, Discounts([HALF]))
    expected = {one.id: new.price(one) for one in records}
    old = {one.id: Pricer(BEFORE).price(one) for one in records}
    batches = in_batches(any_store, new, limit)
    assert sum(batch.examined for batch in batches) == 90
    assert changed(batches) == sum(old[name] != expected[name] for name in old) > 30
    assert prices(any_store) == {
        name: (None,) * 4 if one is None else (one.cost_nano, one.list_nano, one.currency.value, one.version)
        for name, one in expected.items()
    }
    moved = hourly(any_store)
    empty(any_store)
    imported(any_store, records, new)
    assert moved == hourly(any_store)


def test_a_second_time_changes_nothing(any_store: Store) -> None:
    imported(any_store, some_records(40), Pricer(BEFORE))
    assert changed(in_batches(any_store, Pricer(AFTER), 9)) > 0
    known, sums = prices(any_store), hourly(any_store)
    assert changed(in_batches(any_store, Pricer(AFTER), 9)) == 0
    assert (prices(any_store), hourly(any_store)) == (known, sums)


def test_a_dry_run_says_the_same_and_writes_nothing(any_store: Store) -> None:
    imported(any_store, some_records(40), Pricer(BEFORE))
    known, sums = prices(any_store), hourly(any_store)
    with any_store.read() as db:
        dry = reprice(db, EVERYTHING, Pricer(AFTER), after=None, limit=100, now_s=None)
    assert (prices(any_store), hourly(any_store)) == (known, sums)
    assert [dry] == in_batches(any_store, Pricer(AFTER), 100)
    assert dry.last is None


def test_back_again_everything_is_as_it_was(any_store: Store) -> None:
    imported(any_store, some_records(60), Pricer(BEFORE))
    known, sums = prices(any_store), hourly(any_store)
    in_batches(any_store, Pricer(AFTER), 11)
    assert hourly(any_store) != sums
    in_batches(any_store, Pricer(BEFORE), 13)
    assert (prices(any_store), hourly(any_store)) == (known, sums)


def test_only_what_was_chosen_is_priced_again(any_store: Store) -> None:
    imported(any_store, some_records(60), Pricer(BEFORE))
    known = prices(any_store)
    chosen = Selection(
        since_s=_HOUR + 211.5, until_s=_HOUR + 2000, tenant=TenantId("other"), endpoint=EndpointName(CHEAP)
    )
    batches = in_batches(any_store, Pricer(AFTER), 5, chosen)
    wanted = {
        one.id
        for one in some_records(60)
        if _HOUR + 211.5 <= one.at < _HOUR + 2000 and one.tenant == "other" and one.endpoint == CHEAP
    }
    assert sum(batch.examined for batch in batches) == len(wanted) > 0
    now = prices(any_store)
    assert {name for name in known if known[name] != now[name]} <= wanted
    assert changed(batches) > 0


def test_endpoints_that_are_gone_keep_their_price(any_store: Store) -> None:
    records = some_records(30)
    imported(any_store, records, Pricer(BEFORE))
    known = prices(any_store)
    gone = Pricer(catalog_with({DEAR: "CNY 9 9"}, endpoints=(DEAR,)))
    batches = in_batches(any_store, gone, 100)
    assert batches[0].kept == sum(one.endpoint != DEAR for one in records) > 0
    now = prices(any_store)
    assert all(now[one.id] == known[one.id] for one in records if one.endpoint != DEAR)
    assert any(now[one.id] != known[one.id] for one in records if one.endpoint == DEAR)


def test_a_given_version_holds_whatever_its_times(any_store: Store) -> None:
    records = [structs.replace(one, endpoint=EndpointName(CHEAP)) for one in some_records(10)]
    imported(any_store, records, Pricer(BEFORE))
    entry = PriceEntry(
        currency=Currency.USD,
        tiers=(Tier(input=Decimal(1), output=Decimal(1)),),
        until="2001-01-01T00:00:00Z",
    )
    version = compiled(entry)
    pricer = Pricer(AFTER, version=version)
    batches = in_batches(any_store, pricer, 4)
    used = [one for one in records if one.usage != NO_USAGE]
    assert changed(batches) == len(used)
    assert {prices(any_store)[one.id][3] for one in used} == {version.version}
    with any_store.read() as db:
        kept = find_version(db, version.version)
    assert kept is not None
    assert (kept.endpoint, kept.first_seen_s) == (CHEAP, 99.0)


def test_what_breaks_off_leaves_nothing_half_done(any_store: Store) -> None:
    imported(any_store, some_records(40), Pricer(BEFORE))
    known, sums = prices(any_store), hourly(any_store)
    with pytest.raises(RuntimeError, match="cut"):
        _cut_off(any_store)
    assert (prices(any_store), hourly(any_store)) == (known, sums)


def _cut_off(store: Store) -> None:
    with store.write() as db:
        assert reprice(db, EVERYTHING, Pricer(AFTER), after=None, limit=30, now_s=1.0).differences
        raise RuntimeError("cut")


def test_records_may_be_imported_meanwhile(any_store: Store) -> None:
    records = some_records(400)
    imported(any_store, records[:200], Pricer(BEFORE))
    with ThreadPoolExecutor(2) as threads:
        importing = [
            threads.submit(imported, any_store, records[begin::10], Pricer(catalog))
            for begin, catalog in zip(range(10), [BEFORE, AFTER] * 5, strict=True)
        ]
        for catalog in (AFTER, BEFORE):
            in_batches(any_store, Pricer(catalog), 37)
        for each in importing:
            each.result()
    assert totals(any_store, "records") == totals(any_store, "hourly")
    in_batches(any_store, Pricer(AFTER), 50)
    moved = hourly(any_store)
    empty(any_store)
    imported(any_store, records, Pricer(AFTER))
    assert moved == hourly(any_store)


def test_sums_of_records_and_of_hours_agree(any_store: Store) -> None:
    imported(any_store, some_records(80), Pricer(BEFORE))
    assert totals(any_store, "records") == totals(any_store, "hourly")
    for catalog in (AFTER, BEFORE, AFTER):
        in_batches(any_store, Pricer(catalog, Discounts([HALF])), 17)
        assert totals(any_store, "records") == totals(any_store, "hourly")


def totals(store: Store, of: str) -> Mapping[str, tuple[int, int]]:
    table = USAGE_RECORDS if of == "records" else USAGE_HOURLY
    currency = func.coalesce(table.c.currency, "")
    question = select(currency, func.sum(table.c.cost_nano), func.sum(table.c.list_nano)).group_by(currency)
    with store.read() as db:
        return {row[0]: (int(row[1] or 0), int(row[2] or 0)) for row in db.execute(question)}
