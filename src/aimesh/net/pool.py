"""The connections to one origin, and what the pools of one client share.

1. The idle connection used last is used first, so that the others can expire.
2. A ceiling, where set, counts idle, used and dialling connections together; exchanges beyond it wait in
   order, their connect limit running.
3. ``give_back`` and ``connection_ended`` are told exactly once about each use and each connection.
"""

import asyncio
from collections import deque

from aimesh.net.children import Children
from aimesh.net.dial import Dialer
from aimesh.net.exchange import UpstreamExchange
from aimesh.net.message import ConnectFailed, ExchangeError, Origin
from aimesh.net.outbound import Outbound


class ClientState:
    __slots__ = (
        "active",
        "children",
        "dialer",
        "dialling",
        "is_closed",
        "loop",
        "max_idle_per_origin",
        "max_per_origin",
        "now_s",
        "open",
        "opened",
        "reused",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        children: Children,
        dialer: Dialer,
        *,
        max_idle_per_origin: int,
        max_per_origin: int | None,
    ) -> None:
        self.loop = loop
        self.children = children
        self.dialer = dialer
        self.max_idle_per_origin = max_idle_per_origin
        self.max_per_origin = max_per_origin
        self.now_s = loop.time()
        self.active: set[UpstreamExchange] = set()
        self.open: set[Outbound] = set()
        self.dialling = 0
        self.opened = 0
        self.reused = 0
        self.is_closed = False


class Pool:
    __slots__ = ("_count", "_waiting", "authority", "idle", "is_absolute", "origin", "state")

    def __init__(self, origin: Origin, state: ClientState) -> None:
        self.origin = origin
        self.state = state
        self.idle: list[Outbound] = []
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        self.authority = f"{host}:{origin.port}".encode("ascii")
        self.is_absolute = not origin.tls and state.dialer.proxy_for(origin) is not None
        """Requests go to a proxy that wants absolute targets."""
        self._count = 0
        self._waiting: deque[UpstreamExchange] = deque()

    def begin(self, exchange: UpstreamExchange) -> None:
        state = self.state
        state.active.add(exchange)
        if not exchange.is_fresh:
            idle = self.idle
            while idle:
                connection = idle.pop()
                if not connection.transport.is_closing():
                    state.reused += 1
                    connection.start(exchange)
                    return
                connection.retire()
        self.dial(exchange)

    def dial(self, exchange: UpstreamExchange) -> None:
        """Opens a connection for an exchange, or lets it wait for room."""
        state = self.state
        exchange.deadline_s = state.now_s + exchange.timeouts.connect_s
        if state.max_per_origin is not None and self._count >= state.max_per_origin:
            if not self.idle:
                self._waiting.append(exchange)
                return
            # It must have a connection of its own; an idle one makes room.
            self.idle.pop(0).retire()
        self._count += 1
        state.dialling += 1
        exchange.dial = state.children.start("connect", self._dial(exchange))

    async def _dial(self, exchange: UpstreamExchange) -> None:
        state = self.state
        connection = Outbound(self)
        try:
            await state.dialer.dial(self.origin, connection)
        except ExchangeError as error:
            exchange.dial = None
            self._dial_failed()
            # True when this was the retry of a request that a lost connection may have carried.
            error.was_sent = exchange.was_sent
            exchange.fail(error)
            return
        except asyncio.CancelledError:
            # Connected already, but nobody was told yet.
            connection.drop()
            raise
        exchange.dial = None
        if connection.is_dead:
            self._dial_failed()
            exchange.fail(ConnectFailed("closed as soon as connected", was_sent=exchange.was_sent))
            return
        state.dialling -= 1
        state.opened += 1
        state.open.add(connection)
        if exchange.is_over:
            # From here on it counts as used: it may have been closed when it is needed.
            connection.uses = 1
            self.give_back(connection)
        else:
            connection.start(exchange)

    def dial_cancelled(self) -> None:
        """The exchange gave up while it was dialled. Not left to the task, which may not even have begun."""
        self._dial_failed()

    def _dial_failed(self) -> None:
        self.state.dialling -= 1
        self._count -= 1
        self._make_room()

    def give_back(self, connection: Outbound) -> None:
        """A connection whose answer was complete, or that nobody wants any more."""
        state = self.state
        exchange = self._next_waiting() if self._waiting else None
        if exchange is not None:
            if exchange.is_fresh:
                # It cannot take this connection; it takes its room.
                self._waiting.appendleft(exchange)
                connection.retire()
            else:
                state.reused += 1
                connection.start(exchange)
            return
        idle = self.idle
        if state.is_closed or len(idle) >= state.max_idle_per_origin:
            connection.retire()
            return
        connection.idle_since_s = state.now_s
        idle.append(connection)

    def connection_ended(self, connection: Outbound) -> None:
        if connection not in self.state.open:
            # It failed while it was dialled; whoever dialled accounts for it.
            return
        self._count -= 1
        self.state.open.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)
        self._make_room()

    def expire(self, before_s: float) -> None:
        """Closes the connections idle since before then."""
        idle = self.idle
        while idle and idle[0].idle_since_s < before_s:
            idle.pop(0).retire()

    def _make_room(self) -> None:
        exchange = self._next_waiting()
        if exchange is not None:
            self.dial(exchange)

    def _next_waiting(self) -> UpstreamExchange | None:
        waiting = self._waiting
        while waiting:
            exchange = waiting.popleft()
            if not exchange.is_over:
                return exchange
        return None
