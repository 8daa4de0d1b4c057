"""One endpoint with one credential, compiled: all that an attempt needs and that does not depend on the call."""

from msgspec import Struct

from aimesh.catalog.snapshot import Endpoint
from aimesh.core.ids import CredentialId
from aimesh.core.origin import Origin
from aimesh.core.secret import Secret
from aimesh.wire.interface import Target


class Candidate(Struct, frozen=True):
    endpoint: Endpoint
    credential: CredentialId
    origin: Origin
    path: bytes
    """Path of the interface at the provider: ``/compatible-mode/v1/chat/completions``."""
    head: Secret[bytes]
    """Header lines that never change: host, authorization, content type, user agent. Each ends in CRLF."""
    target: Target

    @property
    def circuit(self) -> tuple[str, str]:
        """What a circuit breaker is kept for."""
        return self.endpoint.name, self.credential
