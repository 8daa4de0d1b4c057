"""What is read is the same whether days and weeks are summed or not."""

from bisect import bisect_right
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs
from sqlalchemy import func, select
from tests.support.stores import any_store
from tests.support.usage import BEGIN_S, varied, with_id

from aimesh.core.ids import KeyId, ModelName, ProviderId, TenantId, UserId
from aimesh.store.engine import Connection, Store
from aimesh.store.period_tables import USAGE_PERIODS
from aimesh.store.usage_import import import_usage, prepared
from aimesh.store.usage_periods import Period, left_over, made_within, make_next
from aimesh.store.usage_points_queries import PointsFilter, read_endpoints
from aimesh.store.usage_queries import (
    Curve,
    Dimension,
    Metric,
    Rank,
    UsageFilter,
    latest_hour,
    read_amounts,
    read_ranked,
    read_totals,
    without,
)
from aimesh.store.usage_rows import Metered

__all__ = ["any_store"]

DAY_S, HOUR_S = 86_400, 3600
SHANGHAI, NEPAL = ZoneInfo("Asia/Shanghai"), ZoneInfo("Asia/Kathmandu")
LATER_S = BEGIN_S + 30 * DAY_S
EVER = UsageFilter(since_s=BEGIN_S - 40 * DAY_S, until_s=LATER_S)
PART = UsageFilter(since_s=BEGIN_S - 9 * DAY_S + 5 * HOUR_S, until_s=BEGIN_S + 2 * DAY_S + 7 * HOUR_S)
DEFAULT = TenantId("default")


def several() -> list[Metered]:
    """Three weeks of calls of two tenants."""
    return [
        varied(
            number, tenant="default" if number % 3 else "other", begin_s=BEGIN_S - (number % 7) * 3 * DAY_S
        )
        for number in range(200)
    ]


def make_all(store: Store, zone: ZoneInfo = SHANGHAI, now_s: float = LATER_S) -> list[Period]:
    made: list[Period] = []
    while (period := make_next(store, zone, now_s)) is not None:
        made.append(period)
    return made


def filters(whole: UsageFilter) -> list[UsageFilter]:
    tenant = structs.replace(whole, tenant=DEFAULT)
    return [
        whole,
        tenant,
        structs.replace(tenant, owner=UserId("usr-1")),
        structs.replace(tenant, owner=UserId("usr-1"), model=ModelName("default/model-1")),
        structs.replace(whole, keys=frozenset({KeyId("default-key-1"), KeyId("other-key-0")})),
        structs.replace(whole, provider=ProviderId("p"), is_byok=False),
        structs.replace(whole, labels=(("team", "blue"), ("cost", "4711"))),
        structs.replace(whole, labels=(("team", "red"),), users=frozenset({UserId("")})),
    ]


GROUPS: list[tuple[Dimension, ...]] = [
    (),
    (Dimension.BYOK,),
    (Dimension.MODEL,),
    (Dimension.TENANT, Dimension.KEY),
    (Dimension.LABELS,),
    (Dimension.ENDPOINT, Dimension.KIND, Dimension.USER),
]


def answers(db: Connection) -> list[object]:
    found: list[object] = []
    for wanted in [*filters(EVER)[:2], *filters(PART)]:
        for by in GROUPS:
            totals = read_totals(db, wanted, by)
            found.append(totals)
            ranked = read_ranked(db, wanted, by, Rank(limit=1000)) if by else []
            assert dict(ranked) == (totals if by else {})
        days = [PART.since_s + step * DAY_S for step in range(13)]
        found += [
            curve(db, wanted, by, metric, steps)
            for by in (Dimension.BYOK, Dimension.MODEL)
            for metric in METRICS
            for steps in (days, [PART.since_s + step * HOUR_S for step in range(400)])
        ]
    hours = PointsFilter("h", int(PART.since_s), int(PART.until_s))
    found.append({place: structs.asdict(one) for place, one in read_endpoints(db, hours).items()})
    return found


METRICS: tuple[Metric, ...] = ("tokens", "cost")


