"""Records, roll-ups and points say the same, for any order, duplication and batching, on both databases."""

import threading
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs
from sqlalchemy import func, select, text
from tests.support.stores import any_database_url, any_store, opened_store
from tests.support.usage import assert_adds_up, expected, hourly_totals, varied, with_id

from aimesh.core.ids import KeyId
from aimesh.store.engine import Store
from aimesh.store.session import StoreError, UnfitError
from aimesh.store.tables import JOURNAL_POSITIONS, TASK_SETTLEMENTS, USAGE_HOURLY, USAGE_NAMES, USAGE_RECORDS
from aimesh.store.usage_import import Beside, PointsFrom, Progress, import_usage, prepared, write_usage

__all__ = ["any_database_url", "any_store"]

EXAMPLES = count()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(st.lists(st.integers(0, 60), max_size=25), min_size=1, max_size=8),
)
def test_any_order_duplication_and_batching_gives_the_same_sums(
    any_store: Store, batches: list[list[int]]
) -> None:
    tenant = f"t{next(EXAMPLES)}"
    every = []
    for numbers in batches:
        several = [varied(number, tenant=tenant) for number in numbers]
        import_usage(any_store, prepared(several))
        every += several
    assert_adds_up(any_store, every, tenant)


def test_a_record_is_new_once(any_store: Store) -> None:
    several = [varied(number) for number in range(40)]
    assert import_usage(any_store, prepared(several)) == 40
    assert import_usage(any_store, prepared([*several[:20], varied(41), *several[20:]])) == 1
    assert import_usage(any_store, prepared(several)) == 0
    assert_adds_up(any_store, [*several, varied(41)])


def test_a_settlement_counts_once_whatever_time_it_says(any_store: Store) -> None:
    first = with_id(varied(1), "task:ark:cgt-1")
    again = structs.replace(first, record=structs.replace(first.record, at=first.record.at + 86_400))
    assert import_usage(any_store, prepared([first])) == 1
    assert import_usage(any_store, prepared([again, varied(2)])) == 1
    assert_adds_up(any_store, [first, varied(2)])
    with any_store.read() as db:
        assert db.execute(select(func.count()).select_from(TASK_SETTLEMENTS)).scalar_one() == 1


def test_a_transaction_that_fails_leaves_nothing(any_store: Store) -> None:
    import_usage(any_store, prepared([varied(0)]))
    with pytest.raises(StoreError):
        _import_and_fail(any_store)
    assert_adds_up(any_store, [varied(0)])
    with any_store.read() as db:
        assert db.execute(select(JOURNAL_POSITIONS)).all() == []


def _import_and_fail(store: Store) -> None:
    with store.bulk() as db:
        write_usage(db, prepared([varied(number) for number in range(10)]), Progress("n", {"a": 100}))
        db.execute(text("SELECT * FROM absent"))


def test_positions_names_and_times_move_with_the_records(any_store: Store) -> None:
    one = varied(3)
    renamed = structs.replace(
        one, record=structs.replace(varied(4).record, key_id=one.record.key_id, key_alias="new")
    )
    import_usage(
        any_store, prepared([one], beside=Beside(users={"usr-1": "ann"})), Progress("n", {"a": 7, "b": 16})
    )
    import_usage(any_store, prepared([renamed]), Progress("n", {"b": 20}, gone=("a",), done_at_s=5.0))
    import_usage(any_store, prepared([]), Progress("m", {"b": 1}))
    with any_store.read() as db:
        positions = {(row.node, row.segment): row.position for row in db.execute(select(JOURNAL_POSITIONS))}
        names = {(row.kind, row.id): row.name for row in db.execute(select(USAGE_NAMES))}
        states = db.execute(text("SELECT name, value FROM import_state")).all()
    assert positions == {("n", "b"): 20, ("m", "b"): 1}
    assert names[("key", one.record.key_id)] == "new"
    assert names[("user", "usr-1")] == "ann"
    assert [tuple(row) for row in states] == [("node:n", 5.0)]


def test_points_that_would_be_removed_at_once_are_not_written(any_store: Store) -> None:
    one = varied(6)
    import_usage(any_store, prepared([one], PointsFrom(minutes_s=one.record.at + 1, hours_s=0.0)))
    with any_store.read() as db:
        assert [row[0] for row in db.execute(text("SELECT grain FROM usage_points"))] == ["h"]


@pytest.mark.parametrize(
    "spoil",
    [
        {"at": -1.0},
        {"at": 1e12},
        {"status": 1 << 40},
        {"duration_ms": -1.0},
        {"bytes_in": 1 << 70},
        {"key_id": KeyId("a\0b")},
        {"id": "x" * 3000},
    ],
)
def test_what_no_database_can_hold_is_refused_before(spoil: dict[str, object]) -> None:
    one = varied(6)
    # The values are wrong on purpose.
    record = structs.replace(one.record, **spoil)
    with pytest.raises(UnfitError):
        prepared([structs.replace(one, record=record)])


def test_hostile_texts_are_kept(any_store: Store) -> None:
    one = varied(7)
    record = structs.replace(
        one.record,
        model_asked="a\0b\\N\t\n'\"",
        error_code="c\0d" * 50,
        labels={"n\0": "\\u0000", "ü": "\U0001f600"},
    )
    metered = structs.replace(one, record=record)
    assert import_usage(any_store, prepared([metered])) == 1
    assert import_usage(any_store, prepared([metered, varied(8)])) == 1
    assert_adds_up(any_store, [metered, varied(8)])
    with any_store.read() as db:
        kept = db.execute(
            select(USAGE_RECORDS.c.model_asked).where(USAGE_RECORDS.c.id == record.id)
        ).scalar_one()
    assert kept.replace("\0", "\ufffd") == "a\ufffdb\\N\t\n'\""


def test_many_labels_are_one_row_of_the_roll_up(any_store: Store) -> None:
    labels = {f"label-{number}": "v" * 256 for number in range(50)}
    one = varied(9)
    several = [
        structs.replace(with_id(one, name), record=structs.replace(with_id(one, name).record, labels=labels))
        for name in ("first", "second")
    ]
    for each in several:
        import_usage(any_store, prepared([each]))
    with any_store.read() as db:
        assert db.execute(select(USAGE_HOURLY.c.requests)).all() == [(2,)]


def test_several_nodes_import_at_the_same_time(any_database_url: str) -> None:
    """The same rows of roll-ups and points from all of them, and some of the same records."""
    failures: list[StoreError] = []

    def work(node: int) -> None:
        with opened_store(any_database_url) as store:
            for start in range(0, 200, 20):
                several = [varied(number + (node % 2) * 100) for number in range(start, start + 40)]
                try:
                    import_usage(store, prepared(several), Progress(f"n{node}", {"a": start}))
                except StoreError as error:
                    failures.append(error)

    threads = [threading.Thread(target=work, args=(node,)) for node in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with opened_store(any_database_url) as store:
        assert_adds_up(store, [varied(number) for number in range(320)])
        assert hourly_totals(store) == expected(varied(number) for number in range(320))
