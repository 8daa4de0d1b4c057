"""The admin addresses of a node: everybody's counters under one roof."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.loopback import Answer, connected, run

from aimesh.net.children import Children
from aimesh.net.listen import bind_tcp, bind_unix
from aimesh.net.message import Reply, Request, Timeouts
from aimesh.net.server import Server
from aimesh.settings import Address
from aimesh.supervisor import admin
from aimesh.supervisor.admin import AdminPages, Count


class Node:
    def __init__(self, pages: AdminPages, sources: dict[int, str]) -> None:
        self.pages = pages
        self.sources = sources
        self.is_ready = True

    async def get(self, port: int, path: bytes, method: bytes = b"GET") -> Answer:
        async with connected(port) as peer:
            await peer.send(method + b" " + path + b" HTTP/1.1\r\nhost: x\r\n\r\n")
            return await peer.answer()


@asynccontextmanager
async def node() -> AsyncIterator[Node]:
    crashes: list[BaseException] = []
    children = Children(lambda _name, error: crashes.append(error))
    sources: dict[int, str] = {}
    pages = AdminPages(
        lambda: sources,
        lambda: [Count("aimesh_workers", "gauge", "Workers.", len(sources))],
        is_ready=lambda: state.is_ready,
        children=children,
    )
    state = Node(pages, sources)
    try:
        yield state
    finally:
        await pages.close()
        await children.stop()
    assert crashes == []


@asynccontextmanager
async def worker(path: Path, text: bytes | None) -> AsyncIterator[None]:
    """``text`` None: never answers."""

    def handle(request: Request, reply: Reply) -> None:
        assert request.path == b"/metrics"
        if text is not None:
            reply.send(200, b"content-type: text/plain\r\n", text)

    server = Server(handle, loop=asyncio.get_running_loop())
    await server.listen(bind_unix(path))
    try:
        yield
    finally:
        await server.drain(0)


def _free_port() -> int:
    with bind_tcp("127.0.0.1", 0) as probe:
        return int(probe.getsockname()[1])


def test_every_workers_counters_and_the_nodes_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "_TIMEOUTS", Timeouts(connect_s=0.5, first_byte_s=0.3, idle_s=0.3, whole_s=1))

    async def main() -> None:
        port = _free_port()
        async with (
            worker(tmp_path / "0", b"# TYPE a counter\na 1\n"),
            worker(tmp_path / "2", b"# TYPE a counter\na 5\n"),
            worker(tmp_path / "3", None),
            node() as live,
        ):
            for slot in (0, 1, 2, 3):
                live.sources[slot] = str(tmp_path / str(slot))
            await live.pages.listen((Address(host="127.0.0.1", port=port),))
            answer = await live.get(port, b"/metrics")
            assert answer.status == 200
            assert answer.headers[b"content-type"].startswith(b"text/plain; version=0.0.4")
            assert answer.body.decode().splitlines() == [
                "# HELP aimesh_workers Workers.",
                "# TYPE aimesh_workers gauge",
                "aimesh_workers 4",
                "# TYPE a counter",
                'a{worker="0"} 1',
                'a{worker="2"} 5',
            ]

    run(main)


def test_health_readiness_and_nothing_else() -> None:
    async def main() -> None:
        port = _free_port()
        async with node() as live:
            await live.pages.listen((Address(host="127.0.0.1", port=port),))
            assert (await live.get(port, b"/healthz")).status == 200
            assert (await live.get(port, b"/readyz")).status == 200
            live.is_ready = False
            assert (await live.get(port, b"/readyz")).status == 503
            assert (await live.get(port, b"/gateway/v1/models")).status == 404
            assert (await live.get(port, b"/metrics", b"POST")).status == 404

    run(main)


def test_addresses_come_and_go(tmp_path: Path) -> None:
    async def main() -> None:
        first, second = Address(host="127.0.0.1", port=_free_port()), Address(unix=str(tmp_path / "a.sock"))
        async with node() as live:
            await live.pages.listen((first, second))
            assert (await live.get(first.port, b"/healthz")).status == 200
            await live.pages.listen((second,))
            with pytest.raises(ConnectionError):
                await live.get(first.port, b"/healthz")
            with bind_tcp("127.0.0.1", 0) as taken:
                taken.listen(1)
                address = Address(host="127.0.0.1", port=int(taken.getsockname()[1]))
                with pytest.raises(OSError, match="in use"):
                    await live.pages.listen((second, address))

    run(main)
