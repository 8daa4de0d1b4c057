"""Who calls, where a proxy of the operator's stands in front: ``X-Forwarded-For``, believed of that proxy alone.

1. The address is the rightmost one that is no trusted proxy's own: what stands left of it, the caller may have made up.
   A part that is no address ends the reading; what was reached by then counts.
2. Of anybody else neither ``X-Forwarded-For`` nor ``X-Forwarded-Proto`` is believed.
3. Whoever comes over a unix socket runs as the gateway's user, and is a proxy of the operator's.
4. Without the setting none of this is in the way of a call (``app.py``).
"""

import ipaddress
from collections.abc import Callable, Sequence

from aimesh.net.message import Handler, Reply, Request

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

OnHead = Callable[[Request], tuple[int, bytes, bytes] | None]


class Forwarded:
    """Gives requests the caller's address in the place of the proxy's."""

    __slots__ = ("_handler", "_on_head", "_trusted")

    def __init__(self, trusted: Sequence[Network], handler: Handler, on_head: OnHead) -> None:
        self._trusted = tuple(trusted)
        self._handler = handler
        self._on_head = on_head

    def handle(self, request: Request, reply: Reply) -> None:
        self._resolve(request)
        self._handler(request, reply)

    def check_head(self, request: Request) -> tuple[int, bytes, bytes] | None:
        # The same request comes to ``handle`` with its body: it keeps the address of its connection until then.
        peer, headers = request.peer, request.headers
        request.headers = headers.copy()
        self._resolve(request)
        try:
            return self._on_head(request)
        finally:
            request.peer, request.headers = peer, headers

    def _resolve(self, request: Request) -> None:
        headers = request.headers
        if request.peer and not self._is_trusted(_address(request.peer)):
            headers.pop(b"x-forwarded-proto", None)
            return
        if (told := headers.get(b"x-forwarded-for")) is not None:
            request.peer = self._caller(request.peer, told)

    def _caller(self, peer: str, told: bytes) -> str:
        for part in reversed(told.decode("latin-1").split(",")):
            address = _address(_without_port(part.strip()))
            if address is None:
                return peer
            peer = str(address)
            if not self._is_trusted(address):
                return peer
        return peer

    def _is_trusted(self, address: _Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


def _address(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # An IPv4 caller of a listener that serves both.
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _without_port(text: str) -> str:
    """Some proxies write ``192.0.2.1:4711`` and ``[2001:db8::1]:4711``."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, colon, _ = text.partition(":")
    return host if colon and text.count(":") == 1 else text
