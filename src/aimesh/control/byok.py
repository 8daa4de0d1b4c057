"""BYOK: a tenant's own credentials towards providers, and the providers that can have them."""

from typing import Annotated

from fastapi import Depends, Query, Response

from aimesh.catalog.snapshot import Provider
from aimesh.control.credential_test import cheap_endpoints
from aimesh.control.credentials_changes import (
    Owned,
    add,
    change,
    find_own,
    remove,
    show,
    try_new,
    try_stored,
    users_of,
)
from aimesh.control.http import IfMatch, Pages, tag
from aimesh.control.identity import InTenant, Signed
from aimesh.control.models_supply import supply_of
from aimesh.control.noun import Noun
from aimesh.control.parts import Uses
from aimesh.control.schemas_gateway_credentials import (
    ByokProvider,
    ByokProviderPage,
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
from aimesh.store.credentials import list_credentials

NOUN = Noun("byok", "Bring your own key: a tenant's own secrets towards providers.")


def _of_tenant(parts: Uses, caller: Signed, tenant: InTenant) -> Owned:
    return Owned(parts=parts, caller=caller, owner=tenant)


OfTenant = Annotated[Owned, Depends(_of_tenant)]


@NOUN.get("/byok/providers", "list_byok_providers")
def list_providers(
    of: OfTenant,
    pages: Pages,
    search: Annotated[OptionalLine, Query(description="Part of an id or name, whatever the case.")] = "",
) -> ByokProviderPage:
    """The providers that can have keys of one's own, with how many of them there are."""
    with of.parts.store.read() as db:
        supply = supply_of(of.parts, db, of.owner)
    catalog = supply.installed.catalog
    word = search.casefold()
    wanted = [
        one
        for _, one in sorted(catalog.providers.items())
        if any(word in text.casefold() for text in (one.id, one.name, one.title_zh))
    ]
    after = pages.after(str)
    rows = [one for one in wanted if after is None or one.id > after][: pages.limit + 1]
    shown, cursor = pages.cut(rows, lambda one: one.id)

    def view(provider: Provider) -> ByokProvider:
        own = supply.own.get(provider.id, [])
        endpoints = cheap_endpoints(catalog, provider.id)
        return ByokProvider(
            id=provider.id,
            title=provider.name,
            title_zh=provider.title_zh,
            site=provider.site,
            auth=provider.auth,
            interfaces=list(provider.interfaces),
            configured=len(own),
            enabled=sum(one.enabled for one in own),
            built_in=provider.id in supply.built_in,
            test_models=list(dict.fromkeys(str(one.model) for one in endpoints)),
        )

    return ByokProviderPage(data=[view(one) for one in shown], next_cursor=cursor, total=len(wanted))


@NOUN.get("/byok", "list_byok")
def list_all(
    of: OfTenant,
    pages: Pages,
    provider: Annotated[OptionalLine, Query(description="Only of this provider.")] = "",
) -> CredentialPage:
    """The tenant's credentials, by name."""
    with of.parts.store.read() as db:
        wanted = [one for one in list_credentials(db, of.owner) if provider in ("", one.provider)]
    after = pages.after(str)
    rows = [one for one in wanted if after is None or one.name > after][: pages.limit + 1]
    shown, cursor = pages.cut(rows, lambda one: one.name)
    return CredentialPage(data=[show(one) for one in shown], next_cursor=cursor, total=len(wanted))


@NOUN.post("/byok", "add_byok", errors=(409,), status=201)
def add_one(body: CredentialCreate, of: OfTenant, response: Response) -> CredentialView:
    """Keep a secret towards a provider. Calls use it within a second."""
    made = add(of, body)
    tag(response, made.version)
    return made


@NOUN.post("/byok/test", "test_new_byok", errors=(429,))
def try_one(body: NewCredentialProbe, of: OfTenant) -> ProbeAnswer:
    """Make a small real call with a secret that is not kept."""
    secret = Secret(body.secret.get_secret_value())
    return try_new(of, ProviderId(body.provider), secret, body.model or "")


@NOUN.post("/byok/{credential_id:path}/test", "test_byok", errors=(404, 429))
def try_kept(credential_id: Id, of: OfTenant, body: CredentialProbe | None = None) -> ProbeAnswer:
    """Make a small real call with a credential; the result is kept beside it."""
    model = body.model if body is not None else None
    return try_stored(of, CredentialId(credential_id), model or "")


@NOUN.get("/byok/{credential_id:path}", "get_byok", errors=(404,))
def get_one(credential_id: Id, of: OfTenant, response: Response) -> CredentialView:
    """One credential, masked, with the keys whose routes name it."""
    with of.parts.store.read() as db:
        found = find_own(of, db, CredentialId(credential_id))
        users = users_of(of, db, found)
    tag(response, found.version)
    return show(found, users)


@NOUN.patch("/byok/{credential_id:path}", "change_byok", errors=(404, 409, 412, 428))
def change_one(
    credential_id: Id, body: CredentialPatch, of: OfTenant, response: Response, if_match: IfMatch = None
) -> CredentialView:
    """Rename a credential, switch it, or put a new secret in the place of the old one. Its id stays."""
    changed = change(of, CredentialId(credential_id), body, if_match)
    tag(response, changed.version)
    return changed


@NOUN.delete("/byok/{credential_id:path}", "delete_byok", errors=(404, 409, 412), status=204)
def delete_one(
    credential_id: Id,
    of: OfTenant,
    if_match: IfMatch = None,
    force: Annotated[bool, Query(description="Although routes of keys name it.")] = False,
) -> None:
    """Delete a credential for good."""
    remove(of, CredentialId(credential_id), if_match=if_match, force=force)
