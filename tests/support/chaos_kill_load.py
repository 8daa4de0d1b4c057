"""Callers of every kind while processes are killed; each call is marked, so that it is known again at the simulator.

1. A call is whole when its answer was read to the end that HTTP and its protocol define; anything else that began to be
   sent is broken. Nothing is tried again.
2. Callers never ask about the tasks that they make.
"""

import asyncio
import json
import random
import re
import threading
from urllib.parse import urlsplit

from msgspec import Struct
from tests.support.chaos_calls import (
    CHAT,
    CHAT_STREAM,
    EMBEDDINGS,
    IMAGE_WHOLE,
    TASK,
    VIDEO_TASK,
    Style,
)
from tests.support.chaos_config import IMAGE, TEXT, VECTOR, VIDEO
from tests.support.chaos_http import request_bytes
from tests.support.chaos_load import read_answer

_ID = re.compile(rb"\r\nx-request-id: ([^\r]+)\r\n")
_LONG = "The quick brown fox of the harbour master jumps over eleven lazy dogs. " * 8
"""Long enough that the simulator serves it from its cache the second time."""
_WEIGHTS = {
    CHAT.name: 5,
    CHAT_STREAM.name: 5,
    EMBEDDINGS.name: 3,
    IMAGE_WHOLE.name: 1,
    TASK.name: 1,
    VIDEO_TASK.name: 1,
}
_STYLES = (CHAT, CHAT_STREAM, EMBEDDINGS, IMAGE_WHOLE, TASK, VIDEO_TASK)
_CALL_S = 30.0


class Call(Struct, frozen=True):
    """What its caller saw."""

    mark: int
    style: str
    status: int
    """0: no head came."""
    is_whole: bool
    request_id: str


class KillLoad:
    """Runs in a thread of its own between ``start`` and ``stop``."""

    def __init__(self, url: str, *, callers: int, pause_s: float, seed: int) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._callers = callers
        self._pause_s = pause_s
        self._chance = random.Random(seed)
        self._is_stopped = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="load")
        self.calls: list[Call] = []
        self._marks = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when every call has ended."""
        self._is_stopped = True
        self._thread.join(2 * _CALL_S)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            asyncio.run(self._all())
        except BaseException as error:
            self._error = error

    async def _all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for index in range(self._callers):
                group.create_task(self._caller(keeps_connection=index % 2 == 0))

    async def _caller(self, *, keeps_connection: bool) -> None:
        while not self._is_stopped:
            try:
                reader, writer = await asyncio.open_connection(self._host, self._port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            try:
                while await self._call(reader, writer) and keeps_connection and not self._is_stopped:
                    await asyncio.sleep(self._chance.expovariate(1 / self._pause_s))
            finally:
                writer.close()
            await asyncio.sleep(self._chance.expovariate(1 / self._pause_s))

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection may be used again."""
        (style,) = self._chance.choices(_STYLES, [_WEIGHTS[style.name] for style in _STYLES])
        self._marks += 1
        mark = self._marks
        writer.write(request_bytes(style.path, marked(style, mark)))
        head, is_whole = b"", False
        try:
            async with asyncio.timeout(_CALL_S):
                head, body = await read_answer(reader)
            is_whole = _is_good(style, body)
        except (OSError, asyncio.IncompleteReadError):
            pass
        found = _ID.search(head)
        status = int(head[9:12]) if head else 0
        self.calls.append(
            Call(mark, style.name, status, is_whole and status == 200, found[1].decode() if found else "")
        )
        return is_whole and b"\r\nconnection: close\r\n" not in head


def marked(style: Style, mark: int) -> dict[str, object]:
    """A body of this style that says which call it is."""
    words = f"call-{mark}- what is seen at sea?"
    match style.body["model"]:
        case name if name == TEXT:
            turns = [{"role": "system", "content": _LONG}, {"role": "user", "content": words}]
            return style.body | {"messages": turns}
        case name if name == VECTOR:
            return style.body | {"input": words}
        case name if name == IMAGE:
            return style.body | {"prompt": words}
        case name if name == VIDEO and style is TASK:
            return style.body | {"content": [{"type": "text", "text": words}]}
    return style.body | {"input": {"prompt": words}}


def _is_good(style: Style, body: bytes) -> bool:
    return style.end_mark.encode() in body if style.stream else isinstance(json.loads(body), dict)
