"""What every interface (wire protocol) implements. Synchronous and pure: bytes and values in and out.

1. ``peek`` reads only what the walk needs; the rest of the body stays bytes.
2. ``prepare`` returns the body for one endpoint. In the relay lane it is the caller's bytes with the model
   name spliced in and what the tap needs added; key order, number spelling and unknown fields survive.
3. ``read_answer`` judges a whole 2xx answer: it must be complete JSON of the right shape, or the attempt
   failed.
4. A tap never disturbs bytes that it does not understand once the answer has started, and only ever hands out
   whole frames, so that an error frame can follow cleanly.
5. An end must be earned: ``ended`` is true only after the protocol's own end was seen.
"""

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from aimesh.core.errors import Fault
from aimesh.core.ids import InterfaceId
from aimesh.core.traits import Traits
from aimesh.core.usage import NO_USAGE, Usage


class Family(StrEnum):
    """Whose SDK parses the answer of a path; decides the shape of errors."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    DASHSCOPE = "dashscope"
    ARK = "ark"


class Peek(Struct, frozen=True, gc=False):
    """What the walk needs to know of a request body."""

    model: str
    stream: bool = False
    max_output_tokens: int = 0
    """0: the caller set none."""
    asked_usage: bool = False
    """The caller wants the usage chunk of a chat stream."""
    asked_base64: bool = False
    """The caller wants vectors as base64."""
    pinned_response: str = ""
    """``previous_response_id`` of a Responses call: only the upstream that made it can continue it."""


class Target(Struct, frozen=True):
    """The wire's view of an endpoint."""

    upstream_name: str
    traits: Traits


class Prepared(Struct, frozen=True, gc=False):
    """One attempt's request."""

    body: bytes
    stream: bool
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Extra request headers, names in lower case (``x-dashscope-async``); they replace the caller's."""
    drops: frozenset[bytes] = frozenset()
    """Headers of ``Interface.forwards`` that must not reach this endpoint."""
    withhold_usage: bool = False
    """The usage chunk was our wish: it is read and not handed on."""
    make_base64: bool = False
    """The caller asked base64 and the upstream gives floats."""
    losses: tuple[str, ...] = ()
    """Paths of fields that could not be carried, for the loss header and the record."""


class TaskState(Struct, frozen=True):
    """What an answer says about a long job."""

    id: str
    status: str
    """In the upstream's own spelling."""
    finished: bool = False
    succeeded: bool = False


class UpstreamError(Struct, frozen=True):
    """An upstream's refusal or failure, read from its body."""

    status: int
    """HTTP status; the status inside an error frame where a stream had already answered 200."""
    code: str
    message: str
    kind: str = ""
    """The upstream's ``type`` word."""
    param: str | None = None
    blames_caller: bool = False
    """True: relayed word for word, no failover."""
    blames_credential: bool = False
    """True: the credential is marked and an administrator sees it."""


class Answer(Struct, frozen=True):
    """A whole 2xx answer, judged."""

    body: bytes
    """What the caller gets: the upstream's bytes unless an adaptation was asked for."""
    usage: Usage = NO_USAGE
    task: TaskState | None = None
    error: UpstreamError | None = None
    """Not None: the 200 was no success (empty, half JSON, an error object); the attempt failed."""
    reported_model: str = ""
    output_chars: int = 0
    """Characters of the answer, as a tap counts them; only where ``usage`` was not reported."""


class Tap(Protocol):
    """Reads a stream that is relayed. One per attempt; never shared."""

    started: bool
    """A meaningful frame was seen (content, reasoning, a tool call, or the end): the status may go out."""
    ended: bool
    earned: bool
    """The answer is complete but for its end marker."""
    error: UpstreamError | None
    """An error frame; or, before ``started``, a malformed one; or, after ``close``, a stream that was cut."""
    usage: Usage
    output_chars: int
    """Characters of answer seen so far, for an estimate where the upstream reports nothing."""
    counted_chars: int
    """As many of them had come when ``usage`` was last reported."""

    def feed(self, data: bytes) -> bytes:
        """Takes any piece of the stream, gives the whole frames that the caller may have now.

        Before ``started`` the bytes come out all the same; the walk holds them back. A frame with an
        error is handed out too when the stream had started (it is already in the caller's own protocol)."""
        ...

    def close(self) -> bytes:
        """The bytes ended. Gives what may still go out; sets ``error`` if the end was not earned."""
        ...


class Interface(Protocol):
    id: InterfaceId
    once: bool
    """True: a call makes something that costs again when repeated (task, picture); never sent twice
    unless the first was certainly not accepted."""
    forwards: frozenset[bytes]
    """Request headers (lower case) of the caller that travel upstream."""

    def peek(self, body: bytes) -> Peek:
        """Raises ``core.errors.BadRequest`` (no JSON object, with the offset; wrong type of a field we read)
        or ``ModelNotResolved`` (no ``model``). Explicit nulls count as absent."""
        ...

    def prepare(self, body: bytes, peek: Peek, target: Target, /) -> Prepared:
        """Raises ``Unsupported`` or ``BadRequest`` where a feature cannot be carried."""
        ...

    def read_answer(self, body: bytes, prepared: Prepared, /) -> Answer: ...

    def read_error(self, status: int, body: bytes) -> UpstreamError:
        """Any body: JSON of the family, of another family, HTML, empty. Never raises."""
        ...

    def open_tap(self, prepared: Prepared, /) -> Tap: ...

    def encode_stream_fault(self, fault: Fault, request_id: str, tap: Tap | None = None, /) -> bytes:
        """The error event that ends a broken stream in this protocol; no end marker follows.

        ``tap`` is the broken stream's own tap: protocols that number their events go on from it."""
        ...
