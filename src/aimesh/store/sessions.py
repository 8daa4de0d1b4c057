"""Sign-ins: browser sessions, and the one-time links with which a person sets a password.

1. What opens either is stored only as its SHA-256; the text exists in the browser or in the link.
2. A link works once: ``use_link`` finds and removes it in one statement.
"""

import hashlib
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Row, delete, insert, select, update

from aimesh.core.ids import UserId
from aimesh.core.secret import Secret
from aimesh.store.engine import Connection
from aimesh.store.tables import PASSWORD_LINKS, SESSIONS


class Session(Struct, frozen=True):
    sha256: bytes
    user_id: UserId
    csrf: str
    created_at_s: float
    seen_at_s: float
    expires_at_s: float
    ip: str
    agent: str

    def __repr__(self) -> str:
        """Without what opens it."""
        return f"Session(user_id={self.user_id!r}, created_at_s={self.created_at_s!r})"


class PasswordLink(Struct, frozen=True):
    user_id: UserId | None
    """None: it makes the very first administrator."""
    expires_at_s: float


def digest(text: Secret[str]) -> bytes:
    """How a session's id, a link's or a token's text is looked for."""
    return hashlib.sha256(text.reveal().encode("utf-8", "replace")).digest()


def add_session(db: Connection, session: Session) -> None:
    db.execute(
        insert(SESSIONS).values(**{name: getattr(session, name) for name in Session.__struct_fields__})
    )


def find_session(db: Connection, sha256: bytes) -> Session | None:
    row = db.execute(select(SESSIONS).where(SESSIONS.c.sha256 == sha256)).first()
    return msgspec.convert(row, Session, from_attributes=True) if row is not None else None


def touch_session(db: Connection, sha256: bytes, now_s: float) -> None:
    db.execute(update(SESSIONS).where(SESSIONS.c.sha256 == sha256).values(seen_at_s=now_s))


def end_session(db: Connection, sha256: bytes) -> None:
    db.execute(delete(SESSIONS).where(SESSIONS.c.sha256 == sha256))


def end_sessions_of(db: Connection, user_id: UserId) -> None:
    db.execute(delete(SESSIONS).where(SESSIONS.c.user_id == user_id))


def forget_expired(db: Connection, now_s: float) -> None:
    """Sessions and links whose time is over."""
    db.execute(delete(SESSIONS).where(SESSIONS.c.expires_at_s <= now_s))
    db.execute(delete(PASSWORD_LINKS).where(PASSWORD_LINKS.c.expires_at_s <= now_s))


def add_link(db: Connection, sha256: bytes, link: PasswordLink, now_s: float) -> None:
    """Takes the place of the person's earlier links."""
    forget_links(db, link.user_id)
    db.execute(
        insert(PASSWORD_LINKS).values(
            sha256=sha256, user_id=link.user_id, expires_at_s=link.expires_at_s, created_at_s=now_s
        )
    )


def find_link(db: Connection, sha256: bytes, now_s: float) -> PasswordLink | None:
    """None: unknown, used or expired."""
    row = db.execute(
        select(PASSWORD_LINKS.c.user_id, PASSWORD_LINKS.c.expires_at_s).where(
            PASSWORD_LINKS.c.sha256 == sha256
        )
    ).first()
    return _link(row, now_s)


def use_link(db: Connection, sha256: bytes, now_s: float) -> PasswordLink | None:
    """Finds and removes it; None: unknown, used or expired."""
    row = db.execute(
        delete(PASSWORD_LINKS)
        .where(PASSWORD_LINKS.c.sha256 == sha256)
        .returning(PASSWORD_LINKS.c.user_id, PASSWORD_LINKS.c.expires_at_s)
    ).first()
    return _link(row, now_s)


def forget_links(db: Connection, user_id: UserId | None) -> None:
    mine = PASSWORD_LINKS.c.user_id
    db.execute(delete(PASSWORD_LINKS).where(mine.is_(None) if user_id is None else mine == user_id))


# SQLAlchemy types a row by the columns that were asked for; the struct is what gives them types here.
def _link(row: Row[Any, Any] | None, now_s: float) -> PasswordLink | None:
    if row is None or row.expires_at_s <= now_s:
        return None
    return msgspec.convert(row, PasswordLink, from_attributes=True)
