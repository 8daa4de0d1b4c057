"""Who could serve a tenant's calls: the catalogue with the credentials that there are, and what follows for endpoints.

1. Whether a provider is built in or BYOK is told by credentials that are enabled, of the platform or of the tenant.
2. Circuits change by the second and are told beside the status (``circuits.py``): an endpoint that is cooling is
   active.
"""

from enum import StrEnum

from msgspec import Struct

from aimesh.catalog.snapshot import Endpoint
from aimesh.control.models_catalog import Installed
from aimesh.control.parts import Parts
from aimesh.core.ids import EndpointName, ProviderId, TenantId
from aimesh.core.policy import Route, RouteMode
from aimesh.store.credentials import PLATFORM, StoredCredential, list_credentials
from aimesh.store.engine import Connection
from aimesh.store.virtual_keys import StoredKey


class EndpointStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    UNCONFIGURED = "unconfigured"


class Supply(Struct, frozen=True):
    installed: Installed
    built_in: frozenset[ProviderId]
    """Providers with a credential of the platform."""
    own: dict[ProviderId, list[StoredCredential]]
    """BYOK of the tenant, disabled ones too."""

    def has_own(self, provider: ProviderId) -> bool:
        return any(one.enabled for one in self.own.get(provider, ()))

    def status(self, endpoint: Endpoint) -> EndpointStatus:
        model = self.installed.entries.models[endpoint.model]
        if not endpoint.enabled or model.enabled is False:
            return EndpointStatus.DISABLED
        has_credential = endpoint.provider in self.built_in or self.has_own(endpoint.provider)
        if endpoint.upstream_name and has_credential:
            return EndpointStatus.ACTIVE
        return EndpointStatus.UNCONFIGURED


def reachable(supply: Supply, key: StoredKey, now_s: float) -> frozenset[EndpointName]:
    """The active endpoints that a key's calls may try; none, while it is disabled or expired."""
    if key.status(now_s) != "active":
        return frozenset()
    catalog, terms = supply.installed.catalog, key.terms
    models = catalog.allowed(terms.models or ("*",))
    return frozenset(
        endpoint.name
        for endpoint in catalog.endpoints.values()
        if endpoint.model in models
        and supply.status(endpoint) is EndpointStatus.ACTIVE
        and _is_on_route(supply, terms.route, endpoint.provider)
    )


def _is_on_route(supply: Supply, route: Route, provider: ProviderId) -> bool:
    match route.mode:
        case RouteMode.DEFAULT:
            return not route.providers or provider in route.providers
        case RouteMode.PROVIDER:
            return provider in route.providers
        case RouteMode.BYOK:
            names = route.credentials
            return any(
                one.enabled and (not names or one.name in names) for one in supply.own.get(provider, ())
            )


def supply_of(parts: Parts, db: Connection, tenant: TenantId) -> Supply:
    installed = parts.catalogs.of(parts.settings, db)
    built_in = set(parts.settings.credentials)
    built_in |= {one.provider for one in list_credentials(db, PLATFORM) if one.enabled}
    built_in |= {name for name, one in installed.catalog.providers.items() if one.auth == "none"}
    own: dict[ProviderId, list[StoredCredential]] = {}
    for one in list_credentials(db, tenant):
        own.setdefault(one.provider, []).append(one)
    return Supply(installed=installed, built_in=frozenset(built_in), own=own)
