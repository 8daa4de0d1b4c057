"""Reads the events of a picture stream on their way to the caller.

1. ``partial_succeeded`` brings a picture, ``partial_failed`` the reason why one is missing; neither is the end.
2. A picture that was moderated away is no error of the stream, and is not counted.
"""

from typing import Any

import msgspec
from msgspec import Struct, structs

from aimesh.core.usage import Usage
from aimesh.framing.sse import read_frame
from aimesh.wire.lenient import decode
from aimesh.wire.numbers import whole
from aimesh.wire.tap import StreamTap
from aimesh.wire.upstream_error import find_error, read_embedded_error


class _Event(Struct, gc=False):
    type: Any = None
    usage: Any = None


_EVENT = msgspec.json.Decoder(_Event)


def read_usage(usage: dict[str, Any], counted: int) -> Usage:
    """``counted``: pictures seen, for an upstream that does not say how many it made."""
    generated = usage.get("generated_images")
    return Usage(
        input_tokens=whole(usage.get("input_tokens")),
        output_tokens=whole(usage.get("output_tokens")),
        images=counted if generated is None else whole(generated),
    )


def read_event(tap: StreamTap, frame: bytes) -> bool:
    name, data = read_frame(frame)
    if not data.strip() or data.strip() == b"[DONE]":
        return True
    try:
        event, _ = decode(_EVENT, data)
    except msgspec.DecodeError:
        return tap.unreadable()
    kind = event.type if isinstance(event.type, str) else name.decode("ascii", errors="replace")
    if kind.endswith(".partial_succeeded"):
        tap.started = True
        tap.count(structs.replace(tap.usage, images=tap.usage.images + 1, reported=True))
    elif kind.endswith(".partial_failed"):
        tap.started = True
    elif kind.endswith(".completed"):
        tap.started = tap.ended = True
        usage = event.usage if isinstance(event.usage, dict) else {}
        tap.count(read_usage(usage, tap.usage.images))
    elif kind == "error":
        return tap.fail(read_embedded_error(data))
    elif (found := find_error(data)) is not None:
        return tap.fail(found)
    return True
