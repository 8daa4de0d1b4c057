"""Names, addresses, TLS and proxies on the way to an upstream."""

import asyncio
import socket
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.support.handlers import echo
from tests.support.loopback import (
    QUICK,
    Authority,
    Peer,
    Upstream,
    calling,
    eventually,
    request,
    run,
    scripted,
)

from aimesh.core.secret import Secret
from aimesh.net import dial
from aimesh.net.client import ClientSettings
from aimesh.net.dial import Dialer, Proxy, is_bypassed
from aimesh.net.listen import bind_unix
from aimesh.net.message import ConnectFailed, Origin, TimedOut, Timeouts
from aimesh.net.server import Server

GET = b"GET /a?b HTTP/1.1\r\nhost: up\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


async def answers(peer: Peer, upstream: Upstream) -> None:
    while True:
        await request(peer, upstream)
        await peer.send(OK)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def serves(authority: Authority, host: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue(host))
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def test_tls_with_an_extra_authority(authority: Authority) -> None:
    seen: list[str | None] = []

    async def script(peer: Peer, upstream: Upstream) -> None:
        seen.append(peer.writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await answers(peer, upstream)

    async def main() -> None:
        settings = ClientSettings(extra_ca_file=str(authority.file))
        async with (
            scripted(script, ssl=serves(authority, "localhost")) as upstream,
            calling(settings) as client,
        ):
            origin = Origin("localhost", upstream.port, tls=True)
            for _ in range(3):
                assert await client.send(origin, GET, b"", timeouts=QUICK).body(9) == b"ok"
            assert client.stats().opened == 1
            assert await client.send(origin, GET, b"", timeouts=QUICK, fresh=True).body(9) == b"ok"

    run(main)
    assert seen == ["http/1.1"] * 2


def test_an_address_may_be_in_the_certificate(authority: Authority) -> None:
    async def main() -> None:
        settings = ClientSettings(extra_ca_file=str(authority.file))
        async with (
            scripted(answers, ssl=serves(authority, "127.0.0.1")) as upstream,
            calling(settings) as client,
        ):
            assert await client.send(upstream.origin, GET, b"", timeouts=QUICK).body(9) == b"ok"

    run(main)


@pytest.mark.parametrize("wrong", ["host", "authority"])
def test_a_certificate_that_does_not_fit_is_refused(authority: Authority, wrong: str) -> None:
    async def main() -> None:
        host = "example.test" if wrong == "host" else "127.0.0.1"
        settings = ClientSettings(extra_ca_file=str(authority.file) if wrong == "host" else None)
        async with scripted(answers, ssl=serves(authority, host)) as upstream, calling(settings) as client:
            with pytest.raises(ConnectFailed, match="certificate refused") as caught:
                await client.send(upstream.origin, GET, b"", timeouts=QUICK).head()
            assert not caught.value.was_sent
            assert upstream.requests == []

    run(main)


def test_tls_to_a_port_that_speaks_plainly() -> None:
    async def plain(peer: Peer, upstream: Upstream) -> None:
        await peer.reader.read(1)
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def main() -> None:
        async with scripted(plain) as upstream, calling() as client:
            with pytest.raises(ConnectFailed, match="TLS failed") as caught:
                await client.send(
                    Origin("127.0.0.1", upstream.port, tls=True), GET, b"", timeouts=QUICK
                ).head()
            assert not caught.value.was_sent

    run(main)


@pytest.mark.parametrize("cancels", [False, True])
def test_a_handshake_that_stalls(*, cancels: bool) -> None:
    async def mute(peer: Peer, upstream: Upstream) -> None:
        await peer.rest()

    async def main() -> None:
        async with scripted(mute) as upstream, calling() as client:
            origin = Origin("127.0.0.1", upstream.port, tls=True)
            exchange = client.send(origin, GET, b"", timeouts=Timeouts(connect_s=5 if cancels else 0.05))
            if cancels:
                await eventually(lambda: upstream.open == 1)
                exchange.cancel()
            else:
                with pytest.raises(TimedOut, match="connect timeout") as caught:
                    await exchange.head()
                assert not caught.value.was_sent
            await eventually(lambda: upstream.open == 0)

    run(main)


def test_a_truncated_answer_over_tls(authority: Authority) -> None:
    async def cut(peer: Peer, upstream: Upstream) -> None:
        await request(peer, upstream)
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc")

    async def main() -> None:
        settings = ClientSettings(extra_ca_file=str(authority.file))
        async with scripted(cut, ssl=serves(authority, "127.0.0.1")) as upstream, calling(settings) as client:
            exchange = client.send(upstream.origin, GET, b"", timeouts=QUICK)
            assert await exchange.piece() == b"abc"
            with pytest.raises(Exception, match="connection lost inside the answer"):
                await exchange.piece()

    run(main)


def test_a_large_transfer_over_tls_with_a_slow_reader(authority: Authority) -> None:
    body = b"0123456789abcdef" * 200_000

    async def large(peer: Peer, upstream: Upstream) -> None:
        _, sent = await request(peer, upstream)
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(sent), sent))
        await peer.rest()

    async def main() -> None:
        settings = ClientSettings(extra_ca_file=str(authority.file))
        async with (
            scripted(large, ssl=serves(authority, "127.0.0.1")) as upstream,
            calling(settings) as client,
        ):
            exchange = client.send(upstream.origin, b"POST / HTTP/1.1\r\nhost: x\r\n", body, timeouts=QUICK)
            await exchange.head()
            await asyncio.sleep(0.1)
            got = []
            while piece := await exchange.piece():
                got.append(piece)
                await asyncio.sleep(0)
            assert b"".join(got) == body

    run(main)


