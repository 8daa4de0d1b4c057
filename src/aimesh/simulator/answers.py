"""The simulator's own vocabulary: a call that came in, and the answer to it.

1. Answers are made without I/O; ``deliver`` is the only file that turns one into bytes on a socket.
2. A ``Stream``'s frames are made while they are delivered, so a stream of 10,000 chunks costs no memory.
3. ``Shape`` holds what a fault may ask of an answer's content; with no fault set it is ``PLAIN``.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import msgspec

Json = dict[str, Any]
"""A decoded JSON object."""

encode_json = msgspec.json.Encoder().encode
decode_json = msgspec.json.Decoder().decode

SSE = b"text/event-stream; charset=utf-8"
JSON = b"application/json"


class Dialect(StrEnum):
    """Whose conventions a path follows: errors, end markers, oddities."""

    OPENAI = "openai"
    COMPATIBLE = "compatible"
    """DashScope's OpenAI-compatible mode."""
    ANTHROPIC = "anthropic"
    DASHSCOPE = "dashscope"
    ARK = "ark"


class Shape(msgspec.Struct, frozen=True):
    """How faults change the content of an answer."""

    chunks: int = 0
    """Number of content chunks; 0: as many as the text has pieces."""
    chunk_bytes: int = 0
    """Size of each content chunk's text; 0: as it comes."""
    no_usage: bool = False
    no_done: bool = False
    task_s: float | None = None
    """Time a task made by this call takes."""
    task_fails: bool = False


PLAIN = Shape()


class Call:
    """One request, read as far as the protocols need it. ``body`` has no explicit nulls at its top level."""

    __slots__ = (
        "body",
        "dialect",
        "headers",
        "key",
        "method",
        "origin",
        "path",
        "provider",
        "query",
        "request_id",
        "rest",
        "shape",
    )

    def __init__(self, *, method: str, path: str, provider: str, dialect: Dialect) -> None:
        self.method = method
        self.path = path
        self.provider = provider
        self.dialect = dialect
        self.rest = ""
        """The id in the path, where the route has one."""
        self.query = b""
        self.headers: dict[bytes, bytes] = {}
        self.body: Json = {}
        self.key = ""
        self.origin = ""
        """Our own address as the caller wrote it; URLs in answers begin with it."""
        self.shape = PLAIN
        self.request_id = ""


class Whole:
    """An answer in one piece."""

    __slots__ = ("body", "content_type", "headers", "status")

    def __init__(
        self, body: bytes, *, status: int = 200, content_type: bytes = JSON, headers: bytes = b""
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers
        """Further header lines, each ending in CRLF."""


class Stream:
    """An answer in frames."""

    __slots__ = ("content_type", "error_frame", "frames")

    def __init__(self, frames: Iterator[bytes], error_frame: bytes, content_type: bytes = SSE) -> None:
        self.frames = frames
        self.error_frame = error_frame
        """What this protocol sends when a stream fails after its start."""
        self.content_type = content_type


Answer = Whole | Stream


# A refusal is the upstream's word for it; "RefusalError" would say less.
class Refusal(Exception):
    """The upstream says no. Rendered in the dialect of the path by ``failures``."""

    def __init__(
        self, status: int, code: str, message: str, *, param: str | None = None, kind: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.kind = kind
        """The family's ``type`` word; None: by the status."""


def objects(value: object) -> list[Json]:
    """The objects of a list; nothing of anything else. Real requests hold every type everywhere."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def members(value: object) -> Json:
    """The object itself, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def integer(value: object) -> int | None:
    """The number, if it is a whole one; JSON's true and false are none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def whole(value: Json, headers: bytes = b"") -> Whole:
    return Whole(encode_json(value), headers=headers)
