"""Providers, models and endpoints as answers show them."""

import msgspec
from fastapi import Request
from msgspec import Struct
from pydantic import JsonValue

from aimesh.catalog.examples import examples
from aimesh.catalog.price import Price
from aimesh.catalog.snapshot import Catalog, Endpoint, Model, Provider
from aimesh.control.access import Permission
from aimesh.control.circuits import cooling_endpoints
from aimesh.control.errors import Conflict
from aimesh.control.models_entries import is_of_file, shown_document
from aimesh.control.models_supply import EndpointStatus, Supply, supply_of
from aimesh.control.schemas_gateway_catalog import (
    CallExample,
    CeilingsBody,
    EndpointView,
    EntrySource,
    ModelDetail,
    ModelView,
    ProviderDetail,
    ProviderView,
    RegionView,
)
from aimesh.control.source import host_of, is_https
from aimesh.control.visit import Visit
from aimesh.core.ids import EndpointName, ProviderId
from aimesh.settings import Settings
from aimesh.store.engine import Connection
from aimesh.store.overlays import Overlay, OverlayKind, list_overlays

KEY_PLACE = "$API_KEY"
"""Where a key is put into a call example."""


class Shelf(Struct, frozen=True):
    """All that a view is made from, at one state of the database."""

    settings: Settings
    supply: Supply
    catalog: Catalog
    """With the models that are switched off, for those who may switch them on."""
    providers: dict[str, Overlay]
    models: dict[str, Overlay]
    may_edit: bool
    cooling: frozenset[EndpointName]


def shelf_of(visit: Visit, db: Connection) -> Shelf:
    supply = supply_of(visit.parts, db, visit.tenant)
    may_edit = visit.caller.may(Permission.CATALOG_WRITE)
    return Shelf(
        settings=visit.parts.settings,
        supply=supply,
        catalog=supply.installed.shown if may_edit else supply.installed.catalog,
        providers={one.name: one for one in list_overlays(db, OverlayKind.PROVIDER)},
        models={one.name: one for one in list_overlays(db, OverlayKind.MODEL)},
        may_edit=may_edit,
        cooling=cooling_endpoints(visit),
    )


def waiting(shelf: Shelf) -> Conflict:
    """For an entry that is kept, while another one keeps all of them from being used."""
    return Conflict(
        "ENTRY_WAITING", f"it is kept, and waits until this is mended: {shelf.supply.installed.problem}"
    )


def source_of(shelf: Shelf, kind: OverlayKind, name: str) -> tuple[EntrySource, int]:
    """Who said something about it last, and the version of the administrators' change."""
    overlay = (shelf.providers if kind is OverlayKind.PROVIDER else shelf.models).get(name)
    version = 0 if overlay is None else overlay.version
    if is_of_file(shelf.settings, kind, name):
        return "file", version
    return ("built_in" if overlay is None else "database"), version


Grouped = dict[ProviderId, list[Endpoint]]


def endpoints_by_provider(shelf: Shelf) -> Grouped:
    grouped: Grouped = {}
    for endpoint in shelf.catalog.endpoints.values():
        grouped.setdefault(endpoint.provider, []).append(endpoint)
    return grouped


def show_provider(shelf: Shelf, provider: Provider, grouped: Grouped) -> ProviderView:
    endpoints = grouped.get(provider.id, [])
    statuses = {shelf.supply.status(one) for one in endpoints}
    source, version = source_of(shelf, OverlayKind.PROVIDER, provider.id)
    return ProviderView(
        id=provider.id,
        name=provider.name,
        title_zh=provider.title_zh,
        site=provider.site,
        checked=provider.checked,
        auth=provider.auth,
        interfaces=list(provider.interfaces),
        models=len({one.model for one in endpoints}),
        status=_best(statuses),
        built_in=provider.id in shelf.supply.built_in,
        byok=shelf.supply.has_own(provider.id),
        source=source,
        version=version,
    )


