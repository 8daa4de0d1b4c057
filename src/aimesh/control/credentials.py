"""The platform's own credentials towards providers: what built-in endpoints are called with."""

from typing import Annotated

from fastapi import Depends, Query, Response

from aimesh.control.credentials_changes import (
    Owned,
    add,
    change,
    find_of_file,
    find_own,
    of_file,
    remove,
    show,
    show_of_file,
    try_new,
    try_stored,
)
from aimesh.control.http import IfMatch, Pages, tag
from aimesh.control.identity import Signed
from aimesh.control.noun import Noun
from aimesh.control.parts import Uses
from aimesh.control.schemas_gateway_credentials import (
    CredentialCreate,
    CredentialPage,
    CredentialPatch,
    CredentialProbe,
    CredentialView,
    NewCredentialProbe,
    ProbeAnswer,
)
from aimesh.control.texts import Id, OptionalLine
from aimesh.core.ids import CredentialId, ProviderId
from aimesh.core.secret import Secret
from aimesh.store.credentials import PLATFORM, list_credentials

NOUN = Noun("credentials", "The platform's own secrets towards providers.")


def _of_platform(parts: Uses, caller: Signed) -> Owned:
    return Owned(parts=parts, caller=caller, owner=PLATFORM)


OfPlatform = Annotated[Owned, Depends(_of_platform)]


@NOUN.get("/credentials", "list_credentials")
def list_all(
    of: OfPlatform,
    pages: Pages,
    provider: Annotated[OptionalLine, Query(description="Only of this provider.")] = "",
) -> CredentialPage:
    """Credentials of the database by name, then those of aimesh.yaml and of variables."""
    with of.parts.store.read() as db:
        kept = [show(one) for one in list_credentials(db, PLATFORM)]
    declared = sorted(
        (show_of_file(one, source) for one, source in of_file(of.parts.settings)), key=lambda one: one.id
    )
    placed = [((0, one.name), one) for one in kept] + [((1, one.id), one) for one in declared]
    wanted = [(place, one) for place, one in placed if provider in ("", one.provider)]
    after = pages.after(tuple[int, str])
    rows = [row for row in wanted if after is None or row[0] > after][: pages.limit + 1]
    shown, cursor = pages.cut(rows, lambda row: row[0])
    return CredentialPage(data=[one for _, one in shown], next_cursor=cursor, total=len(wanted))


@NOUN.post("/credentials", "add_credential", errors=(409,), status=201)
def add_one(body: CredentialCreate, of: OfPlatform, response: Response) -> CredentialView:
    """Keep a secret towards a provider. Calls use it within a second."""
    made = add(of, body)
    tag(response, made.version)
    return made


@NOUN.post("/credentials/test", "test_new_credential", errors=(429,))
def try_one(body: NewCredentialProbe, of: OfPlatform) -> ProbeAnswer:
    """Make a small real call with a secret that is not kept."""
    secret = Secret(body.secret.get_secret_value())
    return try_new(of, ProviderId(body.provider), secret, body.model or "")


@NOUN.post("/credentials/{credential_id:path}/test", "test_credential", errors=(404, 429))
def try_kept(credential_id: Id, of: OfPlatform, body: CredentialProbe | None = None) -> ProbeAnswer:
    """Make a small real call with a credential; the result is kept beside it."""
    model = body.model if body is not None else None
    return try_stored(of, CredentialId(credential_id), model or "")


@NOUN.get("/credentials/{credential_id:path}", "get_credential", errors=(404,))
def get_one(credential_id: Id, of: OfPlatform, response: Response) -> CredentialView:
    """One credential, masked."""
    declared = find_of_file(of.parts.settings, CredentialId(credential_id))
    if declared is not None:
        return show_of_file(*declared)
    with of.parts.store.read() as db:
        found = find_own(of, db, CredentialId(credential_id))
    tag(response, found.version)
    return show(found)


@NOUN.patch("/credentials/{credential_id:path}", "change_credential", errors=(404, 409, 412, 428))
def change_one(
    credential_id: Id, body: CredentialPatch, of: OfPlatform, response: Response, if_match: IfMatch = None
) -> CredentialView:
    """Rename a credential, switch it, or put a new secret in the place of the old one. Its id stays."""
    changed = change(of, CredentialId(credential_id), body, if_match)
    tag(response, changed.version)
    return changed


@NOUN.delete("/credentials/{credential_id:path}", "delete_credential", errors=(404, 409, 412), status=204)
def delete_one(credential_id: Id, of: OfPlatform, if_match: IfMatch = None) -> None:
    """Delete a credential for good."""
    remove(of, CredentialId(credential_id), if_match=if_match, force=True)
