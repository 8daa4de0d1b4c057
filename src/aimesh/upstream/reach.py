"""How an endpoint is reached with a credential: what is the same for every call to it, and for every connection."""

from urllib.parse import unquote, urlsplit

from aimesh import __version__
from aimesh.catalog.operator import UpstreamSettings
from aimesh.catalog.snapshot import Endpoint
from aimesh.core.secret import Secret
from aimesh.net.dial import Proxy
from aimesh.routing.candidate import Candidate, Credential
from aimesh.upstream.auth import credential_lines
from aimesh.wire.interface import Target


def candidate(endpoint: Endpoint, credential: Credential) -> Candidate:
    return Candidate(
        endpoint=endpoint,
        credential=credential.id,
        origin=endpoint.origin,
        path=endpoint.path.encode("ascii"),
        head=Secret(_fixed_head(endpoint, credential)),
        target=Target(upstream_name=endpoint.upstream_name, traits=endpoint.traits),
        name=credential.name,
        tenant=credential.tenant,
    )


def _fixed_head(endpoint: Endpoint, credential: Credential) -> bytes:
    return b"".join(
        (
            f"host: {endpoint.host}\r\n".encode("ascii"),
            credential_lines(endpoint.auth, credential.secret),
            b"content-type: application/json\r\naccept-encoding: identity\r\n",
            f"user-agent: aimesh/{__version__}\r\n".encode("ascii"),
        )
    )


def proxy_of(settings: UpstreamSettings) -> Proxy | None:
    """None: providers are reached directly."""
    if not settings.proxy:
        return None
    parts = urlsplit(settings.proxy)
    return Proxy(
        host=parts.hostname or "",
        port=parts.port or 8080,
        user=unquote(parts.username or ""),
        password=Secret(unquote(parts.password or "")),
        bypass=settings.no_proxy,
    )
