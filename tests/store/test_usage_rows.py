"""Whatever stands in the journal is either refused, or becomes rows that both databases take."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs
from tests.support.records import typical_record
from tests.support.stores import any_store
from tests.support.usage import varied

from aimesh.core.ids import RequestId, UserId
from aimesh.core.money import Currency
from aimesh.core.outcome import Outcome
from aimesh.core.priced import Priced
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.store.engine import Store
from aimesh.store.journal_progress import read_record
from aimesh.store.session import UnfitError
from aimesh.store.usage_import import import_usage, prepared
from aimesh.store.usage_points_queries import PointsFilter, measured_together, read_endpoints
from aimesh.store.usage_queries import Totals, UsageFilter, added_up, read_totals
from aimesh.store.usage_rows import Metered, check_fits, check_record, digest_of, rolled_up

__all__ = ["any_store"]

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(10**40), max_value=10**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.dictionaries(st.text(), st.text(), max_size=3),
)
BARE = msgspec.to_builtins(typical_record())
"""A record as JSON has it."""


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.dictionaries(st.sampled_from(sorted(BARE)), ANYTHING, max_size=4),
    usage=st.dictionaries(
        st.sampled_from(["input_tokens", "video_seconds", "images", "variant"]), ANYTHING, max_size=3
    ),
    number=st.integers(0, 10**9),
)
def test_hostile_records_are_refused_or_imported(
    any_store: Store, changes: dict[str, object], usage: dict[str, object], number: int
) -> None:
    record = read_record(msgspec.json.encode(BARE | {"id": f"r{number}"} | changes | {"usage": usage}))
    if record is None:
        return
    try:
        check_record(record)
    except UnfitError:
        return
    metered = Metered(record=record, user=UserId(""), kind="chat", priced=None)
    assert import_usage(any_store, prepared([metered, varied(1)])) <= 2
    assert import_usage(any_store, prepared([metered, varied(1)])) == 0


@pytest.mark.parametrize("priced", [Priced(-1, 5, Currency.CNY, "v"), Priced(5, 10**17, Currency.CNY, "v")])
def test_a_cost_out_of_range_is_refused(priced: Priced) -> None:
    with pytest.raises(UnfitError):
        check_fits(structs.replace(varied(1), priced=priced))


def test_the_dimensions_of_an_hour_are_told_apart() -> None:
    one = varied(1)
    others = [
        structs.replace(one, user=UserId("other")),
        structs.replace(one, kind="other"),
        structs.replace(one, record=structs.replace(one.record, labels={"a": "b"})),
        structs.replace(one, priced=Priced(1, 1, Currency.USD, "v")),
        structs.replace(one, priced=Priced(1, 1, Currency.CNY, "v")),
    ]
    assert len(rolled_up([structs.replace(one, priced=None), *others]).hourly) == len(others) + 1
    assert digest_of(("a", "bc")) != digest_of(("ab", "c"))


def test_labels_in_another_order_are_the_same_labels() -> None:
    one = varied(1)
    several = [
        structs.replace(one, record=structs.replace(one.record, labels=labels))
        for labels in ({"a": "1", "b": "2"}, {"b": "2", "a": "1"})
    ]
    (row,) = rolled_up(several).hourly.values()
    assert row.sums[0] == 2


def task(*, succeeded: bool) -> list[Metered]:
    """A film that was asked for, and how that ended two hours later."""
    made = structs.replace(
        typical_record("0197f3"), operation="create_task", usage=NO_USAGE, ttft_ms=None, duration_ms=80.0
    )
    ended = structs.replace(
        made,
        id=RequestId("task:ark:cgt-1"),
        at=made.at + 7200.0,
        operation="settle_task",
        outcome=Outcome.OK if succeeded else Outcome.UPSTREAM_FAILED,
        duration_ms=0.0,
        usage=Usage(output_tokens=900, video_seconds=5.0) if succeeded else NO_USAGE,
    )
    price = Priced(700, 1000, Currency.CNY, "v") if succeeded else None
    return [
        Metered(record=made, user=UserId(""), kind="video", priced=None),
        Metered(record=ended, user=UserId(""), kind="video", priced=price),
    ]


@pytest.mark.parametrize("succeeded", [True, False])
def test_a_task_is_one_request_with_what_it_used(any_store: Store, succeeded: bool) -> None:
    several = task(succeeded=succeeded)
    import_usage(any_store, prepared(several))
    begin_s, end_s = several[0].record.at - 3600.0, several[1].record.at + 3600.0
    with any_store.read() as db:
        total = added_up(read_totals(db, UsageFilter(begin_s, end_s), ()).values())
        measured = measured_together(read_endpoints(db, PointsFilter("m", begin_s, end_s)).values())
    assert total == (
        Totals(
            requests=1,
            succeeded=1,
            output_tokens=900,
            video_ms=5000,
            cost_nano={Currency.CNY: 700},
            list_nano={Currency.CNY: 1000},
            priced_tokens={Currency.CNY: 900},
        )
        if succeeded
        else Totals(requests=1, succeeded=1)
    )
    assert (measured.requests, measured.succeeded, measured.errors) == (1, 1, {})
    assert (measured.output_tokens, measured.durations.calls) == (total.output_tokens, 1)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_task_that_settles_beside_calls_of_the_same_minute_spoils_no_point(
    any_store: Store, is_first: bool
) -> None:
    call, ended = task(succeeded=True)
    ended = structs.replace(ended, record=structs.replace(ended.record, at=call.record.at))
    for one in (ended, call) if is_first else (call, ended):
        import_usage(any_store, prepared([one]))
    with any_store.read() as db:
        wanted = PointsFilter("m", call.record.at - 60.0, call.record.at + 60.0)
        measured = measured_together(read_endpoints(db, wanted).values())
    assert (measured.requests, measured.output_tokens, measured.durations.calls) == (1, 900, 1)
