"""Headers on their way up and down: what travels, what is added, what stays.

1. Upstream: the candidate's fixed lines, the interface's allow-list of the caller's headers, and what the
   wire asks for. Never the caller's credential, cookies, ``host``, ``x-forwarded-*`` or ``accept-encoding``.
2. Down: content type and coding, our request id under both names the SDKs read, the upstream's id beside it.
3. No value can carry a line break: the HTTP parsers on both sides refuse them.
"""

from aimesh.core.errors import Fault
from aimesh.dataplane.settle import Ticket
from aimesh.dataplane.stages import Planned
from aimesh.net.message import AnswerHead, Request
from aimesh.routing.candidate import Candidate
from aimesh.upstream.attempt import Whole
from aimesh.wire.faults import fault_headers
from aimesh.wire.interface import Interface, Prepared

_JSON = b"content-type: application/json\r\n"
_STREAM = (
    b"content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\nx-accel-buffering: no\r\n"
)


def upstream_head(request: Request, candidate: Candidate, interface: Interface, prepared: Prepared) -> bytes:
    """Request line and header lines of an attempt."""
    lines = [b"POST ", candidate.path]
    if request.query:
        lines += (b"?", request.query)
    lines += (b" HTTP/1.1\r\n", candidate.head.reveal())
    lines.append(b"accept: text/event-stream\r\n" if prepared.stream else b"accept: application/json\r\n")
    callers = request.headers
    for name in interface.forwards:
        if (value := callers.get(name)) is not None and name not in prepared.drops:
            lines += (name, b": ", value, b"\r\n")
    for name, value in prepared.headers:
        lines += (name, b": ", value, b"\r\n")
    return b"".join(lines)


def identity(request_id: str) -> bytes:
    """Our request id. The Anthropic SDKs read ``request-id``, the others ``x-request-id``."""
    return f"x-request-id: {request_id}\r\nrequest-id: {request_id}\r\n".encode()


def whole_answer(planned: Planned, ticket: Ticket, whole: Whole) -> bytes:
    lines = [identity(planned.arrival.id)]
    content_type = whole.head.headers.get(b"content-type")
    lines.append(b"content-type: %b\r\n" % content_type if content_type else _JSON)
    if whole.encoding:
        lines.append(b"content-encoding: %b\r\n" % whole.encoding)
    lines.append(_extra(ticket))
    return b"".join(lines)


def stream_answer(planned: Planned, ticket: Ticket, _head: AnswerHead) -> bytes:
    return b"".join((identity(planned.arrival.id), _STREAM, _extra(ticket)))


def fault_answer(fault: Fault, request_id: str) -> bytes:
    lines = [identity(request_id), _JSON]
    lines += [f"{name}: {value}\r\n".encode() for name, value in fault_headers(fault)]
    return b"".join(lines)


def own_answer(request_id: str, extra: bytes = b"") -> bytes:
    """An answer made here: model lists, estimates, tasks from our own records."""
    return identity(request_id) + _JSON + extra


def _extra(ticket: Ticket) -> bytes:
    extra = b""
    if ticket.upstream_request_id:
        extra = f"x-upstream-request-id: {ticket.upstream_request_id}\r\n".encode()
    if ticket.losses:
        extra += f"x-aimesh-losses: {', '.join(ticket.losses)}\r\n".encode("ascii", errors="replace")
    if ticket.hold is not None:
        extra += ticket.hold.headers()
    return extra