def test_a_name_that_does_not_exist() -> None:
    async def main() -> None:
        async with calling() as client:
            with pytest.raises(ConnectFailed, match="name not resolved"):
                await client.send(
                    Origin("no-such-host.invalid", 80, tls=False), GET, b"", timeouts=QUICK
                ).head()

    run(main)


@pytest.mark.parametrize("host", ["a" * 70 + ".test", "a..b", ".test"])
@pytest.mark.parametrize("tls", [False, True])
def test_a_name_that_cannot_be(host: str, *, tls: bool) -> None:
    async def main() -> None:
        async with calling() as client:
            with pytest.raises(ConnectFailed, match=r"name is malformed|name not resolved"):
                await client.send(Origin(host, 80, tls=tls), GET, b"", timeouts=QUICK).head()

    run(main)


def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    async def two(_self: Dialer, host: str, port: int) -> list[str]:
        assert host == "two.test"
        # Nobody listens on the first.
        return ["127.0.0.2", "127.0.0.1"]

    monkeypatch.setattr(Dialer, "_resolve", two)

    async def main() -> None:
        async with scripted(answers) as upstream, calling() as client:
            origin = Origin("two.test", upstream.port, tls=False)
            assert await client.send(origin, GET, b"", timeouts=QUICK).body(9) == b"ok"
            assert upstream.connections == 1

    run(main)


class Blackhole:
    """An address that takes no more connections and refuses none: its backlog is full."""

    def __init__(self, host: str) -> None:
        self._listener = socket.socket()
        self._listener.bind((host, 0))
        self._listener.listen(0)
        self.port: int = self._listener.getsockname()[1]
        self._fill: list[socket.socket] = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex((host, self.port))
            self._fill.append(one)

    def close(self) -> None:
        for each in (*self._fill, self._listener):
            each.close()


def test_an_address_that_swallows_everything_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def two(_self: Dialer, host: str, port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    monkeypatch.setattr(Dialer, "_resolve", two)
    monkeypatch.setattr(dial, "ADDRESS_S", 0.1)

    async def main() -> None:
        hole = Blackhole("127.0.0.2")
        listener = socket.socket()
        listener.bind(("127.0.0.1", hole.port))
        try:
            async with scripted(answers, listener=listener) as upstream, calling() as client:
                origin = Origin("two.test", upstream.port, tls=False)
                assert await client.send(origin, GET, b"", timeouts=QUICK).body(9) == b"ok"
        finally:
            hole.close()

    run(main)


def test_connecting_has_a_limit() -> None:
    async def main() -> None:
        hole = Blackhole("127.0.0.1")
        try:
            async with calling() as client:
                origin = Origin("127.0.0.1", hole.port, tls=False)
                with pytest.raises(TimedOut, match="connect timeout") as caught:
                    await client.send(origin, GET, b"", timeouts=Timeouts(connect_s=0.1)).head()
                assert not caught.value.was_sent
        finally:
            hole.close()

    run(main)


def test_families_alternate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's first choice stays first; a broken family costs one try, not all of them."""
    v4, v6 = socket.AF_INET, socket.AF_INET6
    found = [
        (v6, 1, 6, "", ("::1", 80, 0, 0)),
        (v6, 1, 6, "", ("::2", 80, 0, 0)),
        (v6, 1, 6, "", ("::1", 80, 0, 0)),
        (v4, 1, 6, "", ("127.0.0.1", 80)),
    ]

    class Loop:
        async def getaddrinfo(self, host: str, port: int, **options: object) -> object:
            return found

    async def main() -> None:
        dialer = Dialer(asyncio.get_running_loop())
        monkeypatch.setattr(dialer, "_loop", Loop())
        assert await dialer._resolve("up.test", 80) == ["::1", "127.0.0.1", "::2"]
        assert await dialer._resolve("::7", 80) == ["::7"]

    run(main)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (TimeoutError(), "connect timed out"),
        (OSError(113, "No route to host"), "connect failed: No route to host"),
        (OSError("odd"), "connect failed: OSError"),
        (ssl.SSLError("odd"), "TLS failed: handshake broken off"),
    ],
)
def test_failures_in_words(monkeypatch: pytest.MonkeyPatch, error: OSError, text: str) -> None:
    async def fail(_self: Dialer, origin: Origin, protocol: asyncio.Protocol) -> None:
        raise error

    monkeypatch.setattr(Dialer, "_connect", fail)

    async def main() -> None:
        async with calling() as client:
            with pytest.raises(ConnectFailed) as caught:
                await client.send(Origin("up.test", 80, tls=False), GET, b"", timeouts=QUICK).head()
            assert str(caught.value) == text

    run(main)


