"""What the roll-ups say is what the records say, however they are cut and told apart, on both databases."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from msgspec import structs
from tests.support.stores import any_store
from tests.support.usage import BEGIN_S, varied

from aimesh.core.ids import KeyId, ModelName, ProviderId, TenantId, UserId
from aimesh.core.money import Currency
from aimesh.core.outcome import Outcome
from aimesh.core.record import UsageRecord
from aimesh.store.engine import Store
from aimesh.store.usage_import import import_usage, prepared
from aimesh.store.usage_queries import (
    Dimension,
    Totals,
    UsageFilter,
    added_up,
    latest_hour,
    read_totals,
)
from aimesh.store.usage_rows import Metered, is_call, used_anything

__all__ = ["any_store"]

DAY_S = 86_400
EVER = UsageFilter(since_s=0.0, until_s=BEGIN_S + 30 * DAY_S)


def some(count: int = 200) -> list[Metered]:
    """Of two tenants, over both sorts of credentials."""
    found = []
    for number in range(count):
        one = varied(number, tenant="default" if number % 4 else "other")
        if number % 3 == 0:
            one = structs.replace(one, record=structs.replace(one.record, credential="byok:1"))
        found.append(one)
    return found


def by_hand(several: list[Metered]) -> Totals:
    total = Totals()
    for one in several:
        record, usage = one.record, one.record.usage
        if is_call(record.id):
            total.requests += 1
            total.succeeded += record.outcome is Outcome.OK
            total.abandoned += record.outcome is Outcome.CLIENT_GONE
        total.input_tokens += usage.input_tokens
        total.output_tokens += usage.output_tokens
        total.cached_tokens += usage.cached_tokens
        total.cache_write_tokens += usage.cache_write_tokens
        total.reasoning_tokens += usage.reasoning_tokens
        total.images += usage.images
        total.video_ms += round(usage.video_seconds * 1000)
        total.assets += usage.assets
        total.unpriced += one.priced is None and used_anything(usage)
        total.estimated += used_anything(usage) and not usage.reported
        if one.priced is not None:
            currency = one.priced.currency
            for amounts, amount in (
                (total.cost_nano, one.priced.cost_nano),
                (total.list_nano, one.priced.list_nano),
                (total.priced_tokens, usage.input_tokens + usage.output_tokens),
            ):
                amounts[currency] = amounts.get(currency, 0) + amount
    return total


def whole(store: Store, wanted: UsageFilter) -> Totals:
    with store.read() as db:
        return added_up(read_totals(db, wanted, []).values())


FILTERS: list[tuple[UsageFilter, Callable[[Metered], bool]]] = [
    (EVER, lambda one: True),
    (structs.replace(EVER, tenant=TenantId("other")), lambda one: one.record.tenant == "other"),
    (structs.replace(EVER, owner=UserId("usr-1")), lambda one: one.user == "usr-1"),
    (
        structs.replace(EVER, keys=frozenset({KeyId("default-key-1"), KeyId("absent")})),
        lambda one: one.record.key_id == "default-key-1",
    ),
    (structs.replace(EVER, users=frozenset({UserId("usr-1")})), lambda one: one.user == "usr-1"),
    (
        structs.replace(EVER, model=ModelName("other/model-2")),
        lambda one: one.record.model == "other/model-2",
    ),
    (structs.replace(EVER, provider=ProviderId("q")), lambda one: False),
    (structs.replace(EVER, is_byok=True), lambda one: one.record.credential == "byok:1"),
    (structs.replace(EVER, is_byok=False), lambda one: one.record.credential != "byok:1"),
    (structs.replace(EVER, labels=(("team", "red"),)), lambda one: one.record.labels.get("team") == "red"),
    (
        structs.replace(EVER, labels=(("team", "blue"), ("cost", "4711"))),
        lambda one: one.record.labels == {"team": "blue", "cost": "4711"},
    ),
]


@pytest.mark.parametrize("number", range(len(FILTERS)))
def test_a_filter_leaves_what_it_says(any_store: Store, number: int) -> None:
    wanted, fits = FILTERS[number]
    several = some()
    import_usage(any_store, prepared(several))
    assert whole(any_store, wanted) == by_hand([one for one in several if fits(one)])


def test_times_that_follow_one_another_share_nothing_and_leave_out_nothing(any_store: Store) -> None:
    several = some()
    import_usage(any_store, prepared(several))
    # Not at full hours on purpose.
    borders = [0.0, BEGIN_S + 1_234.5, BEGIN_S + DAY_S + 1_800.0, BEGIN_S + 2 * DAY_S, BEGIN_S + 40 * DAY_S]
    parts = [
        whole(any_store, structs.replace(EVER, since_s=since, until_s=until))
        for since, until in pairwise(borders)
    ]
    assert added_up(parts) == by_hand(several)
    assert all(part.requests for part in parts)


@pytest.mark.parametrize("dimension", list(Dimension))
def test_the_parts_are_the_whole(any_store: Store, dimension: Dimension) -> None:
    several = some()
    import_usage(any_store, prepared(several))
    with any_store.read() as db:
        groups = read_totals(db, EVER, [dimension, Dimension.BYOK])
    assert added_up(groups.values()) == by_hand(several)
    value: dict[Dimension, Callable[[Metered], object]] = {
        Dimension.TENANT: lambda one: one.record.tenant,
        Dimension.MODEL: lambda one: one.record.model,
        Dimension.USER: lambda one: one.user,
        Dimension.HOUR: lambda one: one.record.at // 3600 * 3600,
    }
    if dimension in value:
        for (name, is_byok), totals in groups.items():
            assert totals == by_hand(
                [
                    one
                    for one in several
                    if value[dimension](one) == name and (one.record.credential == "byok:1") == is_byok
                ]
            )


def test_currencies_are_kept_apart(any_store: Store) -> None:
    several = some()
    import_usage(any_store, prepared(several))
    total = whole(any_store, EVER)
    assert set(total.cost_nano) == set(Currency)
    for currency in Currency:
        costs = [one.priced.cost_nano for one in several if one.priced and one.priced.currency is currency]
        assert total.cost_nano[currency] == sum(costs)


@pytest.mark.parametrize(
    ("labels", "asked", "is_found"),
    [
        ({"team": "blue"}, ("team", "blue"), True),
        ({"a": "1", "team": "blue"}, ("team", "blue"), True),
        ({"team": "blue2"}, ("team", "blue"), False),
        ({"steam": "blue"}, ("team", "blue"), False),
        ({'x"team': "blue"}, ("team", "blue"), False),
        ({"note": '{"team":"blue"}'}, ("team", "blue"), False),
        ({"note": ',"team":"blue"'}, ("team", "blue"), False),
        ({"team": 'a"b\\'}, ("team", 'a"b\\'), True),
        ({"团队": "搜索"}, ("团队", "搜索"), True),
        ({"team": "Blue"}, ("team", "blue"), False),
        ({"team": "b_ue"}, ("team", "b%"), False),
        ({}, ("team", ""), False),
    ],
)
def test_a_label_is_found_as_it_is_and_nothing_like_it(
    any_store: Store, labels: dict[str, str], asked: tuple[str, str], is_found: bool
) -> None:
    one = varied(1)
    record: UsageRecord = structs.replace(one.record, labels=labels)
    import_usage(any_store, prepared([structs.replace(one, record=record)]))
    assert whole(any_store, structs.replace(EVER, labels=(asked,))).requests == int(is_found)


def test_the_latest_hour_is_that_of_what_is_asked_for(any_store: Store) -> None:
    several = some(40)
    import_usage(any_store, prepared(several))
    others = [one.record.at for one in several if one.record.tenant == "other"]
    with any_store.read() as db:
        assert latest_hour(db, structs.replace(EVER, tenant=TenantId("other"))) == max(others) // 3600 * 3600
        assert latest_hour(db, structs.replace(EVER, tenant=TenantId("nobody"))) is None
