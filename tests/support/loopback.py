"""Real sockets on loopback for tests: a running server, a raw caller, a scripted upstream, a certificate."""

import asyncio
import datetime
import ipaddress
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from ssl import SSLContext
from typing import Any, TypeVar, cast

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from aimesh.net.children import Children
from aimesh.net.client import ClientSettings, PooledClient
from aimesh.net.dial import AddressGuard
from aimesh.net.listen import bind_tcp
from aimesh.net.message import Handler, Origin, Timeouts
from aimesh.net.server import Server
from aimesh.net.state import EncodeRefusal, OnHead, ServerLimits

T = TypeVar("T")

WHOLE_TEST_S = 30.0
QUICK = Timeouts(connect_s=5, first_byte_s=5, idle_s=5, whole_s=10)


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs a test's coroutine on the loop that production uses; a hang is a failure."""

    async def bounded() -> T:
        async with asyncio.timeout(WHOLE_TEST_S):
            return await main()

    return uvloop.run(bounded())


async def eventually(is_true: Callable[[], bool], *, within_s: float = 5.0) -> None:
    """Polls until a condition holds."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + within_s
    while not is_true():
        assert loop.time() < deadline_s, "the condition did not come true in time"
        await asyncio.sleep(0.005)


class Answer:
    def __init__(self, status: int, headers: dict[bytes, bytes], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Peer:
    """A connection that says exactly what the test says and reads answers one by one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int, host: str = "127.0.0.1") -> "Peer":
        return cls(*await asyncio.open_connection(host, port, limit=2**20))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> tuple[int, dict[bytes, bytes]]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        line, *rest = head[:-4].split(b"\r\n")
        headers: dict[bytes, bytes] = {}
        for each in rest:
            name, _, value = each.partition(b": ")
            assert name not in headers, f"{name!r} is there twice"
            headers[name] = value
        assert line.startswith(b"HTTP/1.1 "), line
        return int(line.split()[1]), headers

    async def answer(self, *, to_head: bool = False) -> Answer:
        """The next answer, with its whole body."""
        status, headers = await self.head()
        if to_head or status < 200 or status in (204, 304):
            return Answer(status, headers, b"")
        if headers.get(b"transfer-encoding") == b"chunked":
            return Answer(status, headers, await self.chunks())
        if b"content-length" in headers:
            return Answer(status, headers, await self.reader.readexactly(int(headers[b"content-length"])))
        return Answer(status, headers, await self.reader.read())

    async def chunks(self) -> bytes:
        pieces = []
        while size := int((await self.reader.readuntil(b"\r\n"))[:-2], 16):
            pieces.append(await self.reader.readexactly(size))
            assert await self.reader.readexactly(2) == b"\r\n"
        assert await self.reader.readexactly(2) == b"\r\n"
        return b"".join(pieces)

    async def rest(self) -> bytes:
        """Everything up to the end of the connection; a reset counts as an end."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

    def pause(self) -> None:
        """Stops taking bytes from the socket."""
        # The transport of a stream both reads and writes.
        cast(asyncio.Transport, self.writer.transport).pause_reading()

    def resume(self) -> None:
        # As above.
        cast(asyncio.Transport, self.writer.transport).resume_reading()

    def reset(self) -> None:
        """The other side sees a reset, not an end."""
        connected = self.writer.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Peer]:
    peer = await Peer.connect(port)
    try:
        yield peer
    finally:
        await peer.close()


class Live:
    def __init__(self, server: Server, port: int) -> None:
        self.server = server
        self.port = port
        self.origin = Origin("127.0.0.1", port, tls=False)


@asynccontextmanager
async def serving(
    handler: Handler,
    limits: ServerLimits | None = None,
    *,
    on_head: OnHead | None = None,
    encode_refusal: EncodeRefusal | None = None,
) -> AsyncIterator[Live]:
    """A server on a free port; at the end every connection must go away by itself."""
    loop = asyncio.get_running_loop()
    server = Server(handler, limits, loop=loop, on_head=on_head, encode_refusal=encode_refusal)
    listener = bind_tcp("127.0.0.1", 0)
    port = listener.getsockname()[1]
    await server.listen(listener)
    try:
        yield Live(server, port)
    finally:
        await server.drain(0.2)


class Collector:
    """A sink whose willingness the test controls."""

    def __init__(self, *, is_willing: bool = True) -> None:
        self.got = bytearray()
        self.feeds = 0
        self.is_willing = is_willing

    def feed(self, data: bytes) -> bool:
        assert data
        self.got += data
        self.feeds += 1
        return self.is_willing


class Upstream:
    def __init__(self, port: int, *, tls: bool) -> None:
        self.port = port
        self.origin = Origin("127.0.0.1", port, tls=tls)
        self.connections = 0
        self.open = 0
        self.requests: list[bytes] = []
        """Heads of the requests read by ``request``."""
        self.stop: Callable[[], None] = lambda: None
        """Accepts no further connection."""


@asynccontextmanager
async def scripted(
    script: Callable[[Peer, Upstream], Awaitable[None]],
    *,
    ssl: SSLContext | None = None,
    listener: socket.socket | None = None,
) -> AsyncIterator[Upstream]:
    """An upstream that runs ``script`` on every connection and then closes it."""
    upstream = Upstream(0, tls=ssl is not None)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        upstream.connections += 1
        upstream.open += 1
        peer = Peer(reader, writer)
        try:
            await script(peer, upstream)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            upstream.open -= 1
            tasks.discard(task)
            await peer.close()

    listener = listener or bind_tcp("127.0.0.1", 0)
    port = listener.getsockname()[1]
    upstream.port = port
    upstream.origin = Origin("127.0.0.1", port, tls=upstream.origin.tls)
    server = await asyncio.start_server(serve, sock=listener, limit=2**20, ssl=ssl)
    upstream.stop = server.close
    try:
        yield upstream
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await eventually(lambda: not tasks)


async def request(peer: Peer, upstream: Upstream | None = None) -> tuple[bytes, bytes]:
    """Reads one request with a Content-Length or none: head and body."""
    head = await peer.reader.readuntil(b"\r\n\r\n")
    if upstream is not None:
        upstream.requests.append(head)
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head, await peer.reader.readexactly(length)


@asynccontextmanager
async def calling(
    settings: ClientSettings | None = None, *, guard: AddressGuard | None = None
) -> AsyncIterator[PooledClient]:
    """A client; at the end nothing of it may be left."""
    crashes: list[tuple[str, BaseException]] = []
    children = Children(lambda name, error: crashes.append((name, error)))
    client = PooledClient(children, settings, loop=asyncio.get_running_loop(), resolve_guard=guard)
    try:
        yield client
    finally:
        client.close()
        await eventually(lambda: client.stats().open == 0 and children.names == [])
        assert crashes == []


class Authority:
    """A certificate authority made for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "aimesh test authority")])
        self._certificate = (
            self._builder(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True,
                    key_cert_sign=True,
                    crl_sign=True,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / "ca.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
        )

    def issue(self, host: str) -> tuple[Path, Path]:
        """Certificate and key files for a host name or an address."""
        key = ec.generate_private_key(ec.SECP256R1())
        name: x509.GeneralName
        try:
            name = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        certificate = (
            self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]), key)
            .add_extension(x509.SubjectAlternativeName([name]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        file = self.folder / f"{host}.pem"
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        secret = self.folder / f"{host}.key"
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return file, secret


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
