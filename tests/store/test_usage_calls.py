import pytest
from msgspec import structs
from tests.support.stores import any_store
from tests.support.usage import BEGIN_S, varied, with_id

import aimesh.store.usage_calls as room
from aimesh.core.ids import TenantId, UserId
from aimesh.core.outcome import Outcome
from aimesh.store.engine import Store
from aimesh.store.usage_calls import CallFilter, Place, find_call, list_calls
from aimesh.store.usage_import import import_usage, prepared
from aimesh.store.usage_queries import UsageFilter

__all__ = ["any_store"]

EVER = CallFilter(UsageFilter(since_s=0.0, until_s=BEGIN_S * 2))


def test_pages_have_every_call_once_newest_first(any_store: Store) -> None:
    several = [varied(number) for number in range(40)]
    # Some of the same moment.
    several += [with_id(several[0], f"same-{number}") for number in range(5)]
    import_usage(any_store, prepared(several))
    seen: list[Place] = []
    before: Place | None = None
    while True:
        with any_store.read() as db:
            page = list_calls(db, EVER, before=before, limit=7)
        seen += [(call.record.at, call.record.id) for call in page.rows]
        if page.next is None:
            break
        before = page.next
    assert seen == sorted(((one.record.at, one.record.id) for one in several), reverse=True)


def test_filters(any_store: Store) -> None:
    several = [varied(number, tenant="default" if number % 2 else "other") for number in range(60)]
    import_usage(any_store, prepared(several))

    def ids(wanted: CallFilter) -> set[str]:
        with any_store.read() as db:
            return {call.record.id for call in list_calls(db, wanted, before=None, limit=100).rows}

    failed = frozenset({Outcome.UPSTREAM_FAILED})
    assert ids(structs.replace(EVER, outcomes=failed)) == {
        one.record.id for one in several if one.record.outcome is Outcome.UPSTREAM_FAILED
    }
    mine = structs.replace(EVER.usage, tenant=TenantId("other"), owner=UserId("usr-1"))
    assert ids(structs.replace(EVER, usage=mine)) == {
        one.record.id for one in several if one.record.tenant == "other" and one.user == "usr-1"
    }
    red = structs.replace(EVER.usage, labels=(("team", "red"),))
    assert ids(structs.replace(EVER, usage=red)) == {
        one.record.id for one in several if one.record.labels == {"team": "red"}
    }
    name = several[3].record.id
    assert ids(structs.replace(EVER, request=name)) == {name}
    assert ids(structs.replace(EVER, upstream_request="absent")) == set()
    assert ids(structs.replace(EVER, task="absent")) == set()


@pytest.mark.parametrize("most", [0, 50])
def test_pages_of_somebodys_calls_are_cut_the_same_way(
    any_store: Store, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(room, "_MOST_KEYS", most)
    several = [varied(number, tenant="default" if number % 2 else "other") for number in range(80)]
    import_usage(any_store, prepared(several))
    # Not at a full hour.
    since_s = BEGIN_S + 20_000.5
    usage = structs.replace(EVER.usage, since_s=since_s, owner=UserId("usr-1"))
    seen: list[Place] = []
    before: Place | None = None
    while True:
        with any_store.read() as db:
            page = list_calls(db, structs.replace(EVER, usage=usage), before=before, limit=7)
        seen += [(call.record.at, call.record.id) for call in page.rows]
        if page.next is None:
            break
        before = page.next
    mine = [one.record for one in several if one.user == "usr-1" and one.record.at >= since_s]
    assert len({record.key_id for record in mine}) > 3
    assert seen == sorted(((record.at, record.id) for record in mine), reverse=True)


def test_a_call_has_what_was_imported(any_store: Store) -> None:
    several = [varied(number) for number in range(20)]
    import_usage(any_store, prepared(several))
    for one in several:
        with any_store.read() as db:
            found = find_call(db, one.record.id)
        assert found is not None
        assert found.record == one.record
        assert found.user == one.user
        assert found.cost_nano == (None if one.priced is None else one.priced.cost_nano)
        assert found.currency == (None if one.priced is None else one.priced.currency)
    with any_store.read() as db:
        assert find_call(db, "absent") is None
