"""The answer to one request, as the handler holds it.

1. It holds its connection until it has ended or the caller is gone. After that every method does nothing: a
   late handler can never write into the answer of another request.
2. A whole answer is one write. The head of a streamed one waits for the first piece, so that they leave
   together; without a piece it leaves at the end of the loop's iteration.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from aimesh.net import http1
from aimesh.net.http1 import LAST_CHUNK, STATUS_LINES
from aimesh.net.state import CLOSE

if TYPE_CHECKING:
    from aimesh.net.inbound import Inbound

JOIN_BYTES = 64 * 1024
"""Up to here a copy is cheaper than a second buffer."""


class InboundReply:
    """The answer to one request; see ``message.Reply``."""

    __slots__ = (
        "_connection",
        "_head",
        "_is_bare",
        "_is_chunked",
        "_is_head",
        "_mode",
        "is_gone",
        "is_open",
        "is_writable",
        "on_gone",
        "on_writable",
    )

    def __init__(self, connection: "Inbound", mode: int, *, is_head: bool, is_chunked: bool) -> None:
        self._connection: Inbound | None = connection
        self._mode = mode
        self._is_head = is_head
        self._is_chunked = is_chunked
        self.is_gone = False
        self.is_open = False
        self.is_writable = True
        self.on_gone: Callable[[], None] | None = None
        self.on_writable: Callable[[], None] | None = None

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        connection = self._connection
        if connection is None:
            return
        self._connection = None
        self.on_gone = self.on_writable = None
        self.is_open = True
        state = connection.state
        mode = CLOSE if state.is_leaving else self._mode
        tail = state.tails[mode]
        if http1.has_no_body(status):
            connection.transport.write(b"".join((STATUS_LINES[status], headers, tail)))
        elif self._is_head:
            length = b"content-length: %d\r\n" % len(body)
            connection.transport.write(b"".join((STATUS_LINES[status], headers, length, tail)))
        else:
            length = b"content-length: %d\r\n" % len(body)
            if len(body) <= JOIN_BYTES:
                connection.transport.write(b"".join((STATUS_LINES[status], headers, length, tail, body)))
            else:
                head = b"".join((STATUS_LINES[status], headers, length, tail))
                connection.transport.writelines((head, body))
        connection.reply_ended(mode)

    def open(self, status: int, headers: bytes) -> None:
        connection = self._connection
        if connection is None:
            return
        self.is_open = True
        state = connection.state
        self._is_bare = self._is_head or http1.has_no_body(status)
        if state.is_leaving or not (self._is_chunked or self._is_bare):
            self._mode = CLOSE
        framing = (
            b"transfer-encoding: chunked\r\n" if self._is_chunked and not http1.has_no_body(status) else b""
        )
        self._head = b"".join((STATUS_LINES[status], headers, framing, state.tails[self._mode]))
        # The first write usually follows at once and takes the head with it.
        state.loop.call_soon(self._flush)

    def _flush(self) -> None:
        if self._head and self._connection is not None:
            head, self._head = self._head, b""
            self._connection.transport.write(head)

    def write(self, data: bytes) -> None:
        connection = self._connection
        if connection is None or self._is_bare or not data:
            return
        head = self._head
        if self._is_chunked:
            size = len(data)
            if size <= JOIN_BYTES:
                if head:
                    self._head = b""
                    connection.transport.write(b"%b%x\r\n%b\r\n" % (head, size, data))
                else:
                    connection.transport.write(b"%x\r\n%b\r\n" % (size, data))
            else:
                self._head = b""
                connection.transport.writelines((b"%b%x\r\n" % (head, size), data, b"\r\n"))
        else:
            self._head = b""
            connection.transport.writelines((head, data))

    def close(self) -> None:
        connection = self._connection
        if connection is None:
            return
        self._connection = None
        self.on_gone = self.on_writable = None
        end = LAST_CHUNK if self._is_chunked and not self._is_bare else b""
        if end or self._head:
            connection.transport.write(self._head + end)
        connection.reply_ended(CLOSE if connection.state.is_draining else self._mode)

    def abort(self) -> None:
        connection = self._connection
        if connection is not None:
            self._connection = None
            self.on_gone = self.on_writable = None
            connection.reply = None
            connection.abort()

    def break_off(self, data: bytes = b"", *, reset: bool = False) -> None:
        """Writes ``data`` unframed and closes the connection after all that was written: an answer broken on
        purpose, for the provider simulator. ``reset``: the caller sees a reset, not an end."""
        connection = self._connection
        if connection is None:
            return
        self._connection = None
        self.on_gone = self.on_writable = None
        head = self._head if self.is_open else b""
        if head or data:
            connection.transport.write(head + data)
        connection.break_off(reset=reset)

    def caller_gone(self) -> None:
        """Called by the connection, once."""
        if self._connection is None:
            return
        self._connection = None
        self.is_gone = True
        self.is_writable = False
        told, self.on_gone, self.on_writable = self.on_gone, None, None
        if told is not None:
            told()
