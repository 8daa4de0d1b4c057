"""What the simulated providers remember: prompt prefixes, stored responses, tasks, the time.

1. Everything here belongs to one ``Simulator`` and dies with it.
2. Each memory is bounded; the oldest entries go first.
3. Nothing changes by itself: a task's state follows from its age whenever somebody asks.
"""

import hashlib
from collections import OrderedDict
from typing import Generic, TypeVar

from msgspec import Struct

from aimesh.core.clock import Clock
from aimesh.core.ids import RequestIds
from aimesh.simulator.answers import Json

V = TypeVar("V")

CACHE_FROM_TOKENS = 64
"""Shortest prefix that is cached. Real providers start at 1,024; a demo's prompts are shorter."""


class Memory(Generic[V]):
    """A bounded map; the oldest entry goes first."""

    __slots__ = ("_entries", "_limit")

    def __init__(self, limit: int) -> None:
        self._entries: OrderedDict[str, V] = OrderedDict()
        self._limit = limit

    def get(self, key: str) -> V | None:
        return self._entries.get(key)

    def put(self, key: str, value: V) -> None:
        self._entries[key] = value
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def drop(self, key: str) -> bool:
        return self._entries.pop(key, None) is not None

    def values(self) -> list[V]:
        return list(self._entries.values())


class Settings(Struct):
    """Changed while running by ``POST /_sim/settings``."""

    task_s: float = 1.2
    """Time from a task's creation to its end."""
    chunk_delay_ms: float = 0.0
    """Pause between the chunks of every stream."""


class Task(Struct):
    """A long job of either task API."""

    id: str
    provider: str
    model: str
    created_s: float
    """Wall clock."""
    duration_s: float
    fails: tuple[str, str] | None
    """Code and message of the failure it ends in."""
    order: Json
    """What was asked for, already in the API's own terms."""
    request_id: str
    origin: str
    cancelled_s: float | None = None

    def phase(self, now_s: float) -> str:
        """``queued``, ``running``, ``succeeded``, ``failed`` or ``cancelled``."""
        if self.cancelled_s is not None:
            return "cancelled"
        age_s = now_s - self.created_s
        if age_s < self.duration_s * 0.25:
            return "queued"
        if age_s < self.duration_s:
            return "running"
        return "succeeded" if self.fails is None else "failed"


class World:
    """One simulator's memory."""

    def __init__(self, clock: Clock, settings: Settings, process: int) -> None:
        self.clock = clock
        self.settings = settings
        self.ids = RequestIds(process)
        self.tasks: Memory[Task] = Memory(5000)
        self.responses: Memory[Json] = Memory(500)
        self._prefixes: Memory[int] = Memory(20000)

    def cached_tokens(self, scope: str, parts: list[tuple[str, int]]) -> int:
        """Tokens of the longest prefix of ``parts`` (text and size each) seen before; remembers them all."""
        if sum(size for _, size in parts) < CACHE_FROM_TOKENS:
            return 0
        chain = hashlib.sha256(scope.encode())
        tokens = found = 0
        for text, size in parts:
            chain.update(text.encode("utf-8", "surrogatepass"))
            chain.update(b"\0")
            tokens += size
            if tokens < CACHE_FROM_TOKENS:
                continue
            key = chain.hexdigest()
            if self._prefixes.get(key) is not None:
                found = tokens
            else:
                self._prefixes.put(key, tokens)
        # The last token is always computed anew.
        return min(found, tokens - 1)
