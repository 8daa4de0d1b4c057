"""HTTP/1.1 without I/O: the heads and chunks that are written, and the rules that what was read must keep.

llhttp has parsed the bytes; the checks here refuse what it lets pass and what two parsers could read in two
ways.

1. A message has one length: Content-Length, or Transfer-Encoding that is exactly ``chunked``, or none.
2. A request's target is a path (or a well-formed absolute URL whose authority is the Host header, or ``*``
   for OPTIONS), and on HTTP/1.1 there is exactly one Host.
3. ``RefusedError`` carries the status that the caller gets; its message is safe text, nothing of the request.
"""

import re
from email.utils import formatdate
from http import HTTPStatus
from typing import NamedTuple

import msgspec

METHODS = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"))
LAST_CHUNK = b"0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

SINGLE_HEADERS = frozenset((b"host", b"content-length", b"transfer-encoding", b"authorization"))
"""A second one of these makes the request ambiguous, so it is refused instead of joined."""

_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~%!$&'()*+;=-]{1,255})(?::[0-9]{0,5})?")
_ABSOLUTE = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://([^/?#@]+)(/[^?#]*)?(\?[^#]*)?")
_CONNECT_ANSWER = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [^\r\n]*)?\r\n")


class RefusedError(Exception):
    """The request breaks a rule of HTTP/1.1; the connection ends with this answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Target(NamedTuple):
    path: bytes
    query: bytes


def _status_lines() -> dict[int, bytes]:
    lines = {status: b"HTTP/1.1 %d \r\n" % status for status in range(100, 1000)}
    for known in HTTPStatus:
        lines[known.value] = b"HTTP/1.1 %d %b\r\n" % (known.value, known.phrase.encode("ascii"))
    return lines


STATUS_LINES = _status_lines()


def encode_tail(wall_s: float, connection: bytes = b"") -> bytes:
    """The last header lines of every head of one second: date, ``connection`` if any, and the empty line."""
    date = formatdate(wall_s, usegmt=True).encode("ascii")
    if connection:
        return b"date: %b\r\nconnection: %b\r\n\r\n" % (date, connection)
    return b"date: %b\r\n\r\n" % date


def encode_chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def has_no_body(status: int) -> bool:
    """An answer with this status has no body and no length, whatever the request was."""
    return status < 200 or status in (204, 304)


def encode_refusal(status: int, message: str, request_id: str) -> bytes:
    """The body of an answer to a request that has no path family yet."""
    return msgspec.json.encode(
        {
            "error": {
                "code": "GATEWAY_REQUEST_TOO_LARGE" if status == 413 else "GATEWAY_BAD_REQUEST",
                "message": message,
                "source": "gateway",
                "type": "invalid_request_error",
                "param": None,
                "retry_history": None,
                "request_id": request_id,
            }
        }
    )


def read_target(method: bytes, target: bytes, host: bytes) -> Target:
    """Splits the request target. ``host`` is the Host header, which an absolute target must repeat."""
    if target[:1] != b"/":
        if target == b"*" and method == b"OPTIONS":
            return Target(b"*", b"")
        match = _ABSOLUTE.fullmatch(target)
        if match is None or match[1].lower() != host.lower():
            raise RefusedError(400, "The request target must be a path.")
        return Target(match[2] or b"/", (match[3] or b"?")[1:])
    if b"#" in target:
        raise RefusedError(400, "The request target must not have a fragment.")
    path, _, query = target.partition(b"?")
    return Target(path, query)


def check_host(host: bytes | None, version: str) -> None:
    if host is None:
        if version != "1.0":
            raise RefusedError(400, "The Host header is missing.")
    elif _HOST.fullmatch(host) is None and (host or version != "1.0"):
        raise RefusedError(400, "The Host header is malformed.")


def check_method(method: bytes) -> None:
    if method not in METHODS:
        raise RefusedError(501, "The request method is not supported.")


def check_version(version: str) -> None:
    if version not in ("1.1", "1.0"):
        raise RefusedError(505, "The HTTP version is not supported; use HTTP/1.1.")


def check_framing(headers: dict[bytes, bytes], version: str) -> None:
    """Called when there is a Transfer-Encoding: only ``chunked``, only on 1.1, never beside a length."""
    if headers[b"transfer-encoding"].lower() != b"chunked":
        raise RefusedError(501, "The only transfer coding supported is chunked.")
    if b"content-length" in headers or version == "1.0":
        raise RefusedError(400, "The length of the request is ambiguous.")


def expects_continue(headers: dict[bytes, bytes], version: str) -> bool:
    """Called when there is an Expect header. HTTP/1.0 knows none, so there it is ignored."""
    if version == "1.0":
        return False
    if headers[b"expect"].lower() != b"100-continue":
        raise RefusedError(417, "The only expectation supported is 100-continue.")
    return True


def describe_parse_error(name: str, text: str) -> RefusedError:
    """llhttp's error, by class name and text, as an answer. Its texts are constants: safe to show."""
    if name == "HttpParserInvalidMethodError":
        return RefusedError(400, "The request line is malformed: unknown method.")
    if name == "HttpParserInvalidURLError":
        return RefusedError(400, "The request target is malformed.")
    if "PRI" in text:
        return RefusedError(505, "HTTP/2 is not spoken on this port.")
    if "HTTP version" in text:
        return RefusedError(505, "The HTTP version is not supported; use HTTP/1.1.")
    if "Content-Length overflow" in text:
        return RefusedError(413, "The request body is too large.")
    return RefusedError(400, f"The request is malformed: {text}.")


