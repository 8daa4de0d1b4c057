"""People of a tenant: invited, given a role, disabled, removed.

1. Nobody gives a role above the own one, nor touches somebody who has one.
2. Nobody removes, disables or demotes oneself; nor the last AI_GATEWAY_ADMIN of a tenant, nor the last
   PLATFORM_ADMIN of the installation, who can sign in.
3. Removing somebody ends the person's sessions, tokens and links; virtual keys of the person stay and go on working.
   Links also end when their person is disabled or given a higher role.
4. A MEMBER sees the own row and nobody else's.
"""

from typing import Annotated, assert_never
from urllib.parse import urlsplit

from fastapi import Depends, Query, Request, Response
from msgspec import structs

from aimesh.control.audit import audited, difference
from aimesh.control.errors import Conflict, Forbidden, NotFound, Stale
from aimesh.control.http import Edit, IfMatch, Pages, check_version, tag
from aimesh.control.identity import Caller, CallerKind, InTenant, Signed
from aimesh.control.ids import new_id
from aimesh.control.noun import Noun
from aimesh.control.parts import Parts, Uses
from aimesh.control.schemas_people import (
    Member,
    MemberChange,
    MemberPage,
    MemberRemoved,
    MemberUpsert,
    NewMember,
    PasswordLinkAnswer,
    RemainingKey,
    shown_member,
)
from aimesh.control.setup import LIFE_S, PAGE, make_token
from aimesh.control.signing import target_of
from aimesh.control.source import host_of, is_https
from aimesh.control.texts import Id, OptionalLine, Username, shown_time
from aimesh.core.ids import TenantId, UserId
from aimesh.store.database import DuplicateError
from aimesh.store.engine import Connection
from aimesh.store.people import Role
from aimesh.store.sessions import PasswordLink, add_link, digest, end_sessions_of, forget_links
from aimesh.store.tokens import remove_tokens_of
from aimesh.store.users import (
    NewUser,
    User,
    UserFilter,
    UserTerms,
    add_user,
    change_user,
    count_able,
    count_users,
    find_by_username,
    find_user,
    keys_of,
    list_users,
    remove_user,
)

NOUN = Noun("members", "People of a tenant and their roles.")

_MOST_KEYS = 1000
_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what listens everywhere is reached here


def _asked(
    search: Annotated[
        OptionalLine, Query(description="Part of a username, display name or e-mail address.")
    ] = "",
    role: Annotated[Role | None, Query(description="Only this role.")] = None,
    enabled: Annotated[bool | None, Query(description="Only those who are let in, or are not.")] = None,
) -> UserFilter:
    return UserFilter(tenant=TenantId(""), search=search, role=role, enabled=enabled)


@NOUN.get("/members", "list_members", errors=(404,))
def list_members(
    parts: Uses,
    caller: Signed,
    tenant: InTenant,
    pages: Pages,
    wanted: Annotated[UserFilter, Depends(_asked)],
) -> MemberPage:
    """People of a tenant, by username. A MEMBER sees only itself."""
    wanted = structs.replace(wanted, tenant=tenant, id=caller.only_own)
    with parts.store.read() as db:
        rows = list_users(db, wanted, after=pages.after(str), limit=pages.limit + 1)
        total = count_users(db, wanted)
    users, cursor = pages.cut(rows, lambda user: user.username)
    return MemberPage(data=[shown_member(user) for user in users], next_cursor=cursor, total=total)


@NOUN.post("/members", "add_member", errors=(404, 409), status=201)
def add_member(body: NewMember, parts: Uses, caller: Signed, tenant: InTenant, response: Response) -> Member:
    """Adds somebody, who cannot sign in until a password link or single sign-on lets them."""
    user = _added(parts, caller, tenant, username=body.username, body=body)
    tag(response, user.version)
    return shown_member(user)


@NOUN.put("/members/by-username/{username}", "upsert_member", errors=(404, 409))
def upsert_member(
    username: Username,
    body: MemberUpsert,
    *,
    parts: Uses,
    caller: Signed,
    tenant: InTenant,
    response: Response,
) -> Member:
    """Adds somebody or brings the person into this state; the same request again changes nothing."""
    with parts.store.write() as db:
        user = find_by_username(db, username)
        if user is not None:
            if user.tenant != tenant:
                raise _taken()
            user = _changed(db, caller, user, _terms(body))
    if user is None:
        user = _added(parts, caller, tenant, username=username, body=body)
    tag(response, user.version)
    return shown_member(user)


@NOUN.get("/members/{user_id}", "get_member", errors=(404,))
def get_member(user_id: Id, parts: Uses, caller: Signed, tenant: InTenant, response: Response) -> Member:
    """One person."""
    with parts.store.read() as db:
        user = _found(db, user_id, caller, tenant)
    tag(response, user.version)
    return shown_member(user)


@NOUN.patch("/members/{user_id}", "change_member", errors=(404, 409, 412, 428))
def change_member(
    user_id: Id, body: MemberChange, *, parts: Uses, caller: Signed, tenant: InTenant, edit: Edit
) -> Member:
    """Changes name, address, role, or whether the person is let in. Takes effect at once."""
    with parts.store.write() as db:
        user = _found(db, user_id, caller, tenant)
        edit.check(user.version)
        user = _changed(db, caller, user, _edited(user.terms, body))
    edit.tag(user.version)
    return shown_member(user)


