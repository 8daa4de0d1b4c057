"""What settings are once they are compiled: frozen values, and how an address is read."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from msgspec import Struct

from aimesh.catalog.crosscheck import Layer, Merged
from aimesh.catalog.operator import (
    AdminSettings,
    JournalSettings,
    KeySettings,
    LimitSettings,
    LogSettings,
    Region,
    RoutingSettings,
    TimeoutSettings,
    UpstreamSettings,
    UsageSettings,
)
from aimesh.catalog.snapshot import Catalog
from aimesh.core.ids import KeyId, ModelName, ProviderId, TenantId
from aimesh.core.policy import NO_LIMITS, Limits, Route
from aimesh.core.secret import Secret
from aimesh.routing.candidate import Credential


class Address(Struct, frozen=True):
    """Where to listen: TCP, or a unix socket when ``unix`` is set."""

    host: str = ""
    port: int = 0
    unix: str = ""


Credentials = dict[ProviderId, tuple[Credential, ...]]
"""In the file the id is ``{provider}/{name}``; a secret is empty only where the provider asks for none."""


class VirtualKey(Struct, frozen=True):
    """A key declared in the file."""

    id: KeyId
    tenant: TenantId
    alias: str
    secret: Secret[str]
    patterns: tuple[str, ...]
    allowed: frozenset[ModelName]
    enabled: bool
    expires_at_s: float | None
    """Wall-clock seconds."""
    cidrs: tuple[str, ...]
    labels: dict[str, str]
    route: Route = Route()
    limits: Limits = NO_LIMITS


class Sources(Struct, frozen=True):
    """What the catalogue and the credentials were made from: kept, so that what the database says can come between
    (``settings/merge.py``). Holds no text of the file."""

    built_in: Merged
    layer: Layer
    """Of the file; without its document."""
    declared: Credentials
    """In the file."""
    environment: Credentials
    """From providers' usual variables, for providers without any in the file."""


class Settings(Struct, frozen=True):
    file: Path | None
    home: Path
    listen: tuple[Address, ...]
    admin_listen: tuple[Address, ...]
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    """Whose ``X-Forwarded-For`` is believed."""
    workers: int
    """Data-plane processes; 0: one per core."""
    timezone: str
    regions: tuple[Region, ...]
    catalog: Catalog
    credentials: Credentials
    """Built-in ones: every provider that can be called, with at least one credential."""
    virtual_keys: tuple[VirtualKey, ...]
    keys: KeySettings
    admin: AdminSettings
    limits: LimitSettings
    timeouts: TimeoutSettings
    routing: RoutingSettings
    upstream: UpstreamSettings
    journal: JournalSettings
    usage: UsageSettings
    log: LogSettings
    journal_directory: Path
    database: Secret[str] | None
    """URL; None: SQLite in the home directory."""
    master_key: Secret[str] | None
    """``AIMESH_MASTER_KEY``; None: the file in the home directory."""
    simulator: str
    """URL, or empty when off."""
    sources: Sources
    byok: tuple[Credential, ...] = ()
    """Of tenants; the file has none."""


def parse_address(text: str) -> Address:
    """Raises ``ValueError`` with what is wrong."""
    if text.startswith("unix:"):
        if not text[5:].startswith("/"):
            raise ValueError("a unix socket needs an absolute path")
        return Address(unix=text[5:])
    host, colon, port = text.rpartition(":")
    if not colon:
        raise ValueError("a port is missing")
    if not (port.isascii() and port.isdecimal()) or int(port) > 65_535:
        raise ValueError("the port is a number from 0 to 65535")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError("an IPv6 address stands in brackets")
    return Address(host=host.strip("[]") or "0.0.0.0", port=int(port))  # noqa: S104 (":8600" says every address)


def is_header_text(text: str) -> bool:
    """Whether a header can carry it; empty text too."""
    return text.isascii() and text.isprintable() and " " not in text
