"""Renders a fault in the shape that the SDKs of a path parse.

1. Every error carries code, message, source, retry history and the request id, whatever the family.
2. The gateway's own messages read ``[aimesh] <message> path=<path>, requestId=<id>``. What an upstream said
   to blame the caller is repeated word for word, with nothing added: clients repair their next request by
   it.
3. ``retry_history`` is null for faults of the gateway and a list for those of upstreams.
4. ``Retry-After`` is whole seconds, at most 60: some SDKs sleep whatever they are told. A longer wait is
   told in the message, and ``x-should-retry: false`` goes with it.
"""

from typing import Any

import msgspec

from aimesh.core.errors import Fault, MethodNotAllowed, UpstreamRefused
from aimesh.wire.interface import Family

RETRY_AFTER_LIMIT_S = 60

_OPENAI_TYPE_BY_CODE = {
    "GATEWAY_TOO_MANY_REQUESTS": "insufficient_quota",
    "GATEWAY_RATE_LIMITED": "rate_limit_error",
    "UPSTREAM_ALL_FAILED": "upstream_error",
    "UPSTREAM_BROKEN_STREAM": "upstream_error",
}
_OPENAI_TYPE_BY_STATUS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_ANTHROPIC_TYPE = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_ARK_TYPE = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    429: "TooManyRequests",
}

_encode = msgspec.json.encode


def encode_fault(family: Family, fault: Fault, *, request_id: str, path: str) -> bytes:
    """The body of an error answer, or the data of a stream's error event (``path`` empty)."""
    message = _message(fault, request_id, path)
    history = list(fault.history) if fault.source == "upstream" else None
    code = _code(fault)
    match family:
        case Family.OPENAI:
            error = {
                "message": message,
                "type": _openai_type(fault),
                "param": fault.param,
                "code": code,
                "source": fault.source,
                "retry_history": history,
                "request_id": request_id,
            }
            return _encode({"error": error})
        case Family.ANTHROPIC:
            error = {
                "type": _anthropic_type(fault),
                "message": message,
                "code": code or fault.code,
                "source": fault.source,
                "retry_history": history,
            }
            return _encode({"type": "error", "error": error, "request_id": request_id})
        case Family.ARK:
            error = {
                "code": code or fault.code,
                "message": message,
                "param": fault.param or "",
                "type": _ark_type(fault),
                "source": fault.source,
                "retry_history": history,
                "request_id": request_id,
            }
            return _encode({"error": error})
    # DashScope writes its errors flat.
    flat: dict[str, Any] = {
        "code": code or fault.code,
        "message": message,
        "request_id": request_id,
        "source": fault.source,
        "retry_history": history,
    }
    return _encode(flat)


def fault_headers(fault: Fault) -> tuple[tuple[str, str], ...]:
    """Headers of an error answer, beside those of every answer."""
    headers: list[tuple[str, str]] = []
    should_retry = fault.should_retry
    if fault.retry_after_s is not None:
        if fault.retry_after_s > RETRY_AFTER_LIMIT_S:
            should_retry = False
        else:
            headers.append(("retry-after", str(max(fault.retry_after_s, 1))))
    if should_retry is not None:
        headers.append(("x-should-retry", "true" if should_retry else "false"))
    if isinstance(fault, MethodNotAllowed):
        headers.append(("allow", ", ".join(fault.allowed)))
    return tuple(headers)


def _message(fault: Fault, request_id: str, path: str) -> str:
    if isinstance(fault, UpstreamRefused):
        return fault.message
    message = fault.message
    if fault.retry_after_s is not None and fault.retry_after_s > RETRY_AFTER_LIMIT_S:
        message = f"{message} Try again in {fault.retry_after_s} s."
    place = f"path={path}, " if path else ""
    return f"[aimesh] {message} {place}requestId={request_id}"


def _code(fault: Fault) -> str | None:
    if isinstance(fault, UpstreamRefused):
        return fault.upstream_code or None
    return fault.code


def _openai_type(fault: Fault) -> str:
    if isinstance(fault, UpstreamRefused) and fault.kind:
        return fault.kind
    by_code = _OPENAI_TYPE_BY_CODE.get(fault.code)
    if by_code is not None:
        return by_code
    if fault.status >= 500:
        return "server_error"
    return _OPENAI_TYPE_BY_STATUS.get(fault.status, "invalid_request_error")


def _anthropic_type(fault: Fault) -> str:
    if isinstance(fault, UpstreamRefused) and fault.kind:
        return fault.kind
    default = "api_error" if fault.status >= 500 else "invalid_request_error"
    return _ANTHROPIC_TYPE.get(fault.status, default)


def _ark_type(fault: Fault) -> str:
    if isinstance(fault, UpstreamRefused) and fault.kind:
        return fault.kind
    return _ARK_TYPE.get(fault.status, "InternalServerError" if fault.status >= 500 else "BadRequest")
