"""Faults on demand: which calls they meet, and what they ask for.

1. A fault meets a call when every member of its ``match`` does. ``times`` counts the calls it met.
2. Modifiers add up on one call. Of the breaking kinds only the first that matches acts; the others keep their
   count, so ``[503 once, 429 once]`` means 503 to the first call and 429 to the second.
3. Every kind that needs a number takes it as ``n``, in the unit its name or line below says.
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct

from aimesh.simulator.answers import PLAIN, Shape


class Kind(StrEnum):
    # Modifiers.
    LATENCY_MS = "latency_ms"
    """Head only after ``n`` milliseconds."""
    SLOW_START = "slow_start"
    """Head only after ``n`` seconds."""
    SLOW_CHUNKS_MS = "slow_chunks_ms"
    """``n`` milliseconds between chunks."""
    CHUNKS = "chunks"
    """``n`` content chunks."""
    CHUNK_BYTES = "chunk_bytes"
    """``n`` bytes of text in each content chunk."""
    DRIP = "drip"
    """The bytes arrive in pieces of ``n`` (default 7), each on its own, wherever that cuts."""
    GZIP = "gzip"
    HASHED = "hashed"
    """``/_sim/requests`` shows the SHA-256 of the content that was sent, taken before compression."""
    NO_USAGE = "no_usage"
    NO_DONE = "no_done"
    """The protocol's end marker is missing; the stream is whole otherwise."""
    TASK_SECONDS = "task_seconds"
    """A task made by this call takes ``n`` seconds."""
    TASK_FAILS = "task_fails"
    # Breaking kinds.
    STATUS = "status"
    """``status`` with ``headers``; ``body`` (text, or JSON), or what the family says for that status."""
    RESET_BEFORE_FIRST_BYTE = "reset_before_first_byte"
    RESET_AFTER_BYTES = "reset_after_bytes"
    """``n`` bytes of the body."""
    RESET_AFTER_CHUNKS = "reset_after_chunks"
    HEAD_THEN_SILENCE = "head_then_silence"
    STALL_AFTER_CHUNKS = "stall_after_chunks"
    CUT_AFTER_CHUNKS = "cut_after_chunks"
    """No end marker; ``end``: ``chunked`` (HTTP ends properly) or ``close`` (the connection just closes)."""
    EMPTY_200 = "empty_200"
    ERROR_EVENT_FIRST = "error_event_first"
    """A whole answer becomes a 200 with an error as its body."""
    ERROR_EVENT_AFTER_CHUNKS = "error_event_after_chunks"
    MALFORMED_EVENT_FIRST = "malformed_event_first"
    """The good frames follow."""
    MALFORMED_CHUNK_AFTER = "malformed_chunk_after"
    """After ``n`` chunks; the good frames go on."""
    HALF_JSON = "half_json"
    """Half of the body (of the third frame of a stream) in a proper HTTP message."""
    WRONG_CONTENT_LENGTH = "wrong_content_length"
    """``n`` bytes more than there are (default 100; negative: fewer), then the connection closes."""
    WRONG_CONTENT_TYPE = "wrong_content_type"
    """A page of HTML with status 200."""


_MODIFIERS = frozenset(
    (
        Kind.LATENCY_MS,
        Kind.SLOW_START,
        Kind.SLOW_CHUNKS_MS,
        Kind.CHUNKS,
        Kind.CHUNK_BYTES,
        Kind.DRIP,
        Kind.GZIP,
        Kind.HASHED,
        Kind.NO_USAGE,
        Kind.NO_DONE,
        Kind.TASK_SECONDS,
        Kind.TASK_FAILS,
    )
)


class Match(Struct, frozen=True, forbid_unknown_fields=True):
    """Members left out match everything."""

    provider: str | None = None
    path_suffix: str | None = None
    model: str | None = None
    credential: str | None = None


class Fault(Struct, forbid_unknown_fields=True):
    kind: Kind
    match: Match = Match()
    times: int | None = None
    """How many calls it still meets; None: all."""
    n: float | None = None
    status: int = 500
    headers: dict[str, str] = {}
    body: Any = None
    end: str = "chunked"
    id: int = 0

    def meets(self, call: "Met") -> bool:
        match = self.match
        return (
            (match.provider is None or match.provider == call.provider)
            and (match.path_suffix is None or call.path.endswith(match.path_suffix))
            and (match.model is None or match.model == call.model)
            and (match.credential is None or match.credential == call.credential)
        )


class Met(Struct, frozen=True):
    """What faults look at in a call."""

    provider: str
    path: str
    model: str
    credential: str


class Plan(Struct, frozen=True):
    """What the faults ask of one answer."""

    shape: Shape = PLAIN
    delay_s: float = 0.0
    chunk_delay_s: float | None = None
    drip_bytes: int = 0
    gzip: bool = False
    hashed: bool = False
    breaking: Fault | None = None


class FaultBook:
    """The faults that are set."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._count = 0

    def add(self, fault: Fault) -> int:
        self._count += 1
        fault.id = self._count
        self.faults.append(fault)
        return fault.id

    def clear(self) -> None:
        self.faults = []

    def take(self, call: Met) -> Plan | None:
        """The plan for this call; counts down what was used."""
        met: list[Fault] = []
        breaking: Fault | None = None
        for fault in self.faults:
            if not fault.meets(call):
                continue
            if fault.kind not in _MODIFIERS:
                if breaking is not None:
                    continue
                breaking = fault
            met.append(fault)
        if not met:
            return None
        for fault in met:
            if fault.times is not None:
                fault.times -= 1
        self.faults = [fault for fault in self.faults if fault.times is None or fault.times > 0]
        return _plan([fault for fault in met if fault is not breaking], breaking)


def _plan(modifiers: list[Fault], breaking: Fault | None) -> Plan:
    given = {fault.kind: fault.n for fault in modifiers}
    shape = Shape(
        chunks=int(given.get(Kind.CHUNKS) or 0),
        chunk_bytes=int(given.get(Kind.CHUNK_BYTES) or 0),
        no_usage=Kind.NO_USAGE in given,
        no_done=Kind.NO_DONE in given,
        task_s=given.get(Kind.TASK_SECONDS),
        task_fails=Kind.TASK_FAILS in given,
    )
    pause_ms = given.get(Kind.SLOW_CHUNKS_MS)
    return Plan(
        shape=shape,
        delay_s=(given.get(Kind.LATENCY_MS) or 0) / 1000 + (given.get(Kind.SLOW_START) or 0),
        chunk_delay_s=None if pause_ms is None else pause_ms / 1000,
        drip_bytes=int(given[Kind.DRIP] or 7) if Kind.DRIP in given else 0,
        gzip=Kind.GZIP in given,
        hashed=Kind.HASHED in given,
        breaking=breaking,
    )
