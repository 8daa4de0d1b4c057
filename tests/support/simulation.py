"""A live simulator in a thread of its own, for tests that talk to it with blocking clients."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

from aimesh.net.listen import new_event_loop
from aimesh.simulator.app import Simulator
from aimesh.simulator.world import Settings


class LiveSimulator:
    """Where it is, and its control doors."""

    def __init__(self, simulator: Simulator, port: int) -> None:
        self.simulator = simulator
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def control(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self.url + path, data=data, method=method), timeout=10) as answer:
            return json.loads(answer.read())

    def fault(self, kind: str, **members: object) -> None:
        self.control("POST", "/_sim/faults", {"kind": kind, **members})

    def clear(self) -> None:
        self.control("DELETE", "/_sim/faults")
        self.control("DELETE", "/_sim/requests")

    def get(self, path: str) -> bytes:
        """A file's bytes; ``path`` may be a whole URL of ours."""
        url = path if path.startswith("http") else self.url + path
        with urlopen(url, timeout=10) as answer:
            data: bytes = answer.read()
            return data

    def post(self, path: str, body: object, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """One request on a fresh raw connection: status, headers, and the body as it came, chunks and all."""
        return split_answer(self.exchange(path, body, **headers)[0])

    def exchange(self, path: str, body: object, **headers: str) -> tuple[bytes, str]:
        """All bytes that came, and how it ended: ``closed``, ``reset`` or ``silent``."""
        with self.connect() as connection:
            connection.sendall(encode_request(path, body, headers))
            return read_all(connection)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)


def encode_request(path: str, body: object, headers: dict[str, str] | None = None) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"host": "simulator", "authorization": "Bearer k", "connection": "close"}
    lines |= {name.replace("_", "-"): value for name, value in (headers or {}).items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"POST {path} HTTP/1.1\r\n{head}content-length: {len(data)}\r\n\r\n".encode() + data


def read_all(connection: socket.socket, silence_s: float = 0.4) -> tuple[bytes, str]:
    """Everything that comes, and how it ends: ``closed``, ``reset`` or ``silent``."""
    connection.settimeout(silence_s)
    received = bytearray()
    while True:
        try:
            piece = connection.recv(65536)
        except TimeoutError:
            return bytes(received), "silent"
        except ConnectionResetError:
            return bytes(received), "reset"
        if not piece:
            return bytes(received), "closed"
        received += piece


def split_answer(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    return int(lines[0].split(" ")[1]), headers, body


def dechunked(body: bytes) -> tuple[bytes, bool]:
    """The content of a chunked body, and whether its end was there."""
    content = bytearray()
    at = 0
    while at < len(body):
        line_end = body.index(b"\r\n", at)
        length = int(body[at:line_end], 16)
        if length == 0:
            return bytes(content), True
        at = line_end + 2
        content += body[at : at + length]
        at += length + 2
    return bytes(content), False


def wait_for(condition: Any, deadline_s: float = 5.0) -> Any:
    """Polls until ``condition()`` is truthy and gives its value."""
    until = time.monotonic() + deadline_s
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError("the condition did not come true in time")


@contextmanager
def live_simulator(settings: Settings | None = None) -> Iterator[LiveSimulator]:
    loop = new_event_loop()
    simulator = Simulator(settings or Settings(task_s=0.3))
    ready = threading.Event()
    bound: list[int] = []

    async def serve() -> None:
        bound.append(await simulator.start())
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.run_forever()
        loop.run_until_complete(simulator.stop())
        loop.close()

    thread = threading.Thread(target=run, name="simulator", daemon=True)
    thread.start()
    assert ready.wait(10)
    live = LiveSimulator(simulator, bound[0])
    try:
        yield live
        assert simulator.recorder.bugs == []
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
