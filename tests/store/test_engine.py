"""What a transaction of the control plane sees, keeps and undoes."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert, select, text
from tests.support.stores import any_store

from aimesh.store.database import DuplicateError, StoreError
from aimesh.store.engine import Connection, Store
from aimesh.store.tables import TENANTS, VERSIONS

__all__ = ["any_store"]


def add(db: Connection, name: str, number: int = 1) -> None:
    db.execute(insert(VERSIONS).values(name=name, number=number))


def names(store: Store) -> list[str]:
    with store.read() as db:
        return list(db.execute(select(VERSIONS.c.name).order_by(VERSIONS.c.name)).scalars())


def test_a_new_database_has_the_tenant_default(any_store: Store) -> None:
    with any_store.read() as db:
        row = db.execute(select(TENANTS)).one()
    assert (row.id, row.status, row.limits, row.version) == ("default", "active", "{}", 1)


def test_a_write_is_kept_at_leave_and_undone_by_an_exception(any_store: Store) -> None:
    with any_store.write() as db:
        add(db, "kept")

    def half() -> None:
        with any_store.write() as db:
            add(db, "undone")
            raise LookupError("second thoughts")

    with pytest.raises(LookupError):
        half()
    assert names(any_store) == ["kept"]


def test_a_read_sees_one_state_and_does_not_wait_for_a_writer(any_store: Store) -> None:
    with any_store.read() as before:
        assert list(before.execute(select(VERSIONS.c.name)).scalars()) == []
        with any_store.write() as db:
            add(db, "x")
            # Not committed yet.
            assert names(any_store) == []
        assert list(before.execute(select(VERSIONS.c.name)).scalars()) == []
    assert names(any_store) == ["x"]


def test_a_read_cannot_change_anything(any_store: Store) -> None:
    with pytest.raises(StoreError), any_store.read() as db:
        add(db, "x")
    assert names(any_store) == []
    with any_store.write() as db:
        add(db, "y")
    assert names(any_store) == ["y"]


def test_what_is_there_already_is_a_duplicate_and_says_no_value(any_store: Store) -> None:
    with any_store.write() as db:
        add(db, "word-of-a-caller")
    with pytest.raises(DuplicateError) as caught, any_store.write() as db:
        add(db, "word-of-a-caller")
    assert "word-of-a-caller" not in str(caught.value)
    with pytest.raises(StoreError) as failed, any_store.write() as db:
        db.execute(insert(VERSIONS).values(name="word-of-a-caller-2", number=None))
    assert not isinstance(failed.value, DuplicateError)
    assert "word-of-a-caller-2" not in str(failed.value)


def test_the_drivers_errors_do_not_come_out(any_store: Store) -> None:
    with pytest.raises(StoreError, match="absent"), any_store.read() as db:
        db.execute(text("SELECT * FROM absent"))


def test_writers_follow_one_another(any_store: Store) -> None:
    """Each reads, then writes what it read plus one: nothing is lost between the two."""
    with any_store.write() as db:
        add(db, "count", 0)
    begun = threading.Barrier(8)

    def step(_: int) -> None:
        begun.wait(10)
        for _ in range(5):
            with any_store.write() as db:
                number = db.execute(select(VERSIONS.c.number).where(VERSIONS.c.name == "count")).scalar_one()
                db.execute(VERSIONS.update().where(VERSIONS.c.name == "count").values(number=number + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(step, range(8)))
    with any_store.read() as db:
        assert db.execute(select(VERSIONS.c.number)).scalar_one() == 40


def test_more_readers_than_connections_wait_for_one_another(any_store: Store) -> None:
    with ThreadPoolExecutor(32) as pool:
        found = list(pool.map(lambda _: names(any_store), range(200)))
    assert found == [[]] * 200
