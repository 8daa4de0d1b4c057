"""Tasks as they are looked at: states, filters, pages, and the record that settled each."""

from collections.abc import Callable
from itertools import product

import pytest
from msgspec import structs
from tests.support.stores import any_store
from tests.support.tasks import insert_task
from tests.support.usage import varied, with_id

from aimesh.core.ids import InterfaceId, KeyId, ModelName, ProviderId, TaskId, TenantId, UserId
from aimesh.core.money import Currency
from aimesh.core.priced import Priced
from aimesh.core.usage import Usage
from aimesh.store.engine import Store
from aimesh.store.tasks import Progress, Task
from aimesh.store.tasks_list import (
    TaskState,
    TasksWanted,
    find_task,
    list_tasks,
    note_cancelled,
    note_progress,
    settled_of,
    state_of,
)
from aimesh.store.usage_import import import_usage, prepared

__all__ = ["any_store"]

ARK = InterfaceId("task")
STATUSES = [
    "queued",
    "PENDING",
    "running",
    "SUSPENDED",
    "succeeded",
    "failed",
    "cancelled",
    "CANCELED",
    "UNKNOWN",
    "",
]


def every_task(store: Store, wanted: TasksWanted, limit: int = 200) -> list[Task]:
    """Over all pages."""
    found: list[Task] = []
    while True:
        before = (found[-1].created_at_s, found[-1].interface, found[-1].id) if found else None
        with store.read() as db:
            page = list_tasks(db, wanted, before=before, limit=limit)
        found += page
        if len(page) < limit:
            return found


def test_a_state_is_the_same_in_a_filter_and_of_a_task(any_store: Store) -> None:
    several = [
        (status, finished, succeeded)
        for status, finished, succeeded in product(STATUSES, (False, True), (False, True))
        if finished or not succeeded
    ]
    for number, (status, finished, succeeded) in enumerate(several):
        insert_task(any_store, f"t{number:02d}", status=status, finished=finished, succeeded=succeeded)
    every = every_task(any_store, TasksWanted())
    assert len(every) == len(several)
    seen = 0
    for state in TaskState:
        found = every_task(any_store, TasksWanted(states=frozenset({state})))
        assert {task.id for task in found} == {task.id for task in every if state_of(task) is state}
        assert found
        seen += len(found)
    assert seen == len(several)
    both = every_task(any_store, TasksWanted(states=frozenset({TaskState.QUEUED, TaskState.FAILED})))
    assert {state_of(task) for task in both} == {TaskState.QUEUED, TaskState.FAILED}


def test_pages_have_every_task_once_the_newest_first(any_store: Store) -> None:
    for number in range(23):
        interface = "task" if number % 2 else "dashscope_video"
        insert_task(any_store, f"t{number:02d}", interface=interface, created_at_s=1000.0 + number // 4)
    every = every_task(any_store, TasksWanted())
    assert len(every) == 23
    assert [task.created_at_s for task in every] == sorted(
        (task.created_at_s for task in every), reverse=True
    )
    for limit in (1, 4, 22):
        assert every_task(any_store, TasksWanted(), limit) == every


FILTERS: list[tuple[TasksWanted, Callable[[Task], bool]]] = [
    (TasksWanted(tenant=TenantId("other")), lambda task: task.tenant == "other"),
    (TasksWanted(keys=frozenset({KeyId("k1")})), lambda task: task.key_id == "k1"),
    (TasksWanted(keys=frozenset()), lambda task: False),
    (TasksWanted(models=frozenset({ModelName("m/2")})), lambda task: task.model == "m/2"),
    (TasksWanted(provider=ProviderId("p1")), lambda task: task.provider == "p1"),
    (TasksWanted(since_s=1003.0, until_s=1007.0), lambda task: 1003.0 <= task.created_at_s < 1007.0),
    (TasksWanted(owner=UserId("nobody")), lambda task: False),
]


@pytest.mark.parametrize("number", range(len(FILTERS)))
def test_a_filter_leaves_what_it_says(any_store: Store, number: int) -> None:
    for place in range(12):
        insert_task(
            any_store, f"t{place}", tenant="other" if place % 3 else "default", key_id=f"k{place % 2}",
            model=f"m/{place % 4}", provider=f"p{place % 2}", created_at_s=1000.0 + place,
        )  # fmt: skip
    wanted, fits = FILTERS[number]
    every = every_task(any_store, TasksWanted())
    assert every_task(any_store, wanted, 2) == [task for task in every if fits(task)]


def test_one_that_is_left_out_is_not_found(any_store: Store) -> None:
    insert_task(any_store, "t1", summary={"video_seconds": 5})
    with any_store.read() as db:
        found = find_task(db, ARK, TaskId("t1"), TasksWanted(tenant=TenantId("default")))
        assert found is not None
        assert (found.summary, found.finished) == ({"video_seconds": 5}, False)
        assert find_task(db, ARK, TaskId("t1"), TasksWanted(tenant=TenantId("other"))) is None
        assert find_task(db, ARK, TaskId("t2"), TasksWanted()) is None
        assert find_task(db, InterfaceId("dashscope_video"), TaskId("t1"), TasksWanted()) is None


def test_what_a_task_cost_is_what_settled_it(any_store: Store) -> None:
    for name, is_settled in (("paid", True), ("late", True), ("open", False)):
        insert_task(any_store, name, settled=is_settled, finished=True)
    one = with_id(varied(1), "task:task:paid")
    record = structs.replace(one.record, usage=Usage(video_seconds=5.0, video_resolution="720p"))
    priced = Priced(70, 100, Currency.USD, "0123456789ab")
    import_usage(any_store, prepared([structs.replace(one, record=record, priced=priced), varied(2)]))
    tasks = every_task(any_store, TasksWanted())
    with any_store.read() as db:
        found = settled_of(db, tasks)
        assert settled_of(db, []) == {}
    assert set(found) == {("task", "paid")}
    paid = found[(ARK, TaskId("paid"))]
    assert (paid.cost_nano, paid.list_nano, paid.currency) == (70, 100, Currency.USD)
    assert paid.usage.video_seconds == 5.0


def test_news_is_kept_and_older_news_of_one_that_ended_is_not(any_store: Store) -> None:
    insert_task(any_store, "t1")
    done = Progress(status="succeeded", finished=True, succeeded=True, document=b'{"id": "t1"}')
    late = Progress(status="running", finished=False, succeeded=False, document=b"{}")
    task = every_task(any_store, TasksWanted())[0]
    with any_store.write() as db:
        assert state_of(note_progress(db, task, done, 2000.0)) is TaskState.SUCCEEDED
        note_progress(db, task, late, 3000.0)
    kept = every_task(any_store, TasksWanted())[0]
    assert (kept.status, kept.document, kept.settled, kept.updated_at_s) == (
        "succeeded", b'{"id": "t1"}', False, 2000.0,
    )  # fmt: skip


def test_one_that_is_cancelled_is_settled_with_it(any_store: Store) -> None:
    insert_task(any_store, "t1")
    task = every_task(any_store, TasksWanted())[0]
    with any_store.write() as db:
        told = note_cancelled(db, task, "cancelled", 2000.0)
    kept = every_task(any_store, TasksWanted())[0]
    assert kept == told
    assert (state_of(kept), kept.settled) == (TaskState.CANCELLED, True)
