"""Virtual keys as the control plane keeps them: rows, their texts, and the questions a list asks.

1. The text of a key is stored as SHA-256 and, if there is a vault, as an envelope; never as it is.
2. An alias is unique within a tenant among the keys that are not deleted.
3. Every change moves the number of "keys" in its own transaction and stamps it on the row and on the texts that
   still open it: whoever asks for what changed since a number misses nothing.
4. A change is made to the version that was read. One that came between is not overwritten: ``None``.
5. Deleting keeps the row, for the usage records that name it, and forgets the text for good.
"""

import secrets
from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct, structs
from sqlalchemy import (
    Column,
    ColumnElement,
    Row,
    TextClause,
    and_,
    false,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)

from aimesh.core.ids import KeyId, TenantId, UserId
from aimesh.core.policy import NO_LIMITS, Limits, Route, RouteMode
from aimesh.core.secret import Secret, masked
from aimesh.store.changes import bump
from aimesh.store.engine import Connection
from aimesh.store.key_text import digest
from aimesh.store.tables import KEY_TEXTS, USERS, VIRTUAL_KEYS
from aimesh.store.vault import Place, Vault

_KIND = "virtual_key"

KeyStatus = Literal["active", "disabled", "expired"]


class KeyTerms(Struct, frozen=True):
    """What may be edited."""

    alias: str
    models: tuple[str, ...] = ()
    """Patterns; empty: every model."""
    networks: tuple[str, ...] = ()
    """CIDR; empty: any source address."""
    expires_at_s: float | None = None
    labels: dict[str, str] = {}
    route: Route = Route()
    limits: Limits = NO_LIMITS


class StoredKey(Struct, frozen=True):
    id: KeyId
    tenant: TenantId
    owner: UserId
    """Empty: nobody."""
    masked: str
    enabled: bool
    terms: KeyTerms
    created_at_s: float
    updated_at_s: float
    version: int

    def status(self, now_s: float) -> KeyStatus:
        if not self.enabled:
            return "disabled"
        expires_at_s = self.terms.expires_at_s
        return "expired" if expires_at_s is not None and expires_at_s <= now_s else "active"


class NewKey(Struct, frozen=True):
    id: KeyId
    tenant: TenantId
    owner: UserId
    terms: KeyTerms
    text: Secret[str]
    envelope: bytes | None
    """As ``seal`` made it; None: only the hash is stored."""
    at_s: float


class KeyFilter(Struct, frozen=True):
    tenant: TenantId
    now_s: float
    """Decides what has expired."""
    owner: UserId | None = None
    status: KeyStatus | None = None
    alias: str = ""
    """A part of the alias, whatever the case of its ASCII letters."""
    text: Secret[str] | None = None
    """The whole text of the key, one in its grace included, or its masked form."""
    sha256: bytes | None = None
    """Of the whole text, in its place: who asks from afar need not send the text."""
    label: str = ""
    """``name``, or ``name=value``."""


After = tuple[float, str]
"""Where a page ended: the time and id of its last key."""


class KeyPage(Struct, frozen=True):
    keys: tuple[StoredKey, ...]
    """Newest first."""
    next: After | None
    total: int
    """Of all pages."""


def make_id(now_s: float) -> KeyId:
    """Sorts by time of creation."""
    return KeyId(f"key-{int(now_s * 1000):012x}{secrets.token_hex(6)}")


def place_of(tenant: TenantId, key_id: KeyId) -> Place:
    return Place(_KIND, tenant, key_id)


def seal(vault: Vault | None, text: Secret[str], place: Place) -> bytes | None:
    return vault.encrypt(text, place) if vault is not None else None


_COLUMNS: tuple[Column[Any], ...] = (
    VIRTUAL_KEYS.c.id,
    VIRTUAL_KEYS.c.tenant,
    VIRTUAL_KEYS.c.owner,
    VIRTUAL_KEYS.c.masked,
    VIRTUAL_KEYS.c.enabled,
    VIRTUAL_KEYS.c.alias,
    VIRTUAL_KEYS.c.allowed_models,
    VIRTUAL_KEYS.c.allowed_cidrs,
    VIRTUAL_KEYS.c.expires_at_s,
    VIRTUAL_KEYS.c.labels,
    VIRTUAL_KEYS.c.route,
    VIRTUAL_KEYS.c.limits,
    VIRTUAL_KEYS.c.created_at_s,
    VIRTUAL_KEYS.c.updated_at_s,
    VIRTUAL_KEYS.c.version,
)
# As the partial indexes say it: on SQLite "deleted = 0", which SQLAlchemy makes of "~", would not use them.
_ALIVE = text("NOT virtual_keys.deleted")


