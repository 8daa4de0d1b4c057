"""Whatever stands in the journal is either refused, or becomes rows that both databases take."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs
from tests.support.records import typical_record
from tests.support.stores import any_store
from tests.support.usage import varied

from aimesh.core.ids import UserId
from aimesh.core.money import Currency
from aimesh.core.priced import Priced
from aimesh.store.engine import Store
from aimesh.store.journal_progress import read_record
from aimesh.store.session import UnfitError
from aimesh.store.usage_import import import_usage, prepared
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
