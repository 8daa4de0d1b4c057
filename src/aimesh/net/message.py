"""What travels between the sockets and the rest: a request, a way to reply, an upstream exchange.

Handlers are plain callables, called once per complete request, on the loop's thread:
``handler(request, reply)``. They must not raise; they answer through ``reply``, now or later.
"""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from aimesh.core.origin import Origin as Origin  # noqa: PLC0414 - part of this contract, defined below it


class Request:
    """A complete request. Names of headers are lower case; repeated ones are joined with ``", "``."""

    __slots__ = ("body", "headers", "method", "path", "peer", "query")

    def __init__(
        self,
        *,
        method: bytes,
        path: bytes,
        query: bytes,
        headers: dict[bytes, bytes],
        body: bytes,
        peer: str,
    ) -> None:
        self.method = method
        self.path = path
        """As sent, still percent-encoded, without the query."""
        self.query = query
        self.headers = headers
        self.body = body
        self.peer = peer
        """Address of the caller's end of the connection."""


class Reply(Protocol):
    """The answer to one request. Either ``send`` once, or ``open``, any number of ``write``, then ``close``.

    1. ``headers`` is encoded header lines, each ending in CRLF; framing, ``date`` and ``connection`` are added here.
    2. After the caller is gone every method does nothing; ``on_gone`` was called exactly once, unless the reply
       had ended.
    3. Writing never blocks. ``is_writable`` false means that the caller reads too slowly: stop feeding until
       ``on_writable`` is called.
    """

    is_gone: bool
    is_open: bool
    """The head went out."""
    is_writable: bool
    on_gone: Callable[[], None] | None
    on_writable: Callable[[], None] | None

    def send(self, status: int, headers: bytes, body: bytes) -> None: ...

    def open(self, status: int, headers: bytes) -> None: ...

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None:
        """Breaks the connection: the answer cannot be finished properly."""
        ...


Handler = Callable[[Request, Reply], None]


class Timeouts(Struct, frozen=True):
    """Limits of one exchange, in seconds."""

    connect_s: float = 5.0
    first_byte_s: float = 120.0
    """From the request sent to the first byte of the answer."""
    idle_s: float = 120.0
    """Silence between two pieces of the answer."""
    whole_s: float = 900.0


class AnswerHead(Struct, frozen=True):
    status: int
    headers: dict[bytes, bytes]
    """Lower-case names; repeated ones joined with ``", "``."""
    more_cookies: tuple[bytes, ...] = ()
    """Every ``set-cookie`` but the first: the one header whose values cannot be joined (RFC 6265, 3)."""


class ExchangeError(Exception):
    """An exchange failed below HTTP semantics.

    ``was_sent`` says whether any byte of the request may have reached the upstream: false means that it was
    certainly not accepted, so even a call that must not be made twice may be made elsewhere.
    """

    def __init__(self, message: str, *, was_sent: bool) -> None:
        super().__init__(message)
        self.was_sent = was_sent


class ConnectFailed(ExchangeError):
    """Refused, unreachable, name not found, TLS handshake or proxy failure."""


class ConnectionLost(ExchangeError):
    """Reset or closed before the answer was complete (also: fewer bytes than Content-Length said)."""


class BadAnswer(ExchangeError):
    """What came back is not HTTP, or is over a limit."""


class TimedOut(ExchangeError):
    """``phase`` is ``connect``, ``first byte``, ``idle`` or ``whole``; ``limit_s`` the limit it passed."""

    def __init__(self, phase: str, limit_s: float, *, was_sent: bool) -> None:
        super().__init__(f"{phase} timeout after {limit_s:g} s", was_sent=was_sent)
        self.phase = phase
        self.limit_s = limit_s


class Sink(Protocol):
    """Takes the body of an answer as it comes; see ``Exchange.pipe``."""

    def feed(self, data: bytes) -> bool:
        """One piece of the body. False: the reader is slow, pause until ``Exchange.resume``."""
        ...


class Exchange(Protocol):
    """One request to an upstream and its answer.

    1. The awaitables resume the walk directly from the socket's callback.
    2. ``cancel`` closes the connection at once unless the answer was complete; the pool never sees it again.
    3. After ``body`` or ``pipe`` ended without error, the connection is back in the pool (if keep-alive).
    """

    was_sent: bool
    """Some of the request may have reached the upstream."""

    async def head(self) -> AnswerHead:
        """Waits for the answer's head. Raises ``ExchangeError``."""
        ...

    async def body(self, limit_bytes: int) -> bytes:
        """Waits for the whole body. Raises ``ExchangeError``; over the limit ``BadAnswer``."""
        ...

    async def piece(self) -> bytes:
        """The next piece of the body as it came from the socket, dechunked; ``b""`` is the proper end.
        Pieces that arrived in one read are joined."""
        ...

    async def pipe(self, sink: Sink) -> None:
        """Hands every further piece to ``sink`` from the socket's callback; returns at the proper end."""
        ...

    def resume(self) -> None:
        """The sink can take more."""
        ...

    def cancel(self) -> None: ...


class Client(Protocol):
    def send(
        self, origin: Origin, head: bytes, body: bytes, *, timeouts: Timeouts, fresh: bool = False
    ) -> Exchange:
        """Starts an exchange; never blocks. ``head`` is the request line and header lines, each ending in CRLF,
        without ``content-length`` and the empty line (added here, unless the method is GET or DELETE with an
        empty body). ``fresh`` demands a connection that was never used: for requests that must not be sent
        twice, because a reused one that dies leaves open whether it was accepted."""
        ...
