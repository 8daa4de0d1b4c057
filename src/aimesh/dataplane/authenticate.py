"""Who calls: the virtual key of a request, from any of the three headers, on every path.

``Authorization`` wins over ``x-api-key``: Claude Code may send both, and other Anthropic-compatible hosts read
``Authorization`` first. None of them ever travels upstream.
"""

import ipaddress
from hashlib import sha256
from typing import NoReturn

from aimesh.core.errors import (
    AddressNotAllowed,
    DisabledKey,
    ExpiredKey,
    InvalidKey,
    MissingKey,
    TenantOverdue,
)
from aimesh.core.policy import TenantPolicy, TenantStatus
from aimesh.dataplane.snapshot import Snapshot, VirtualKey
from aimesh.dataplane.stages import Authenticated, Recognised
from aimesh.net.message import Request


def authenticate(call: Recognised) -> Authenticated:
    """Raises ``MissingKey``, ``InvalidKey``, ``DisabledKey``, ``ExpiredKey``, ``AddressNotAllowed`` or
    ``TenantOverdue``."""
    arrival = call.arrival
    return Authenticated(call, find_key(arrival.request, arrival.snapshot, arrival.at_s))


def find_key(request: Request, snapshot: Snapshot, at_s: float) -> VirtualKey:
    """The usable key of a request; raises like ``authenticate``."""
    text = credential(request.headers)
    if not text:
        raise MissingKey(
            "Virtual key not provided; send Authorization: Bearer <API_KEY> or x-api-key: <API_KEY>"
        )
    key = snapshot.keys.get(sha256(text).digest())
    if key is None:
        raise InvalidKey("Virtual key is unknown; copy it again from API key management")
    if not key.enabled:
        raise DisabledKey(f"Virtual key is disabled. virtualApiKeyAlias={key.alias}")
    if key.expires_at_s and at_s >= key.expires_at_s:
        raise ExpiredKey(f"Virtual key has expired. virtualApiKeyAlias={key.alias}")
    if key.networks:
        _check_address(key, request.peer)
    tenant = snapshot.tenants.get(key.tenant)
    if tenant is not None and tenant.status is not TenantStatus.ACTIVE:
        _refuse_tenant(key, tenant)
    return key


def _refuse_tenant(key: VirtualKey, tenant: TenantPolicy) -> NoReturn:
    words = f"virtualApiKeyAlias={key.alias}, tenantId={tenant.id}"
    if tenant.status is TenantStatus.OVERDUE:
        raise TenantOverdue(
            f"The account is in arrears; its calls are suspended until it is settled. {words}"
        )
    raise DisabledKey(f"The account of this virtual key is disabled. {words}")


def credential(headers: dict[bytes, bytes]) -> bytes:
    """The key's text as the caller sent it; empty when there is none."""
    value = headers.get(b"authorization")
    if value is not None:
        if value[:7] in (b"Bearer ", b"bearer "):
            return value[7:].strip()
        scheme, _, rest = value.partition(b" ")
        if scheme.lower() == b"bearer" and (text := rest.strip()):
            return text
    return headers.get(b"x-api-key") or headers.get(b"x-dashscope-apikey") or b""


def _check_address(key: VirtualKey, peer: str) -> None:
    try:
        address = ipaddress.ip_address(peer)
        # So a caller by IPv4 is called on a listener that serves both.
        address = getattr(address, "ipv4_mapped", None) or address
    except ValueError as error:
        raise AddressNotAllowed("The source address is not known") from error
    if not any(address in network for network in key.networks):
        raise AddressNotAllowed(f"Source address {peer} is not allowed. virtualApiKeyAlias={key.alias}")
