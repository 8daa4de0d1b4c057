"""People: rows of ``users``, with their tenant, role and way of signing in.

1. A username is stored case-folded and is unique over all tenants, so signing in asks for no tenant.
2. The hash of a password leaves only through ``password_hash``; a ``User`` has none to show.
3. A change is made to the version that was read; one that came between is not overwritten. What signing in
   notes (failures, time, hash) is no change of this kind.
"""

from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, or_, select, update

from aimesh.core.ids import KeyId, TenantId, UserId
from aimesh.core.secret import Secret
from aimesh.store.engine import Connection
from aimesh.store.people import Role
from aimesh.store.tables import USERS, VIRTUAL_KEYS


class UserTerms(Struct, frozen=True):
    """What may be edited."""

    display_name: str
    email: str
    role: Role
    enabled: bool


class User(Struct, frozen=True):
    id: UserId
    tenant: TenantId
    username: str
    display_name: str
    email: str
    role: Role
    enabled: bool
    has_password: bool
    oidc_subject: str | None
    failed_logins: int
    locked_until_s: float | None
    last_login_at_s: float | None
    created_at_s: float
    updated_at_s: float
    version: int

    @property
    def terms(self) -> UserTerms:
        return UserTerms(self.display_name, self.email, self.role, self.enabled)


class NewUser(Struct, frozen=True):
    id: UserId
    tenant: TenantId
    username: str
    terms: UserTerms
    oidc_subject: str | None = None


class UserFilter(Struct, frozen=True):
    tenant: TenantId
    search: str = ""
    """Part of a username, display name or e-mail address."""
    role: Role | None = None
    enabled: bool | None = None
    id: UserId | None = None


class OwnedKey(Struct, frozen=True):
    id: KeyId
    alias: str


_COLUMNS = (
    *(column for column in USERS.c if column.name != "password_hash"),
    USERS.c.password_hash.is_not(None).label("has_password"),
)


def fold(username: str) -> str:
    """How a username is stored and looked for."""
    return username.strip().casefold()


def find_user(db: Connection, user_id: UserId) -> User | None:
    return _one(db, USERS.c.id == user_id)


def find_by_username(db: Connection, username: str) -> User | None:
    return _one(db, USERS.c.username == fold(username))


def find_by_subject(db: Connection, subject: str) -> User | None:
    return _one(db, USERS.c.oidc_subject == subject)


def find_by_email(db: Connection, email: str) -> list[User]:
    """Addresses are compared without case; several people may share one."""
    return _all(db, select(*_COLUMNS).where(func.lower(USERS.c.email) == email.lower()))


def list_users(db: Connection, wanted: UserFilter, *, after: str | None, limit: int) -> list[User]:
    """By username; ``after`` is the username of the last one seen."""
    question = select(*_COLUMNS).where(_matches(wanted))
    if after is not None:
        question = question.where(USERS.c.username > after)
    return _all(db, question.order_by(USERS.c.username).limit(limit))


def count_users(db: Connection, wanted: UserFilter) -> int:
    return db.execute(select(func.count()).select_from(USERS).where(_matches(wanted))).scalar_one()


def count_able(db: Connection, role: Role, tenant: TenantId | None = None) -> int:
    """People of a role who can sign in, in one tenant or in all."""
    able = and_(
        USERS.c.role == role.value,
        USERS.c.enabled,
        or_(USERS.c.password_hash.is_not(None), USERS.c.oidc_subject.is_not(None)),
    )
    if tenant is not None:
        able = and_(able, USERS.c.tenant == tenant)
    return db.execute(select(func.count()).select_from(USERS).where(able)).scalar_one()


def add_user(db: Connection, new: NewUser, now_s: float) -> User:
    """A taken username or subject makes the block end in ``DuplicateError``."""
    db.execute(
        insert(USERS).values(
            id=new.id,
            tenant=new.tenant,
            username=fold(new.username),
            oidc_subject=new.oidc_subject,
            failed_logins=0,
            created_at_s=now_s,
            updated_at_s=now_s,
            version=1,
            **msgspec.to_builtins(new.terms),
        )
    )
    user = find_user(db, new.id)
    assert user is not None
    return user


