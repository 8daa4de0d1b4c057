"""The server as a whole: listeners, the ceiling, drain."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest
from tests.support.handlers import GET, Later, echo
from tests.support.loopback import Authority, Peer, connected, eventually, run, serving

from aimesh.net.listen import bind_tcp, bind_unix
from aimesh.net.message import Reply, Request
from aimesh.net.server import Server
from aimesh.net.state import ServerLimits


def test_refusals_have_the_owners_shape() -> None:
    def refusal(status: int, message: str) -> tuple[bytes, bytes]:
        return b"x-shape: mine\r\n", b"%d %b" % (status, message.encode())

    async def main() -> None:
        async with serving(echo, encode_refusal=refusal) as live, connected(live.port) as peer:
            await peer.send(b"GET / HTTP/1.1\r\n\r\n")
            answer = await peer.answer()
            assert answer.headers[b"x-shape"] == b"mine"
            assert answer.body == b"400 The Host header is missing."

    run(main)


def test_too_many_connections_cost_the_ones_that_wait_longest() -> None:
    later = Later()

    async def main() -> None:
        async with serving(later, ServerLimits(max_connections=10, head_s=0.4)) as live:
            busy = await Peer.connect(live.port)
            await busy.send(GET)
            _, reply = await later.call()
            waiting = [await Peer.connect(live.port) for _ in range(30)]
            await eventually(lambda: live.server.stats.accepted == 31)
            assert live.server.stats.open <= 10
            assert live.server.stats.evicted >= 21
            reply.send(200, b"", b"untouched")
            assert (await busy.answer()).body == b"untouched"
            for peer in (busy, *waiting):
                await peer.close()

    run(main)


def test_drain_lets_running_replies_finish_and_closes_the_idle() -> None:
    later = Later()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = Server(later, loop=loop)
        listener = bind_tcp("127.0.0.1", 0)
        port = listener.getsockname()[1]
        await server.listen(listener)
        idle, busy = await Peer.connect(port), await Peer.connect(port)
        await busy.send(GET)
        _, reply = await later.call()
        draining = loop.create_task(server.drain(5))
        assert await idle.rest() == b""
        with pytest.raises(ConnectionError):
            await Peer.connect(port)
        reply.send(200, b"", b"finished")
        answer = await busy.answer()
        assert answer.body == b"finished"
        assert answer.headers[b"connection"] == b"close"
        assert await busy.rest() == b""
        assert await draining == 0
        assert server.stats.open == 0
        await idle.close()
        await busy.close()

    run(main)


def test_drain_breaks_what_does_not_finish() -> None:
    later = Later()

    async def main() -> None:
        server = Server(later, loop=asyncio.get_running_loop())
        listener = bind_tcp("127.0.0.1", 0)
        port = listener.getsockname()[1]
        await server.listen(listener)
        async with connected(port) as peer:
            await peer.send(GET)
            _, reply = await later.call()
            gone: list[int] = []
            reply.on_gone = lambda: gone.append(1)
            assert await server.drain(0.05) == 1
            assert gone == [1]
            assert server.stats.open == 0

    run(main)


def test_a_unix_socket(tmp_path: Path) -> None:
    seen: list[str] = []

    def handler(request: Request, reply: Reply) -> None:
        seen.append(request.peer)
        reply.send(200, b"", b"x")

    async def main() -> None:
        server = Server(handler, loop=asyncio.get_running_loop())
        await server.listen(bind_unix(tmp_path / "s"))
        peer = Peer(*await asyncio.open_unix_connection(str(tmp_path / "s")))
        await peer.send(GET)
        assert (await peer.answer()).status == 200
        await peer.close()
        await server.drain(1)

    run(main)
    assert seen == [""]


def test_tls_listening(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(*authority.issue("127.0.0.1"))

    async def main() -> None:
        server = Server(echo, loop=asyncio.get_running_loop())
        listener = bind_tcp("127.0.0.1", 0)
        port = listener.getsockname()[1]
        await server.listen(listener, tls=served)
        trusting = ssl.create_default_context(cafile=str(authority.file))
        peer = Peer(*await asyncio.open_connection("127.0.0.1", port, ssl=trusting))
        await peer.send(GET)
        assert (await peer.answer()).body == b"GET /a b=c "
        await peer.send(b"GET / HTTP/1.1\r\n\r\n")
        assert (await peer.answer()).status == 400
        await peer.close()
        assert await server.drain(2) == 0

    run(main)


def test_leaving_ends_connections_with_their_next_answer_only() -> None:
    """Another process has the listener: no connection is closed under a request that may be on its way."""
    later = Later()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = Server(later, loop=loop)
        listener = bind_tcp("127.0.0.1", 0)
        port = listener.getsockname()[1]
        await server.listen(listener)
        idle, busy, streaming = [await Peer.connect(port) for _ in range(3)]
        await busy.send(GET)
        _, reply = await later.call()
        await streaming.send(GET)
        _, stream = await later.call(1)
        stream.open(200, b"")
        stream.write(b"one")
        assert (await streaming.head())[1].get(b"connection") is None
        leaving = loop.create_task(server.leave(10))
        await eventually(lambda: _is_refused(port))
        reply.send(200, b"", b"running")
        answer = await busy.answer()
        assert (answer.body, answer.headers[b"connection"]) == (b"running", b"close")
        assert await busy.rest() == b""
        stream.close()
        assert await streaming.chunks() == b"one"
        for number, peer in enumerate((idle, streaming), 2):
            await peer.send(GET)
            _, reply = await later.call(number)
            reply.send(200, b"", b"last")
            answer = await peer.answer()
            assert (answer.body, answer.headers[b"connection"]) == (b"last", b"close")
            assert await peer.rest() == b""
        await leaving
        assert server.stats.open == 0
        assert await server.drain(1) == 0
        for peer in (idle, busy, streaming):
            await peer.close()

    run(main)


def _is_refused(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) != 0


def test_leaving_does_not_wait_for_ever() -> None:
    async def main() -> None:
        server = Server(echo, loop=asyncio.get_running_loop())
        listener = bind_tcp("127.0.0.1", 0)
        port = listener.getsockname()[1]
        await server.listen(listener)
        async with connected(port) as peer:
            await eventually(lambda: server.stats.open == 1)
            await server.leave(0.05)
            assert server.stats.open == 1
            assert await server.drain(1) == 0
            assert await peer.rest() == b""

    run(main)
