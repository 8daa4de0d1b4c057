"""What administrators changed about providers and models: entries of the catalogue that lie over the built-in ones.

1. A document is JSON of ``catalog.schema.ProviderEntry`` or ``ModelEntry``; this room does not read it.
2. Every change moves the number of "world".
3. A change is made to the version that was read; one that came between is not overwritten.
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct
from sqlalchemy import Column, Row, Table, delete, insert, select, update

from aimesh.store.changes import bump
from aimesh.store.engine import Connection
from aimesh.store.tables import MODEL_OVERLAYS, PROVIDER_OVERLAYS


class OverlayKind(StrEnum):
    PROVIDER = "provider"
    MODEL = "model"


class Overlay(Struct, frozen=True):
    kind: OverlayKind
    name: str
    document: bytes
    updated_at_s: float
    version: int


def _table(kind: OverlayKind) -> tuple[Table, Column[Any]]:
    """The table, and the column that names its rows."""
    match kind:
        case OverlayKind.PROVIDER:
            return PROVIDER_OVERLAYS, PROVIDER_OVERLAYS.c.id
        case OverlayKind.MODEL:
            return MODEL_OVERLAYS, MODEL_OVERLAYS.c.name


def find_overlay(db: Connection, kind: OverlayKind, name: str) -> Overlay | None:
    table, key = _table(kind)
    row = db.execute(select(table).where(key == name)).one_or_none()
    return _overlay(kind, row) if row is not None else None


def list_overlays(db: Connection, kind: OverlayKind) -> list[Overlay]:
    table, key = _table(kind)
    return [_overlay(kind, row) for row in db.execute(select(table).order_by(key))]


def put_overlay(
    db: Connection, kind: OverlayKind, name: str, *, document: bytes, before: int, at_s: float
) -> Overlay | None:
    """``before``: the version that is replaced; 0: there was none. None: another change came between. A new one that
    somebody else made first raises ``DuplicateError`` when the transaction is left."""
    table, key = _table(kind)
    values = {"document": document.decode(), "updated_at_s": at_s, "version": before + 1}
    if before == 0:
        db.execute(insert(table).values({key.name: name} | values))
    else:
        touched = db.execute(update(table).where(key == name, table.c.version == before).values(values))
        if touched.rowcount == 0:
            return None
    bump(db, "world")
    return Overlay(kind=kind, name=name, document=document, updated_at_s=at_s, version=before + 1)


def delete_overlay(db: Connection, kind: OverlayKind, name: str) -> None:
    table, key = _table(kind)
    db.execute(delete(table).where(key == name))
    bump(db, "world")


# A row of a SQLAlchemy query has columns of any type.
def _overlay(kind: OverlayKind, row: Row[Any]) -> Overlay:
    return Overlay(
        kind=kind,
        name=row[0],
        document=row.document.encode(),
        updated_at_s=row.updated_at_s,
        version=row.version,
    )
