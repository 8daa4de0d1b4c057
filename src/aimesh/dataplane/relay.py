"""What is not the data plane's goes to the control process: over its unix socket, there and back as it comes.

1. Hop-by-hop headers end here on both sides. What a caller says about forwarding is replaced by what this worker
   knows; only the scheme is taken over, because a proxy in front ends the TLS and nobody else knows.
2. The supervisor holds the control process's socket: while the process is away a request waits in the socket's
   queue. It waits ``PATIENCE_S``, then the caller gets a 503 in the shape of the admin API.
3. A slow handler is no absent process: who has not answered by then is asked for its health, and only silence
   there ends the wait. ``x-aimesh-begun`` tells the control process how old a request from its queue is, so that
   it does not do what was given up already.
4. A request that may have reached a process that died is sent again only if its method is safe.
"""

import asyncio
from collections.abc import Callable

import msgspec

from aimesh.core.clock import Clock
from aimesh.core.ids import RequestIds
from aimesh.net.children import Children
from aimesh.net.message import AnswerHead, Client, Exchange, ExchangeError, Origin, Reply, Request, Timeouts
from aimesh.net.walk import Walk

PATIENCE_S = 5.0
_PROBE_S = 1.0
_RETRY_S = 0.05
_WHOLE_BYTES = 64 * 1024
"""Up to here an answer of known length leaves in one write."""
_TIMEOUTS = Timeouts(connect_s=PATIENCE_S, first_byte_s=150.0, idle_s=120.0, whole_s=900.0)
_PROBE_TIMEOUTS = Timeouts(connect_s=_PROBE_S, first_byte_s=_PROBE_S, idle_s=_PROBE_S, whole_s=_PROBE_S)
_PROBE_HEAD = b"GET /healthz HTTP/1.1\r\nhost: control\r\n"
_SAFE = frozenset((b"GET", b"HEAD", b"OPTIONS"))
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
_REPLACED = frozenset((b"content-length", b"expect", b"forwarded", b"x-request-id", b"x-real-ip"))
_REPLACED_PREFIXES = (b"x-forwarded-", b"x-aimesh-", b"proxy-")
_OURS = frozenset((b"content-length", b"date", b"set-cookie", b"x-request-id"))
"""Of an answer: written anew, not copied."""

OnCrash = Callable[[Request, BaseException, str], None]


class Relay:
    """The handler of paths that the worker does not know itself."""

    __slots__ = ("_children", "_client", "_clock", "_ids", "_on_crash", "_origin")

    def __init__(
        self,
        client: Client,
        socket_path: str,
        *,
        children: Children,
        clock: Clock,
        ids: RequestIds,
        on_crash: OnCrash,
    ) -> None:
        self._client = client
        self._origin = Origin("control", 80, tls=False, unix=socket_path)
        self._children = children
        self._clock = clock
        self._ids = ids
        self._on_crash = on_crash

    def answer(self, request: Request, reply: Reply) -> None:
        """One complete request. Never raises."""
        request_id = self._ids.make(self._clock.wall_s())

        def crashed(error: BaseException) -> None:
            self._on_crash(request, error, request_id)
            reply.abort()

        walk = Walk(self._relayed(request, reply, request_id), crashed)
        reply.on_gone = walk.cancel
        walk.start()

    async def _relayed(self, request: Request, reply: Reply, request_id: str) -> None:
        try:
            exchange, answer = await self._answered(request, request_id)
        except ExchangeError as error:
            is_unknown = error.was_sent and request.method not in _SAFE
            reply.send(503, _unavailable_head(request_id), _unavailable(request_id, is_unknown=is_unknown))
            return
        try:
            await _pass_on(exchange, answer, _answer_lines(answer, request_id), request, reply)
        except ExchangeError:
            if reply.is_open:
                # The status is out: breaking the connection is the only honest sign left.
                reply.abort()
            else:
                reply.send(503, _unavailable_head(request_id), _unavailable(request_id, is_unknown=True))
        except asyncio.CancelledError:
            exchange.cancel()
            raise

    async def _answered(self, request: Request, request_id: str) -> tuple[Exchange, AnswerHead]:
        """The head of the answer, and the exchange that goes on with its body."""
        begun_s = self._clock.monotonic_s()
        head = _request_head(request, request_id, begun_s)
        is_safe = request.method in _SAFE
        while True:
            exchange = self._client.send(
                self._origin, head, request.body, timeouts=_TIMEOUTS, fresh=not is_safe
            )
            vigil = _Vigil(exchange, self._client, self._origin, children=self._children)
            try:
                return exchange, await exchange.head()
            except ExchangeError as error:
                is_late = self._clock.monotonic_s() - begun_s > PATIENCE_S - _RETRY_S
                if is_late or (error.was_sent and not is_safe):
                    raise
            except asyncio.CancelledError:
                exchange.cancel()
                raise
            finally:
                vigil.end()
            await asyncio.sleep(_RETRY_S)


