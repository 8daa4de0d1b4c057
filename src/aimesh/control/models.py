"""The model plaza: what can be called, through whom, for how much, with ready calls; and what administrators change."""

from typing import Annotated

from fastapi import Depends, Query, Request, Response
from msgspec import Struct

from aimesh.catalog.schema import ModelEntry
from aimesh.catalog.snapshot import Endpoint, Model
from aimesh.control.errors import Detail, Invalid, NotFound
from aimesh.control.http import Edit, IfMatch, Pages, check_version, tag
from aimesh.control.keys_changes import seen_key
from aimesh.control.models_entries import check_not_of_file, put, read_entry, reset
from aimesh.control.models_supply import reachable
from aimesh.control.models_views import shelf_of, show_model, show_model_whole, waiting
from aimesh.control.noun import Noun
from aimesh.control.schemas_gateway_catalog import ModelBody, ModelDetail, ModelPage, ModelPath
from aimesh.control.texts import OptionalLine
from aimesh.control.visit import Visiting
from aimesh.core.ids import KeyId, ModelName
from aimesh.core.kind import Kind
from aimesh.store.overlays import OverlayKind, find_overlay

NOUN = Noun("models", "What callers ask for by name, and who runs it.")


class Wanted(Struct, frozen=True):
    search: str
    vendor: str
    kind: Kind | None
    provider: str
    interface: str

    def fits(self, model: Model) -> bool:
        word = self.search.casefold()
        texts = (model.name, model.title, model.description, model.description_zh, *model.aliases)
        return (
            any(word in text.casefold() for text in texts)
            and self.vendor.casefold() in ("", model.vendor.casefold())
            and self.kind in (None, model.kind)
            and (not (self.provider or self.interface) or any(map(self._takes, model.endpoints)))
        )

    def _takes(self, endpoint: Endpoint) -> bool:
        return self.provider in ("", endpoint.provider) and self.interface in ("", endpoint.interface)


def _wanted(
    search: Annotated[
        OptionalLine, Query(description="Part of a name, title, alias or description, whatever the case.")
    ] = "",
    vendor: Annotated[OptionalLine, Query(description="Who made it.")] = "",
    kind: Annotated[Kind | None, Query(description="Sort of work.")] = None,
    provider: Annotated[OptionalLine, Query(description="Id of a provider that runs it.")] = "",
    interface: Annotated[OptionalLine, Query(description="Interface over which it is served.")] = "",
) -> Wanted:
    return Wanted(search=search, vendor=vendor, kind=kind, provider=provider, interface=interface)


@NOUN.get("/models", "list_models", errors=(404,))
def list_all(
    visit: Visiting,
    wanted: Annotated[Wanted, Depends(_wanted)],
    *,
    pages: Pages,
    key: Annotated[OptionalLine, Query(description="Id of a key: only what it may call.")] = "",
) -> ModelPage:
    """Every model, by name."""
    reach = None
    with visit.parts.store.read() as db:
        shelf = shelf_of(visit, db)
        if key:
            found = seen_key(visit, db, KeyId(key))
            reach = reachable(shelf.supply, found, visit.parts.clock.wall_s())
    fitting = [
        model
        for _, model in sorted(shelf.catalog.models.items())
        if wanted.fits(model)
        and (reach is None or any(endpoint.name in reach for endpoint in model.endpoints))
    ]
    after = pages.after(str)
    rows = [one for one in fitting if after is None or one.name > after][: pages.limit + 1]
    shown, cursor = pages.cut(rows, lambda one: one.name)
    data = [show_model(shelf, one, reach) for one in shown]
    return ModelPage(data=data, next_cursor=cursor, total=len(fitting))


@NOUN.get("/models/{name:path}", "get_model", errors=(404,))
def get_one(name: ModelPath, visit: Visiting, request: Request, response: Response) -> ModelDetail:
    """One model with its endpoints, prices and ready calls."""
    with visit.parts.store.read() as db:
        shelf = shelf_of(visit, db)
    model = shelf.catalog.models.get(ModelName(name))
    if model is None:
        raise _not_found()
    found = show_model_whole(shelf, model, request)
    tag(response, found.version)
    return found


@NOUN.put("/models/{name:path}", "set_model", errors=(409, 412, 428))
def set_one(
    name: ModelPath,
    body: ModelBody,
    visit: Visiting,
    request: Request,
    edit: Edit,
) -> ModelDetail:
    """Add a model, or change a built-in one: what is set here holds, the rest stays."""
    check_not_of_file(visit.parts.settings, OverlayKind.MODEL, name)
    entry = read_entry({"name": name} | body, ModelEntry)
    if entry.name != name:
        message = "the path names another model"
        raise Invalid("INVALID_ENTRY", message, details=[Detail(path="name", message=message)])
    with visit.parts.store.write() as db:
        before = find_overlay(db, OverlayKind.MODEL, name)
        if before is not None or edit.if_match is not None:
            edit.check(0 if before is None else before.version)
        kept = put(visit.parts, db, before, entry, name=name, caller=visit.caller)
    edit.tag(kept.version)
    with visit.parts.store.read() as db:
        shelf = shelf_of(visit, db)
    model = shelf.catalog.models.get(ModelName(name))
    if model is None:
        raise waiting(shelf)
    return show_model_whole(shelf, model, request)


@NOUN.delete("/models/{name:path}", "reset_model", errors=(404, 409, 412), status=204)
def reset_one(name: ModelPath, visit: Visiting, if_match: IfMatch = None) -> None:
    """Forget what was set: a built-in model is as it came, another one is gone."""
    check_not_of_file(visit.parts.settings, OverlayKind.MODEL, name)
    with visit.parts.store.write() as db:
        before = find_overlay(db, OverlayKind.MODEL, name)
        if before is None:
            raise _not_found()
        if if_match is not None:
            check_version(if_match, before.version)
        reset(visit.parts, db, before, visit.caller)


def _not_found() -> NotFound:
    return NotFound("MODEL_NOT_FOUND", "there is no such model, or nothing was set for it")
