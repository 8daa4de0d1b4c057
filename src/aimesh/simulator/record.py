"""What the simulator saw: the last requests, counts, callers who left early.

1. Recording a request keeps a reference to it and nothing else; everything is encoded when somebody asks.
2. At most ``LIMIT`` requests and ``LIMIT_BYTES`` of bodies are kept.
"""

import base64
import hashlib
from collections import deque

from aimesh.net.message import Request
from aimesh.simulator.answers import Json

LIMIT = 2000
LIMIT_BYTES = 64 * 1024 * 1024


class Entry:
    """One request and what became of its answer."""

    __slots__ = ("at_s", "ended_s", "gone_s", "number", "provider", "request", "sent", "status")

    def __init__(self, number: int, provider: str, request: Request, at_s: float) -> None:
        self.number = number
        self.provider = provider
        self.request = request
        self.at_s = at_s
        """Wall clock, as the others."""
        self.status = 0
        self.sent: hashlib._Hash | None = None
        """Of the content that was sent, where a fault asks for it."""
        self.ended_s: float | None = None
        """When the answer had been handed over whole, or broken on purpose."""
        self.gone_s: float | None = None
        """When the peer closed the connection, if that was before ``ended_s``."""

    def view(self) -> Json:
        request = self.request
        return {
            "number": self.number,
            "at_s": self.at_s,
            "provider": self.provider,
            "method": request.method.decode("latin-1"),
            "path": request.path.decode("latin-1"),
            "query": request.query.decode("latin-1"),
            "headers": {k.decode("latin-1"): v.decode("latin-1") for k, v in request.headers.items()},
            "body_base64": base64.b64encode(request.body).decode(),
            "body_sha256": hashlib.sha256(request.body).hexdigest(),
            "status": self.status,
            "sent_sha256": "" if self.sent is None else self.sent.hexdigest(),
            "ended": self.ended_s is not None,
            "peer_gone": self.gone_s is not None,
            "peer_gone_after_s": None if self.gone_s is None else self.gone_s - self.at_s,
        }


class Recorder:
    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._count = 0
        self._counts: dict[tuple[str, bytes], int] = {}
        self.open_answers = 0
        """Answers begun or delayed, not ended."""
        self.peers_gone = 0
        self.bugs: list[str] = []
        """Tracebacks of our own mistakes."""

    def add(self, provider: str, request: Request, at_s: float) -> Entry:
        self._count += 1
        entry = Entry(self._count, provider, request, at_s)
        self._entries.append(entry)
        self._bytes += len(request.body)
        while len(self._entries) > LIMIT or (self._bytes > LIMIT_BYTES and len(self._entries) > 1):
            self._bytes -= len(self._entries.popleft().request.body)
        key = (provider, request.path)
        count = self._counts.get(key)
        if count is not None:
            self._counts[key] = count + 1
        elif len(self._counts) < 10_000:
            self._counts[key] = 1
        return entry

    def last(self, limit: int, provider: str | None) -> list[Json]:
        found = [entry for entry in self._entries if provider is None or entry.provider == provider]
        return [entry.view() for entry in found[-limit:]] if limit else []

    def clear(self) -> None:
        self._entries.clear()
        self._bytes = 0
        self._counts = {}

    def stats(self) -> Json:
        counts = [
            {"provider": provider, "path": path.decode("latin-1"), "count": count}
            for (provider, path), count in sorted(self._counts.items())
        ]
        return {
            "requests": self._count,
            "paths": counts,
            "open_answers": self.open_answers,
            "peers_gone": self.peers_gone,
            "bugs": self.bugs,
        }
