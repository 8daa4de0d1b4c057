"""Encrypts every stored secret anew under the current master key, so that an older one can be forgotten.

1. What is done is not done again: a run that was broken off is simply started once more.
2. Row by row a secret is opened, closed under the current key, opened again and compared before it replaces the old
   envelope; an envelope that somebody else replaced meanwhile stays.
3. What does not open is left as it is and reported: nothing is lost here.
"""

from typing import Any

from msgspec import Struct
from sqlalchemy import Column, Row, Table, select, update

from aimesh.core.ids import CredentialId, KeyId, TenantId
from aimesh.store import alerts, credentials, virtual_keys
from aimesh.store.changes import bump
from aimesh.store.engine import Connection, Store
from aimesh.store.tables import ALERT_CHANNELS, CREDENTIALS, VIRTUAL_KEYS
from aimesh.store.vault import Place, Vault, VaultError

BATCH = 500
"""Rows of one transaction: others are not kept waiting long."""


class Resealed(Struct, frozen=True):
    current: int
    """Envelopes that were under the current master key already."""
    resealed: int
    unreadable: tuple[str, ...]
    """Ids of what does not open, with the reason."""

    @property
    def is_complete(self) -> bool:
        """Nothing is left that needs an older master key."""
        return not self.unreadable


class _Kind(Struct, frozen=True):
    table: Table
    envelope: Column[Any]
    is_published: bool
    """Workers get the envelopes: they are to hear of the new ones."""


_KINDS = (
    _Kind(CREDENTIALS, CREDENTIALS.c.envelope, is_published=True),
    _Kind(VIRTUAL_KEYS, VIRTUAL_KEYS.c.ciphertext, is_published=False),
    _Kind(ALERT_CHANNELS, ALERT_CHANNELS.c.envelope, is_published=False),
)


def reseal(store: Store, vault: Vault, batch: int = BATCH) -> Resealed:
    """Blocks. Raises ``StoreError``; what was done until then stays done."""
    current = resealed = 0
    unreadable: list[str] = []
    for kind in _KINDS:
        after = ""
        while True:
            with store.write() as db:
                rows = _batch(db, kind, after, batch)
                moved = 0
                for row in rows:
                    if not vault.is_stale(row.envelope):
                        current += 1
                        continue
                    try:
                        moved += _reseal(db, kind, row, vault)
                    except VaultError as error:
                        unreadable.append(f"{row.id}: {error}")
                if moved and kind.is_published:
                    bump(db, "world")
            resealed += moved
            if len(rows) < batch:
                break
            after = rows[-1].id
    return Resealed(current=current, resealed=resealed, unreadable=tuple(unreadable))


# A row of a SQLAlchemy query has columns of any type.
def _batch(db: Connection, kind: _Kind, after: str, limit: int) -> list[Row[Any]]:
    table = kind.table.c
    query = select(table.id, table.tenant, kind.envelope.label("envelope")).where(
        kind.envelope.is_not(None), table.id > after
    )
    return list(db.execute(query.order_by(table.id).limit(limit)))


def _reseal(db: Connection, kind: _Kind, row: Row[Any], vault: Vault) -> int:
    place = _place(kind, row.tenant, row.id)
    secret = vault.decrypt(row.envelope, place)
    envelope = vault.encrypt(secret, place)
    if vault.decrypt(envelope, place) != secret:
        raise VaultError("the new envelope does not give the secret back")
    touched = db.execute(
        update(kind.table)
        .where(kind.table.c.id == row.id, kind.envelope == row.envelope)
        .values({kind.envelope.name: envelope})
    )
    return int(touched.rowcount)


def _place(kind: _Kind, tenant: str, row_id: str) -> Place:
    if kind.table is CREDENTIALS:
        return credentials.place_of(TenantId(tenant), CredentialId(row_id))
    if kind.table is ALERT_CHANNELS:
        return alerts.place_of(row_id)
    return virtual_keys.place_of(TenantId(tenant), KeyId(row_id))
