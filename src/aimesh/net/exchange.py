"""One request to an upstream and its answer, as the walk holds it; see ``message.Exchange``.

1. It has a connection from the moment its request is written until its answer is complete or it failed.
2. The connection puts what it read into ``pieces`` and calls ``news`` last; only ``news`` wakes the waiter.
3. Nobody reading means no reading: without a waiter at most ``UNCLAIMED_BYTES`` are buffered before the
   socket is paused, and with a slow sink nothing beyond the piece it refused more of.
4. The request is kept for one retry until the first byte of an answer, then dropped.
5. A deadline that is infinite means that we, not the upstream, hold things up; ``ends_s`` bounds the whole.
"""

import asyncio
from typing import TYPE_CHECKING

from aimesh.net.message import (
    AnswerHead,
    BadAnswer,
    ConnectionLost,
    ExchangeError,
    Sink,
    TimedOut,
    Timeouts,
)
from aimesh.net.walk import Signal

if TYPE_CHECKING:
    from aimesh.net.outbound import Outbound
    from aimesh.net.pool import Pool

INFINITY = float("inf")
UNCLAIMED_BYTES = 256 * 1024

# What the waiter waits for.
NOTHING, HEAD, PIECE, BODY, PIPE = range(5)


class UpstreamExchange:
    __slots__ = (
        "_error",
        "_is_held",
        "_limit_bytes",
        "_mode",
        "_signal",
        "_sink",
        "answer",
        "buffered_bytes",
        "connection",
        "deadline_s",
        "dial",
        "ends_s",
        "is_complete",
        "is_fresh",
        "is_head_request",
        "is_retried",
        "payload",
        "pieces",
        "pool",
        "rest",
        "timeouts",
        "was_sent",
    )

    def __init__(
        self,
        pool: "Pool",
        payload: bytes,
        rest: bytes,
        *,
        timeouts: Timeouts,
        is_fresh: bool,
        is_head_request: bool,
    ) -> None:
        self.pool = pool
        self.payload = payload
        self.rest = rest
        """A body too large to be joined with the head."""
        self.timeouts = timeouts
        self.is_fresh = is_fresh
        self.is_head_request = is_head_request
        self.is_retried = False
        self.was_sent = False
        self.is_complete = False
        self.answer: AnswerHead | None = None
        self.pieces: list[bytes] = []
        self.buffered_bytes = 0
        self.connection: Outbound | None = None
        self.dial: asyncio.Task[None] | None = None
        now_s = pool.state.now_s
        self.deadline_s = now_s + timeouts.connect_s
        self.ends_s = now_s + timeouts.whole_s
        self._error: ExchangeError | None = None
        self._signal: Signal[None] | None = None
        self._sink: Sink | None = None
        self._mode = NOTHING
        self._limit_bytes = 0
        self._is_held = False

    @property
    def is_over(self) -> bool:
        return self.is_complete or self._error is not None

    # What the walk calls.

    async def head(self) -> AnswerHead:
        if self.answer is None and self._error is None:
            self._mode = HEAD
            signal: Signal[None] = Signal()
            self._signal = signal
            await signal
        if self.answer is not None:
            return self.answer
        assert self._error is not None
        raise self._error

    async def body(self, limit_bytes: int) -> bytes:
        self._limit_bytes = limit_bytes
        self._release_socket()
        if not self.is_complete and self._error is None and self.buffered_bytes <= limit_bytes:
            self._mode = BODY
            signal: Signal[None] = Signal()
            self._signal = signal
            await signal
        if self.buffered_bytes > limit_bytes:
            self.fail(BadAnswer(f"the answer is larger than {limit_bytes} bytes", was_sent=True))
            self.pieces.clear()
            raise BadAnswer(f"the answer is larger than {limit_bytes} bytes", was_sent=True)
        if self._error is not None:
            raise self._error
        return self._take()

    async def piece(self) -> bytes:
        self._release_socket()
        if not self.pieces and not self.is_complete and self._error is None:
            self._mode = PIECE
            signal: Signal[None] = Signal()
            self._signal = signal
            await signal
        if self.pieces:
            return self._take()
        if self._error is not None:
            raise self._error
        return b""

    async def pipe(self, sink: Sink) -> None:
        self._sink = sink
        self._release_socket()
        self._mode = PIPE
        self._pump()
        if self.pieces or not self.is_over:
            signal: Signal[None] = Signal()
            self._signal = signal
            await signal
        self._sink = None
        if self._error is not None:
            raise self._error

    def resume(self) -> None:
        if not self._is_held:
            return
        self._release_socket()
        if self._mode == PIPE:
            self._pump()

    def cancel(self) -> None:
        if not self.is_over:
            self.fail(ConnectionLost("cancelled", was_sent=self.was_sent))

    # What the connection and the sweep call.

    def news(self) -> None:
        """Something arrived, the answer is complete, or it failed. Wakes the waiter, so it is called last."""
        mode = self._mode
        if mode == PIPE:
            self._pump()
        elif mode == NOTHING:
            if self.buffered_bytes > UNCLAIMED_BYTES:
                self._hold_socket()
        elif (
            self.is_complete
            or self._error is not None
            or (mode == HEAD and self.answer is not None)
            or (mode == PIECE and self.pieces)
            or (mode == BODY and self.buffered_bytes > self._limit_bytes)
        ):
            self._wake()

    def fail(self, error: ExchangeError) -> None:
        if self.is_over:
            return
        self._error = error
        self.payload = self.rest = b""
        self.pool.state.active.discard(self)
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.drop()
        dial, self.dial = self.dial, None
        if dial is not None:
            self.pool.dial_cancelled()
            dial.cancel()
        self.news()

    def expire(self, now_s: float) -> None:
        timeouts = self.timeouts
        if now_s > self.ends_s:
            phase, limit_s = "whole", timeouts.whole_s
        elif self.connection is None:
            phase, limit_s = "connect", timeouts.connect_s
        elif not self.connection.has_answered:
            phase, limit_s = "first byte", timeouts.first_byte_s
        else:
            phase, limit_s = "idle", timeouts.idle_s
        self.fail(TimedOut(phase, limit_s, was_sent=self.was_sent))

    def _take(self) -> bytes:
        pieces = self.pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self.buffered_bytes = 0
        return data

    def _pump(self) -> None:
        sink = self._sink
        # The waiter of a pipe that was cancelled leaves its sink behind, but nobody feeds it any more.
        if self.pieces and not self._is_held and sink is not None and not sink.feed(self._take()):
            self._hold_socket()
        if not self.pieces and (self.is_complete or self._error is not None):
            self._wake()

    def _wake(self) -> None:
        self._mode = NOTHING
        signal, self._signal = self._signal, None
        if signal is not None:
            signal.set(None)

    def _hold_socket(self) -> None:
        connection = self.connection
        if connection is not None and not self._is_held:
            self._is_held = True
            self.deadline_s = INFINITY
            connection.transport.pause_reading()

    def _release_socket(self) -> None:
        if self._is_held:
            self._is_held = False
            connection = self.connection
            if connection is not None:
                self.deadline_s = self.pool.state.now_s + self.timeouts.idle_s
                connection.transport.resume_reading()
