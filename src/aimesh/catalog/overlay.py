"""One layer of catalogue entries over another: what the upper layer sets holds, the rest stays.

1. A field "is set" when it differs from the schema's default.
2. Mappings (``speaks``, ``base_urls``) and traits merge by key; lists are replaced whole, except endpoints,
   which merge by provider and interface.
"""

from typing import TypeVar

from msgspec import Struct, structs

from aimesh.catalog.schema import EndpointEntry, ModelEntry, ProviderEntry

StructT = TypeVar("StructT", bound=Struct)


def overlaid_provider(base: ProviderEntry, over: ProviderEntry) -> ProviderEntry:
    # A new base URL for everything must not lose to the built-in ones of single families.
    base_urls = over.base_urls if over.base_url is not None else base.base_urls | over.base_urls
    return structs.replace(
        _overlaid(base, over, ProviderEntry()),
        base_urls=base_urls,
        speaks=base.speaks | over.speaks,
        traits=_overlaid(base.traits, over.traits, type(base.traits)()),
    )


def overlaid_model(base: ModelEntry, over: ModelEntry) -> ModelEntry:
    return structs.replace(
        _overlaid(base, over, ModelEntry(name=base.name)),
        traits=_overlaid(base.traits, over.traits, type(base.traits)()),
        endpoints=_overlaid_endpoints(base.endpoints, over.endpoints),
    )


def one_interface_each(endpoints: tuple[EndpointEntry, ...]) -> tuple[EndpointEntry, ...]:
    return tuple(
        structs.replace(endpoint, interfaces=(interface,))
        for endpoint in endpoints
        for interface in endpoint.interfaces
    )


def _overlaid_endpoints(
    base: tuple[EndpointEntry, ...], over: tuple[EndpointEntry, ...]
) -> tuple[EndpointEntry, ...]:
    merged = {(entry.provider, entry.interfaces): entry for entry in one_interface_each(base)}
    for entry in one_interface_each(over):
        place = (entry.provider, entry.interfaces)
        below = merged.get(place)
        if below is None:
            merged[place] = entry
            continue
        blank = EndpointEntry(provider=entry.provider, interfaces=entry.interfaces)
        traits = _overlaid(below.traits, entry.traits, type(entry.traits)())
        merged[place] = structs.replace(_overlaid(below, entry, blank), traits=traits)
    return tuple(merged.values())


def _overlaid(base: StructT, over: StructT, blank: StructT) -> StructT:
    changes = {
        name: value
        for name in base.__struct_fields__
        if (value := getattr(over, name)) != getattr(blank, name)
    }
    return structs.replace(base, **changes)
