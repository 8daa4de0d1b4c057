"""The pooled HTTP client of the data plane; see ``message.Client``.

1. ``send`` never waits: with an idle connection the request is written before it returns.
2. One coarse timer (``SWEEP_S``) watches all limits; it runs only while there is something to watch. A limit
   is never cut short, and passed by two sweeps at most.
3. Redirects are never followed, and nothing is read from the environment: proxies come by setting.
"""

import asyncio

from msgspec import Struct

from aimesh.net import http1
from aimesh.net.children import Children
from aimesh.net.dial import AddressGuard, Dialer, Proxy
from aimesh.net.exchange import UpstreamExchange
from aimesh.net.message import ConnectFailed, Origin, Timeouts
from aimesh.net.pool import ClientState, Pool

SWEEP_S = 0.1
JOIN_BYTES = 64 * 1024
"""Up to here a copy is cheaper than a second buffer."""


class ClientSettings(Struct, frozen=True):
    idle_s: float = 30.0
    """An idle connection is closed after so long; below what upstreams use, so that we close first."""
    max_idle_per_origin: int = 256
    max_per_origin: int | None = None
    extra_ca_file: str | None = None
    proxy: Proxy | None = None


class ClientStats(Struct, frozen=True):
    open: int
    idle: int
    in_use: int
    dialling: int
    opened: int
    """Connections made since the start."""
    reused: int
    """Exchanges that began on a connection used before."""


class PooledClient:
    def __init__(
        self,
        children: Children,
        settings: ClientSettings | None = None,
        *,
        loop: asyncio.AbstractEventLoop,
        resolve_guard: AddressGuard | None = None,
    ) -> None:
        settings = settings or ClientSettings()
        self._idle_s = settings.idle_s
        self._dialer = Dialer(
            loop, extra_ca_file=settings.extra_ca_file, proxy=settings.proxy, guard=resolve_guard
        )
        self._state = ClientState(
            loop,
            children,
            self._dialer,
            max_idle_per_origin=settings.max_idle_per_origin,
            max_per_origin=settings.max_per_origin,
        )
        self._pools: dict[Origin, Pool] = {}
        self._timer: asyncio.TimerHandle | None = None

    def send(
        self, origin: Origin, head: bytes, body: bytes, *, timeouts: Timeouts, fresh: bool = False
    ) -> UpstreamExchange:
        pool = self._pools.get(origin)
        if pool is None:
            pool = self._pools[origin] = Pool(origin, self._state)
        if self._timer is None:
            self._watch()
        if pool.is_absolute:
            head = http1.absolute_head(head, pool.authority, self._dialer.proxy_header)
        payload = http1.complete_head(head, body)
        rest = b""
        if len(body) <= JOIN_BYTES:
            payload += body
        else:
            rest = body
        exchange = UpstreamExchange(
            pool,
            payload,
            rest,
            timeouts=timeouts,
            is_fresh=fresh,
            is_head_request=head.startswith(b"HEAD "),
        )
        if self._state.is_closed:
            exchange.fail(ConnectFailed("the client is closed", was_sent=False))
        else:
            pool.begin(exchange)
        return exchange

    def stats(self) -> ClientStats:
        state = self._state
        opened = len(state.open)
        idle = sum(len(pool.idle) for pool in self._pools.values())
        return ClientStats(opened, idle, opened - idle, state.dialling, state.opened, state.reused)

    @property
    def is_watching(self) -> bool:
        return self._timer is not None

    def close(self) -> None:
        """Breaks what runs and closes what idles. Nothing can be sent afterwards."""
        state = self._state
        state.is_closed = True
        for exchange in list(state.active):
            exchange.fail(ConnectFailed("the client is closed", was_sent=exchange.was_sent))
        for connection in list(state.open):
            connection.retire()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _watch(self) -> None:
        state = self._state
        state.now_s = state.loop.time()
        self._timer = state.loop.call_later(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        state = self._state
        # Deadlines were counted from the time of the last sweep, however long ago a busy loop made it.
        late_s = state.now_s
        state.now_s = state.loop.time()
        for exchange in [each for each in state.active if each.deadline_s < late_s or each.ends_s < late_s]:
            exchange.expire(late_s)
        for pool in self._pools.values():
            if pool.idle:
                pool.expire(late_s - self._idle_s)
        if state.active or state.open:
            self._timer = state.loop.call_later(SWEEP_S, self._sweep)
        else:
            self._timer = None
