"""Who sends a request: a signed-in person, a token, or the operator of this machine.

1. A session's cookie opens it only until its age or idleness ends it, its person is disabled, or the tenant is;
   a token acts as its maker, never above the maker's present role, and ends with it.
2. An unsafe method with a cookie needs the session's ``x-csrf-token``, and no foreign ``Origin``. A token needs
   neither: no browser sends it by itself.
3. The local operator is told by an object in the ASGI scope that exists only in this process: no bytes from a
   connection can make it.
"""

import hmac
from contextlib import suppress
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Query, Request
from fastapi.security import APIKeyCookie, HTTPBearer
from msgspec import Struct
from starlette.types import ASGIApp as ASGIApp  # noqa: PLC0414 - for who calls the app in its own process
from starlette.types import Message as Message  # noqa: PLC0414 - likewise
from starlette.types import Receive, Send
from starlette.types import Scope as Scope  # noqa: PLC0414 - likewise

from aimesh.control.access import Permission, may
from aimesh.control.errors import Forbidden, NotFound, Unauthenticated
from aimesh.control.parts import Parts, parts_of
from aimesh.control.source import Source, host_of, source_of
from aimesh.control.texts import Slug
from aimesh.core.ids import DEFAULT_TENANT, TenantId, UserId
from aimesh.core.policy import TenantStatus
from aimesh.core.secret import Secret
from aimesh.settings import Settings
from aimesh.store.database import StoreError
from aimesh.store.engine import Connection
from aimesh.store.people import Role
from aimesh.store.sessions import Session, digest, find_session, touch_session
from aimesh.store.tenants import find_tenant
from aimesh.store.tokens import NOBODY, Token, find_by_digest, touch_token
from aimesh.store.users import find_user

COOKIE = "aimesh_session"
CSRF_HEADER = "x-csrf-token"
_SAFE = ("GET", "HEAD", "OPTIONS")
_TOUCH_S = 60.0
"""How exactly it is kept when a session or token was last used."""

_LOCAL = "aimesh.local"

# They read nothing here; they tell the document how to sign in.
_BEARER = HTTPBearer(auto_error=False, scheme_name="token", description="A token of the admin API: `at-...`")
_SESSION = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    scheme_name="session",
    description="Set by signing in. Every method but GET also needs the header `x-csrf-token` with the session's "
    "`csrf_token`.",
)


class CallerKind(StrEnum):
    USER = "user"
    TOKEN = "token"  # noqa: S105 - a kind, not a secret
    LOCAL = "local"


class Caller(Struct, frozen=True):
    kind: CallerKind
    user_id: UserId
    """Empty: nobody (the local operator, or a token that it made)."""
    name: str
    tenant: TenantId
    role: Role
    source: Source
    session: Session | None = None
    token: Token | None = None

    @property
    def only_own(self) -> UserId | None:
        """The person whose things alone may be seen and changed; None: the whole tenant's."""
        return self.user_id if self.role is Role.MEMBER else None

    def may(self, permission: Permission) -> bool:
        return may(self.role, permission)


class _Operator:
    """What says that a request was made in this process, and by whom."""

    def __init__(self, name: str) -> None:
        self.name = name


def as_local_operator(app: ASGIApp, name: str) -> ASGIApp:
    """The app as the operator of this machine sees it: for a client in the same process only."""
    operator = _Operator(name)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, _LOCAL: operator}, receive, send)

    return serve


def refuse_foreign_origin(request: Request, settings: Settings) -> None:
    """Raises ``Forbidden`` where a page of another site made the browser send this."""
    origin = request.headers.get("origin")
    if origin is None:
        return
    ours = {_netloc(f"//{host_of(request)}"), *(_netloc(region.base_url) for region in settings.regions)}
    if _netloc(origin) not in ours - {""}:
        raise Forbidden("FOREIGN_ORIGIN", "this was sent by a page of another site")


