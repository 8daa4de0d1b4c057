"""Tokens of the admin API: rows of ``tokens``.

1. The text of a token is stored only as its SHA-256; it is shown once, when it is made.
2. A token without a person (``user_id`` empty) was made by the local operator.
"""

import secrets
import string

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update

from aimesh.core.ids import TenantId, UserId
from aimesh.core.secret import Secret
from aimesh.store.engine import Connection
from aimesh.store.people import Role
from aimesh.store.tables import TOKENS

PREFIX = "at-"
_LENGTH = 40
_ALPHABET = string.digits + string.ascii_letters

NOBODY = UserId("")


class Token(Struct, frozen=True):
    id: str
    tenant: TenantId
    user_id: UserId
    """Who made it, and as whom it acts."""
    name: str
    masked: str
    role: Role
    expires_at_s: float | None
    last_used_at_s: float | None
    created_at_s: float


class TokenFilter(Struct, frozen=True):
    tenant: TenantId
    user_id: UserId | None = None


_COLUMNS = tuple(column for column in TOKENS.c if column.name != "sha256")


def make_token_text() -> Secret[str]:
    return Secret(PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)))


def add_token(db: Connection, token: Token, sha256: bytes) -> None:
    """A taken name makes the block end in ``DuplicateError``."""
    db.execute(insert(TOKENS).values(sha256=sha256, **msgspec.to_builtins(token)))


def find_token(db: Connection, token_id: str) -> Token | None:
    return _one(db, TOKENS.c.id == token_id)


def find_by_digest(db: Connection, sha256: bytes) -> Token | None:
    return _one(db, TOKENS.c.sha256 == sha256)


def list_tokens(db: Connection, wanted: TokenFilter, *, after: str | None, limit: int) -> list[Token]:
    """By name; ``after`` is the name of the last one seen."""
    question = select(*_COLUMNS).where(_matches(wanted))
    if after is not None:
        question = question.where(TOKENS.c.name > after)
    rows = db.execute(question.order_by(TOKENS.c.name).limit(limit))
    return [msgspec.convert(row, Token, from_attributes=True) for row in rows]


def count_tokens(db: Connection, wanted: TokenFilter) -> int:
    return db.execute(select(func.count()).select_from(TOKENS).where(_matches(wanted))).scalar_one()


def touch_token(db: Connection, token_id: str, now_s: float) -> None:
    db.execute(update(TOKENS).where(TOKENS.c.id == token_id).values(last_used_at_s=now_s))


def remove_token(db: Connection, token_id: str) -> None:
    db.execute(delete(TOKENS).where(TOKENS.c.id == token_id))


def remove_tokens_of(db: Connection, user_id: UserId) -> int:
    """Gives how many there were."""
    return db.execute(delete(TOKENS).where(TOKENS.c.user_id == user_id)).rowcount


def _matches(wanted: TokenFilter) -> ColumnElement[bool]:
    mine = TOKENS.c.tenant == wanted.tenant
    return mine if wanted.user_id is None else and_(mine, TOKENS.c.user_id == wanted.user_id)


def _one(db: Connection, condition: ColumnElement[bool]) -> Token | None:
    row = db.execute(select(*_COLUMNS).where(condition)).first()
    return msgspec.convert(row, Token, from_attributes=True) if row is not None else None