class _Vigil:
    """Ends an exchange that waits for a process which does not even say that it lives."""

    __slots__ = ("_children", "_client", "_exchange", "_is_over", "_loop", "_origin", "_timer")

    def __init__(self, exchange: Exchange, client: Client, origin: Origin, *, children: Children) -> None:
        self._exchange = exchange
        self._client = client
        self._origin = origin
        self._children = children
        self._loop = asyncio.get_running_loop()
        self._is_over = False
        self._timer = self._loop.call_later(PATIENCE_S - _PROBE_S, self._ask)

    def end(self) -> None:
        self._is_over = True
        self._timer.cancel()

    def _ask(self) -> None:
        self._children.start("ask the control process", self._asked())

    async def _asked(self) -> None:
        probe = self._client.send(self._origin, _PROBE_HEAD, b"", timeouts=_PROBE_TIMEOUTS, fresh=True)
        try:
            await probe.body(_WHOLE_BYTES)
        except ExchangeError:
            if not self._is_over:
                self._exchange.cancel()
        else:
            if not self._is_over:
                self._timer = self._loop.call_later(PATIENCE_S, self._ask)


class _Body:
    """The sink between an answer's body and the caller."""

    __slots__ = ("_reply",)

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def feed(self, data: bytes) -> bool:
        self._reply.write(data)
        return self._reply.is_writable


async def _pass_on(
    exchange: Exchange, answer: AnswerHead, lines: bytes, request: Request, reply: Reply
) -> None:
    length = answer.headers.get(b"content-length", b"")
    if answer.status in (204, 304) or (
        request.method != b"HEAD" and length.isdigit() and int(length) <= _WHOLE_BYTES
    ):
        reply.send(answer.status, lines, await exchange.body(_WHOLE_BYTES))
        return
    reply.on_writable = exchange.resume
    reply.open(answer.status, lines)
    await exchange.pipe(_Body(reply))
    reply.close()


def _request_head(request: Request, request_id: str, begun_s: float) -> bytes:
    headers = request.headers
    target = request.path + b"?" + request.query if request.query else request.path
    lines = [b"%b %b HTTP/1.1\r\n" % (request.method, target)]
    named = {name.strip().lower() for name in headers.get(b"connection", b"").split(b",")}
    for name, value in headers.items():
        if not (
            name in _HOP_BY_HOP or name in _REPLACED or name in named or name.startswith(_REPLACED_PREFIXES)
        ):
            lines += (name, b": ", value, b"\r\n")
    if request.peer:
        lines.append(f"x-forwarded-for: {request.peer}\r\n".encode("ascii"))
    scheme = headers.get(b"x-forwarded-proto", b"").rpartition(b",")[2].strip().lower()
    lines.append(b"x-forwarded-proto: %b\r\n" % (b"https" if scheme == b"https" else b"http"))
    if host := headers.get(b"host"):
        lines.append(b"x-forwarded-host: %b\r\n" % host)
    lines.append(f"x-request-id: {request_id}\r\nx-aimesh-begun: {begun_s:.3f}\r\n".encode("ascii"))
    return b"".join(lines)


def _answer_lines(answer: AnswerHead, request_id: str) -> bytes:
    headers = answer.headers
    lines: list[bytes] = []
    for name, value in headers.items():
        if name not in _HOP_BY_HOP and name not in _OURS:
            lines += (name, b": ", value, b"\r\n")
    if (cookie := headers.get(b"set-cookie")) is not None:
        lines += [b"set-cookie: %b\r\n" % each for each in (cookie, *answer.more_cookies)]
    lines.append(f"x-request-id: {request_id}\r\n".encode("ascii"))
    return b"".join(lines)


def _unavailable_head(request_id: str) -> bytes:
    return (
        "content-type: application/json\r\ncache-control: no-store\r\nretry-after: 2\r\n"
        f"x-request-id: {request_id}\r\n"
    ).encode("ascii")


def _unavailable(request_id: str, *, is_unknown: bool) -> bytes:
    message = "The control process does not answer; calls of models are not affected."
    if is_unknown:
        message += " Whether this request was carried out is not known."
    error = {"code": "CONTROL_UNAVAILABLE", "message": message, "request_id": request_id, "details": []}
    return msgspec.json.encode({"error": error})
