"""Signing in through an identity provider: the two addresses that a browser visits.

1. A person at the provider is bound to a row of ours by issuer and subject. The first time, a verified e-mail address
   that exactly one unbound person has binds to that person; otherwise somebody new becomes a MEMBER of the setting's
   tenant (AI_GATEWAY_ADMIN where the setting names the verified address).
2. A flow is finished only in the browser that began it, within ten minutes: its state is sealed in a cookie.
3. People are sent on only to paths of this site.
"""

import re
import unicodedata
from typing import Annotated

import msgspec
from fastapi import Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from aimesh.control.audit import audited
from aimesh.control.errors import ApiError, Conflict, NotFound, Unauthenticated, Unavailable
from aimesh.control.ids import new_id
from aimesh.control.noun import PREFIX, Noun
from aimesh.control.oidc import FLOW_S, Claims, Flow, IdentityProvider, OidcError, sealed, unsealed
from aimesh.control.pages import failure_page, page_headers, wants_page
from aimesh.control.parts import Parts, Uses
from aimesh.control.signing import begin_session, is_let_in, is_secure, set_cookie, target_of
from aimesh.control.source import host_of, is_https, source_of
from aimesh.core.ids import DEFAULT_TENANT, TenantId, UserId
from aimesh.core.secret import Secret
from aimesh.store.engine import Connection
from aimesh.store.people import Role
from aimesh.store.tenants import find_tenant
from aimesh.store.users import (
    NewUser,
    User,
    UserTerms,
    add_user,
    bind_subject,
    find_by_email,
    find_by_subject,
    find_by_username,
    find_user,
)
from aimesh.store.vault import Place, Vault, VaultError

NOUN = Noun("single sign-on", "Signing in through the identity provider that the settings name.")

COOKIE = "aimesh_oidc"
_PATH = f"{PREFIX}/session/oidc"
_PLACE = Place(kind="oidc_flow", tenant=DEFAULT_TENANT, id="")
_MOST = 200


class IdentityProviderFailed(ApiError):
    status = 502


@NOUN.get("/session/oidc", "start_oidc", errors=(404, 502), status=302)
def start_oidc(
    request: Request,
    parts: Uses,
    back: Annotated[
        str,
        Query(
            max_length=1000,
            pattern=r"^/([^/\\\x00-\x1f\x7f][^\\\x00-\x1f\x7f]*)?$",
            description="Where to go on.",
        ),
    ] = "/",
) -> Response:
    """Sends the browser to the identity provider."""
    try:
        provider, vault = _provider(parts)
        scheme = "https" if is_https(request) else "http"
        flow, url = _begun(provider, f"{scheme}://{host_of(request)}{_PATH}/callback", back)
    except ApiError as error:
        return _failed(request, error)
    response = RedirectResponse(url, status_code=302)
    text = vault.encrypt(Secret(msgspec.json.encode(flow).decode()), _PLACE)
    response.set_cookie(
        COOKIE,
        sealed(text),
        max_age=round(FLOW_S),
        path=_PATH,
        secure=is_secure(request, parts),
        httponly=True,
        samesite="lax",
    )
    return response


