"""The compiled configuration that the data plane reads. Immutable, versioned, swapped whole.

1. What a call needs is a dictionary look-up here; what is worked out from the rest is worked out once and remembered.
2. Virtual keys are found by the SHA-256 of their text; the text itself is not here.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import force_setattr

from aimesh.catalog.snapshot import Catalog, Model
from aimesh.core.ids import KeyId, ModelName, TenantId
from aimesh.core.policy import Route, TenantPolicy
from aimesh.dataplane.hold import Account
from aimesh.routing.candidate import Credential, Make
from aimesh.routing.supply import Supply

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
    route: Route = Route()
    account: Account | None = None
    """What its calls and its tenant's are counted against; None: nothing limits them."""
    route_mark: str = ""
    """Made here: equal routes have equal marks, and a route has no hash."""

    def __post_init__(self) -> None:
        force_setattr(self, "route_mark", mark_of(self.route))


def mark_of(route: Route) -> str:
    """Of the usual route: empty."""
    if route == _USUAL:
        return ""
    return msgspec.json.encode(route, order="sorted").decode()


_USUAL = Route()


class Keys(Protocol):
    """Virtual keys by the SHA-256 digest of their text."""

    def get(self, digest: bytes, /) -> VirtualKey | None: ...


class Snapshot(Struct, frozen=True, weakref=True):
    version: int
    catalog: Catalog
    keys: Keys
    supply: Supply
    tenants: Mapping[TenantId, TenantPolicy] = {}
    """Those that the database knows."""


def compile_snapshot(
    version: int, catalog: Catalog, *, keys: Keys, credentials: Iterable[Credential], make: Make
) -> Snapshot:
    """``credentials``: built-in ones and those of every tenant."""
    return Snapshot(version=version, catalog=catalog, keys=keys, supply=Supply(catalog, credentials, make))


def callable_models(snapshot: Snapshot, key: VirtualKey) -> Iterable[Model]:
    """What a key sees in ``GET /models``: permitted, and served by something that its route can reach. By name."""
    supply = snapshot.supply
    models = supply.models(supply.of(key.tenant), key.route, key.route_mark)
    if key.models is None:
        return models
    return [model for model in models if model.name in key.models]
