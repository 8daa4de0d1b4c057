"""Opening a connection to an origin: names, addresses, TLS, forward proxy. Everything here may wait.

1. Every failure is a ``ConnectFailed`` with safe text and ``was_sent=False``: no request is written here.
2. Certificates and host names are always checked; an extra CA file adds to the system's, it replaces nothing.
3. With a guard, each address is asked about between resolving the name and connecting: a name cannot
   point somewhere else in between. Behind a proxy it is the proxy that resolves.
4. Through a proxy, ``https`` origins get a CONNECT tunnel; ``http`` origins get the proxy's own connection, and
   their requests an absolute target (``proxy_for`` tells).
5. A unix socket is this machine's own: it has no name to resolve, and neither a guard nor a proxy is asked.
"""

import asyncio
import ipaddress
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable
from typing import cast

from msgspec import Struct

from aimesh.core.secret import Secret
from aimesh.net import http1
from aimesh.net.message import ConnectFailed, Origin

AddressGuard = Callable[[str], bool]
"""Whether an IP address may be connected to."""

ADDRESS_S = 2.0
"""How long one address of several may take before the next is tried."""


class Proxy(Struct, frozen=True):
    """A forward proxy (plain HTTP towards the proxy itself)."""

    host: str
    port: int
    user: str = ""
    password: Secret[str] = Secret("")
    bypass: tuple[str, ...] = ()
    """Hosts reached directly: exact names, ``.suffix``, addresses, networks (``10.0.0.0/8``), or ``*``."""


class Dialer:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        extra_ca_file: str | None = None,
        proxy: Proxy | None = None,
        guard: AddressGuard | None = None,
    ) -> None:
        self._loop = loop
        self._extra_ca_file = extra_ca_file
        self._proxy = proxy
        self._guard = guard
        self._tls: ssl.SSLContext | None = None
        self.proxy_header = b""
        """The header line with the proxy's credentials, or nothing."""
        if proxy is not None and proxy.user:
            credentials = b64encode(f"{proxy.user}:{proxy.password.reveal()}".encode())
            self.proxy_header = b"proxy-authorization: Basic %b\r\n" % credentials

    def proxy_for(self, origin: Origin) -> Proxy | None:
        proxy = self._proxy
        if proxy is None or origin.unix or is_bypassed(origin.host, proxy.bypass):
            return None
        return proxy

    async def dial(self, origin: Origin, protocol: asyncio.Protocol) -> None:
        """Connects ``protocol``; its ``connection_made`` has been called when this returns."""
        try:
            proxy = self.proxy_for(origin)
            if origin.unix:
                await self._loop.create_unix_connection(lambda: protocol, origin.unix)
            elif proxy is None:
                await self._connect(origin, protocol)
            else:
                await self._connect_by(proxy, origin, protocol)
        except ssl.SSLCertVerificationError as error:
            raise _failed(f"certificate refused: {error.verify_message}") from error
        except ssl.SSLError as error:
            # ``reason`` is missing where the error does not come from OpenSSL itself.
            reason = getattr(error, "reason", None)
            raise _failed(f"TLS failed: {reason or 'handshake broken off'}") from error
        except OSError as error:
            raise _failed(_describe(error)) from error
        except ValueError as error:
            # From the codec of international names, or from TLS: too long, empty labels, a leading dot.
            raise _failed("the host name is malformed") from error

    async def _connect(self, origin: Origin, protocol: asyncio.Protocol) -> None:
        tls = self._tls_context() if origin.tls else None
        name = origin.host if origin.tls else None
        addresses = await self._resolve(origin.host, origin.port)
        if self._guard is not None:
            addresses = [address for address in addresses if self._guard(address)]
            if not addresses:
                raise _failed("address not allowed")
        for address in addresses[:-1]:
            try:
                async with asyncio.timeout(ADDRESS_S):
                    await self._loop.create_connection(
                        lambda: protocol, address, origin.port, ssl=tls, server_hostname=name
                    )
                return
            except ssl.SSLError:
                raise
            except OSError:
                # A timeout is one too. The last address is tried below and tells its own failure.
                continue
        await self._loop.create_connection(
            lambda: protocol, addresses[-1], origin.port, ssl=tls, server_hostname=name
        )

    async def _connect_by(self, proxy: Proxy, origin: Origin, protocol: asyncio.Protocol) -> None:
        if not origin.tls:
            await self._loop.create_connection(lambda: protocol, proxy.host, proxy.port)
            return
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        authority = f"{host}:{origin.port}".encode("ascii")
        tunnel = _Tunnel(self._loop, http1.encode_connect(authority, self.proxy_header))
        transport, _ = await self._loop.create_connection(lambda: tunnel, proxy.host, proxy.port)
        try:
            _check_tunnel(await tunnel.answered)
            secured = await self._loop.start_tls(
                transport, protocol, self._tls_context(), server_hostname=origin.host
            )
        except BaseException:
            transport.abort()
            raise
        if secured is None:
            raise _failed("the proxy closed the tunnel")
        protocol.connection_made(secured)

    async def _resolve(self, host: str, port: int) -> list[str]:
        """The addresses of a host, families alternating, in the system's order of preference."""
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            pass
        found = await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        by_family: dict[int, list[str]] = {}
        for family, _, _, _, address in found:
            listed = by_family.setdefault(family, [])
            if address[0] not in listed:
                listed.append(str(address[0]))
        mixed: list[str] = []
        while any(by_family.values()):
            mixed.extend(listed.pop(0) for listed in by_family.values() if listed)
        return mixed

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            context = ssl.create_default_context()
            if self._extra_ca_file is not None:
                context.load_verify_locations(self._extra_ca_file)
            context.set_alpn_protocols(["http/1.1"])
            self._tls = context
        return self._tls


class _Tunnel(asyncio.Protocol):
    """Asks a proxy for a tunnel and reads the head of its answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, request: bytes) -> None:
        self._request = request
        self._read = b""
        self.answered: asyncio.Future[int] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do all of asyncio.Transport without being one.
        cast(asyncio.Transport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        status = http1.read_connect_answer(self._read)
        if status is not None and not self.answered.done():
            self.answered.set_result(status)

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self.answered.done():
            self.answered.set_exception(ConnectionResetError("the proxy closed the connection"))


def is_bypassed(host: str, bypass: tuple[str, ...]) -> bool:
    """Whether the proxy is not used for a host."""
    name = host.lower().rstrip(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        address = None
    for entry in bypass:
        pattern = entry.strip().lower()
        if pattern == "*" or name == pattern.lstrip("."):
            return True
        if address is not None:
            if "/" in pattern and address in ipaddress.ip_network(pattern, strict=False):
                return True
        elif pattern and name.endswith("." + pattern.lstrip(".")):
            return True
    return False


def _check_tunnel(status: int) -> None:
    if not 200 <= status < 300:
        raise _failed(f"the proxy answered {status}" if status else "the proxy's answer is malformed")


def _failed(text: str) -> ConnectFailed:
    return ConnectFailed(text, was_sent=False)


def _describe(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connect refused"
    if isinstance(error, socket.gaierror):
        return "name not resolved"
    if isinstance(error, ConnectionResetError):
        return "connection reset while connecting"
    if isinstance(error, TimeoutError):
        return "connect timed out"
    return f"connect failed: {error.strerror or type(error).__name__}"
