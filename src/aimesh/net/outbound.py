"""One connection to an upstream: an exchange's request out, its answer in, and back to the pool.

1. It serves one exchange at a time. What the parser finds is collected; the exchange hears of it once, after
   the parser has returned, as the last act of the callback.
2. It returns to the pool only if the answer was complete, keep-alive, followed by nothing, and the request
   was written to its end. Bytes that arrive while it is idle end it.
3. An end before the promised length is a loss, never an end of the answer. Only an answer without any length
   is delimited by the end of the connection.
4. Lost after being reused and before any byte of an answer: the exchange is tried once more on a new
   connection, unless it asked for a fresh one. The upstream had closed an idle connection.
"""

import asyncio
from typing import TYPE_CHECKING, cast

import httptools

from aimesh.net import http1
from aimesh.net.exchange import UpstreamExchange
from aimesh.net.message import AnswerHead, BadAnswer, ConnectionLost

if TYPE_CHECKING:
    from aimesh.net.pool import Pool

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 256
MAX_INFORMATIONAL = 16


class _BadAnswerError(Exception):
    """Raised in a parser callback; its text becomes the ``BadAnswer``."""


class Outbound(asyncio.Protocol):
    __slots__ = (
        "_cookies",
        "_count",
        "_exchange",
        "_has_extra",
        "_head_bytes",
        "_headers",
        "_informational",
        "_is_complete",
        "_is_connected",
        "_is_kept",
        "_parser",
        "_pool",
        "_until_close",
        "has_answered",
        "idle_since_s",
        "is_dead",
        "transport",
        "uses",
    )

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._exchange: UpstreamExchange | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._cookies: tuple[bytes, ...] = ()
        self._is_connected = False
        self.has_answered = False
        self.is_dead = False
        self.idle_since_s = 0.0
        self.uses = 0

    def start(self, exchange: UpstreamExchange) -> None:
        """Writes the request of an exchange."""
        self._exchange = exchange
        self.uses += 1
        self.has_answered = False
        self._is_complete = False
        self._has_extra = False
        self._is_kept = False
        self._until_close = False
        self._count = 0
        self._head_bytes = 0
        self._informational = 0
        exchange.connection = self
        exchange.was_sent = True
        exchange.deadline_s = self._pool.state.now_s + exchange.timeouts.first_byte_s
        if exchange.rest:
            self.transport.writelines((exchange.payload, exchange.rest))
        else:
            self.transport.write(exchange.payload)

    def drop(self) -> None:
        """Closes at once; the exchange, if any, is no longer this connection's concern."""
        self._exchange = None
        self._end()
        if self._is_connected:
            self.transport.abort()

    def retire(self) -> None:
        """Closes an idle connection."""
        self._end()
        self.transport.close()

    def _end(self) -> None:
        if not self.is_dead:
            self.is_dead = True
            self._pool.connection_ended(self)

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do all of asyncio.Transport without being one.
        self.transport = cast(asyncio.Transport, transport)
        self._is_connected = True

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            self.drop()
            return
        if not self.has_answered:
            self.has_answered = True
            exchange.payload = exchange.rest = b""
        exchange.deadline_s = self._pool.state.now_s + exchange.timeouts.idle_s
        if exchange.answer is None:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._is_complete:
                self._refuse_answer(exchange, error)
                return
            self._has_extra = True
        if self._is_complete:
            self._complete(exchange)
        elif exchange.answer is None and self._head_bytes > MAX_HEAD_BYTES:
            exchange.fail(BadAnswer("the answer's head is too large", was_sent=True))
            return
        exchange.news()

    def eof_received(self) -> None:
        exchange = self._exchange
        if exchange is not None and self._until_close:
            self._is_complete = True
            self._complete(exchange)
            exchange.news()
        else:
            self._lose()

    def connection_lost(self, _exc: Exception | None) -> None:
        # The parser's bound methods and this object hold one another.
        del self._parser
        self._lose()

    def _lose(self) -> None:
        exchange, self._exchange = self._exchange, None
        self._end()
        if exchange is None:
            return
        exchange.connection = None
        if self.uses > 1 and not self.has_answered and not exchange.is_fresh and not exchange.is_retried:
            exchange.is_retried = True
            self._pool.dial(exchange)
        else:
            where = "inside the answer" if self.has_answered else "before an answer"
            exchange.fail(ConnectionLost(f"connection lost {where}", was_sent=True))

    def _complete(self, exchange: UpstreamExchange) -> None:
        self._exchange = None
        exchange.connection = None
        exchange.is_complete = True
        self._pool.state.active.discard(exchange)
        if exchange.is_head_request:
            # The parser still waits for the body that the length announces.
            self._parser = httptools.HttpResponseParser(self)
        if self._is_kept and not self._has_extra and not self.transport.get_write_buffer_size():
            self._pool.give_back(self)
        else:
            self.retire()

    def _refuse_answer(self, exchange: UpstreamExchange, error: Exception) -> None:
        cause = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else None
        if isinstance(cause, _BadAnswerError):
            text = str(cause)
        elif cause is not None:
            raise cause
        elif isinstance(error, httptools.HttpParserUpgrade):
            text = "the upstream switched protocols"
        else:
            text = f"not a proper HTTP answer: {error}"
        exchange.fail(BadAnswer(text, was_sent=True))

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._is_complete:
            self._has_extra = True
        self._headers = {}
        self._cookies = ()
        self._count = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count += 1
        if self._count > MAX_HEADERS:
            raise _BadAnswerError("the answer has too many headers")
        name = name.lower()
        headers = self._headers
        if name in headers:
            if name == b"set-cookie":
                self._cookies += (value.rstrip(b" \t"),)
                return
            value = headers[name] + b", " + value
        headers[name] = value.rstrip(b" \t")

    def on_headers_complete(self) -> None:
        exchange = self._exchange
        if exchange is None or self._is_complete:
            return
        parser = self._parser
        status = parser.get_status_code()
        headers = self._headers
        if status < 200:
            self._informational += 1
            if status < 100 or status == 101 or self._informational > MAX_INFORMATIONAL:
                raise _BadAnswerError(f"unexpected status {status}")
            return
        if self._head_bytes > MAX_HEAD_BYTES:
            size = sum(len(name) + len(value) + 4 for name, value in headers.items())
            size += sum(len(value) + 14 for value in self._cookies)
            if size > MAX_HEAD_BYTES:
                raise _BadAnswerError("the answer's head is too large")
        coding = headers.get(b"transfer-encoding")
        if coding is not None and coding.lower() != b"chunked":
            raise _BadAnswerError("the answer has an unknown transfer coding")
        self._is_kept = parser.should_keep_alive()
        # Trailers go to a dict that nobody reads.
        self._headers = {}
        exchange.answer = AnswerHead(status, headers, self._cookies)
        if exchange.is_head_request:
            self._is_complete = True
        else:
            self._until_close = http1.is_delimited_by_close(status, headers)

    def on_body(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None or self._is_complete:
            self._has_extra = True
            return
        exchange.pieces.append(data)
        exchange.buffered_bytes += len(data)

    def on_message_complete(self) -> None:
        exchange = self._exchange
        if exchange is not None and exchange.answer is not None:
            self._is_complete = True
