"""A client that shows the bytes: one request on one socket, the answer as it came."""

import hashlib
import json
import socket
import zlib
from urllib.parse import urlsplit

from msgspec import Struct


class RawAnswer(Struct, frozen=True):
    status: int
    headers: list[tuple[str, str]]
    """In their order; names in lower case."""
    body: bytes
    """Chunks joined, as they came otherwise."""

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key == name]
        assert len(found) <= 1, found
        return found[0] if found else None

    @property
    def content(self) -> bytes:
        """Unpacked, where a content coding says so."""
        coding = self.header("content-encoding")
        if coding is None:
            return self.body
        assert coding == "gzip"
        unpack = zlib.decompressobj(wbits=31)
        content = unpack.decompress(self.body) + unpack.flush()
        assert unpack.eof
        return content

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def send(
    url: str,
    body: bytes | None,
    headers: dict[str, str],
    *,
    method: str = "POST",
    timeout_s: float = 20.0,
) -> RawAnswer:
    """One request; the body as it is."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = {"Host": parts.netloc, "Connection": "close"} | headers
    if body is not None:
        lines |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=timeout_s) as connection:
        connection.sendall(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + (body or b""))
        received = bytearray()
        while piece := connection.recv(1 << 16):
            received += piece
    return _read(bytes(received))


def send_json(url: str, body: object, key: str) -> RawAnswer:
    return send(url, json.dumps(body).encode(), {"Authorization": f"Bearer {key}"})


def _read(data: bytes) -> RawAnswer:
    head, separator, rest = data.partition(b"\r\n\r\n")
    assert separator, data[:200]
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    answer = RawAnswer(status=int(first.split(" ")[1]), headers=headers, body=rest)
    if answer.header("transfer-encoding") == "chunked":
        return RawAnswer(status=answer.status, headers=headers, body=_joined(rest))
    length = answer.header("content-length")
    assert length is not None
    assert len(rest) == int(length)
    return answer


def _joined(data: bytes) -> bytes:
    """The chunks' content. The end must be there, and nothing behind it."""
    content = bytearray()
    at = 0
    while True:
        end = data.index(b"\r\n", at)
        size = int(data[at:end], 16)
        at = end + 2
        if size == 0:
            assert data[at:] == b"\r\n"
            return bytes(content)
        content += data[at : at + size]
        assert data[at + size : at + size + 2] == b"\r\n"
        at += size + 2
