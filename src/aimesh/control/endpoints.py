"""Endpoints: one provider that runs one model over one interface; switched, named, priced and limited one by one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
from fastapi import Query, Response
from msgspec import structs

from aimesh.catalog.overlay import one_interface_each
from aimesh.catalog.schema import EndpointEntry, ModelEntry, PriceEntry
from aimesh.catalog.snapshot import Endpoint
from aimesh.control.errors import Invalid, NotFound
from aimesh.control.http import Edit, Pages, tag
from aimesh.control.models_entries import check_not_of_file, put, read_entry, reset, stored_model
from aimesh.control.models_supply import EndpointStatus
from aimesh.control.models_views import Shelf, shelf_of, show_endpoint
from aimesh.control.noun import Noun
from aimesh.control.schemas_gateway_catalog import EndpointPage, EndpointPatch, EndpointView
from aimesh.control.texts import Id, OptionalLine
from aimesh.control.visit import Visiting
from aimesh.core.ids import EndpointName
from aimesh.store.overlays import Overlay, OverlayKind, find_overlay

NOUN = Noun("endpoints", "Who runs which model over which interface, and for how much.")


@NOUN.get("/endpoints", "list_endpoints")
def list_all(
    visit: Visiting,
    *,
    pages: Pages,
    search: Annotated[OptionalLine, Query(description="Part of the name, whatever the case.")] = "",
    provider: Annotated[OptionalLine, Query(description="Only of this provider.")] = "",
    status: Annotated[EndpointStatus | None, Query(description="Only those that are so.")] = None,
) -> EndpointPage:
    """Every endpoint, by name."""
    with visit.parts.store.read() as db:
        shelf = shelf_of(visit, db)
    word = search.casefold()
    fitting = [
        one
        for name, one in sorted(shelf.catalog.endpoints.items())
        if word in name.casefold()
        and provider in ("", one.provider)
        and status in (None, shelf.supply.status(one))
    ]
    after = pages.after(str)
    rows = [one for one in fitting if after is None or one.name > after][: pages.limit + 1]
    shown, cursor = pages.cut(rows, lambda one: one.name)
    data = [show_endpoint(shelf, one) for one in shown]
    return EndpointPage(data=data, next_cursor=cursor, total=len(fitting))


@NOUN.get("/endpoints/{name:path}", "get_endpoint", errors=(404,))
def get_one(name: Id, visit: Visiting, response: Response) -> EndpointView:
    """One endpoint with its price."""
    with visit.parts.store.read() as db:
        shelf = shelf_of(visit, db)
    return _shown(shelf, name, response)


@NOUN.patch("/endpoints/{name:path}", "change_endpoint", errors=(404, 409, 412, 428))
def change_one(
    name: Id,
    body: EndpointPatch,
    visit: Visiting,
    edit: Edit,
) -> EndpointView:
    """Switch an endpoint, or set its upstream name, price or ceilings. It is kept as a change of its model."""
    with visit.parts.store.write() as db:
        endpoint = _found(shelf_of(visit, db), name)
        check_not_of_file(visit.parts.settings, OverlayKind.MODEL, endpoint.model)
        before = find_overlay(db, OverlayKind.MODEL, endpoint.model)
        edit.check(0 if before is None else before.version)
        entry = _changed(before, endpoint, body)
        if entry != ModelEntry(name=endpoint.model):
            with _from_the_endpoint():
                put(visit.parts, db, before, entry, name=endpoint.model, caller=visit.caller)
        elif before is not None:
            reset(visit.parts, db, before, visit.caller)
    with visit.parts.store.read() as db:
        shelf = shelf_of(visit, db)
    return _shown(shelf, name, edit.response)


def _changed(before: Overlay | None, endpoint: Endpoint, body: EndpointPatch) -> ModelEntry:
    """The change of the model with the change of the endpoint in it."""
    entry = ModelEntry(name=endpoint.model)
    if before is not None:
        entry = stored_model(before)
    own = {(one.provider, one.interfaces): one for one in one_interface_each(entry.endpoints)}
    # An endpoint's interface is one of the schema's names.
    blank = msgspec.convert(
        {"provider": endpoint.provider, "interfaces": [endpoint.interface]}, EndpointEntry
    )
    place = (blank.provider, blank.interfaces)
    changes: dict[str, object] = {}
    if "enabled" in body.model_fields_set:
        changes["enabled"] = body.enabled
    if "upstream" in body.model_fields_set:
        changes["upstream"] = body.upstream
    if "price" in body.model_fields_set:
        changes["price"] = None if body.price is None else read_entry(body.price, PriceEntry, "price")
    if "limits" in body.model_fields_set:
        changes["limits"] = None if body.limits is None else body.limits.value()
    merged = structs.replace(own.get(place, blank), **changes)
    own[place] = merged
    kept = tuple(one for one in own.values() if one != blank)
    return structs.replace(entry, endpoints=kept)


@contextmanager
def _from_the_endpoint() -> Iterator[None]:
    """What is wrong with the model's entry is told by its place in the endpoint's."""
    try:
        yield
    except Invalid as error:
        details = [
            one.model_copy(update={"path": re.sub(r"^endpoints\.\d+\.?", "", one.path)})
            for one in error.details
        ]
        raise Invalid(error.code, error.message, details=details) from error


def _shown(shelf: Shelf, name: str, response: Response) -> EndpointView:
    view = show_endpoint(shelf, _found(shelf, name))
    tag(response, view.version)
    return view


def _found(shelf: Shelf, name: str) -> Endpoint:
    endpoint = shelf.catalog.endpoints.get(EndpointName(name))
    if endpoint is None:
        raise NotFound("ENDPOINT_NOT_FOUND", "there is no such endpoint")
    return endpoint
