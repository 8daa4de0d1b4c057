"""The HTTP server: listens, sweeps deadlines, drains. What one connection does is ``inbound.py``.

1. One timer for all connections: the sweep, as coarse as the limits allow (at most half a second).
2. ``drain`` stops accepting, lets what runs finish, and then breaks what is left; afterwards nothing of the
   server is alive in the loop.
3. ``leave`` comes before it where another process has taken over the listeners: callers are told to go with their
   next answer, and no connection is closed under a request that may be on its way.
"""

import asyncio
import secrets
import socket
import ssl

from msgspec import Struct

from aimesh.core.clock import Clock, SystemClock
from aimesh.core.ids import RequestIds
from aimesh.net import http1
from aimesh.net.inbound import Inbound
from aimesh.net.listen import BACKLOG, raise_file_limit
from aimesh.net.message import Handler
from aimesh.net.state import EncodeRefusal, OnHead, ServerLimits, ServerState


class ServerStats(Struct, frozen=True):
    open: int
    accepted: int
    refused: int
    """Requests answered below the handler: malformed, over a limit, too slow."""
    evicted: int
    """Waiting connections closed because there were too many."""


class PlainRefusals:
    """The default ``encode_refusal``: JSON, with a request id of its own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ids = RequestIds(secrets.randbits(32))

    def __call__(self, status: int, message: str) -> tuple[bytes, bytes]:
        request_id = self._ids.make(self._clock.wall_s())
        headers = b"content-type: application/json\r\nx-request-id: %b\r\n" % request_id.encode("ascii")
        return headers, http1.encode_refusal(status, message, request_id)


class Server:
    def __init__(
        self,
        handler: Handler,
        limits: ServerLimits | None = None,
        *,
        loop: asyncio.AbstractEventLoop,
        on_head: OnHead | None = None,
        encode_refusal: EncodeRefusal | None = None,
    ) -> None:
        self._loop = loop
        self._clock = SystemClock()
        self._state = ServerState(
            handler,
            limits or ServerLimits(),
            loop=loop,
            on_head=on_head,
            encode_refusal=encode_refusal or PlainRefusals(self._clock),
        )
        self._listeners: list[asyncio.Server] = []
        self._sweep_timer: asyncio.TimerHandle | None = None

    async def listen(self, listener: socket.socket, *, tls: ssl.SSLContext | None = None) -> None:
        """Serves on a bound socket, TCP or unix; may be called for several."""
        state = self._state
        raise_file_limit(state.limits.max_connections * 2 + 1024)
        if self._sweep_timer is None:
            self._sweep()

        def connect() -> Inbound:
            return Inbound(state)

        if listener.family == socket.AF_UNIX:
            server = await self._loop.create_unix_server(connect, sock=listener, backlog=BACKLOG, ssl=tls)
        else:
            server = await self._loop.create_server(connect, sock=listener, backlog=BACKLOG, ssl=tls)
        self._listeners.append(server)

    @property
    def stats(self) -> ServerStats:
        state = self._state
        return ServerStats(len(state.connections), state.accepted, state.refused, state.evicted)

    async def leave(self, timeout_s: float) -> None:
        """Accepts nothing more and returns when the callers have gone, or after ``timeout_s``."""
        self._state.is_leaving = True
        self._stop_accepting()
        await self._wait_until_empty(timeout_s)

    def _stop_accepting(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._state.tick(self._loop.time(), self._clock.wall_s())

    async def drain(self, timeout_s: float) -> int:
        """Ends the service gracefully; gives the number of connections that had to be broken."""
        state = self._state
        state.is_leaving = state.is_draining = True
        self._stop_accepting()
        for connection in list(state.connections):
            connection.drain()
        await self._wait_until_empty(timeout_s)
        broken = len(state.connections)
        if broken:
            for connection in list(state.connections):
                connection.abort()
            await self._wait_until_empty(1.0)
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
            self._sweep_timer = None
        return broken

    async def _wait_until_empty(self, timeout_s: float) -> None:
        state = self._state
        if not state.connections:
            return
        empty = self._loop.create_future()

        def told() -> None:
            if not empty.done():
                empty.set_result(None)

        state.on_empty = told
        try:
            async with asyncio.timeout(timeout_s):
                await empty
        except TimeoutError:
            pass
        finally:
            state.on_empty = None

    def _sweep(self) -> None:
        state = self._state
        self._sweep_timer = self._loop.call_later(state.limits.sweep_s, self._sweep)
        state.tick(self._loop.time(), self._clock.wall_s())