def _netloc(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower().removesuffix(":443").removesuffix(":80")
    except ValueError:
        return ""


def signed(
    request: Request,
    _token: Annotated[object, Depends(_BEARER)] = None,
    _cookie: Annotated[object, Depends(_SESSION)] = None,
) -> Caller:
    """The caller, or 401."""
    parts = parts_of(request)
    operator = request.scope.get(_LOCAL)
    if isinstance(operator, _Operator):
        return Caller(
            kind=CallerKind.LOCAL,
            user_id=NOBODY,
            name=operator.name,
            tenant=DEFAULT_TENANT,
            role=Role.PLATFORM_ADMIN,
            source=source_of(request),
        )
    authorization = request.headers.get("authorization")
    if authorization is not None:
        return _by_token(request, parts, authorization)
    cookie = request.cookies.get(COOKIE)
    if cookie:
        return _by_session(request, parts, Secret(cookie))
    raise Unauthenticated("UNAUTHENTICATED", "sign in, or send a token: Authorization: Bearer at-...")


Signed = Annotated[Caller, Depends(signed)]
"""Type of a handler's parameter that gets the caller."""


def tenant_of(
    request: Request,
    caller: Signed,
    tenant: Annotated[
        Slug | None, Query(description="Another tenant than the caller's own; needs PLATFORM_ADMIN.")
    ] = None,
) -> TenantId:
    """The tenant that a request is about."""
    if tenant is None or tenant == caller.tenant:
        return caller.tenant
    if caller.may(Permission.ANY_TENANT):
        with parts_of(request).store.read() as db:
            if find_tenant(db, TenantId(tenant)) is not None:
                return TenantId(tenant)
    raise NotFound("TENANT_NOT_FOUND", "there is no such tenant")


InTenant = Annotated[TenantId, Depends(tenant_of)]
"""Type of a handler's parameter that gets the tenant the request is about."""


def _by_token(request: Request, parts: Parts, authorization: str) -> Caller:
    scheme, _, text = authorization.partition(" ")
    now_s = parts.clock.wall_s()
    if scheme.lower() != "bearer":
        raise Unauthenticated("UNAUTHENTICATED", "the header Authorization must be: Bearer at-...")
    with parts.store.read() as db:
        token = find_by_digest(db, digest(Secret(text.strip())))
        if token is None or (token.expires_at_s is not None and token.expires_at_s <= now_s):
            raise Unauthenticated("TOKEN_NOT_VALID", "this token is unknown, removed or expired")
        role = token.role
        if token.user_id != NOBODY:
            user = find_user(db, token.user_id)
            if user is None or not user.enabled:
                raise Unauthenticated("TOKEN_NOT_VALID", "this token is unknown, removed or expired")
            if token.tenant != user.tenant and not may(user.role, Permission.ANY_TENANT):
                raise Unauthenticated("TOKEN_NOT_VALID", "its maker may not act in this tenant any more")
            role = role.at_most(user.role)
        _check_tenant(db, token.tenant, role)
    if token.last_used_at_s is None or now_s - token.last_used_at_s >= _TOUCH_S:
        # When it was last used is worth less than the request.
        with suppress(StoreError), parts.store.write() as db:
            touch_token(db, token.id, now_s)
    return Caller(
        kind=CallerKind.TOKEN,
        user_id=token.user_id,
        name=token.name,
        tenant=token.tenant,
        role=role,
        source=source_of(request),
        token=token,
    )


def _by_session(request: Request, parts: Parts, text: Secret[str]) -> Caller:
    now_s = parts.clock.wall_s()
    admin = parts.settings.admin
    with parts.store.read() as db:
        session = find_session(db, digest(text))
        user = find_user(db, session.user_id) if session is not None else None
        if session is None or user is None or not user.enabled:
            raise _session_over()
        if now_s >= session.expires_at_s or now_s - session.seen_at_s >= admin.idle_minutes * 60:
            raise _session_over()
        _check_tenant(db, user.tenant, user.role)
    if request.method not in _SAFE:
        refuse_foreign_origin(request, parts.settings)
        if not _same(request.headers.get(CSRF_HEADER, ""), session.csrf):
            raise Forbidden(
                "CSRF_TOKEN_REQUIRED", "send the header x-csrf-token with the session's csrf_token"
            )
    if now_s - session.seen_at_s >= min(_TOUCH_S, admin.idle_minutes * 6):
        with suppress(StoreError), parts.store.write() as db:
            touch_session(db, session.sha256, now_s)
    return Caller(
        kind=CallerKind.USER,
        user_id=user.id,
        name=user.username,
        tenant=user.tenant,
        role=user.role,
        source=source_of(request),
        session=session,
    )


def _session_over() -> Unauthenticated:
    return Unauthenticated("SESSION_OVER", "the session is over; sign in again")


def _check_tenant(db: Connection, tenant: TenantId, role: Role) -> None:
    """People of a disabled tenant are shut out; who runs the installation never is."""
    if role is Role.PLATFORM_ADMIN:
        return
    found = find_tenant(db, tenant)
    if found is None or found.terms.status is TenantStatus.DISABLED:
        raise Unauthenticated("TENANT_DISABLED", "this tenant is disabled")


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
