"""Points added over time and over endpoints say what the records say, on both databases."""

import math
import random

import pytest
from msgspec import structs
from tests.support.records import typical_record
from tests.support.stores import any_database_url, any_store
from tests.support.usage import BEGIN_S, varied

from aimesh.core.ids import EndpointName, ModelName, RequestId, UserId
from aimesh.core.outcome import Outcome
from aimesh.core.record import UsageRecord
from aimesh.store.engine import Store
from aimesh.store.usage_import import import_usage, prepared
from aimesh.store.usage_points_queries import (
    FAULTS,
    Grain,
    Measured,
    PointsFilter,
    measured_together,
    read_endpoints,
    read_series,
)
from aimesh.store.usage_rows import Metered, is_call

__all__ = ["any_database_url", "any_store"]

DAYS = 5 * 86_400


def by_hand(records: list[UsageRecord]) -> Measured:
    measured = Measured()
    for record in records:
        if is_call(record.id):
            measured.count(record.outcome, record.error_code, 1)
        measured.output_tokens += record.usage.output_tokens
    return measured


def assert_same(found: Measured, records: list[UsageRecord]) -> None:
    exact = by_hand(records)
    calls = [one for one in records if is_call(one.id)]
    assert (found.requests, found.succeeded, found.failed, found.abandoned, found.faults) == (
        len(calls),
        sum(one.outcome is Outcome.OK for one in calls),
        sum(one.outcome not in (Outcome.OK, Outcome.CLIENT_GONE) for one in calls),
        sum(one.outcome is Outcome.CLIENT_GONE for one in calls),
        sum(one.outcome in FAULTS for one in calls),
    )
    assert found.errors == exact.errors
    assert found.output_tokens == exact.output_tokens
    assert found.durations.calls == len(calls)
    assert found.ttfts.calls == sum(one.ttft_ms is not None for one in calls)


@pytest.mark.parametrize("grain", ["m", "h"])
@pytest.mark.parametrize("width_s", [3600, 7200])
def test_a_series_adds_up(any_store: Store, grain: Grain, width_s: int) -> None:
    several = [varied(number) for number in range(300)]
    import_usage(any_store, prepared(several))
    records = [one.record for one in several]
    with any_store.read() as db:
        series = read_series(db, PointsFilter(grain, BEGIN_S - 3600, BEGIN_S + DAYS), width_s)
    assert set(series) == {int(one.at // width_s) * width_s for one in records}
    for start_s, measured in series.items():
        assert_same(measured, [one for one in records if start_s <= one.at < start_s + width_s])
    assert_same(measured_together(series.values()), records)


def test_endpoints_and_models_are_told_apart(any_store: Store) -> None:
    several = [varied(number) for number in range(120)]
    import_usage(any_store, prepared(several))
    records = [one.record for one in several]
    every = PointsFilter("h", BEGIN_S - 3600, BEGIN_S + DAYS)
    with any_store.read() as db:
        found = read_endpoints(db, every)
        of_model = read_endpoints(db, structs.replace(every, model=ModelName("default/model-1")))
        of_endpoint = read_endpoints(
            db, structs.replace(every, endpoint=EndpointName("p@default/model-2@open_ai"))
        )
    assert set(found) == {(one.endpoint, one.model) for one in records}
    for (endpoint, _), measured in found.items():
        assert_same(measured, [one for one in records if one.endpoint == endpoint])
    assert {model for _, model in of_model} == {"default/model-1"}
    assert {endpoint for endpoint, _ in of_endpoint} == {"p@default/model-2@open_ai"}


def test_what_begins_at_the_end_is_not_in_it(any_store: Store) -> None:
    import_usage(any_store, prepared([timed("in", 100.0, at=7260.0), timed("out", 100.0, at=7320.0)]))
    with any_store.read() as db:
        found = read_series(db, PointsFilter("m", 7260, 7320), 60)
    assert {start_s: one.requests for start_s, one in found.items()} == {7260: 1}


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_percentiles_of_added_points_are_near_the_exact_ones(any_store: Store, share: float) -> None:
    dice = random.Random(4711)
    times = [dice.lognormvariate(7, 1.2) + 1 for _ in range(1000)]
    several = [timed(f"r-{number}", ms, at=7200.0 + number) for number, ms in enumerate(times)]
    import_usage(any_store, prepared(several))
    with any_store.read() as db:
        series = read_series(db, PointsFilter("m", 7200, 9000), 60)
    assert len(series) == 17
    together = measured_together(series.values()).durations
    exact = sorted(times)[math.ceil(share * len(times)) - 1]
    assert together.quantile_ms(share) == pytest.approx(exact, rel=0.05)
    assert together.average_ms == pytest.approx(sum(times) / len(times), rel=1e-6)


def test_nothing_has_no_duration() -> None:
    measured = Measured()
    assert (measured.durations.average_ms, measured.ttfts.quantile_ms(0.5)) == (None, None)
    assert measured_together([]) == Measured()


def timed(name: str, ms: float, *, at: float) -> Metered:
    record = structs.replace(typical_record(), id=RequestId(name), at=at, duration_ms=ms)
    return Metered(record=record, user=UserId(""), kind="chat", priced=None)