def without_upgrade(method: bytes, target: bytes, version: str, headers: dict[bytes, bytes]) -> bytes:
    """The head of a request that offered a protocol upgrade, as it is without the offer (RFC 9110, 7.8)."""
    lines = [b"%b %b HTTP/%b\r\n" % (method, target, version.encode("ascii"))]
    for name, value in headers.items():
        if name == b"connection":
            kept = [word for word in value.split(b",") if word.strip().lower() in (b"close", b"keep-alive")]
            if kept:
                lines.append(b"connection: %b\r\n" % b",".join(kept))
        elif name != b"upgrade":
            lines.append(b"%b: %b\r\n" % (name, value))
    lines.append(b"\r\n")
    return b"".join(lines)


def complete_head(head: bytes, body: bytes) -> bytes:
    """A request head with its Content-Length and its end. A GET, HEAD or DELETE without a body has none."""
    if not body and head.startswith((b"GET ", b"DELETE ", b"HEAD ")):
        return head + b"\r\n"
    return b"%bcontent-length: %d\r\n\r\n" % (head, len(body))


def absolute_head(head: bytes, authority: bytes, proxy_header: bytes) -> bytes:
    """A request head as a forward proxy wants it: absolute target, proxy credentials."""
    line, _, rest = head.partition(b"\r\n")
    method, _, target = line.partition(b" ")
    return b"%b http://%b%b\r\n%b%b" % (method, authority, target, proxy_header, rest)


def encode_connect(authority: bytes, proxy_header: bytes) -> bytes:
    return b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n%b\r\n" % (authority, authority, proxy_header)


def read_connect_answer(data: bytes) -> int | None:
    """The status of a proxy's answer to CONNECT once its head is complete; 0: not an HTTP answer, or bytes
    follow it (nobody may speak before we do)."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return 0 if len(data) > 65536 else None
    match = _CONNECT_ANSWER.match(data)
    if match is None:
        return 0
    status = int(match[1])
    return 0 if 200 <= status < 300 and len(data) != end + 4 else status


def is_delimited_by_close(status: int, headers: dict[bytes, bytes]) -> bool:
    """Whether the end of the connection is the end of this answer (not asked for an answer to HEAD)."""
    return not (has_no_body(status) or b"content-length" in headers or b"transfer-encoding" in headers)
