"""The compiled configuration that the data plane reads. Immutable, versioned, swapped whole.

1. Everything a call needs is a dictionary look-up here; nothing is computed per call that could be computed once.
2. Virtual keys are found by the SHA-256 of their text; the text itself is not here.
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from aimesh.catalog.snapshot import Catalog, Endpoint, Model
from aimesh.core.ids import EndpointName, InterfaceId, KeyId, ModelName, TenantId
from aimesh.routing.candidate import Candidate

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class VirtualKey(Struct, frozen=True):
    """A caller's key with its policy."""

    id: KeyId
    alias: str
    tenant: TenantId
    enabled: bool = True
    expires_at_s: float = 0.0
    """Wall-clock seconds; 0: never."""
    models: frozenset[ModelName] | None = None
    """Names the key may call; None: all of them."""
    networks: tuple[Network, ...] = ()
    """Source addresses allowed; empty: any."""
    labels: dict[str, str] = {}


class Snapshot(Struct, frozen=True):
    version: int
    catalog: Catalog
    keys: Mapping[bytes, VirtualKey]
    """By SHA-256 digest of the key's text."""
    by_endpoint: Mapping[EndpointName, tuple[Candidate, ...]]
    """Usable credentials of an endpoint, in order; an endpoint without any is absent."""
    by_model: Mapping[tuple[ModelName, InterfaceId], tuple[Candidate, ...]]
    """Ranked by price, cheapest first; unknown prices last."""


def compile_snapshot(
    version: int,
    catalog: Catalog,
    *,
    keys: Mapping[bytes, VirtualKey],
    candidates_of: Callable[[Endpoint], Iterable[Candidate]],
) -> Snapshot:
    """``candidates_of`` gives an endpoint's usable credentials as candidates."""
    by_endpoint: dict[EndpointName, tuple[Candidate, ...]] = {}
    by_model: dict[tuple[ModelName, InterfaceId], list[Candidate]] = {}
    for model in catalog.models.values():
        for endpoint in model.endpoints:
            usable = tuple(candidates_of(endpoint)) if endpoint.is_callable else ()
            if usable:
                by_endpoint[endpoint.name] = usable
                by_model.setdefault((endpoint.model, endpoint.interface), []).extend(usable)
    return Snapshot(
        version=version,
        catalog=catalog,
        keys=keys,
        by_endpoint=by_endpoint,
        by_model={name: tuple(sorted(found, key=_rank)) for name, found in by_model.items()},
    )


def _rank(candidate: Candidate) -> tuple[bool, int]:
    rank = candidate.endpoint.blended_rank
    return rank is None, rank or 0


def callable_models(snapshot: Snapshot, key: VirtualKey) -> list[Model]:
    """What a key sees in ``GET /models``: permitted, and served by a usable endpoint. Sorted by name."""
    usable = {name for name, _ in snapshot.by_model}
    return [
        model
        for name, model in sorted(snapshot.catalog.models.items())
        if name in usable and (key.models is None or name in key.models)
    ]
