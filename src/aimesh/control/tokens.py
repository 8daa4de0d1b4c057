"""Tokens of the admin API, for automation.

1. The text is shown once, when the token is made; afterwards only its masked form is known.
2. A token's role is at most its maker's, and what it may do is capped again by the maker's role of the day
   (``control/identity.py``). A token makes no token that outlives it.
3. A MEMBER sees and removes the own ones; nobody removes one of a role above the own.
"""

from aimesh.control.audit import Target, audited
from aimesh.control.errors import Conflict, Detail, Forbidden, Invalid, NotFound
from aimesh.control.http import Pages
from aimesh.control.identity import Caller, InTenant, Signed
from aimesh.control.ids import new_id
from aimesh.control.noun import Noun
from aimesh.control.parts import Uses
from aimesh.control.schemas_people import MadeToken, NewToken, TokenAnswer, TokenPage, shown_token
from aimesh.control.texts import Id, seconds
from aimesh.core.ids import TenantId
from aimesh.core.secret import masked
from aimesh.store.database import DuplicateError
from aimesh.store.engine import Connection
from aimesh.store.people import Role
from aimesh.store.sessions import digest
from aimesh.store.tokens import (
    Token,
    TokenFilter,
    add_token,
    count_tokens,
    find_token,
    make_token_text,
)
from aimesh.store.tokens import list_tokens as stored_tokens
from aimesh.store.tokens import remove_token as forget_token
from aimesh.store.users import find_user

NOUN = Noun("tokens", "Tokens of this API, for automation: `Authorization: Bearer at-...`")


@NOUN.get("/tokens", "list_tokens", errors=(404,))
def list_tokens(parts: Uses, caller: Signed, tenant: InTenant, pages: Pages) -> TokenPage:
    """Tokens of a tenant, by name; a MEMBER's own."""
    wanted = TokenFilter(tenant=tenant, user_id=caller.only_own)
    with parts.store.read() as db:
        rows = stored_tokens(db, wanted, after=pages.after(str), limit=pages.limit + 1)
        total = count_tokens(db, wanted)
        tokens, cursor = pages.cut(rows, lambda token: token.name)
        data = [shown_token(token, _username(db, token)) for token in tokens]
    return TokenPage(data=data, next_cursor=cursor, total=total)


@NOUN.post("/tokens", "make_token", errors=(404, 409), status=201)
def make_token(body: NewToken, parts: Uses, caller: Signed, tenant: InTenant) -> MadeToken:
    """Makes a token that acts as its maker. Its text is in this answer and nowhere else."""
    role = caller.role if body.role is None else body.role
    _check_role(caller, role)
    text = make_token_text()
    token = Token(
        id=new_id("tok", caller.source.at_s),
        tenant=tenant,
        user_id=caller.user_id,
        name=body.name,
        masked=masked(text.reveal()),
        role=role,
        expires_at_s=_end(caller, body),
        last_used_at_s=None,
        created_at_s=caller.source.at_s,
    )
    try:
        with parts.store.write() as db:
            add_token(db, token, digest(text))
            audited(
                db, caller, "token.create", _target(token), {"role": role, "expires_at_s": token.expires_at_s}
            )
            shown = shown_token(token, _username(db, token))
    except DuplicateError as error:
        raise Conflict("TOKEN_EXISTS", "this tenant has a token with this name already") from error
    return MadeToken(**shown.model_dump(), text=text.reveal())


@NOUN.get("/tokens/{token_id}", "get_token", errors=(404,))
def get_token(token_id: Id, parts: Uses, caller: Signed, tenant: InTenant) -> TokenAnswer:
    """One token, without its text."""
    with parts.store.read() as db:
        token = _found(db, token_id, caller, tenant)
        return shown_token(token, _username(db, token))


@NOUN.delete("/tokens/{token_id}", "remove_token", errors=(404,), status=204)
def remove_token(token_id: Id, parts: Uses, caller: Signed, tenant: InTenant) -> None:
    """Removes a token; it is refused from now on."""
    with parts.store.write() as db:
        token = _found(db, token_id, caller, tenant)
        if token.role.rank > caller.role.rank:
            raise Forbidden("ROLE_TOO_HIGH", f"this takes the role {token.role}")
        forget_token(db, token.id)
        audited(db, caller, "token.remove", _target(token), {})


def _check_role(caller: Caller, role: Role) -> None:
    if role.rank > caller.role.rank:
        raise Forbidden("ROLE_TOO_HIGH", f"a token has at most the role of its maker, {caller.role}")
    if role is Role.MEMBER and not caller.user_id:
        message = "a token with the role MEMBER is made by its person, signed in"
        raise Invalid("INVALID_REQUEST", message, details=[Detail(path="role", message=message)])


def _end(caller: Caller, body: NewToken) -> float | None:
    end_s = None if body.expires_at is None else seconds(body.expires_at)
    if end_s is not None and end_s <= caller.source.at_s:
        message = "it would have expired already"
        raise Invalid("INVALID_REQUEST", message, details=[Detail(path="expires_at", message=message)])
    own_s = caller.token.expires_at_s if caller.token is not None else None
    if own_s is None:
        return end_s
    return own_s if end_s is None else min(own_s, end_s)


def _found(db: Connection, token_id: str, caller: Caller, tenant: TenantId) -> Token:
    token = find_token(db, token_id)
    if token is None or token.tenant != tenant or caller.only_own not in (None, token.user_id):
        raise NotFound("TOKEN_NOT_FOUND", "there is no such token")
    return token


def _username(db: Connection, token: Token) -> str | None:
    user = find_user(db, token.user_id) if token.user_id else None
    return user.username if user is not None else None


def _target(token: Token) -> Target:
    return Target("token", token.id, token.name, token.tenant)