@NOUN.delete("/members/{user_id}", "remove_member", errors=(404, 409, 412))
def remove_member(
    user_id: Id, parts: Uses, caller: Signed, tenant: InTenant, if_match: IfMatch = None
) -> MemberRemoved:
    """Removes somebody with all sessions and tokens. Virtual keys of the person stay; the answer names them."""
    with parts.store.write() as db:
        user = _found(db, user_id, caller, tenant)
        if if_match is not None:
            check_version(if_match, user.version)
        _refuse_above(caller, user.role)
        if user.id == caller.user_id:
            raise _yourself()
        _refuse_last(db, user)
        keys = keys_of(db, user, limit=_MOST_KEYS)
        end_sessions_of(db, user.id)
        forget_links(db, user.id)
        tokens = remove_tokens_of(db, user.id)
        remove_user(db, user.id)
        audited(db, caller, "user.remove", target_of(user), {"role": user.role, "tokens_removed": tokens})
    return MemberRemoved(
        id=user.id, tokens_removed=tokens, keys=[RemainingKey(id=key.id, alias=key.alias) for key in keys]
    )


@NOUN.post("/members/{user_id}/password-link", "make_password_link", errors=(404,), status=201)
def make_password_link(
    user_id: Id, request: Request, parts: Uses, caller: Signed, tenant: InTenant
) -> PasswordLinkAnswer:
    """Makes a link with which the person sets a password, once, within a day. Earlier links of the person end; the
    present password works until the link is used."""
    token = make_token()
    now_s = parts.clock.wall_s()
    link = PasswordLink(user_id=UserId(user_id), expires_at_s=now_s + LIFE_S)
    with parts.store.write() as db:
        user = _found(db, user_id, caller, tenant)
        _refuse_above(caller, user.role)
        add_link(db, digest(token), link, now_s)
        audited(db, caller, "user.password_link", target_of(user), {})
    return PasswordLinkAnswer(
        url=f"{_site(request, parts, caller)}{PAGE}#link={token.reveal()}",
        expires_at=shown_time(link.expires_at_s),
    )


def _site(request: Request, parts: Parts, caller: Caller) -> str:
    """Where people reach this installation: as the caller did, or for the local operator as the settings say."""
    if caller.kind is not CallerKind.LOCAL:
        return f"{'https' if is_https(request) else 'http'}://{host_of(request)}"
    for region in parts.settings.regions:
        url = urlsplit(region.base_url)
        return f"{url.scheme}://{url.netloc}"
    for address in parts.settings.listen:
        if address.port:
            host = _HERE.get(address.host, address.host)
            return f"http://{f'[{host}]' if ':' in host else host}:{address.port}"
    return "http://localhost"


def _found(db: Connection, user_id: str, caller: Caller, tenant: TenantId) -> User:
    user = find_user(db, UserId(user_id))
    if user is None or user.tenant != tenant or caller.only_own not in (None, user.id):
        raise NotFound("MEMBER_NOT_FOUND", "there is no such person in this tenant")
    return user


def _terms(body: MemberUpsert) -> UserTerms:
    return UserTerms(display_name=body.display_name, email=body.email, role=body.role, enabled=body.enabled)


def _edited(terms: UserTerms, body: MemberChange) -> UserTerms:
    return UserTerms(
        display_name=terms.display_name if body.display_name is None else body.display_name,
        email=terms.email if body.email is None else body.email,
        role=terms.role if body.role is None else body.role,
        enabled=terms.enabled if body.enabled is None else body.enabled,
    )


def _added(parts: Parts, caller: Caller, tenant: TenantId, *, username: str, body: MemberUpsert) -> User:
    _refuse_above(caller, body.role)
    now_s = parts.clock.wall_s()
    new = NewUser(id=UserId(new_id("usr", now_s)), tenant=tenant, username=username, terms=_terms(body))
    try:
        with parts.store.write() as db:
            user = add_user(db, new, now_s)
            audited(db, caller, "user.create", target_of(user), {"role": user.role, "enabled": user.enabled})
            return user
    except DuplicateError as error:
        raise _taken() from error


def _changed(db: Connection, caller: Caller, user: User, terms: UserTerms) -> User:
    if terms == user.terms:
        return user
    _refuse_above(caller, user.role)
    _refuse_above(caller, terms.role)
    loses = terms.role is not user.role or not terms.enabled
    if loses and user.id == caller.user_id:
        raise _yourself()
    if loses:
        _refuse_last(db, user)
    changed = change_user(db, user, terms, caller.source.at_s)
    if changed is None:
        raise Stale
    if not terms.enabled:
        end_sessions_of(db, user.id)
    if not terms.enabled or terms.role.rank > user.role.rank:
        # Whoever made a link for the lower role must not come to the higher one with it.
        forget_links(db, user.id)
    audited(db, caller, "user.change", target_of(changed), difference(user.terms, terms))
    return changed


def _refuse_above(caller: Caller, role: Role) -> None:
    if role.rank > caller.role.rank:
        raise Forbidden("ROLE_TOO_HIGH", f"this takes the role {role}")


def _refuse_last(db: Connection, user: User) -> None:
    """Raises ``Conflict`` where nobody else could do what this person may. Who cannot sign in does nothing, and is not
    missed: an invitation can be taken back."""
    if not user.enabled or not (user.has_password or user.oidc_subject is not None):
        return
    match user.role:
        case Role.MEMBER:
            return
        case Role.AI_GATEWAY_ADMIN:
            able = count_able(db, user.role, user.tenant)
        case Role.PLATFORM_ADMIN:
            able = count_able(db, user.role)
        case _:
            assert_never(user.role)
    if able == 1:
        raise Conflict(
            "LAST_ADMINISTRATOR",
            f"nobody else who can sign in has the role {user.role} here; let somebody else in first",
        )


def _yourself() -> Conflict:
    return Conflict(
        "YOURSELF", "nobody removes, disables or changes the role of oneself; ask another administrator"
    )


def _taken() -> Conflict:
    return Conflict("USERNAME_TAKEN", "somebody has this username already")