@NOUN.get("/session/oidc/callback", "finish_oidc", errors=(401, 404, 409, 502), status=302)
def finish_oidc(
    request: Request,
    parts: Uses,
    *,
    code: Annotated[str, Query(max_length=4000)] = "",
    state: Annotated[str, Query(max_length=200)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Where the identity provider sends the browser back to: signs in and goes on."""
    try:
        provider, vault = _provider(parts)
        flow = _flow(request, vault, state)
        if error or not code:
            raise Unauthenticated("SIGN_IN_REFUSED", "the identity provider did not let this person in")
        claims = _finished(provider, flow, code)
        response = RedirectResponse(flow.back, status_code=302)
        with parts.store.write() as db:
            user = _person(db, request, provider, claims)
            if not is_let_in(db, user):
                raise Unauthenticated(
                    "SIGN_IN_REFUSED", "this account cannot be used now; ask an administrator"
                )
            text, _ = begin_session(db, request, user, "oidc")
    except ApiError as refusal:
        return _failed(request, refusal)
    set_cookie(response, request, text)
    response.delete_cookie(COOKIE, path=_PATH, httponly=True, samesite="lax")
    return response


def _provider(parts: Parts) -> tuple[IdentityProvider, Vault]:
    if parts.identity_provider is None:
        raise NotFound("NO_SINGLE_SIGN_ON", "no identity provider is configured (admin.oidc.issuer)")
    if parts.vault is None:
        raise Unavailable("NO_MASTER_KEY", "single sign-on needs the master key")
    return parts.identity_provider, parts.vault


def _begun(provider: IdentityProvider, redirect_uri: str, back: str) -> tuple[Flow, str]:
    try:
        return provider.begin(redirect_uri, back)
    except OidcError as error:
        raise IdentityProviderFailed("IDENTITY_PROVIDER_FAILED", str(error)) from error


def _finished(provider: IdentityProvider, flow: Flow, code: str) -> Claims:
    try:
        return provider.finish(flow, code)
    except OidcError as error:
        raise IdentityProviderFailed("IDENTITY_PROVIDER_FAILED", str(error)) from error


def _flow(request: Request, vault: Vault, state: str) -> Flow:
    parts: Parts = request.app.state.parts
    try:
        text = vault.decrypt(unsealed(request.cookies.get(COOKIE, "")), _PLACE)
        flow = msgspec.json.decode(text.reveal(), type=Flow)
    except (OidcError, VaultError, msgspec.DecodeError) as error:
        raise _not_begun() from error
    if flow.state != state or not 0 <= parts.clock.wall_s() - flow.begun_at_s < FLOW_S:
        raise _not_begun()
    return flow


def _not_begun() -> Unauthenticated:
    return Unauthenticated(
        "SIGN_IN_LOST", "this sign-in was not begun in this browser, or too long ago; begin again"
    )


def _person(db: Connection, request: Request, provider: IdentityProvider, claims: Claims) -> User:
    parts: Parts = request.app.state.parts
    subject = f"{provider.issuer}#{claims.sub}"
    known = find_by_subject(db, subject)
    if known is not None:
        return known
    address = _line(claims.email) if claims.email_verified else ""
    if address:
        same = [user for user in find_by_email(db, address) if user.oidc_subject is None]
        if len(same) == 1:
            return _bound(db, request, same[0], subject)
    oidc = parts.settings.admin.oidc
    if find_tenant(db, TenantId(oidc.tenant)) is None:
        raise Conflict("TENANT_NOT_FOUND", "the tenant that admin.oidc.tenant names does not exist")
    is_admin = bool(address) and address.lower() in {name.lower() for name in oidc.admins}
    source = source_of(request)
    new = NewUser(
        id=UserId(new_id("usr", source.at_s)),
        tenant=TenantId(oidc.tenant),
        username=_free_username(db, claims),
        terms=UserTerms(
            display_name=_line(claims.name),
            email=_line(claims.email),
            role=Role.AI_GATEWAY_ADMIN if is_admin else Role.MEMBER,
            enabled=True,
        ),
        oidc_subject=subject,
    )
    user = add_user(db, new, source.at_s)
    audited(db, source, "user.create", target_of(user), {"role": user.role, "how": "oidc"})
    return user


def _bound(db: Connection, request: Request, user: User, subject: str) -> User:
    bind_subject(db, user.id, subject)
    audited(db, source_of(request), "user.bind", target_of(user), {"how": "email"})
    bound = find_user(db, user.id)
    assert bound is not None
    return bound


def _free_username(db: Connection, claims: Claims) -> str:
    wanted = _name(claims.preferred_username) or _name(claims.email) or f"user-{_name(claims.sub)[:40]}"
    name, number = wanted, 1
    while find_by_username(db, name) is not None:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _name(text: str) -> str:
    """What of a text may stand in a username."""
    return re.sub(r"[^\w.@+-]", "", unicodedata.normalize("NFKC", text))[:90]


def _line(text: str) -> str:
    return "".join(one for one in text if one.isprintable())[:_MOST]


def _failed(request: Request, error: ApiError) -> Response:
    """For a browser a page, for a program the usual shape."""
    if not wants_page(request):
        raise error
    return HTMLResponse(
        failure_page(request, error.message),
        status_code=error.status,
        headers=page_headers() | error.headers(),
    )