def change_user(db: Connection, user: User, terms: UserTerms, now_s: float) -> User | None:
    """None: somebody else changed or removed it since it was read."""
    done = db.execute(
        update(USERS)
        .where(USERS.c.id == user.id, USERS.c.version == user.version)
        .values(updated_at_s=now_s, version=USERS.c.version + 1, **msgspec.to_builtins(terms))
    )
    return find_user(db, user.id) if done.rowcount else None


def remove_user(db: Connection, user_id: UserId) -> None:
    db.execute(delete(USERS).where(USERS.c.id == user_id))


def password_hash(db: Connection, user_id: UserId) -> Secret[str] | None:
    text = db.execute(select(USERS.c.password_hash).where(USERS.c.id == user_id)).scalar()
    return Secret(str(text)) if text is not None else None


def set_password_hash(db: Connection, user_id: UserId, value: Secret[str]) -> None:
    """Also unlocks."""
    db.execute(
        update(USERS)
        .where(USERS.c.id == user_id)
        .values(password_hash=value.reveal(), failed_logins=0, locked_until_s=None)
    )


def note_failure(db: Connection, user_id: UserId, *, lock_after: int, locked_until_s: float) -> bool:
    """A wrong password; at the ``lock_after``-th in a row the account is locked. Gives whether this one did."""
    failed = db.execute(
        update(USERS)
        .where(USERS.c.id == user_id)
        .values(failed_logins=USERS.c.failed_logins + 1)
        .returning(USERS.c.failed_logins)
    ).scalar()
    if failed is None or failed < lock_after:
        return False
    db.execute(
        update(USERS).where(USERS.c.id == user_id).values(failed_logins=0, locked_until_s=locked_until_s)
    )
    return True


def note_login(db: Connection, user_id: UserId, now_s: float) -> None:
    db.execute(
        update(USERS)
        .where(USERS.c.id == user_id)
        .values(failed_logins=0, locked_until_s=None, last_login_at_s=now_s)
    )


def bind_subject(db: Connection, user_id: UserId, subject: str) -> None:
    db.execute(update(USERS).where(USERS.c.id == user_id).values(oidc_subject=subject))


def keys_of(db: Connection, user: User, *, limit: int) -> list[OwnedKey]:
    """Virtual keys of a person, by alias."""
    rows = db.execute(
        select(VIRTUAL_KEYS.c.id, VIRTUAL_KEYS.c.alias)
        .where(VIRTUAL_KEYS.c.tenant == user.tenant, VIRTUAL_KEYS.c.owner == user.id, ~VIRTUAL_KEYS.c.deleted)
        .order_by(VIRTUAL_KEYS.c.alias)
        .limit(limit)
    )
    return [OwnedKey(id=KeyId(row.id), alias=row.alias) for row in rows]


def _matches(wanted: UserFilter) -> ColumnElement[bool]:
    parts = [USERS.c.tenant == wanted.tenant]
    if wanted.id is not None:
        parts.append(USERS.c.id == wanted.id)
    if wanted.role is not None:
        parts.append(USERS.c.role == wanted.role.value)
    if wanted.enabled is not None:
        parts.append(USERS.c.enabled == wanted.enabled)
    if wanted.search:
        text = wanted.search.lower()
        parts.append(
            or_(
                USERS.c.username.contains(fold(wanted.search), autoescape=True),
                func.lower(USERS.c.display_name).contains(text, autoescape=True),
                func.lower(USERS.c.email).contains(text, autoescape=True),
            )
        )
    return and_(*parts)


def _one(db: Connection, condition: ColumnElement[bool]) -> User | None:
    found = _all(db, select(*_COLUMNS).where(condition))
    return found[0] if found else None


# SQLAlchemy types the rows of a question by its columns; the struct is what gives them types here.
def _all(db: Connection, question: Select[Any]) -> list[User]:
    return [msgspec.convert(row, User, from_attributes=True) for row in db.execute(question)]
