"""Why a route leaves nothing for a call: one sentence that names the rule and what would help."""

from collections.abc import Iterable

from aimesh.catalog.snapshot import Found
from aimesh.core.ids import InterfaceId
from aimesh.core.policy import Route, RouteMode
from aimesh.routing.rank import Held

SHOWN = 20
"""Names in a sentence."""


def why_none(route: Route, found: Found, interface: InterfaceId, held: Held) -> str:
    """For a word that leads to a model, and a ranking without candidates."""
    model, pinned = found.model, found.pinned
    spoken = {endpoint.interface for endpoint in model.endpoints}
    if interface not in spoken:
        return (
            f"Model {model.name} has no endpoint of interface {interface}; it speaks {_names(spoken)}. "
            "The model's page shows the address to use"
        )
    if pinned is not None and pinned.interface != interface:
        return f"Endpoint {pinned.name} does not speak {interface}; name one of {model.name} that does"
    asked = [pinned] if pinned is not None else [e for e in model.endpoints if e.interface == interface]
    what = f"Endpoint {pinned.name}" if pinned is not None else f"Model {model.name} over {interface}"
    providers = {endpoint.provider for endpoint in asked if endpoint.is_callable}
    if not providers:
        return f"{what} is switched off, or its name at the provider is not known"
    if route.mode is RouteMode.BYOK:
        return f"{what} is served by {_names(providers)}, and {_own(route, held)}"
    is_restricted = bool(route.providers) or route.mode is RouteMode.PROVIDER
    if is_restricted and not providers.intersection(route.providers):
        only = _names(route.providers) if route.providers else "no provider at all"
        return f"{what} is served by {_names(providers)}, and this key's route permits {only}"
    if is_restricted:
        providers.intersection_update(route.providers)
    who = f"No endpoint of {model.name}" if pinned is None else what
    verb = "has a usable credential" if pinned is None else "has no usable credential"
    within = " that this key's route permits" if is_restricted and pinned is None else ""
    return f"{who}{within} {verb}; an administrator can add one for {_names(providers)}"


def _own(route: Route, held: Held) -> str:
    if not held.named:
        return "this key's route permits only BYOK credentials, of which there are none"
    if not route.credentials:
        return f"this key's route permits only BYOK credentials, which are for {_names(held.own)}"
    there = [name for name in route.credentials if name in held.named]
    if not there:
        return (
            f"none of the BYOK credentials that this key's route lists is there: {_names(route.credentials)}"
        )
    providers = {held.named[name].provider for name in there}
    return f"this key's route permits only the BYOK credentials {_names(there)}, which are for {_names(providers)}"


def _names(names: Iterable[str]) -> str:
    every = sorted(set(names))
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more
