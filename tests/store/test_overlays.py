"""Overlays of the catalogue: put, replaced in order, listed and taken away."""

import pytest
from tests.support.stores import any_store

from aimesh.store import overlays
from aimesh.store.changes import current
from aimesh.store.database import DuplicateError
from aimesh.store.engine import Store
from aimesh.store.overlays import Overlay, OverlayKind

__all__ = ["any_store"]

KINDS = pytest.mark.parametrize("kind", list(OverlayKind))


def put(store: Store, kind: OverlayKind, name: str, document: bytes, before: int = 0) -> Overlay | None:
    with store.write() as db:
        return overlays.put_overlay(db, kind, name, document=document, before=before, at_s=5.0)


def world(store: Store) -> int:
    with store.read() as db:
        return current(db, "world")


@KINDS
def test_what_was_put_is_found_and_replaced_in_order(any_store: Store, kind: OverlayKind) -> None:
    first = put(any_store, kind, "a/b", '{"name":"模型"}'.encode())
    assert first == Overlay(
        kind=kind, name="a/b", document='{"name":"模型"}'.encode(), updated_at_s=5.0, version=1
    )
    with any_store.read() as db:
        assert overlays.find_overlay(db, kind, "a/b") == first
        assert overlays.find_overlay(db, kind, "none") is None
    second = put(any_store, kind, "a/b", b"{}", before=1)
    assert second is not None
    assert second.version == 2
    # Somebody else was faster.
    assert put(any_store, kind, "a/b", b"[]", before=1) is None
    with any_store.read() as db:
        assert overlays.find_overlay(db, kind, "a/b") == second
    with pytest.raises(DuplicateError):
        put(any_store, kind, "a/b", b"{}")
    assert world(any_store) == 2


@KINDS
def test_a_list_is_of_one_kind_by_name(any_store: Store, kind: OverlayKind) -> None:
    for name in ("b", "a"):
        put(any_store, kind, name, b"{}")
    other = next(one for one in OverlayKind if one is not kind)
    put(any_store, other, "c", b"{}")
    with any_store.read() as db:
        assert [one.name for one in overlays.list_overlays(db, kind)] == ["a", "b"]


@KINDS
def test_a_deleted_one_is_gone_and_moves_the_world(any_store: Store, kind: OverlayKind) -> None:
    put(any_store, kind, "a", b"{}")
    with any_store.write() as db:
        overlays.delete_overlay(db, kind, "a")
    with any_store.read() as db:
        assert overlays.find_overlay(db, kind, "a") is None
    assert world(any_store) == 2