def insert_key(db: Connection, new: NewKey) -> StoredKey:
    """An alias that is taken raises ``DuplicateError`` when the transaction is left."""
    db.execute(
        insert(VIRTUAL_KEYS).values(
            id=new.id,
            tenant=new.tenant,
            owner=new.owner,
            sha256=digest(new.text),
            masked=masked(new.text.reveal()),
            ciphertext=new.envelope,
            enabled=True,
            created_at_s=new.at_s,
            updated_at_s=new.at_s,
            deleted=False,
            changed=bump(db, "keys"),
            version=1,
            **_row(new.terms),
        )
    )
    return StoredKey(
        id=new.id,
        tenant=new.tenant,
        owner=new.owner,
        masked=masked(new.text.reveal()),
        enabled=True,
        terms=new.terms,
        created_at_s=new.at_s,
        updated_at_s=new.at_s,
        version=1,
    )


def find_key(db: Connection, key_id: KeyId) -> StoredKey | None:
    return _one(db, VIRTUAL_KEYS.c.id == key_id)


def find_alias(db: Connection, tenant: TenantId, alias: str) -> StoredKey | None:
    return _one(db, and_(VIRTUAL_KEYS.c.tenant == tenant, VIRTUAL_KEYS.c.alias == alias))


def find_text(db: Connection, text: Secret[str], now_s: float) -> StoredKey | None:
    """The key that a text opens, now or until the end of its grace."""
    return _find_digest(db, digest(text), now_s)


def _find_digest(db: Connection, sha256: bytes, now_s: float) -> StoredKey | None:
    # One after the other: PostgreSQL would read the whole table for both in one question.
    key = _one(db, VIRTUAL_KEYS.c.sha256 == sha256)
    if key is not None:
        return key
    in_grace = select(KEY_TEXTS.c.key_id).where(
        KEY_TEXTS.c.sha256 == sha256, KEY_TEXTS.c.expires_at_s > now_s
    )
    key_id = db.execute(in_grace).scalar_one_or_none()
    return None if key_id is None else find_key(db, key_id)


def find_keys(db: Connection, tenant: TenantId, key_ids: Iterable[KeyId]) -> dict[KeyId, StoredKey]:
    """Those that exist in the tenant."""
    query = select(*_COLUMNS).where(
        VIRTUAL_KEYS.c.tenant == tenant, VIRTUAL_KEYS.c.id.in_(list(key_ids)), _ALIVE
    )
    return {key.id: key for key in map(_key, db.execute(query))}


def list_keys(db: Connection, wanted: KeyFilter, *, limit: int, after: After | None = None) -> KeyPage:
    where: list[ColumnElement[bool] | TextClause] = [_ALIVE, *_conditions(wanted)]
    if wanted.text is not None:
        where.append(_texted(db, wanted.text, wanted.now_s))
    if wanted.sha256 is not None:
        key = _find_digest(db, wanted.sha256, wanted.now_s)
        where.append(VIRTUAL_KEYS.c.id == key.id if key is not None else false())
    order = (VIRTUAL_KEYS.c.created_at_s, VIRTUAL_KEYS.c.id)
    query = select(*_COLUMNS).where(*where)
    if after is not None:
        query = query.where(tuple_(*order) < tuple_(*after))
    query = query.order_by(*(column.desc() for column in order)).limit(limit + 1)
    keys = tuple(map(_key, db.execute(query)))
    more = len(keys) > limit
    total = len(keys)
    if more or after is not None:
        counted = select(func.count()).select_from(VIRTUAL_KEYS).where(*where)
        total = db.execute(counted).scalar_one()
    keys = keys[:limit]
    return KeyPage(keys=keys, next=(keys[-1].created_at_s, keys[-1].id) if more else None, total=total)


