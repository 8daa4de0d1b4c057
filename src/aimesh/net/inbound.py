"""One connection from a caller: bytes in, requests to the handler strictly in order, replies out.

1. While a request is served (``_is_busy``) what arrives is held as raw bytes, at most ``HELD_BYTES`` before
   reading is paused; so pipelined requests wait, and a caller who hangs up is still noticed.
2. The parser is fed at most ``SLICE_BYTES`` beyond the current body at a time: the requests that one read can
   complete are bounded. The handler is never called from inside the parser.
3. The next request starts only when the reply before it has ended and the caller reads (no write pause).
4. A refusal is the last answer of a connection. It waits for its turn, then the rest of the request is read
   and dropped for a moment, because closing at once would reset the connection and lose the answer.
5. ``deadline_s`` is the only timer: what passing it means depends on the phase, and the sweep compares it.
"""

import asyncio
import socket
import struct
from typing import cast

import httptools

from aimesh.net import http1
from aimesh.net.http1 import CONTINUE, METHODS, STATUS_LINES, RefusedError
from aimesh.net.message import Request
from aimesh.net.repeat import RepeatedHead
from aimesh.net.reply import InboundReply
from aimesh.net.state import CLOSE, KEEP_ALIVE, KEEP_ALIVE_OLD, ServerState

INFINITY = float("inf")
SLICE_BYTES = 16 * 1024
HELD_BYTES = 64 * 1024
LARGE_BODY_BYTES = 64 * 1024
FRAMING_SLACK_BYTES = 64 * 1024
"""Chunk heads, extensions and trailers beyond eight times the body and this are an attack."""

# Phases of reading. From LAST on nothing more is parsed.
IDLE, HEAD, BODY, LAST, LINGER, CLOSING = range(6)


class _AnsweredEarlyError(Exception):
    """The ``on_head`` hook refused the request; stops the parser."""


