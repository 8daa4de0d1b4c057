"""What keys and users of usage are called: now, or, where they are gone, last."""

from collections.abc import Collection, Sequence

from sqlalchemy import select, union

from aimesh.core.ids import KeyId, UserId
from aimesh.store.engine import Connection
from aimesh.store.tables import USAGE_NAMES, USERS, VIRTUAL_KEYS

_AT_ONCE = 500


def key_names(db: Connection, keys: Collection[str]) -> dict[str, str]:
    """Aliases by id; ids that nobody knows are left out."""
    table = VIRTUAL_KEYS.c
    found: dict[str, str] = {}
    for some in _pieces(keys):
        found |= _last_names(db, "key", some)
        # The rows are there for a while after a key was deleted.
        found |= {
            row.id: row.alias for row in db.execute(select(table.id, table.alias).where(table.id.in_(some)))
        }
    return found


def user_names(db: Connection, users: Collection[str]) -> dict[str, str]:
    """Usernames by id; ids that nobody knows are left out."""
    table = USERS.c
    found: dict[str, str] = {}
    for some in _pieces(users):
        found |= _last_names(db, "user", some)
        rows = db.execute(select(table.id, table.username).where(table.id.in_(some)))
        found |= {row.id: row.username for row in rows}
    return found


def keys_named(db: Connection, name: str) -> frozenset[KeyId]:
    """Ids of whatever keys have or had this alias, and the name itself: it may be an id."""
    last, table = USAGE_NAMES.c, VIRTUAL_KEYS.c
    rows = db.execute(
        union(
            select(last.id).where(last.kind == "key", last.name == name),
            select(table.id).where(table.alias == name),
        )
    )
    return frozenset({KeyId(name), *(KeyId(one) for one in rows.scalars())})


def users_named(db: Connection, name: str) -> frozenset[UserId]:
    """The same for users."""
    last, table = USAGE_NAMES.c, USERS.c
    rows = db.execute(
        union(
            select(last.id).where(last.kind == "user", last.name == name),
            select(table.id).where(table.username == name),
        )
    )
    return frozenset({UserId(name), *(UserId(one) for one in rows.scalars())})


def _last_names(db: Connection, kind: str, some: Sequence[str]) -> dict[str, str]:
    last = USAGE_NAMES.c
    rows = db.execute(select(last.id, last.name).where(last.kind == kind, last.id.in_(some)))
    return {row.id: row.name for row in rows}


def _pieces(several: Collection[str]) -> list[list[str]]:
    ordered = sorted(one for one in several if one)
    return [ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE)]