def keys_naming(db: Connection, tenant: TenantId, credential: str) -> list[StoredKey]:
    """The keys whose route names a BYOK credential of their tenant."""
    needle = msgspec.json.encode(credential).decode()
    query = select(*_COLUMNS).where(
        VIRTUAL_KEYS.c.tenant == tenant, _ALIVE, _holds(VIRTUAL_KEYS.c.route, needle)
    )
    # Sorted here: SQLite would follow the index of the aliases, and take three times as long.
    return sorted(
        (
            key
            for key in map(_key, db.execute(query))
            if key.terms.route.mode is RouteMode.BYOK and credential in key.terms.route.credentials
        ),
        key=lambda key: key.terms.alias,
    )


def update_key(db: Connection, key: StoredKey, terms: KeyTerms, at_s: float) -> StoredKey | None:
    return _changed(db, key, structs.replace(key, terms=terms, updated_at_s=at_s), _row(terms))


def set_enabled(db: Connection, key: StoredKey, enabled: bool, at_s: float) -> StoredKey | None:
    return _changed(db, key, structs.replace(key, enabled=enabled, updated_at_s=at_s), {"enabled": enabled})


def delete_key(db: Connection, key: StoredKey, at_s: float) -> bool:
    """Every text of the key is void, one in its grace too. False: another change came between."""
    gone = {"deleted": True, "enabled": False, "ciphertext": None}
    if _changed(db, key, structs.replace(key, enabled=False, updated_at_s=at_s), gone) is None:
        return False
    _end_old_texts(db, key, at_s)
    return True


def rotate_key(
    db: Connection, key: StoredKey, text: Secret[str], *, envelope: bytes | None, grace_s: float, at_s: float
) -> StoredKey | None:
    """Gives the key a new text; the ones before it work for ``grace_s`` more at most, none at all if that is 0."""
    old = db.execute(select(VIRTUAL_KEYS.c.sha256).where(VIRTUAL_KEYS.c.id == key.id)).scalar_one()
    shown = masked(text.reveal())
    fresh = {"sha256": digest(text), "masked": shown, "ciphertext": envelope}
    rotated = _changed(db, key, structs.replace(key, masked=shown, updated_at_s=at_s), fresh)
    if rotated is not None:
        _end_old_texts(db, key, at_s + grace_s)
        changed = select(VIRTUAL_KEYS.c.changed).where(VIRTUAL_KEYS.c.id == key.id).scalar_subquery()
        db.execute(
            insert(KEY_TEXTS).values(sha256=old, key_id=key.id, expires_at_s=at_s + grace_s, changed=changed)
        )
    return rotated


def graces(db: Connection, key_ids: Iterable[KeyId], now_s: float) -> dict[KeyId, float]:
    """When the last text that was rotated away stops working, of the keys that have one."""
    query = (
        select(KEY_TEXTS.c.key_id, func.max(KEY_TEXTS.c.expires_at_s))
        .where(KEY_TEXTS.c.key_id.in_(list(key_ids)), KEY_TEXTS.c.expires_at_s > now_s)
        .group_by(KEY_TEXTS.c.key_id)
    )
    return {row[0]: row[1] for row in db.execute(query)}


def usernames(db: Connection, owners: Iterable[UserId]) -> dict[UserId, str]:
    """Of those who are still there."""
    query = select(USERS.c.id, USERS.c.username).where(USERS.c.id.in_(list(owners)))
    return {row.id: row.username for row in db.execute(query)}


def envelope_of(db: Connection, key_id: KeyId) -> bytes | None:
    """The sealed text; None where only its hash is stored."""
    query = select(VIRTUAL_KEYS.c.ciphertext).where(VIRTUAL_KEYS.c.id == key_id, _ALIVE)
    envelope: bytes | None = db.execute(query).scalar_one_or_none()
    return envelope


def _one(db: Connection, condition: ColumnElement[bool]) -> StoredKey | None:
    row = db.execute(select(*_COLUMNS).where(condition, _ALIVE)).one_or_none()
    return _key(row) if row is not None else None