class Inbound(asyncio.Protocol):
    __slots__ = (
        "_body",
        "_body_left",
        "_body_size",
        "_body_until_s",
        "_good_host",
        "_head_bytes",
        "_headers",
        "_held",
        "_held_bytes",
        "_is_busy",
        "_is_reading_paused",
        "_is_running",
        "_is_upgrade",
        "_is_version_11",
        "_is_write_paused",
        "_mode",
        "_parser",
        "_peer",
        "_phase",
        "_ready",
        "_refusal",
        "_repeat",
        "_repeated",
        "_request",
        "_slice_bytes",
        "_stalled_bytes",
        "_target",
        "_wants_continue",
        "_wire_bytes",
        "deadline_s",
        "reply",
        "state",
        "transport",
        "waits_since_s",
    )

    transport: asyncio.Transport
    _request: Request

    def __init__(self, state: ServerState) -> None:
        self.state = state
        self.reply: InboundReply | None = None
        self.deadline_s = INFINITY
        self.waits_since_s = state.now_s
        self._is_version_11 = True
        self._parser = httptools.HttpRequestParser(self)
        self._phase = IDLE
        self._mode = KEEP_ALIVE
        self._peer = ""
        self._good_host = b""
        self._headers: dict[bytes, bytes] = {}
        self._target = b""
        self._head_bytes = 0
        self._slice_bytes = 0
        self._repeated = 0
        self._repeat = RepeatedHead()
        self._body: bytes | bytearray = b""
        self._body_left = 0
        self._body_size = 0
        self._body_until_s = INFINITY
        self._wire_bytes = 0
        self._ready: list[tuple[Request, InboundReply]] = []
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._refusal: tuple[int, bytes, bytes] | None = None
        self._stalled_bytes = 0
        self._is_busy = False
        self._is_running = False
        self._is_upgrade = False
        self._is_reading_paused = False
        self._is_write_paused = False
        self._wants_continue = False

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do all of asyncio.Transport without being one.
        self.transport = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername")
        self._peer = name[0] if isinstance(name, tuple) else ""
        self.deadline_s = self.state.now_s + self.state.limits.head_s
        self.state.admit(self)

    def data_received(self, data: bytes) -> None:
        if self._phase >= LAST:
            return
        if self._is_busy:
            self._hold(data)
            return
        if self._phase == IDLE:
            request = self._repeat.match(data)
            if request is not None and len(request.body) <= self.state.limits.max_body_bytes:
                self._ready.append((request, InboundReply(self, KEEP_ALIVE, is_head=False, is_chunked=True)))
                self._run()
                return
            self._feed(data)
            if (
                self._repeat.wants_lessons
                and len(self._ready) == 1
                and self._phase == IDLE
                and self._is_version_11
            ):
                self._repeat.learn(data, self._ready[0][0])
        else:
            self._feed(data)
        if self._ready or self._refusal is not None:
            self._run()
        elif self._wants_continue:
            self._send_continue()

    def eof_received(self) -> None:
        """A caller who stops sending is gone: one who shuts down only that half cannot be told apart."""
        self._lose_reply()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._phase = CLOSING
        self._ready.clear()
        self._held.clear()
        # The parser's bound methods and this object hold one another.
        del self._parser
        self.state.forget(self)
        self._lose_reply()

    def pause_writing(self) -> None:
        self._is_write_paused = True
        self._stalled_bytes = self.transport.get_write_buffer_size()
        self.deadline_s = self.state.now_s + self.state.limits.write_stall_s
        if self.reply is not None:
            self.reply.is_writable = False

    def resume_writing(self) -> None:
        self._is_write_paused = False
        reply = self.reply
        if reply is None:
            if self._phase < LAST or self._ready or self._refusal is not None:
                self._is_busy = True
                self.state.loop.call_soon(self._run)
            return
        self.deadline_s = INFINITY
        reply.is_writable = True
        if reply.on_writable is not None:
            reply.on_writable()

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._phase = HEAD
        self._headers = {}
        self._target = b""
        self._head_bytes = 0
        self._repeated = 0
        self.deadline_s = self.state.now_s + self.state.limits.head_s

    def on_url(self, part: bytes) -> None:
        self._target += part
        if len(self._target) > self.state.limits.max_target_bytes:
            raise RefusedError(414, "The request target is too long.")

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        headers = self._headers
        if name in headers:
            self._repeated += 1
            if name in http1.SINGLE_HEADERS:
                raise RefusedError(400, "A header that may occur once is repeated.")
            if self._repeated > self.state.limits.max_headers:
                raise RefusedError(431, "The request has too many headers.")
            value = headers[name] + b", " + value
        headers[name] = value.rstrip(b" \t")

    def on_headers_complete(self) -> None:
        headers = self._headers
        # Trailers go to a dict that nobody reads.
        self._headers = {}
        parser = self._parser
        method = parser.get_method()
        is_kept = parser.should_keep_alive()
        version = "1.1"
        if not is_kept or b"connection" in headers:
            version = parser.get_http_version()
            http1.check_version(version)
        self._check_size(headers)
        if method not in METHODS:
            http1.check_method(method)
        host = headers.get(b"host")
        if host != self._good_host or not host:
            http1.check_host(host, version)
            self._good_host = host or b""
        path, query = http1.read_target(method, self._target, host or b"")
        self._is_version_11 = version == "1.1"
        self._mode = (KEEP_ALIVE if self._is_version_11 else KEEP_ALIVE_OLD) if is_kept else CLOSE
        self._request = request = Request(
            method=method, path=path, query=query, headers=headers, body=b"", peer=self._peer
        )
        self._body = b""
        self._body_left = 0
        if b"upgrade" in headers and parser.should_upgrade():
            self._is_upgrade = True
        elif b"content-length" in headers or b"transfer-encoding" in headers:
            self._expect_body(request, version)

    def on_body(self, data: bytes) -> None:
        size = len(data)
        self._body_left -= size
        self._body_size += size
        body = self._body
        if not body:
            self._body = data
        elif isinstance(body, bytearray):
            body += data
        else:
            self._body = bytearray(body)
            self._body += data
        if self._body_size > self.state.limits.max_body_bytes:
            raise RefusedError(413, "The request body is too large.")

    def on_message_complete(self) -> None:
        if self._is_upgrade:
            return
        request = self._request
        if self._body:
            request.body = bytes(self._body)
            self._body = b""
        self._body_left = 0
        self._head_bytes = 0
        self._wants_continue = False
        mode = self._mode
        reply = InboundReply(self, mode, is_head=request.method == b"HEAD", is_chunked=self._is_version_11)
        self._ready.append((request, reply))
        self._phase = LAST if mode == CLOSE else IDLE

    # Reading.

    def _check_size(self, headers: dict[bytes, bytes]) -> None:
        limits = self.state.limits
        if len(headers) + self._repeated > limits.max_headers:
            raise RefusedError(431, "The request has too many headers.")
        if self._head_bytes + self._slice_bytes > limits.max_head_bytes:
            size = len(self._target) + sum(len(name) + len(value) + 4 for name, value in headers.items())
            if size > limits.max_head_bytes:
                raise RefusedError(431, "The request head is too large.")

    def _expect_body(self, request: Request, version: str) -> None:
        state, headers = self.state, request.headers
        if b"transfer-encoding" in headers:
            http1.check_framing(headers, version)
            size = INFINITY
        else:
            size = self._body_left = int(headers[b"content-length"])
            if size > state.limits.max_body_bytes:
                raise RefusedError(413, "The request body is too large.")
        self._phase = BODY
        self._body_size = 0
        self._wire_bytes = 0
        self._body_until_s = state.now_s + state.limits.body_whole_s
        self.deadline_s = state.now_s + state.limits.body_idle_s
        if b"expect" in headers and size:
            self._wants_continue = http1.expects_continue(headers, version)
        if state.on_head is not None and (size > LARGE_BODY_BYTES or self._wants_continue):
            self._refusal = state.on_head(request)
            if self._refusal is not None:
                raise _AnsweredEarlyError

    def _hold(self, data: bytes) -> None:
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > HELD_BYTES and not self._is_reading_paused:
            self._is_reading_paused = True
            self.transport.pause_reading()

    def _feed(self, data: bytes) -> None:
        size = len(data)
        if size <= SLICE_BYTES or size <= self._body_left:
            self._parse(data, size)
            return
        view = memoryview(data)
        position = 0
        while position < size:
            step = max(SLICE_BYTES, self._body_left)
            piece = view[position : position + step]
            self._parse(piece, len(piece))
            position += step
            if self._phase >= LAST:
                return
            if self._ready and position < size:
                self._held.insert(0, data[position:])
                self._held_bytes += size - position
                return

    def _parse(self, data: bytes | memoryview, size: int) -> None:
        self._slice_bytes = size
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError as error:
            self._take_fault(error)
            return
        phase = self._phase
        if phase == BODY:
            state = self.state
            self.deadline_s = min(state.now_s + state.limits.body_idle_s, self._body_until_s)
            self._wire_bytes += size
            if self._wire_bytes - self._body_size > FRAMING_SLACK_BYTES + 8 * self._body_size:
                self._refuse(RefusedError(400, "The request body is framed wastefully."))
        elif phase < LAST and not self._ready:
            # Inside a head, or among empty lines before one.
            self._head_bytes += size
            if self._head_bytes > self.state.limits.max_head_bytes:
                self._refuse(RefusedError(431, "The request head is too large."))

    def _decline_upgrade(self, rest: bytes | memoryview) -> None:
        """llhttp leaves such a request without reading its body: it is read again, without the offer."""
        request = self._request
        version = "1.1" if self._is_version_11 else "1.0"
        head = http1.without_upgrade(request.method, self._target, version, request.headers)
        self._is_upgrade = False
        self._parser = httptools.HttpRequestParser(self)
        self._parse(head, 0)
        if self._phase < LAST and len(rest):
            self._parse(rest, len(rest))

    def _take_fault(self, error: httptools.HttpParserError) -> None:
        cause = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else None
        if isinstance(cause, RefusedError):
            self._refuse(cause)
        elif isinstance(cause, _AnsweredEarlyError):
            self._phase = LAST
        elif cause is not None:
            raise cause
        elif self._phase != LAST:
            self._refuse(http1.describe_parse_error(type(error).__name__, str(error)))

    def _refuse(self, refused: RefusedError) -> None:
        self._phase = LAST
        self._refusal = (refused.status, *self.state.encode_refusal(refused.status, refused.message))

    def _send_continue(self) -> None:
        self._wants_continue = False
        if self._phase == BODY and not self._body_size:
            self.transport.write(CONTINUE)

    # Serving.

    def _run(self) -> None:
        """Serves what is ready, then what is held, until a reply stays open or nothing is left."""
        if self._phase == CLOSING or self._is_running or self.reply is not None:
            return
        self._is_busy = self._is_running = True
        ready = self._ready
        while not self._is_write_paused:
            if ready:
                request, reply = ready.pop(0)
                self.reply = reply
                self.deadline_s = self.waits_since_s = INFINITY
                try:
                    self.state.handler(request, reply)
                except BaseException:
                    # A handler must not raise. If it does, this connection has no future.
                    self.abort()
                    raise
                if self.reply is not None or self._phase == CLOSING:
                    break
            elif self._refusal is not None:
                self._send_refusal(self._refusal)
                break
            elif self._held:
                data = b"".join(self._held) if len(self._held) > 1 else self._held[0]
                self._held.clear()
                self._held_bytes = 0
                self._feed(data)
            else:
                self._rest()
                break
        self._is_running = False

    def reply_ended(self, mode: int) -> None:
        """Called by the reply when its last byte is written."""
        self.reply = None
        if mode == CLOSE:
            self._close()
        elif self._is_running:
            return
        elif self._ready or self._held or self._refusal is not None:
            # Not from here: the handler of the reply that just ended has not returned yet.
            self.state.loop.call_soon(self._run)
        else:
            self._rest()

    def _rest(self) -> None:
        """Waits for more of the caller."""
        self._is_busy = False
        state = self.state
        phase = self._phase
        self.waits_since_s = state.now_s
        if self._is_write_paused:
            self.deadline_s = state.now_s + state.limits.write_stall_s
        elif phase == IDLE:
            self.deadline_s = state.now_s + state.limits.keep_alive_s
            if state.is_draining:
                self._close()
        elif phase == HEAD:
            self.deadline_s = state.now_s + state.limits.head_s
        elif phase == BODY:
            self.deadline_s = state.now_s + state.limits.body_idle_s
        if self._wants_continue:
            self._send_continue()
        if self._is_reading_paused:
            self._is_reading_paused = False
            self.transport.resume_reading()

    # Ending.

    def _send_refusal(self, refusal: tuple[int, bytes, bytes]) -> None:
        status, headers, body = refusal
        state = self.state
        state.refused += 1
        self._refusal = None
        length = b"content-length: %d\r\n" % len(body)
        self._phase = LINGER
        self.deadline_s = state.now_s + state.limits.linger_s
        self.transport.write(b"".join((STATUS_LINES[status], headers, length, state.tails[CLOSE], body)))
        if self.transport.can_write_eof():
            self.transport.write_eof()
            if self._is_reading_paused:
                self.transport.resume_reading()
        else:
            self._close()

    def _close(self) -> None:
        self._phase = CLOSING
        self._stalled_bytes = self.transport.get_write_buffer_size()
        self.deadline_s = self.state.now_s + self.state.limits.write_stall_s
        self.transport.close()

    def _lose_reply(self) -> None:
        reply, self.reply = self.reply, None
        if reply is not None:
            self._phase = CLOSING
            reply.caller_gone()

    def expire(self) -> None:
        """The deadline passed."""
        state = self.state
        phase = self._phase
        waiting_bytes = self.transport.get_write_buffer_size()
        if waiting_bytes and phase != LINGER and waiting_bytes != self._stalled_bytes:
            self._stalled_bytes = waiting_bytes
            self.deadline_s = state.now_s + state.limits.write_stall_s
        elif phase in (HEAD, BODY) and not waiting_bytes:
            self._refuse(RefusedError(408, "The request did not arrive in time."))
            self._run()
        else:
            self.abort()

    def drain(self) -> None:
        if self._phase == IDLE and not self._is_busy:
            self._close()

    def abort(self) -> None:
        self._phase = CLOSING
        self.transport.abort()

    def break_off(self, *, reset: bool) -> None:
        """Closes after what was written; with ``reset`` the peer sees a reset instead of an end."""
        self.reply = None
        if reset:
            connected = self.transport.get_extra_info("socket")
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._close()
