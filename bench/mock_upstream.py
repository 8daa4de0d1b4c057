"""A very cheap OpenAI-compatible upstream: ``python -m bench.mock_upstream --port 0`` prints its port.

1. Every answer is made beforehand; a whole answer is one write, and so is each event of a stream.
2. The events of a stream come ``gap_ms`` apart, so that a gateway reads each by itself.
3. It trusts its peers: a request is a head with a Content-Length or chunked, or no body; nothing is checked.
"""

import argparse
import asyncio
import gc
import re
import signal
from typing import cast

import uvloop

from bench.calls import STREAM_HEAD, encode_answer, encode_chunk, encode_stream_end, read_pace

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STREAM = re.compile(rb'"stream": ?true')
_ANSWER = encode_answer()
_FIRST = encode_chunk({"role": "assistant", "content": ""})
# Not the same word again and again: LiteLLM takes that for a model gone astray and breaks the stream.
_MIDDLE = [
    encode_chunk({"content": f" {word}"})
    for word in ("upgrade", "process", "restart", "metrics", "clients", "headers", "cookies", "service")
]
_LAST = encode_chunk({}, finish="stop")
_END = encode_stream_end()
_HEALTHY = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Upstream(asyncio.Protocol):
    """One connection of a gateway."""

    __slots__ = ("_gap_s", "_left", "_loop", "_pending", "_timer", "_transport")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._pending = b""
        self._left = 0
        self._gap_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports implement asyncio.Transport without deriving from it.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        if self._pending:
            data = self._pending + data
        while data:
            body_at = data.find(b"\r\n\r\n") + 4
            if body_at == 3:
                break
            end = _find_end(data, body_at)
            if end < 0:
                break
            self._answer(data, body_at)
            data = data[end:]
        self._pending = data

    def _answer(self, request: bytes, body_at: int) -> None:
        if not request.startswith(b"POST"):
            self._transport.write(_HEALTHY)
        elif _STREAM.search(request, body_at):
            pace = read_pace(request)
            self._left = pace.chunks
            self._gap_s = pace.gap_ms / 1000
            self._transport.write(STREAM_HEAD + _FIRST)
            self._timer = self._loop.call_later(self._gap_s, self._tick)
        else:
            self._transport.write(_ANSWER)

    def _tick(self) -> None:
        # The first event carried the role and the last closes the choice: both count as chunks of the stream.
        self._left -= 1
        if self._left > 1:
            self._transport.write(_MIDDLE[self._left & 7])
            self._timer = self._loop.call_later(self._gap_s, self._tick)
        else:
            self._timer = None
            self._transport.write(_LAST + _END)


def _find_end(data: bytes, body_at: int) -> int:
    """Index behind the request that begins ``data``; -1 if it is not all there."""
    length = _LENGTH.search(data, 0, body_at)
    if length is not None:
        end = body_at + int(length[1])
        return end if end <= len(data) else -1
    if re.search(rb"\r\ntransfer-encoding: *chunked", data[:body_at], re.IGNORECASE):
        end = data.find(b"0\r\n\r\n", body_at)
        return end + 5 if end >= 0 else -1
    return body_at


async def _serve(host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(lambda: Upstream(loop), host, port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    gc.freeze()
    await stop.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    uvloop.run(_serve(options.host, options.port))


if __name__ == "__main__":
    main()