def _changed(db: Connection, before: StoredKey, after: StoredKey, values: dict[str, Any]) -> StoredKey | None:
    number = bump(db, "keys")
    touched = db.execute(
        update(VIRTUAL_KEYS)
        .where(VIRTUAL_KEYS.c.id == before.id, VIRTUAL_KEYS.c.version == before.version, _ALIVE)
        .values(**values, updated_at_s=after.updated_at_s, changed=number, version=VIRTUAL_KEYS.c.version + 1)
    )
    if touched.rowcount == 0:
        return None
    db.execute(
        update(KEY_TEXTS)
        .where(KEY_TEXTS.c.key_id == before.id, KEY_TEXTS.c.expires_at_s > after.updated_at_s)
        .values(changed=number)
    )
    return structs.replace(after, version=before.version + 1)


def _end_old_texts(db: Connection, key: StoredKey, at_s: float) -> None:
    """At that time, those that would work for longer."""
    db.execute(
        update(KEY_TEXTS)
        .where(KEY_TEXTS.c.key_id == key.id, KEY_TEXTS.c.expires_at_s > at_s)
        .values(expires_at_s=at_s)
    )


def _conditions(wanted: KeyFilter) -> list[ColumnElement[bool]]:
    table = VIRTUAL_KEYS.c
    where = [table.tenant == wanted.tenant]
    if wanted.owner is not None:
        where.append(table.owner == wanted.owner)
    has_expired = and_(table.expires_at_s.is_not(None), table.expires_at_s <= wanted.now_s)
    match wanted.status:
        case "active":
            where += [table.enabled, ~has_expired]
        case "disabled":
            where.append(~table.enabled)
        case "expired":
            where += [table.enabled, has_expired]
        case None:
            pass
    if wanted.alias:
        where.append(table.alias.icontains(wanted.alias, autoescape=True))
    if wanted.label:
        name, has_value, value = wanted.label.partition("=")
        needle = f"{msgspec.json.encode(name).decode()}:"
        if has_value:
            needle += msgspec.json.encode(value).decode()
        where.append(_holds(table.labels, needle))
    return where


def _texted(db: Connection, text: Secret[str], now_s: float) -> ColumnElement[bool]:
    """One plain condition, so that its index is used."""
    key = find_text(db, text, now_s)
    return VIRTUAL_KEYS.c.id == key.id if key is not None else VIRTUAL_KEYS.c.masked == text.reveal()


def _holds(column: ColumnElement[str], needle: str) -> ColumnElement[bool]:
    """Whether a JSON text holds a piece of JSON. ``LIKE`` would not do: SQLite's does not tell cases apart."""
    return func.replace(column, needle, "") != column


def _row(terms: KeyTerms) -> dict[str, Any]:
    return {
        "alias": terms.alias,
        "allowed_models": _encode(terms.models),
        "allowed_cidrs": _encode(terms.networks),
        "expires_at_s": terms.expires_at_s,
        "labels": _encode(terms.labels),
        "route": _encode(terms.route),
        "limits": _encode(terms.limits),
    }


def _encode(value: tuple[str, ...] | dict[str, str] | Route | Limits) -> str:
    return msgspec.json.encode(value).decode()


_TEXTS = msgspec.json.Decoder(tuple[str, ...])
_LABELS = msgspec.json.Decoder(dict[str, str])
_ROUTE = msgspec.json.Decoder(Route)
_LIMITS = msgspec.json.Decoder(Limits)


# A row of a SQLAlchemy query has columns of any type.
def _key(row: Row[Any]) -> StoredKey:
    return StoredKey(
        id=row.id,
        tenant=row.tenant,
        owner=row.owner,
        masked=row.masked,
        enabled=row.enabled,
        terms=KeyTerms(
            alias=row.alias,
            models=_TEXTS.decode(row.allowed_models),
            networks=_TEXTS.decode(row.allowed_cidrs),
            expires_at_s=row.expires_at_s,
            labels=_LABELS.decode(row.labels),
            route=_ROUTE.decode(row.route),
            limits=_LIMITS.decode(row.limits),
        ),
        created_at_s=row.created_at_s,
        updated_at_s=row.updated_at_s,
        version=row.version,
    )
