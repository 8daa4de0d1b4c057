"""Numbers move with what they count, or not at all."""

import pytest
from tests.support.stores import any_store

from aimesh.store.changes import bump, current
from aimesh.store.engine import Store

__all__ = ["any_store"]


def test_each_name_counts_by_itself_from_nothing(any_store: Store) -> None:
    with any_store.read() as db:
        assert current(db, "keys") == 0
    with any_store.write() as db:
        assert (bump(db, "keys"), bump(db, "keys"), bump(db, "world")) == (1, 2, 1)
    with any_store.read() as db:
        assert (current(db, "keys"), current(db, "world")) == (2, 1)


def test_a_change_that_is_undone_moves_nothing(any_store: Store) -> None:
    def half() -> None:
        with any_store.write() as db:
            assert bump(db, "keys") == 1
            raise LookupError("second thoughts")

    with pytest.raises(LookupError):
        half()
    with any_store.write() as db:
        assert bump(db, "keys") == 1
