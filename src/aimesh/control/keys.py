"""Virtual keys: listed, made, edited and deleted.

1. A MEMBER sees and changes the member's own keys; an administrator all of the tenant's.
2. A key of aimesh.yaml is shown and never changed here: 409 ``KEY_READ_ONLY``. Its alias is taken.
3. Every change is one transaction with its line in the audit log; a change that changes nothing leaves none.
"""

from typing import Annotated

from fastapi import Depends, Query, Response

from aimesh.control.http import Edit, IfMatch, Pages, check_version, tag
from aimesh.control.identity import Caller
from aimesh.control.keys_changes import (
    alias_taken,
    change_terms,
    drop_key,
    make_key,
    naming,
    own_key,
    seen_key,
)
from aimesh.control.keys_terms import edited, known_in
from aimesh.control.keys_views import is_reserved, page_of_keys, show_key, show_keys
from aimesh.control.noun import Noun
from aimesh.control.parts import Uses
from aimesh.control.schemas_gateway import (
    Alias,
    KeptKey,
    KeyCreate,
    KeyEdit,
    KeyPage,
    KeyPatch,
    KeyStatusName,
    KeyView,
    KeyWithText,
)
from aimesh.control.texts import Id, OptionalLine
from aimesh.control.visit import Visit, Visiting
from aimesh.core.ids import KeyId, UserId
from aimesh.core.secret import Secret
from aimesh.store.key_text import read_digest
from aimesh.store.virtual_keys import KeyFilter, find_alias

NOUN = Noun("keys", "Virtual keys: what callers sign in with, and what each may use.")


def own_owner(caller: Caller, operator: str | None) -> UserId | None:
    """Whose keys are asked for; None: everybody's. ``me`` is the caller."""
    asked = caller.user_id if operator == "me" else UserId(operator) if operator else None
    if caller.only_own is None:
        return asked
    # Somebody else's keys are none at all to a MEMBER.
    return caller.only_own if asked in (None, caller.only_own) else UserId("-")


def _wanted(
    visit: Visiting,
    alias: Annotated[OptionalLine, Query(description="Part of the alias, whatever the case.")] = "",
    key: Annotated[
        OptionalLine,
        Query(
            description="`sha256:` and the SHA-256 of the key's whole text in hex, or its masked form, or the text: "
            "which is better not sent, because addresses are written to logs. Nothing else fits."
        ),
    ] = "",
    *,
    status: Annotated[KeyStatusName | None, Query(description="`expired` ones are enabled.")] = None,
    operator: Annotated[OptionalLine, Query(description="Whose keys: a user's id, or `me`.")] = "",
    label: Annotated[OptionalLine, Query(description="A label's name, or `name=value`.")] = "",
) -> KeyFilter:
    sha256 = read_digest(key)
    return KeyFilter(
        tenant=visit.tenant,
        now_s=visit.parts.clock.wall_s(),
        owner=own_owner(visit.caller, operator),
        status=status,
        alias=alias,
        text=Secret(key) if key and sha256 is None else None,
        sha256=sha256,
        label=label,
    )


Wanted = Annotated[KeyFilter, Depends(_wanted)]


@NOUN.get("/keys", "list_keys")
def list_keys(parts: Uses, wanted: Wanted, pages: Pages) -> KeyPage:
    """Keys of aimesh.yaml first, then the newest first."""
    with parts.store.read() as db:
        keys, cursor, total = page_of_keys(parts, db, wanted, pages)
        known = known_in(parts, db, wanted.tenant)
        return KeyPage(data=show_keys(parts, db, keys, known), next_cursor=cursor, total=total)


@NOUN.get("/keys/{key_id}", "get_key", errors=(404,))
def get_key(key_id: Id, visit: Visiting, response: Response) -> KeyView:
    """One key, without its text."""
    with visit.parts.store.read() as db:
        key = seen_key(visit, db, KeyId(key_id))
        tag(response, key.version)
        return show_key(visit.parts, db, key)


@NOUN.post("/keys", "create_key", errors=(409,), status=201)
def create_key(body: KeyCreate, visit: Visiting, response: Response) -> KeyWithText:
    """Make a key. The answer holds its text."""
    with naming(body.alias), visit.parts.store.write() as db:
        key, text = make_key(visit, db, body)
        view = show_key(visit.parts, db, key)
    tag(response, key.version)
    return KeyWithText(**view.model_dump(), text=text.reveal())


@NOUN.put("/keys/by-alias/{alias:path}", "upsert_key", errors=(409,))
def upsert_key(alias: Alias, body: KeyEdit, visit: Visiting, response: Response) -> KeptKey:
    """Make a key with this alias, or change the one that has it. The same request twice does nothing more."""
    text: Secret[str] | None = None
    with naming(alias), visit.parts.store.write() as db:
        key = find_alias(db, visit.tenant, alias)
        if key is None:
            create = KeyCreate(alias=alias, **body.model_dump(exclude_unset=True))
            key, text = make_key(visit, db, create)
        elif visit.caller.only_own not in (None, key.owner) or _is_reserved(visit, alias):
            raise alias_taken(alias)
        else:
            known = known_in(visit.parts, db, visit.tenant)
            key = change_terms(db, key, edited(key.terms, body, known), visit.caller)
        view = show_key(visit.parts, db, key)
    tag(response, key.version)
    return KeptKey(**view.model_dump(), text=text.reveal() if text is not None else None)


@NOUN.patch("/keys/{key_id}", "change_key", errors=(404, 409, 412, 428))
def change_key(key_id: Id, body: KeyPatch, visit: Visiting, edit: Edit) -> KeyView:
    """Change a key. Its text stays, calls see the change within a second, what was used still counts."""
    with naming(body.alias or ""), visit.parts.store.write() as db:
        key = own_key(visit, db, KeyId(key_id))
        edit.check(key.version)
        terms = edited(key.terms, body, known_in(visit.parts, db, visit.tenant))
        if terms.alias != key.terms.alias and _is_reserved(visit, terms.alias):
            raise alias_taken(terms.alias)
        key = change_terms(db, key, terms, visit.caller)
        view = show_key(visit.parts, db, key)
    edit.tag(key.version)
    return view


@NOUN.delete("/keys/{key_id}", "delete_key", errors=(404, 409, 412), status=204)
def remove_key(key_id: Id, visit: Visiting, if_match: IfMatch = None) -> None:
    """Delete a key for good. What was recorded of its calls stays."""
    with visit.parts.store.write() as db:
        key = own_key(visit, db, KeyId(key_id))
        if if_match is not None:
            check_version(if_match, key.version)
        drop_key(db, key, visit.caller)


def _is_reserved(visit: Visit, alias: str) -> bool:
    return is_reserved(visit.parts.settings, visit.tenant, alias)
