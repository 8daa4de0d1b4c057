"""The Responses interface.

1. Only the model is edited.
2. A broken stream ends with ``response.failed``, never with a bare ``error`` event: Codex ignores that one.
"""

from typing import Any

import msgspec
from msgspec import Struct

from aimesh.core.errors import BadRequest, Fault
from aimesh.core.ids import InterfaceId
from aimesh.wire.answer import decode_answer, text_of
from aimesh.wire.body import count, flag, model_name, read_body, text
from aimesh.wire.faults import encode_fault
from aimesh.wire.interface import Answer, Family, Peek, Prepared, Tap, Target, UpstreamError
from aimesh.wire.responses.stream import count_chars, read_event, read_usage
from aimesh.wire.splice import Splice, replace_model
from aimesh.wire.tap import StreamTap
from aimesh.wire.upstream_error import bad_answer, find_error
from aimesh.wire.upstream_error import read_error as read_upstream_error


class _Body(Struct, gc=False):
    model: Any = None
    stream: Any = None
    max_output_tokens: Any = None
    previous_response_id: Any = None


class _Answer(Struct, gc=False):
    output: list[msgspec.Raw] | None = None
    status: Any = None
    usage: Any = None
    model: Any = None
    error: Any = None


class _Error(Struct, gc=False):
    error: msgspec.Raw


_BODY = msgspec.json.Decoder(_Body)
_ANSWER = msgspec.json.Decoder(_Answer)
_ERROR = msgspec.json.Decoder(_Error)
_KEYS = (b'"model"', b'"stream"', b'"max_output_tokens"', b'"previous_response_id"')


class Responses:
    id = InterfaceId("responses")
    once = False
    forwards = frozenset(
        {
            b"x-client-request-id",
            b"x-prompt-cache-id",
            # Ark switches its built-in tools on by header.
            b"ark-beta-web-search",
            b"ark-beta-mcp",
            b"ark-beta-knowledge-search",
            b"ark-beta-doubao-app",
            b"ark-beta-image-process",
        }
    )

    def peek(self, body: bytes) -> Peek:
        fields = read_body(_BODY, body, _KEYS)
        return Peek(
            model=model_name(fields.model),
            stream=flag(fields.stream, "stream"),
            max_output_tokens=max(count(fields.max_output_tokens, "max_output_tokens"), 0),
            pinned_response=text(fields.previous_response_id, "previous_response_id"),
        )

    def prepare(self, body: bytes, peek: Peek, target: Target, /) -> Prepared:
        name = target.upstream_name
        return Prepared(body if name == peek.model else replace_model(body, name), peek.stream)

    def read_answer(self, body: bytes, _prepared: Prepared, /) -> Answer:
        answer = decode_answer(_ANSWER, body)
        if isinstance(answer, UpstreamError):
            return Answer(body, error=answer)
        if answer.error or answer.status == "failed" or answer.output is None:
            error = find_error(body) or bad_answer("the upstream's answer holds no response")
            return Answer(body, error=error)
        usage = read_usage(answer.usage)
        return Answer(
            body,
            usage,
            reported_model=text_of(answer.model),
            output_chars=0 if usage.reported else count_chars(answer.output),
        )

    def read_error(self, status: int, body: bytes) -> UpstreamError:
        return read_upstream_error(status, body)

    def open_tap(self, _prepared: Prepared, /) -> StreamTap:
        return StreamTap(read_event)

    def encode_stream_fault(self, fault: Fault, request_id: str, tap: Tap | None = None, /) -> bytes:
        number = tap.sequence_number + 1 if isinstance(tap, StreamTap) else 0
        opening = tap.opening if isinstance(tap, StreamTap) else b""
        event = b'{"type":"response.failed","sequence_number":%d,"response":%b}' % (
            number,
            _failed_response(opening, fault, request_id),
        )
        return b"event: response.failed\ndata: %b\n\n" % event


def _failed_response(opening: bytes, fault: Fault, request_id: str) -> bytes:
    """The response object of the stream's beginning, with status and error set."""
    try:
        response = Splice(
            opening or b'{"id":"resp_%b","object":"response","output":[]}' % request_id.encode()
        )
    except BadRequest:
        response = Splice(b"{}")
    rendered = encode_fault(Family.OPENAI, fault, request_id=request_id, path="")
    error = Splice(bytes(_ERROR.decode(rendered).error))
    # Codex knows a short list of codes and repeats the call for server_error; ours stays readable beside it.
    error.put("code", b'"rate_limit_exceeded"' if fault.status == 429 else b'"server_error"')
    error.put("gateway_code", msgspec.json.encode(fault.code))
    response.put("status", b'"failed"')
    response.put("error", error.render())
    return response.render()
