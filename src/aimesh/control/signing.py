"""Beginning and ending a session; shared by passwords, one-time links and single sign-on.

1. A session's id is new at every sign-in, 32 random bytes, in a cookie that scripts cannot read. The database has
   its SHA-256.
2. The cookie is ``Secure`` as the setting says; ``auto`` follows what the front says of the connection.
3. Whoever signs in is checked again in the transaction that begins the session: nobody slips in who was locked,
   disabled or given another password in between.
"""

import secrets

from fastapi import Request, Response

from aimesh.control.access import permissions_of
from aimesh.control.audit import Change, Target, audited
from aimesh.control.errors import TooManyRequests, Unauthenticated
from aimesh.control.identity import COOKIE, Caller, CallerKind
from aimesh.control.parts import Parts
from aimesh.control.schemas_people import Person, SessionAnswer, TenantName
from aimesh.control.source import is_https, source_of
from aimesh.control.texts import shown_time_or_none
from aimesh.core.policy import TenantStatus
from aimesh.core.secret import Secret
from aimesh.store.engine import Connection
from aimesh.store.people import Role
from aimesh.store.sessions import Session, add_session, digest, forget_expired
from aimesh.store.tenants import find_tenant
from aimesh.store.users import User, find_user, note_login

_RANDOM_BYTES = 32
_MOST_AGENT = 200


def slow_down(request: Request, parts: Parts) -> None:
    """Raises ``TooManyRequests`` for an address that failed often."""
    wait_s = parts.throttle.wait_s(source_of(request).ip, parts.clock.wall_s())
    if wait_s > 0:
        seconds = max(1, round(wait_s))
        raise TooManyRequests(
            "SLOW_DOWN", f"too many attempts from this address; wait {seconds} s", retry_after_s=seconds
        )


def note_guess(request: Request, parts: Parts) -> None:
    parts.throttle.failed(source_of(request).ip, parts.clock.wall_s())


def is_able(db: Connection, user: User, now_s: float) -> bool:
    """May sign in with a password: let in, and not locked."""
    return is_let_in(db, user) and (user.locked_until_s is None or user.locked_until_s <= now_s)


def is_let_in(db: Connection, user: User) -> bool:
    """May sign in at all: not disabled, not of a disabled tenant. A lock is for passwords alone: whoever types wrong
    ones must not keep a person from single sign-on."""
    if not user.enabled:
        return False
    if user.role is Role.PLATFORM_ADMIN:
        return True
    tenant = find_tenant(db, user.tenant)
    return tenant is not None and tenant.terms.status is not TenantStatus.DISABLED


def begin_session(db: Connection, request: Request, user: User, how: str) -> tuple[Secret[str], Caller]:
    """Signs in; gives the text for the cookie. ``how``: for the audit log."""
    parts: Parts = request.app.state.parts
    source = source_of(request)
    text = Secret(secrets.token_urlsafe(_RANDOM_BYTES))
    session = Session(
        sha256=digest(text),
        user_id=user.id,
        csrf=secrets.token_urlsafe(24),
        created_at_s=source.at_s,
        seen_at_s=source.at_s,
        expires_at_s=source.at_s + parts.settings.admin.session_hours * 3600,
        ip=source.ip,
        agent=_agent(request),
    )
    forget_expired(db, source.at_s)
    add_session(db, session)
    note_login(db, user.id, source.at_s)
    caller = Caller(
        kind=CallerKind.USER,
        user_id=user.id,
        name=user.username,
        tenant=user.tenant,
        role=user.role,
        source=source,
        session=session,
    )
    changes: Change = {"how": how}
    audited(db, caller, "session.begin", target_of(user), changes)
    return text, caller


def target_of(user: User) -> Target:
    return Target("user", user.id, user.username, user.tenant)


def set_cookie(response: Response, request: Request, text: Secret[str]) -> None:
    parts: Parts = request.app.state.parts
    admin = parts.settings.admin
    response.set_cookie(
        COOKIE,
        text.reveal(),
        max_age=round(admin.session_hours * 3600),
        path="/",
        secure=is_secure(request, parts),
        httponly=True,
        samesite="lax",
    )


def is_secure(request: Request, parts: Parts) -> bool:
    match parts.settings.admin.secure_cookies:
        case "always":
            return True
        case "never":
            return False
        case "auto":
            return is_https(request)


def drop_cookie(response: Response) -> None:
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")


def shown_session(db: Connection, caller: Caller) -> SessionAnswer:
    user = find_user(db, caller.user_id) if caller.user_id else None
    tenant = find_tenant(db, caller.tenant)
    if tenant is None:
        raise Unauthenticated("UNAUTHENTICATED", "the caller's tenant is gone")
    ends_s = caller.session.expires_at_s if caller.session is not None else None
    if caller.token is not None:
        ends_s = caller.token.expires_at_s
    return SessionAnswer(
        kind=caller.kind,
        name=caller.name,
        user=_person(user) if user is not None else None,
        tenant=TenantName(id=tenant.id, name=tenant.terms.name, status=tenant.terms.status),
        role=caller.role,
        permissions=permissions_of(caller.role),
        csrf_token=caller.session.csrf if caller.session is not None else None,
        expires_at=shown_time_or_none(ends_s),
    )


def _person(user: User) -> Person:
    return Person(id=user.id, username=user.username, display_name=user.display_name, email=user.email)


def _agent(request: Request) -> str:
    """What the browser calls itself, for the list of one's sessions."""
    text = request.headers.get("user-agent", "")
    return "".join(one for one in text if one.isprintable())[:_MOST_AGENT]
