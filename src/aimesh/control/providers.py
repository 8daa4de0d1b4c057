"""Providers: who runs models, whether they can be used, and what administrators change about them."""

from typing import Annotated

from fastapi import Query, Response

from aimesh.catalog.schema import ProviderEntry
from aimesh.control.errors import NotFound
from aimesh.control.http import Edit, IfMatch, Pages, check_version, tag
from aimesh.control.models_entries import check_not_of_file, put, read_entry, reset
from aimesh.control.models_views import (
    endpoints_by_provider,
    shelf_of,
    show_provider,
    show_provider_whole,
    waiting,
)
from aimesh.control.noun import Noun
from aimesh.control.schemas_gateway_catalog import (
    ProviderBody,
    ProviderDetail,
    ProviderPage,
    ProviderPath,
)
from aimesh.control.texts import OptionalLine
from aimesh.control.visit import Visiting
from aimesh.core.ids import ProviderId
from aimesh.store.overlays import OverlayKind, find_overlay

NOUN = Noun("providers", "Accounts and regions that run models.")


@NOUN.get("/providers", "list_providers")
def list_all(
    visit: Visiting,
    *,
    pages: Pages,
    search: Annotated[OptionalLine, Query(description="Part of an id or name, whatever the case.")] = "",
) -> ProviderPage:
    """Every provider, by id."""
    with visit.parts.store.read() as db:
        shelf = shelf_of(visit, db)
    word = search.casefold()
    wanted = [
        one
        for _, one in sorted(shelf.catalog.providers.items())
        if any(word in text.casefold() for text in (one.id, one.name, one.title_zh))
    ]
    after = pages.after(str)
    rows = [one for one in wanted if after is None or one.id > after][: pages.limit + 1]
    shown, cursor = pages.cut(rows, lambda one: one.id)
    grouped = endpoints_by_provider(shelf)
    data = [show_provider(shelf, one, grouped) for one in shown]
    return ProviderPage(data=data, next_cursor=cursor, total=len(wanted))


@NOUN.get("/providers/{provider_id}", "get_provider", errors=(404,))
def get_one(provider_id: ProviderPath, visit: Visiting, response: Response) -> ProviderDetail:
    """One provider."""
    with visit.parts.store.read() as db:
        shelf = shelf_of(visit, db)
    provider = shelf.catalog.providers.get(ProviderId(provider_id))
    if provider is None:
        raise _not_found()
    found = show_provider_whole(shelf, provider)
    tag(response, found.version)
    return found


@NOUN.put("/providers/{provider_id}", "set_provider", errors=(409, 412, 428))
def set_one(
    provider_id: ProviderPath,
    body: ProviderBody,
    visit: Visiting,
    edit: Edit,
) -> ProviderDetail:
    """Add a provider, or change a built-in one: what is set here holds, the rest stays."""
    check_not_of_file(visit.parts.settings, OverlayKind.PROVIDER, provider_id)
    entry = read_entry(body, ProviderEntry)
    with visit.parts.store.write() as db:
        before = find_overlay(db, OverlayKind.PROVIDER, provider_id)
        if before is not None or edit.if_match is not None:
            edit.check(0 if before is None else before.version)
        kept = put(visit.parts, db, before, entry, name=provider_id, caller=visit.caller)
    edit.tag(kept.version)
    with visit.parts.store.read() as db:
        shelf = shelf_of(visit, db)
    provider = shelf.catalog.providers.get(ProviderId(provider_id))
    if provider is None:
        raise waiting(shelf)
    return show_provider_whole(shelf, provider)


@NOUN.delete("/providers/{provider_id}", "reset_provider", errors=(404, 409, 412), status=204)
def reset_one(provider_id: ProviderPath, visit: Visiting, if_match: IfMatch = None) -> None:
    """Forget what was set: a built-in provider is as it came, another one is gone."""
    check_not_of_file(visit.parts.settings, OverlayKind.PROVIDER, provider_id)
    with visit.parts.store.write() as db:
        before = find_overlay(db, OverlayKind.PROVIDER, provider_id)
        if before is None:
            raise _not_found()
        if if_match is not None:
            check_version(if_match, before.version)
        reset(visit.parts, db, before, visit.caller)


def _not_found() -> NotFound:
    return NotFound("PROVIDER_NOT_FOUND", "there is no such provider, or nothing was set for it")
