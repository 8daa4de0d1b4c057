"""What the connections of one server share: handler, limits, the time of the last sweep, the set.

1. ``now_s`` is as old as the last sweep at most; deadlines are that coarse, and no request asks for the time.
2. ``tails`` end every head: date and ``connection``. While the server drains or leaves they all say ``close``.
"""

import asyncio
import heapq
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from aimesh.net.http1 import encode_tail
from aimesh.net.message import Handler, Request

OnHead = Callable[[Request], tuple[int, bytes, bytes] | None]
"""Sees a request whose body is large and not there yet. An answer (status, header lines, body) refuses it."""
EncodeRefusal = Callable[[int, str], tuple[bytes, bytes]]
"""Status and message of a refusal below any path family, as header lines and body."""

KEEP_ALIVE = 0
KEEP_ALIVE_OLD = 1
"""An HTTP/1.0 caller asked for it, and needs to be told that it got it."""
CLOSE = 2
"""How a reply ends its connection; indexes ``tails``."""


class ServerLimits(Struct, frozen=True):
    max_head_bytes: int = 32 * 1024
    max_headers: int = 100
    max_target_bytes: int = 8 * 1024
    max_body_bytes: int = 64 * 1024 * 1024
    max_connections: int = 20_000
    """Beyond it the connections that wait longest for a request are closed."""
    head_s: float = 10.0
    """From the first byte of a request (or the connection made) to the end of its head."""
    body_idle_s: float = 30.0
    """Silence inside a request body."""
    body_whole_s: float = 600.0
    keep_alive_s: float = 75.0
    """Idle between two requests."""
    write_stall_s: float = 120.0
    """A reader that took nothing for so long is cut off."""
    linger_s: float = 2.0
    """After a refusal the rest of the request is read and dropped for so long: it must arrive."""

    @property
    def sweep_s(self) -> float:
        reading_s = min(self.head_s, self.body_idle_s, self.body_whole_s)
        shortest = min(reading_s, self.keep_alive_s, self.write_stall_s, self.linger_s)
        return max(0.005, min(0.5, shortest / 4))


class Connection(Protocol):
    """What the shared state and the sweep ask of a connection."""

    deadline_s: float
    waits_since_s: float
    """When it began to wait for a request; infinite while it serves one."""

    def expire(self) -> None: ...

    def drain(self) -> None: ...

    def abort(self) -> None: ...


class ServerState:
    __slots__ = (
        "_sweep_s",
        "accepted",
        "connections",
        "encode_refusal",
        "evicted",
        "handler",
        "is_draining",
        "is_leaving",
        "limits",
        "loop",
        "now_s",
        "on_empty",
        "on_head",
        "refused",
        "tails",
    )

    def __init__(
        self,
        handler: Handler,
        limits: ServerLimits,
        *,
        loop: asyncio.AbstractEventLoop,
        on_head: OnHead | None,
        encode_refusal: EncodeRefusal,
    ) -> None:
        self.handler = handler
        self.limits = limits
        self.loop = loop
        self.on_head = on_head
        self.encode_refusal = encode_refusal
        self.now_s = loop.time()
        self.tails = (b"", b"", b"")
        self._sweep_s = limits.sweep_s
        self.is_leaving = False
        """Every answer is its connection's last; a connection that waits for a request may still send one."""
        self.is_draining = False
        """Leaving, and connections that wait for a request are closed."""
        self.connections: dict[Connection, None] = {}
        """In the order they were made, which decides between equals when one must go."""
        self.on_empty: Callable[[], None] | None = None
        self.accepted = 0
        self.refused = 0
        self.evicted = 0

    def tick(self, now_s: float, wall_s: float) -> None:
        """A sweep's time and date; what has passed its deadline expires."""
        self.now_s = now_s
        close = encode_tail(wall_s, b"close")
        if self.is_leaving:
            self.tails = (close, close, close)
        else:
            self.tails = (encode_tail(wall_s), encode_tail(wall_s, b"keep-alive"), close)
        # Deadlines were counted from a time up to one sweep old: no limit is cut short.
        late_s = now_s - self._sweep_s
        for connection in [each for each in self.connections if each.deadline_s < late_s]:
            connection.expire()

    def admit(self, connection: Connection) -> None:
        self.accepted += 1
        self.connections[connection] = None
        if len(self.connections) > self.limits.max_connections:
            self._evict()

    def forget(self, connection: Connection) -> None:
        self.connections.pop(connection, None)
        if not self.connections and self.on_empty is not None:
            self.on_empty()

    def _evict(self) -> None:
        # A batch at a time: finding the oldest looks at every connection.
        waiting = [each for each in self.connections if each.waits_since_s < float("inf")]
        batch = max(1, self.limits.max_connections // 100)
        for connection in heapq.nsmallest(batch, waiting, key=lambda each: each.waits_since_s):
            self.evicted += 1
            self.connections.pop(connection, None)
            connection.abort()
