"""Reading a request body's few fields, with the refusals that callers see.

1. An explicit ``null`` is an absent field: the Ark SDK sends every unset field so.
2. A wrong type of a field we read is refused here; what we do not read is the upstream's to judge.
"""

import re
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from aimesh.core.errors import BadRequest, ModelNotResolved
from aimesh.wire.interface import Peek
from aimesh.wire.lenient import decode
from aimesh.wire.splice import refuse_repeats

T = TypeVar("T")


class ModelAndStream(Struct, gc=False):
    """The fields that a body without knobs of interest is read for."""

    model: Any = None
    stream: Any = None


_MODEL_AND_STREAM = msgspec.json.Decoder(ModelAndStream)
_MODEL_AND_STREAM_KEYS = (b'"model"', b'"stream"')
_OFFSET = re.compile(r"\(byte (\d+)\)")


def read_body(decoder: msgspec.json.Decoder[T], body: bytes, keys: tuple[bytes, ...]) -> T:
    """The fields that the decoder's struct names; ``keys`` are the same, quoted. Raises ``BadRequest``."""
    try:
        fields, _ = decode(decoder, body)
    except msgspec.ValidationError as error:
        raise BadRequest(_refusal(body, str(error))) from error
    except msgspec.DecodeError as error:
        raise BadRequest(_offset_message(body, str(error))) from error
    refuse_repeats(body, keys)
    return fields


def peek_model_and_stream(body: bytes) -> Peek:
    fields = read_body(_MODEL_AND_STREAM, body, _MODEL_AND_STREAM_KEYS)
    return Peek(model=model_name(fields.model), stream=flag(fields.stream, "stream"))


def _refusal(body: bytes, reason: str) -> str:
    if not body.lstrip().startswith(b"{"):
        return "the body is not a JSON object, at byte 0"
    return f"a field of the body cannot be read: {reason}"


def _offset_message(body: bytes, reason: str) -> str:
    found = _OFFSET.search(reason)
    offset = int(found.group(1)) if found is not None else _readable_bytes(body)
    # The decoder counts the first trailing character as read.
    offset -= "trailing characters" in reason
    detail = reason.partition(" (byte")[0].removeprefix("JSON is malformed: ")
    return f"the body is not valid JSON, at byte {offset}: {detail[0].lower()}{detail[1:]}"


def _readable_bytes(body: bytes) -> int:
    """Where the text stops to be UTF-8; its end, if it does not."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(body)


def model_name(value: object) -> str:
    if isinstance(value, str) and value:
        return value
    if value is None or value == "":
        raise ModelNotResolved("the body names no model")
    raise ModelNotResolved("model is not a string")


def flag(value: object, name: str) -> bool:
    if value is None:
        return False
    if isinstance(value, bool):
        return value
    raise BadRequest(f"{name} is not true or false", param=name)


def count(value: object, name: str) -> int:
    """A whole number, 0 when absent."""
    if value is None:
        return 0
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise BadRequest(f"{name} is not a whole number", param=name)


def text(value: object, name: str) -> str:
    """A string, empty when absent."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise BadRequest(f"{name} is not a string", param=name)