def curve(
    db: Connection, wanted: UsageFilter, by: Dimension, metric: Metric, steps: Sequence[float]
) -> dict[object, int]:
    sums: dict[object, int] = {}
    models = ["default/model-1", "other/model-0"] if by is Dimension.MODEL else None
    for hour_s, group, currency, value in read_amounts(db, wanted, by, Curve(metric, steps, models)):
        step = bisect_right(steps, hour_s)
        place = (step, group, currency)
        sums[place] = sums.get(place, 0) + value
    return {place: value for place, value in sums.items() if value}


@pytest.mark.parametrize("zone", [SHANGHAI, NEPAL])
def test_sums_change_no_answer(any_store: Store, zone: ZoneInfo) -> None:
    import_usage(any_store, prepared(several()))
    with any_store.read() as db:
        before = answers(db)
    made = make_all(any_store, zone)
    assert {one.grain for one in made} == {"d", "w"}
    with any_store.read() as db:
        assert made_within(db, PART.since_s, PART.until_s)
        assert answers(db) == before


def test_a_late_record_takes_the_sums_of_its_day_away_and_they_are_made_again(any_store: Store) -> None:
    import_usage(any_store, prepared(several()))
    made = make_all(any_store)
    late = with_id(varied(1), "late")
    hit = {one for one in made if one.start_s <= late.record.at < one.until_s}
    import_usage(any_store, prepared([late]))
    with any_store.read() as db:
        kept = {
            Period(*row)
            for row in db.execute(
                select(USAGE_PERIODS.c.grain, USAGE_PERIODS.c.start_s, USAGE_PERIODS.c.until_s)
            )
        }
        assert kept == set(made) - hit
        between = answers(db)
        assert sum(one.requests for one in read_totals(db, EVER, ()).values()) == sum(
            not one.record.id.startswith("task:") for one in [*several(), late]
        )
    assert set(make_all(any_store)) == hit
    with any_store.read() as db:
        assert answers(db) == between


def test_nothing_is_made_twice_nor_of_a_day_that_is_not_over(any_store: Store) -> None:
    import_usage(any_store, prepared(several()))
    made = make_all(any_store, now_s=BEGIN_S)
    assert made
    assert max(one.until_s for one in made) <= BEGIN_S
    assert make_all(any_store, now_s=BEGIN_S) == []


def test_another_zone_has_days_of_its_own(any_store: Store) -> None:
    import_usage(any_store, prepared(several()))
    make_all(any_store)
    with any_store.read() as db:
        before = answers(db)
    made = make_all(any_store, NEPAL)
    with any_store.read() as db:
        assert db.execute(select(func.count()).select_from(USAGE_PERIODS)).scalar_one() == len(made)
        assert answers(db) == before


def test_the_latest_day_is_found_in_sums_and_in_hours(any_store: Store) -> None:
    import_usage(any_store, prepared(several()))
    days = [EVER.since_s + step * DAY_S for step in range(71)]
    with any_store.read() as db:
        hour_s = latest_hour(db, EVER)
    assert hour_s is not None
    make_all(any_store)
    midnights = [float(EVER.since_s // DAY_S * DAY_S - 8 * HOUR_S + step * DAY_S) for step in range(80)]
    for steps in (days, midnights):
        with any_store.read() as db:
            found = latest_hour(db, EVER, steps)
        assert found is not None
        assert sum(one <= found for one in steps) == sum(one <= hour_s for one in steps)


def test_what_is_left_of_a_whole(any_store: Store) -> None:
    import_usage(any_store, prepared(several()))
    with any_store.read() as db:
        models = read_totals(db, EVER, (Dimension.MODEL,))
        whole = read_totals(db, EVER, ())[()]
    first, *others = models.values()
    left = without(whole, others)
    assert left == first
    assert without(whole, models.values()).requests == 0
    assert without(whole, models.values()).cost_nano == {}


def test_times_between_periods() -> None:
    week, day = Period("w", 100, 800), Period("d", 900, 1000)
    assert left_over([week, day], 50.0, 1000.0) == [(50.0, 100.0), (800.0, 900.0)]
    assert left_over([], 1.0, 2.0) == [(1.0, 2.0)]