def test_a_guard_sees_every_address_and_its_word_counts() -> None:
    asked: list[str] = []

    def guard(address: str) -> bool:
        asked.append(address)
        return False

    async def main() -> None:
        async with scripted(answers) as upstream, calling(guard=guard) as client:
            for host in ("127.0.0.1", "localhost"):
                with pytest.raises(ConnectFailed, match="address not allowed"):
                    await client.send(Origin(host, upstream.port, tls=False), GET, b"", timeouts=QUICK).head()
            assert upstream.connections == 0
        async with (
            scripted(answers) as upstream,
            calling(guard=lambda address: address == "127.0.0.1") as client,
        ):
            assert await client.send(upstream.origin, GET, b"", timeouts=QUICK).body(9) == b"ok"

    run(main)
    assert asked[0] == "127.0.0.1"
    assert set(asked) <= {"127.0.0.1", "::1"}


class Tunnels:
    """A forward proxy that connects where it is asked to."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []

    async def __call__(self, peer: Peer, upstream: Upstream) -> None:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        target = head.split()[1]
        host, _, port = target.rpartition(b":")
        reader, writer = await asyncio.open_connection(host.decode(), int(port))
        await peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def copy(source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                drain.write(data)
                await drain.drain()
            drain.close()

        try:
            await asyncio.gather(copy(peer.reader, writer), copy(reader, peer.writer))
        finally:
            await Peer(reader, writer).close()


def test_https_goes_through_a_tunnel(authority: Authority) -> None:
    proxied = Tunnels()

    async def main() -> None:
        context = serves(authority, "localhost")
        async with scripted(answers, ssl=context) as upstream, scripted(proxied) as proxy:
            settings = ClientSettings(
                extra_ca_file=str(authority.file),
                proxy=Proxy("127.0.0.1", proxy.port, user="me", password=Secret("s:cret")),
            )
            async with calling(settings) as client:
                origin = Origin("localhost", upstream.port, tls=True)
                for _ in range(2):
                    assert await client.send(origin, GET, b"", timeouts=QUICK).body(9) == b"ok"
                assert client.stats().opened == 1
                assert upstream.requests == [GET + b"\r\n"] * 2
                credentials = b64encode(b"me:s:cret")
                assert proxied.heads == [
                    b"CONNECT localhost:%d HTTP/1.1\r\nhost: localhost:%d\r\nproxy-authorization: Basic %b\r\n\r\n"
                    % (upstream.port, upstream.port, credentials)
                ]

    run(main)


def test_the_certificate_is_checked_inside_the_tunnel(authority: Authority) -> None:
    async def main() -> None:
        context = serves(authority, "example.test")
        async with scripted(answers, ssl=context) as upstream, scripted(Tunnels()) as proxy:
            settings = ClientSettings(extra_ca_file=str(authority.file), proxy=Proxy("127.0.0.1", proxy.port))
            async with calling(settings) as client:
                origin = Origin("localhost", upstream.port, tls=True)
                with pytest.raises(ConnectFailed, match="certificate refused"):
                    await client.send(origin, GET, b"", timeouts=QUICK).head()

    run(main)


def test_http_goes_to_the_proxy_with_an_absolute_target() -> None:
    async def main() -> None:
        async with scripted(answers) as proxy:
            settings = ClientSettings(proxy=Proxy("127.0.0.1", proxy.port, user="u", password=Secret("p")))
            async with calling(settings) as client:
                origin = Origin("up.test", 8080, tls=False)
                for _ in range(2):
                    assert await client.send(origin, GET, b"", timeouts=QUICK).body(9) == b"ok"
                assert proxy.connections == 1
                assert proxy.requests[0] == (
                    b"GET http://up.test:8080/a?b HTTP/1.1\r\nproxy-authorization: Basic %b\r\nhost: up\r\n\r\n"
                    % b64encode(b"u:p")
                )

    run(main)


def test_bypassed_hosts_are_reached_directly() -> None:
    async def main() -> None:
        async with scripted(answers) as upstream, scripted(answers) as proxy:
            settings = ClientSettings(proxy=Proxy("127.0.0.1", proxy.port, bypass=("127.0.0.0/8",)))
            async with calling(settings) as client:
                assert await client.send(upstream.origin, GET, b"", timeouts=QUICK).body(9) == b"ok"
                assert (upstream.connections, proxy.connections) == (1, 0)

    run(main)


async def refuses(peer: Peer, upstream: Upstream) -> None:
    await peer.reader.readuntil(b"\r\n\r\n")
    await peer.send(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")


async def babbles(peer: Peer, upstream: Upstream) -> None:
    await peer.reader.readuntil(b"\r\n\r\n")
    await peer.send(b"220 ready\r\n\r\n")


async def hangs_up(peer: Peer, upstream: Upstream) -> None:
    await peer.reader.readuntil(b"\r\n\r\n")


async def opens_and_hangs_up(peer: Peer, upstream: Upstream) -> None:
    await peer.reader.readuntil(b"\r\n\r\n")
    await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (refuses, "the proxy answered 407"),
        (babbles, "the proxy's answer is malformed"),
        (hangs_up, "connection reset while connecting"),
        (opens_and_hangs_up, "."),
    ],
)
def test_a_proxy_that_does_not_tunnel(script: Callable[[Peer, Upstream], Awaitable[None]], text: str) -> None:
    async def main() -> None:
        async with scripted(script) as proxy:
            async with calling(ClientSettings(proxy=Proxy("127.0.0.1", proxy.port))) as client:
                with pytest.raises(ConnectFailed, match=text) as caught:
                    await client.send(Origin("up.test", 443, tls=True), GET, b"", timeouts=QUICK).head()
                assert not caught.value.was_sent
                assert "up.test" not in str(caught.value)
            await eventually(lambda: proxy.open == 0)

    run(main)


def test_a_proxy_that_stalls() -> None:
    async def mute(peer: Peer, upstream: Upstream) -> None:
        await peer.rest()

    async def main() -> None:
        async with scripted(mute) as proxy:
            settings = ClientSettings(proxy=Proxy("127.0.0.1", proxy.port))
            async with calling(settings) as client:
                origin = Origin("up.test", 443, tls=True)
                with pytest.raises(TimedOut, match="connect"):
                    await client.send(origin, GET, b"", timeouts=Timeouts(connect_s=0.1)).head()
                await eventually(lambda: proxy.open == 0)

    run(main)


def test_a_unix_socket_is_reached_whatever_proxy_and_guard_say(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "up.sock"
        settings = ClientSettings(proxy=Proxy("127.0.0.1", 9))
        server = Server(echo, loop=asyncio.get_running_loop())
        await server.listen(bind_unix(path))
        origin = Origin("up", 80, tls=False, unix=str(path))
        async with calling(settings, guard=lambda _address: False) as client:
            for _ in range(2):
                body = await client.send(origin, GET, b"", timeouts=QUICK).body(99)
                assert body == b"GET /a b "
            assert client.stats().opened == 1
            await server.drain(1)
            path.unlink()
            with pytest.raises(ConnectFailed) as failed:
                await client.send(origin, GET, b"", timeouts=QUICK).head()
            assert not failed.value.was_sent

    run(main)


def test_the_password_of_a_proxy_is_not_shown() -> None:
    assert "hunter2" not in repr(Proxy("p", 1, user="u", password=Secret("hunter2")))


@pytest.mark.parametrize(
    ("host", "bypass", "expected"),
    [
        ("a.test", (), False),
        ("a.test", ("*",), True),
        ("a.test", ("a.test",), True),
        ("A.Test.", ("a.test",), True),
        ("b.a.test", ("a.test",), True),
        ("b.a.test", (".a.test",), True),
        ("ba.test", ("a.test",), False),
        ("a.test", ("",), False),
        ("10.1.2.3", ("10.0.0.0/8",), True),
        ("11.1.2.3", ("10.0.0.0/8",), False),
        ("10.1.2.3", ("10.1.2.3",), True),
        ("::1", ("::1",), True),
        ("a.test", ("10.0.0.0/8",), False),
        ("10.1.2.3", ("a.test", ".3"), False),
    ],
)
def test_bypass(host: str, bypass: tuple[str, ...], *, expected: bool) -> None:
    assert is_bypassed(host, bypass) is expected
