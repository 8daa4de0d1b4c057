"""Reading JSON that is valid, but that the fast decoder refuses.

1. A lone surrogate escape (``\\ud83d`` without its other half) is legal JSON: clients send it, and
   upstreams cut pairs in two between stream chunks. For reading it is taken as U+FFFD, written in the same
   six bytes, so that every offset stays true; what is sent on keeps the original bytes.
"""

import re
from typing import Any, TypeVar

import msgspec

_ESCAPE = re.compile(
    rb"\\\\|\\u[dD][89aAbB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_LONE_SIZE = 6
_REASONS: dict[type[Exception], str] = {
    UnicodeDecodeError: "the text is not UTF-8",
    RecursionError: "the nesting is too deep",
}
T = TypeVar("T")
_ANY = msgspec.json.Decoder()


def mend(data: bytes) -> bytes:
    """The same text for reading: lone surrogate escapes replaced, length kept."""
    return _ESCAPE.sub(_mend_escape, data)


def _mend_escape(found: re.Match[bytes]) -> bytes:
    escape = found.group()
    return rb"\ufffd" if len(escape) == _LONE_SIZE else escape


def decode_any(data: bytes) -> Any:
    """Any JSON value. Raises ``msgspec.DecodeError`` for what is none, and for nesting beyond reason."""
    return decode(_ANY, data)[0]


def decode(decoder: msgspec.json.Decoder[T], data: bytes) -> tuple[T, bytes]:
    """The value, and the text it was read from: ``data``, or its mended twin of the same length.

    Raises ``msgspec.DecodeError`` (or its child ``ValidationError``) and nothing else.
    """
    try:
        return decoder.decode(data), data
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        mended = mend(data)
        if mended == data:
            raise
        return decode(decoder, mended)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(_REASONS[type(error)]) from error
