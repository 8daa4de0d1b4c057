"""Blocking HTTP for chaos tests: what a caller sees, to the byte, and whether the answer ended properly."""

import contextlib
import http.client
import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct
from tests.support.chaos_config import KEY

T = TypeVar("T")

DEADLINE_S = 20.0
"""Far more than anything here takes: only a hang meets it."""


class Seen(Struct, frozen=True):
    """An answer as it reached the caller."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_complete: bool
    """The body ended as HTTP says that bodies end."""
    took_s: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def request_id(self) -> str:
        return self.headers["x-request-id"]

    @property
    def frames(self) -> list["Frame"]:
        return frames_of(self.body)


class Frame(Struct, frozen=True):
    event: str
    data: str

    @property
    def json(self) -> Any:
        return json.loads(self.data)


def frames_of(body: bytes) -> list[Frame]:
    frames = []
    for block in body.decode("utf-8").split("\n\n"):
        fields: dict[str, str] = {}
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            if name:
                fields[name] = value.removeprefix(" ")
        if fields:
            frames.append(Frame(fields.get("event", ""), fields.get("data", "")))
    return frames


def headers_with(extra: dict[str, str] | None = None, *, key: str = KEY) -> dict[str, str]:
    return {"authorization": f"Bearer {key}", "content-type": "application/json"} | (extra or {})


def call(url: str, path: str, body: object, *, headers: dict[str, str] | None = None, key: str = KEY) -> Seen:
    """One POST on a connection of its own, read to its end."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection = http.client.HTTPConnection(_host(url), timeout=DEADLINE_S)
    began_s = time.monotonic()
    try:
        connection.request("POST", path, payload, headers_with(headers, key=key))
        response = connection.getresponse()
        is_complete = True
        try:
            content = response.read()
        except http.client.IncompleteRead as error:
            content, is_complete = error.partial, False
        return Seen(
            status=response.status,
            headers={name.lower(): value for name, value in response.getheaders()},
            body=content,
            is_complete=is_complete,
            took_s=time.monotonic() - began_s,
        )
    finally:
        connection.close()


def get(url: str, path: str, *, key: str = KEY) -> Seen:
    connection = http.client.HTTPConnection(_host(url), timeout=DEADLINE_S)
    began_s = time.monotonic()
    try:
        connection.request("GET", path, headers=headers_with(key=key))
        response = connection.getresponse()
        content = response.read()
        return Seen(
            status=response.status,
            headers={name.lower(): value for name, value in response.getheaders()},
            body=content,
            is_complete=True,
            took_s=time.monotonic() - began_s,
        )
    finally:
        connection.close()


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    assert parts.hostname is not None
    return socket.create_connection((parts.hostname, parts.port or 80), timeout=DEADLINE_S)


def request_bytes(path: str, body: object, *, headers: dict[str, str] | None = None, key: str = KEY) -> bytes:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "host: chaos.test", f"content-length: {len(payload)}"]
    lines += [f"{name}: {value}" for name, value in headers_with(headers, key=key).items()]
    return "\r\n".join([*lines, "", ""]).encode() + payload


class Open:
    """A streamed call that is being read; ``hang_up`` leaves it in the middle."""

    def __init__(self, url: str, path: str, body: object, *, key: str = KEY) -> None:
        self._socket = connect(url)
        self._socket.sendall(request_bytes(path, body, key=key))
        self.received = bytearray()

    def read_some(self) -> bytes:
        data = self._socket.recv(65536)
        self.received += data
        return data

    def read_frames(self, count: int) -> None:
        """Reads until so many frames (or the end of a chunk with a frame in it) are there."""
        while self.received.count(b"\n\n") < count:
            assert self.read_some(), f"the answer ended early: {self.received[-300:]!r}"

    def read_to_end(self) -> bytes:
        """Until the last chunk of a chunked answer."""
        while not self.received.endswith(b"\r\n0\r\n\r\n"):
            if not self.read_some():
                break
        return bytes(self.received)

    def hang_up(self, *, reset: bool = False) -> None:
        if reset:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


@contextlib.contextmanager
def opened(url: str, path: str, body: object, *, key: str = KEY) -> Iterator[Open]:
    stream = Open(url, path, body, key=key)
    try:
        yield stream
    finally:
        stream.hang_up()


def until(what: Callable[[], T | None], why: str, *, within_s: float = DEADLINE_S) -> T:
    """Polls until ``what`` gives something true; the wait is an assertion."""
    deadline_s = time.monotonic() + within_s
    while True:
        value = what()
        if value:
            return value
        assert time.monotonic() < deadline_s, f"waited {within_s:g} s in vain: {why}"
        time.sleep(0.01)


def _host(url: str) -> str:
    return urlsplit(url).netloc
