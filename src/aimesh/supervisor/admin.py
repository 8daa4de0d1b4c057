"""What the supervisor tells of the whole node on the admin addresses: health, and everybody's counters.

1. ``/metrics`` asks every worker for its counters and gives them with the label ``worker``, the worker's slot. One
   that does not answer in time is missing from the text; the counts of the supervisor itself are always there.
2. ``/readyz`` says that some worker serves.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from aimesh import __version__
from aimesh.net.children import Children
from aimesh.net.client import PooledClient
from aimesh.net.listen import bind_tcp, bind_unix
from aimesh.net.message import Exchange, ExchangeError, Origin, Reply, Request, Timeouts
from aimesh.net.server import Server
from aimesh.net.walk import Walk
from aimesh.settings import Address
from aimesh.supervisor.exposition import merge

_CONTENT_TYPE = b"content-type: text/plain; version=0.0.4; charset=utf-8\r\n"
_JSON = b"content-type: application/json\r\n"
_ASK = b"GET /metrics HTTP/1.1\r\nhost: worker\r\n"
_TIMEOUTS = Timeouts(connect_s=1.0, first_byte_s=2.0, idle_s=2.0, whole_s=4.0)
_MOST_BYTES = 16 << 20


class Count(Struct, frozen=True):
    """A figure of the supervisor's own."""

    name: str
    kind: Literal["counter", "gauge"]
    text: str
    value: int


class AdminPages:
    def __init__(
        self,
        sources: Callable[[], Mapping[int, str]],
        counts: Callable[[], list[Count]],
        *,
        is_ready: Callable[[], bool],
        children: Children,
    ) -> None:
        """``sources``: slot to the path of the worker's own socket."""
        self._sources = sources
        self._counts = counts
        self._is_ready = is_ready
        self._loop = asyncio.get_running_loop()
        self._client = PooledClient(children, loop=self._loop)
        self._servers: dict[Address, Server] = {}

    async def listen(self, addresses: tuple[Address, ...]) -> None:
        """Serves these and no others. Raises ``OSError``."""
        for address in addresses:
            if address not in self._servers:
                listener = (
                    bind_unix(Path(address.unix)) if address.unix else bind_tcp(address.host, address.port)
                )
                server = Server(self.answer, loop=self._loop)
                await server.listen(listener)
                self._servers[address] = server
        for address in set(self._servers) - set(addresses):
            await self._servers.pop(address).drain(0.0)

    async def close(self) -> None:
        await self.listen(())
        self._client.close()

    def answer(self, request: Request, reply: Reply) -> None:
        path = request.path
        if request.method not in (b"GET", b"HEAD"):
            path = b""
        if path == b"/metrics":
            walk = Walk(self._metrics(reply), lambda _error: reply.abort())
            reply.on_gone = walk.cancel
            walk.start()
        elif path == b"/healthz":
            self._send(reply, 200, {"status": "ok", "version": __version__})
        elif path == b"/readyz":
            ready = self._is_ready()
            self._send(reply, 200 if ready else 503, {"status": "ready" if ready else "not ready"})
        else:
            self._send(reply, 404, {"error": {"code": "NOT_FOUND", "message": "nothing is served here"}})

    async def _metrics(self, reply: Reply) -> None:
        asked = {slot: self._ask(path) for slot, path in sorted(self._sources().items())}
        texts: dict[str, str] = {}
        try:
            for slot, exchange in asked.items():
                try:
                    texts[str(slot)] = (await exchange.body(_MOST_BYTES)).decode("utf-8", errors="replace")
                except ExchangeError:
                    continue
        finally:
            for exchange in asked.values():
                exchange.cancel()
        own = "".join(
            f"# HELP {count.name} {count.text}\n# TYPE {count.name} {count.kind}\n{count.name} {count.value}\n"
            for count in self._counts()
        )
        reply.send(200, _CONTENT_TYPE, (own + merge(texts, "worker")).encode())

    def _ask(self, path: str) -> Exchange:
        origin = Origin("worker", 80, tls=False, unix=path)
        return self._client.send(origin, _ASK, b"", timeouts=_TIMEOUTS, fresh=True)

    @staticmethod
    def _send(reply: Reply, status: int, body: object) -> None:
        reply.send(status, _JSON, msgspec.json.encode(body))
