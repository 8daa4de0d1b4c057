"""One endpoint with one credential, compiled: all that an attempt needs and that does not depend on the call."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import force_setattr

from aimesh.catalog.snapshot import Endpoint
from aimesh.core.ids import CredentialId, ProviderId, TenantId
from aimesh.core.origin import Origin
from aimesh.core.secret import Secret
from aimesh.wire.interface import Target

Circuit = tuple[str, str]
"""Endpoint and credential: what a circuit breaker and measurements are kept for."""


class Credential(Struct, frozen=True):
    """A secret towards a provider, opened. Without a tenant it is built-in, with one it is that tenant's (BYOK)."""

    id: CredentialId
    provider: ProviderId
    name: str
    """Unique within its owner; routes list BYOK by it."""
    secret: Secret[str]
    tenant: TenantId | None = None


class Candidate(Struct, frozen=True):
    endpoint: Endpoint
    credential: CredentialId
    origin: Origin
    path: bytes
    """Path of the interface at the provider: ``/compatible-mode/v1/chat/completions``."""
    head: Secret[bytes]
    """Header lines that never change: host, authorization, content type, user agent. Each ends in CRLF."""
    target: Target
    name: str = ""
    """The credential's name within its owner."""
    tenant: TenantId | None = None
    """Whose credential it is; None: built-in."""
    circuit: Circuit = ("", "")
    """Made here: every call asks for it."""

    def __post_init__(self) -> None:
        force_setattr(self, "circuit", (self.endpoint.name, self.credential))


Make = Callable[[Endpoint, Credential], Candidate]
"""How an endpoint and a credential become a candidate: knows how credentials travel."""
