"""The first administrator, and one-time links with which people set their password.

1. While nobody can run the installation, ``first_link`` makes a link at every start; the newest one works. Nothing
   has a password from the start.
2. A link works once and for ``LIFE_S``; its token stands behind ``#``, which no browser sends to a server.
3. Setting a password through a link ends every session of the person, and signs in.
"""

import secrets
from typing import Annotated

from fastapi import Path, Request, Response

from aimesh.control.audit import SECRET, audited
from aimesh.control.errors import Conflict, NotFound
from aimesh.control.identity import refuse_foreign_origin
from aimesh.control.ids import new_id
from aimesh.control.noun import Noun
from aimesh.control.parts import Parts, Uses
from aimesh.control.passwords import check_password
from aimesh.control.schemas_people import NewPassword, SessionAnswer, Setup, SetupState
from aimesh.control.signing import (
    begin_session,
    is_able,
    note_guess,
    set_cookie,
    shown_session,
    slow_down,
    target_of,
)
from aimesh.control.source import source_of
from aimesh.control.texts import secret
from aimesh.core.clock import Clock
from aimesh.core.ids import DEFAULT_TENANT, UserId
from aimesh.core.secret import Secret
from aimesh.store.database import DuplicateError
from aimesh.store.engine import Connection, Store
from aimesh.store.people import Role
from aimesh.store.sessions import (
    PasswordLink,
    add_link,
    digest,
    end_sessions_of,
    find_link,
    forget_links,
    use_link,
)
from aimesh.store.users import (
    NewUser,
    User,
    UserTerms,
    add_user,
    count_able,
    find_user,
    set_password_hash,
)

NOUN = Noun("setup", "The first administrator, and one-time links for passwords.")

LIFE_S = 24 * 3600.0
PAGE = "/setup"


def first_link(store: Store, clock: Clock) -> str | None:
    """Path of the page that makes the first administrator, with its token (``/setup#setup=...``); None once there
    is somebody who can run the installation."""
    with store.read() as db:
        if not _is_needed(db):
            return None
    token = make_token()
    now_s = clock.wall_s()
    with store.write() as db:
        add_link(db, digest(token), PasswordLink(user_id=None, expires_at_s=now_s + LIFE_S), now_s)
    return f"{PAGE}#setup={token.reveal()}"


def make_token() -> Secret[str]:
    return Secret(secrets.token_urlsafe(32))


def _is_needed(db: Connection) -> bool:
    return count_able(db, Role.PLATFORM_ADMIN) == 0


@NOUN.get("/setup", "get_setup")
def get_setup(parts: Uses) -> SetupState:
    """Whether the first administrator is still to be made."""
    with parts.store.read() as db:
        needed = _is_needed(db)
    return SetupState(needed=needed, single_sign_on=bool(parts.settings.admin.oidc.issuer))


@NOUN.post("/setup", "finish_setup", errors=(403, 404, 409, 429), status=201)
def finish_setup(body: Setup, request: Request, response: Response, parts: Uses) -> SessionAnswer:
    """Makes the first administrator (`PLATFORM_ADMIN`) with the token of the link that the start printed, and signs
    in."""
    sha256 = _opened(request, parts, secret(body.token), is_first=True)
    check_password(secret(body.password), body.username)
    fresh = parts.passwords.hash(secret(body.password))
    now_s = parts.clock.wall_s()
    new = NewUser(
        id=UserId(new_id("usr", now_s)),
        tenant=DEFAULT_TENANT,
        username=body.username,
        terms=UserTerms(
            display_name=body.display_name, email=body.email, role=Role.PLATFORM_ADMIN, enabled=True
        ),
    )
    try:
        with parts.store.write() as db:
            if not _is_needed(db):
                raise Conflict("SETUP_DONE", "there is an administrator already")
            if use_link(db, sha256, now_s) is None:
                raise _no_link()
            user = add_user(db, new, now_s)
            set_password_hash(db, user.id, fresh)
            forget_links(db, None)
            audited(db, source_of(request), "user.create", target_of(user), {"role": user.role})
            text, caller = begin_session(db, request, user, "setup")
            answer = shown_session(db, caller)
    except DuplicateError as error:
        raise Conflict("USERNAME_TAKEN", "somebody has this username already") from error
    set_cookie(response, request, text)
    return answer


@NOUN.post("/password-links/{token}", "use_password_link", errors=(403, 404, 409, 429))
def use_password_link(
    token: Annotated[str, Path(min_length=1, max_length=200, description="From the link, behind `#link=`.")],
    body: NewPassword,
    request: Request,
    response: Response,
    parts: Uses,
) -> SessionAnswer:
    """Sets a password with a one-time link, ends all sessions of the person, and signs in."""
    sha256 = _opened(request, parts, Secret(token), is_first=False)
    user = _person(parts, sha256)
    check_password(secret(body.password), user.username)
    fresh = parts.passwords.hash(secret(body.password))
    now_s = parts.clock.wall_s()
    with parts.store.write() as db:
        if use_link(db, sha256, now_s) is None:
            raise _no_link()
        set_password_hash(db, user.id, fresh)
        end_sessions_of(db, user.id)
        audited(db, source_of(request), "user.password", target_of(user), {"password": SECRET})
        now = find_user(db, user.id)
        if now is None or not is_able(db, now, now_s):
            raise Conflict("ACCOUNT_DISABLED", "this account is disabled; ask an administrator")
        text, caller = begin_session(db, request, now, "link")
        answer = shown_session(db, caller)
    set_cookie(response, request, text)
    return answer


def _opened(request: Request, parts: Parts, token: Secret[str], *, is_first: bool) -> bytes:
    """The digest of a link that is still good; it is used up only with the change itself."""
    refuse_foreign_origin(request, parts.settings)
    slow_down(request, parts)
    sha256 = digest(token)
    with parts.store.read() as db:
        link = find_link(db, sha256, parts.clock.wall_s())
    if link is None or (link.user_id is None) is not is_first:
        note_guess(request, parts)
        raise _no_link()
    return sha256


def _person(parts: Parts, sha256: bytes) -> User:
    with parts.store.read() as db:
        link = find_link(db, sha256, parts.clock.wall_s())
        user = find_user(db, link.user_id) if link is not None and link.user_id is not None else None
    if user is None:
        raise _no_link()
    return user


def _no_link() -> NotFound:
    return NotFound("LINK_NOT_VALID", "this link is unknown, used or expired; ask for a new one")
