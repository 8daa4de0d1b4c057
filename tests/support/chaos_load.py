"""Many callers at once, on raw sockets: cheap enough that 5,000 of them fit beside the gateway.

A call counts as complete only when its whole answer was read to the end that HTTP and its protocol define.
"""

import asyncio
import json
import random
import re
from collections import Counter
from urllib.parse import urlsplit

from tests.support.chaos_calls import (
    CHAT,
    CHAT_STREAM,
    EMBEDDINGS,
    MESSAGES,
    MESSAGES_STREAM,
    RESPONSES_STREAM,
    Style,
)
from tests.support.chaos_http import request_bytes

_ID = re.compile(rb"\r\nx-request-id: ([^\r]+)\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
MIX = (CHAT, CHAT_STREAM, MESSAGES, MESSAGES_STREAM, RESPONSES_STREAM, EMBEDDINGS)


class Load:
    """Callers that go on until they are told to stop; what they saw is kept."""

    def __init__(self, url: str, styles: tuple[Style, ...] = MIX, *, seed: int = 0) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or 80
        self._styles = styles
        self._random = random.Random(seed)
        self.is_stopped = False
        self.complete: list[str] = []
        """Request ids of the calls that were read to their end, with status 200."""
        self.statuses: Counter[int] = Counter()
        self.broken = 0
        """Calls whose connection ended before their answer did."""
        self.cut = 0
        """Those of them that had some of it."""

    async def caller(self, *, keeps_connection: bool) -> None:
        """Call after call; a connection that breaks is made anew while the load runs."""
        while not self.is_stopped:
            try:
                reader, writer = await asyncio.open_connection(self._host, self._port)
            except OSError:
                await asyncio.sleep(0.01)
                continue
            try:
                while await self._call(reader, writer) and keeps_connection and not self.is_stopped:
                    pass
            except (OSError, asyncio.IncompleteReadError):
                self.broken += 1
                await asyncio.sleep(0.005)
            finally:
                writer.close()

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection may be used again."""
        style = self._random.choice(self._styles)
        writer.write(request_bytes(style.path, style.body))
        first = await reader.readexactly(1)
        try:
            head, body = await read_answer(reader)
        except (OSError, asyncio.IncompleteReadError):
            self.cut += 1
            raise
        head = first + head
        status = int(head[9:12])
        self.statuses[status] += 1
        found = _ID.search(head)
        if status == 200 and found is not None and _is_whole(style, body):
            self.complete.append(found[1].decode())
        return b"\r\nconnection: close\r\n" not in head


def _is_whole(style: Style, body: bytes) -> bool:
    if style.stream:
        return style.end_mark.encode() in body
    return isinstance(json.loads(body), dict)


async def read_answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of the next answer; ``IncompleteReadError`` where it breaks off."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    if length is not None:
        return head, await reader.readexactly(int(length[1]))
    pieces = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append((await reader.readexactly(size + 2))[:-2])
    await reader.readexactly(2)
    return head, b"".join(pieces)
