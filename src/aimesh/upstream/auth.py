"""How a credential travels to a provider. The schemes are the catalogue's; each gives header lines."""

from typing import assert_never

from aimesh.catalog.schema import Auth
from aimesh.core.secret import Secret


def credential_lines(auth: Auth, credential: Secret[str]) -> bytes:
    """Header lines, each ending in CRLF."""
    match auth:
        case "bearer":
            return f"authorization: Bearer {credential.reveal()}\r\n".encode("latin-1")
        case "x_api_key":
            return f"x-api-key: {credential.reveal()}\r\n".encode("latin-1")
        case "none":
            return b""
    assert_never(auth)