def show_provider_whole(shelf: Shelf, provider: Provider) -> ProviderDetail:
    return ProviderDetail(
        **show_provider(shelf, provider, endpoints_by_provider(shelf)).model_dump(),
        base_urls=provider.base_urls if shelf.may_edit else None,
        environment=provider.environment if shelf.may_edit else None,
        entry=shown_document(shelf.providers.get(provider.id)) if shelf.may_edit else None,
    )


def show_endpoint(shelf: Shelf, endpoint: Endpoint) -> EndpointView:
    provider = shelf.catalog.providers[endpoint.provider]
    source, version = source_of(shelf, OverlayKind.MODEL, endpoint.model)
    limits = endpoint.limits
    return EndpointView(
        name=endpoint.name,
        provider=endpoint.provider,
        provider_name=provider.name,
        provider_title_zh=provider.title_zh,
        model=endpoint.model,
        interface=endpoint.interface,
        kind=endpoint.kind,
        upstream=endpoint.upstream_name,
        status=shelf.supply.status(endpoint),
        cooling=endpoint.name in shelf.cooling,
        built_in=endpoint.provider in shelf.supply.built_in,
        byok=shelf.supply.has_own(endpoint.provider),
        price=_price(endpoint.price),
        limits=CeilingsBody(rpm=limits.rpm, tpm=limits.tpm, concurrency=limits.concurrency),
        context=endpoint.context,
        max_output=endpoint.max_output,
        source=source,
        version=version,
    )


def show_model(shelf: Shelf, model: Model, reachable: frozenset[EndpointName] | None = None) -> ModelView:
    """``reachable``: of a key that was asked for; None: whatever is active counts."""
    endpoints = [show_endpoint(shelf, one) for one in model.endpoints]
    active = [one for one in endpoints if one.status is EndpointStatus.ACTIVE]
    source, version = source_of(shelf, OverlayKind.MODEL, model.name)
    return ModelView(
        name=model.name,
        title=model.title,
        vendor=model.vendor,
        kind=model.kind,
        description=model.description,
        description_zh=model.description_zh,
        input=list(model.input),
        output=list(model.output),
        context=model.context,
        max_input=model.max_input,
        max_output=model.max_output,
        abilities=list(model.abilities),
        aliases=list(model.aliases),
        interfaces=list(model.interfaces),
        enabled=model.name in shelf.supply.installed.catalog.models,
        callable=any(reachable is None or one.name in reachable for one in active),
        built_in=any(one.built_in for one in active),
        byok=any(one.byok for one in active),
        endpoints=endpoints,
        source=source,
        version=version,
    )


def show_model_whole(shelf: Shelf, model: Model, request: Request) -> ModelDetail:
    regions = regions_of(shelf.settings, request)
    return ModelDetail(
        **show_model(shelf, model).model_dump(),
        regions=regions,
        examples=[
            CallExample(
                region=region.id,
                interface=example.interface,
                language="curl" if example.language == "curl" else "python",
                code=example.code,
            )
            for region in regions
            for example in examples(model, base_url=region.base_url.rstrip("/"), key=KEY_PLACE)
        ],
        entry=shown_document(shelf.models.get(model.name)) if shelf.may_edit else None,
    )


def regions_of(settings: Settings, request: Request) -> list[RegionView]:
    if settings.regions:
        return [
            RegionView(id=one.id, name=one.name or one.id, base_url=one.base_url) for one in settings.regions
        ]
    scheme = "https" if is_https(request) else "http"
    return [RegionView(id="here", name="", base_url=f"{scheme}://{host_of(request)}/gateway")]


def _price(price: Price | None) -> dict[str, JsonValue] | None:
    if price is None:
        return None
    shown: dict[str, JsonValue] = msgspec.json.decode(msgspec.json.encode(price.entry))
    return shown


def _best(statuses: set[EndpointStatus]) -> EndpointStatus:
    """Something that works is more than something that is switched off, which is more than nothing."""
    for status in (EndpointStatus.ACTIVE, EndpointStatus.DISABLED):
        if status in statuses:
            return status
    return EndpointStatus.UNCONFIGURED
