"""Who could serve a tenant's calls: the catalogue with the credentials that there are, and what follows for endpoints.

1. Whether a provider is built in or BYOK is told by credentials that are enabled, of the platform or of the tenant.
2. Circuits are known to the workers alone: an endpoint that is cooling is shown as active.
"""

from enum import StrEnum

from msgspec import Struct

from aimesh.catalog.snapshot import Endpoint
from aimesh.control.models_catalog import Installed
from aimesh.control.parts import Parts
from aimesh.core.ids import ProviderId, TenantId
from aimesh.store.credentials import PLATFORM, StoredCredential, list_credentials
from aimesh.store.engine import Connection


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
        if not endpoint.enabled or not model.enabled:
            return EndpointStatus.DISABLED
        has_credential = endpoint.provider in self.built_in or self.has_own(endpoint.provider)
        if endpoint.upstream_name and has_credential:
            return EndpointStatus.ACTIVE
        return EndpointStatus.UNCONFIGURED


def supply_of(parts: Parts, db: Connection, tenant: TenantId) -> Supply:
    installed = parts.catalogs.of(parts.settings, db)
    built_in = set(parts.settings.credentials)
    built_in |= {one.provider for one in list_credentials(db, PLATFORM) if one.enabled}
    built_in |= {name for name, one in installed.catalog.providers.items() if one.auth == "none"}
    own: dict[ProviderId, list[StoredCredential]] = {}
    for one in list_credentials(db, tenant):
        own.setdefault(one.provider, []).append(one)
    return Supply(installed=installed, built_in=frozenset(built_in), own=own)
