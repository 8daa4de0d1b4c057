"""From rows of the database to what is published.

1. Numbers and rows are asked for in one ``read``: whoever has the number has every change up to it.
2. A text that was rotated away opens its key until its grace ends, and a rotation leaves a row even for a grace of
   nothing (``virtual_keys.py``): so what ceased to work is among the changes.
3. A key whose row cannot be understood is published as one that lets nobody in, such a tenant as disabled.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Row, select

from aimesh.core.ids import CredentialId, KeyId, ModelName, ProviderId, TenantId
from aimesh.core.policy import (
    NO_LIMITS,
    CredentialPolicy,
    DiscountPolicy,
    KeyPolicy,
    Limits,
    Route,
    TenantPolicy,
    TenantStatus,
)
from aimesh.store.changes import current
from aimesh.store.engine import Connection
from aimesh.store.key_table import GONE, Entry, encode_policy
from aimesh.store.publication import World
from aimesh.store.tables import (
    CREDENTIALS,
    DISCOUNTS,
    KEY_TEXTS,
    MODEL_OVERLAYS,
    PROVIDER_OVERLAYS,
    TENANTS,
    VIRTUAL_KEYS,
)

_BATCH = 5_000
_MOST_REMEMBERED = 10_000

T = TypeVar("T")

_KEY = VIRTUAL_KEYS.c
_TERMS = (
    _KEY.id,
    _KEY.alias,
    _KEY.tenant,
    _KEY.enabled,
    _KEY.deleted,
    _KEY.expires_at_s,
    _KEY.allowed_models,
    _KEY.allowed_cidrs,
    _KEY.labels,
    _KEY.route,
    _KEY.limits,
)
_LIMITS = msgspec.json.Decoder(Limits)
_NOT_DELETED = ~_KEY.deleted


class Numbers(Struct, frozen=True):
    keys: int
    world: int


def read_numbers(db: Connection) -> Numbers:
    return Numbers(keys=current(db, "keys"), world=current(db, "world"))


def every_key(db: Connection, now_s: float) -> Iterator[Entry]:
    """Disabled and expired ones too: their callers are told so."""
    reader = _Reader(now_s)
    for row in _rows(db, _NOT_DELETED):
        yield row[0], reader.record(row[2:], None)
    for row in _old_texts(db, _NOT_DELETED & (KEY_TEXTS.c.expires_at_s > now_s)):
        yield row[0], reader.record(row[2:], row[1])


def changed_keys(db: Connection, since: int, now_s: float) -> dict[bytes, bytes]:
    """Records of the texts that changed after the number ``since``; ``GONE`` for those that open nothing any more."""
    reader = _Reader(now_s)
    found = {row[0]: reader.record(row[2:], row[1]) for row in _old_texts(db, KEY_TEXTS.c.changed > since)}
    # Second, should a text ever be both: the newest one holds.
    return found | {row[0]: reader.record(row[2:], None) for row in _rows(db, _KEY.changed > since)}


def read_world(db: Connection) -> World:
    credentials = select(
        CREDENTIALS.c.id,
        CREDENTIALS.c.tenant,
        CREDENTIALS.c.provider,
        CREDENTIALS.c.name,
        CREDENTIALS.c.envelope,
    )
    discounts: dict[str, list[DiscountPolicy]] = {}
    for row in db.execute(select(DISCOUNTS).order_by(DISCOUNTS.c.id)):
        discounts.setdefault(row.tenant, []).append(_discount(row))
    return World(
        tenants=tuple(
            _tenant(row, tuple(discounts.get(row.id, ())))
            for row in db.execute(select(TENANTS).order_by(TENANTS.c.id))
        ),
        credentials=tuple(
            _credential(row)
            for row in db.execute(
                credentials.where(CREDENTIALS.c.enabled).order_by(CREDENTIALS.c.tenant, CREDENTIALS.c.name)
            )
        ),
        providers={
            ProviderId(row.id): row.document.encode()
            for row in db.execute(select(PROVIDER_OVERLAYS).order_by(PROVIDER_OVERLAYS.c.id))
        },
        models={
            ModelName(row.name): row.document.encode()
            for row in db.execute(select(MODEL_OVERLAYS).order_by(MODEL_OVERLAYS.c.name))
        },
    )


# Rows of SQLAlchemy queries have columns of any type.
def _rows(db: Connection, condition: ColumnElement[bool]) -> Iterator[Any]:
    query = select(_KEY.sha256, _KEY.version, *_TERMS).where(condition)
    yield from db.execute(query, execution_options={"yield_per": _BATCH})


def _old_texts(db: Connection, condition: ColumnElement[bool]) -> Iterator[Any]:
    query = select(KEY_TEXTS.c.sha256, KEY_TEXTS.c.expires_at_s, *_TERMS).join(
        VIRTUAL_KEYS, _KEY.id == KEY_TEXTS.c.key_id
    )
    yield from db.execute(query.where(condition), execution_options={"yield_per": _BATCH})


class _Remembered(dict[str, T]):
    """Decodes a text once: most keys have the same routes, limits and patterns as others."""

    def __init__(self, decoder: msgspec.json.Decoder[T]) -> None:
        self._decode = decoder.decode

    def __missing__(self, text: str) -> T:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        value = self[text] = self._decode(text)
        return value


class _Reader:
    """From rows to records, for one question."""

    def __init__(self, now_s: float) -> None:
        self._now_s = now_s
        self._texts = _Remembered(msgspec.json.Decoder(tuple[str, ...]))
        self._labels = _Remembered(msgspec.json.Decoder(dict[str, str]))
        self._route = _Remembered(msgspec.json.Decoder(Route))
        self._limits = _Remembered(_LIMITS)

    def record(self, terms: Any, ends_at_s: float | None) -> bytes:
        """``ends_at_s``: when the grace of an old text ends."""
        key, alias, tenant, enabled, deleted, expires_at_s, models, networks, labels, route, limits = terms
        if deleted or (ends_at_s is not None and ends_at_s <= self._now_s):
            return GONE
        ends_s = min((one for one in (expires_at_s, ends_at_s) if one is not None), default=0.0)
        try:
            return encode_policy(
                KeyPolicy(
                    id=KeyId(key),
                    alias=alias,
                    tenant=TenantId(tenant),
                    enabled=enabled,
                    expires_at_s=ends_s,
                    models=self._texts[models],
                    networks=self._texts[networks],
                    labels=self._labels[labels],
                    route=self._route[route],
                    limits=self._limits[limits],
                )
            )
        except msgspec.MsgspecError:
            return encode_policy(
                KeyPolicy(id=KeyId(key), alias=alias, tenant=TenantId(tenant), enabled=False)
            )


def _discount(row: Row[Any]) -> DiscountPolicy:
    return DiscountPolicy(
        id=row.id,
        scope=row.scope,
        name=row.name,
        factor=row.factor,
        since_s=row.from_s,
        until_s=row.until_s,
    )


def _tenant(row: Row[Any], discounts: tuple[DiscountPolicy, ...]) -> TenantPolicy:
    tenant = TenantId(row.id)
    try:
        status, limits = TenantStatus(row.status), _LIMITS.decode(row.limits)
    except (ValueError, msgspec.MsgspecError):
        # By a later release. Whoever is not understood is not served.
        status, limits = TenantStatus.DISABLED, NO_LIMITS
    return TenantPolicy(id=tenant, status=status, limits=limits, discounts=discounts)


def _credential(row: Any) -> CredentialPolicy:
    return CredentialPolicy(
        id=CredentialId(row.id),
        provider=ProviderId(row.provider),
        name=row.name,
        envelope=row.envelope,
        tenant=TenantId(row.tenant) if row.tenant else None,
    )
