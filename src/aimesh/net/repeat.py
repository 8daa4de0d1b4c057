"""Recognises a request whose head is, byte for byte, the head that came before it on the same connection.

SDKs keep their connection and send the same twenty header lines with every call; only the length of the body
changes. Such a head was parsed and judged already, so it is compared instead of parsed: a few hundred bytes in
one comparison, where the parser would make forty callbacks. docs/explain/performance.md has the gain.

1. A match demands the whole request in one read: the known head with any length in it, and then exactly so
   many bytes. Anything else, one byte more or less, goes to the parser.
2. Only heads that the parser accepted are learnt, and only plain ones: HTTP/1.1, kept alive, a content length,
   nothing that asks for special treatment. The size of the body is for the caller of ``match`` to judge.
3. A connection's first request teaches nothing, so one that makes a single call costs no memory; a caller
   whose heads always differ is not learnt from for ever: ``LESSONS`` misses in a row end it.
"""

import re

from aimesh.net.message import Request

LESSONS = 4
LONGEST_LENGTH = 10
"""Digits of a length."""

_LENGTH_LINE = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,10})(?=[ \t]*\r\n)", re.IGNORECASE)
_SPECIAL = frozenset((b"transfer-encoding", b"expect", b"upgrade"))


class RepeatedHead:
    """What one connection has taught. ``match`` first, the parser and ``learn`` where it gives None."""

    __slots__ = ("_after", "_before", "_is_first", "_missed", "_pattern")

    def __init__(self) -> None:
        self._before = b""
        """The head up to the digits of its length; empty: nothing is known."""
        self._after = b""
        self._missed = 0
        self._is_first = True
        self._pattern: Request | None = None

    @property
    def wants_lessons(self) -> bool:
        return self._missed < LESSONS

    def match(self, data: bytes) -> Request | None:
        """The request, if ``data`` is exactly one with the known head."""
        before = self._before
        if not before or not data.startswith(before):
            return None
        start = len(before)
        end = data.find(self._after, start, start + LONGEST_LENGTH + len(self._after))
        if end < 0:
            return None
        length = data[start:end]
        body_at = end + len(self._after)
        # isdigit of bytes is ASCII only, and false for nothing.
        if not length.isdigit() or int(length) != len(data) - body_at:
            return None
        self._missed = 0
        pattern = self._pattern
        assert pattern is not None
        headers = pattern.headers.copy()
        headers[b"content-length"] = length
        return Request(
            method=pattern.method,
            path=pattern.path,
            query=pattern.query,
            headers=headers,
            body=data[body_at:],
            peer=pattern.peer,
        )

    def learn(self, data: bytes, request: Request) -> None:
        """``data`` was one read, and the parser made ``request`` of it."""
        self._missed += 1
        self._before = b""
        if self._is_first:
            self._is_first = False
            return
        headers = request.headers
        connection = headers.get(b"connection", b"keep-alive").lower()
        if (
            request.method == b"HEAD"
            or b"content-length" not in headers
            or connection != b"keep-alive"
            or not _SPECIAL.isdisjoint(headers)
        ):
            return
        head_end = data.find(b"\r\n\r\n") + 4
        found = _LENGTH_LINE.search(data, 0, head_end)
        if head_end < 4 or found is None or head_end + int(found[1]) != len(data):
            return
        start, end = found.span(1)
        self._before = data[:start]
        self._after = data[end:head_end]
        self._pattern = Request(
            method=request.method,
            path=request.path,
            query=request.query,
            headers=headers,
            body=b"",
            peer=request.peer,
        )
