"""Whose a key is, for many keys at once."""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from sqlalchemy import select

from aimesh.core.ids import KeyId, UserId
from aimesh.store.engine import Connection
from aimesh.store.tables import USERS, VIRTUAL_KEYS

_AT_ONCE = 500


class Owner(Struct, frozen=True):
    id: UserId
    username: str
    """Empty: the user is gone."""


NOBODY = Owner(UserId(""), "")


def owners_of(db: Connection, keys: Iterable[KeyId]) -> dict[KeyId, Owner]:
    """Of every key asked for, deleted ones too; keys of the file belong to nobody."""
    wanted: Sequence[KeyId] = sorted(set(keys))
    owners = dict.fromkeys(wanted, NOBODY)
    for start in range(0, len(wanted), _AT_ONCE):
        rows = db.execute(
            select(VIRTUAL_KEYS.c.id, VIRTUAL_KEYS.c.owner, USERS.c.username)
            .outerjoin(USERS, USERS.c.id == VIRTUAL_KEYS.c.owner)
            .where(VIRTUAL_KEYS.c.id.in_(wanted[start : start + _AT_ONCE]), VIRTUAL_KEYS.c.owner != "")
        )
        for key, owner, username in rows:
            owners[key] = Owner(owner, username or "")
    return owners
