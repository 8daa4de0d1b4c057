"""Reads what an upstream says when it refuses or fails: any family's shape, or none at all.

1. Reading never raises: HTML, empty bodies and half JSON become a short safe text.
2. The upstream's own words (code, type, message, param) come out unchanged.
3. Blame is decided here once. The caller is to blame for a request that no other upstream would take either;
   the credential for 401, 402, 403 and unpaid accounts; everything else is the provider's failure.
"""

from typing import Any

import msgspec

from aimesh.wire.interface import UpstreamError
from aimesh.wire.lenient import decode_any

_CALLER_STATUSES = frozenset({400, 409, 413, 414, 415, 422, 431, 451})
_CREDENTIAL_STATUSES = frozenset({401, 402, 403})

_MODERATION = (
    "datainspection",
    "data_inspection_failed",
    "sensitivecontentdetected",
    "riskdetection",
    "contentsecuritydetection",
    "content_filter",
    "content_policy_violation",
    "ipinfringementsuspect",
    "faqruleblocked",
    "customroleblocked",
)
"""Parts of codes that content inspection uses; whatever the status, another upstream would judge the same
content, so the caller is told."""

_UNPAID = frozenset(
    {
        "Arrearage",
        "CommodityNotPurchased",
        "PrepaidBillOverdue",
        "PostpaidBillOverdue",
        "AccountOverdueError",
        "InvalidSubscription",
        "SetLimitExceeded",
    }
)
"""Billing states of the account behind the credential, whatever HTTP status they travel with (DashScope sends
``Arrearage`` as 400)."""

_PROVIDER_CODES = (
    "InvalidEndpoint.ClosedEndpoint",
    "Throttling",
    "ServiceUnavailableError",
    "Model.AccessDenied",
)
"""Beginnings of codes that a 400 may carry although the request is sound."""

_STATUS_OF_WORD = {
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
    "InvalidParameter": 400,
    "MissingParameter": 400,
    "BadRequest": 400,
    "authentication_error": 401,
    "AuthenticationError": 401,
    "InvalidApiKey": 401,
    "Unauthorized": 401,
    "billing_error": 402,
    "permission_error": 403,
    "Forbidden": 403,
    "not_found_error": 404,
    "NotFound": 404,
    "model_not_found": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "TooManyRequests": 429,
    "Throttling": 429,
    "RateLimitExceeded": 429,
    "QuotaExceeded": 429,
    "api_error": 500,
    "server_error": 500,
    "InternalServiceError": 500,
    "InternalServerError": 500,
    "InternalError": 500,
    "ServerOverloaded": 503,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The status that an error inside a 200 stands for, by its type or code (up to the first dot)."""

_MESSAGE_LIMIT = 16_384


def read_error(status: int, body: bytes) -> UpstreamError:
    """An error answer with its HTTP status."""
    try:
        document = decode_any(body)
    except msgspec.DecodeError:
        return _judge(status, {}, _unreadable(status, body))
    return _judge(status, _error_object(document), f"the upstream answered {status} without a readable error")


def read_embedded_error(body: bytes, *, status: int = 0) -> UpstreamError:
    """An error inside a 200, in a frame or a whole answer. ``status`` 0: to be told from its words."""
    try:
        document = decode_any(body)
    except msgspec.DecodeError:
        return bad_answer("the upstream's error cannot be read")
    return judge_embedded(document, status=status)


def judge_embedded(document: object, *, status: int = 0) -> UpstreamError:
    found = _error_object(document)
    return _judge(status or _status_of(found), found, "the upstream sent an error without a text")


def bad_answer(message: str) -> UpstreamError:
    """A 200 that is no answer: the provider's failure, in our words."""
    return UpstreamError(status=502, code="bad_upstream_answer", message=message)


def has_error(document: object) -> bool:
    """Whether a JSON answer with status 200 is an error object of any family."""
    if not isinstance(document, dict):
        return False
    if document.get("error"):
        return True
    return bool(document.get("code")) and isinstance(document.get("message"), str)


def find_error(body: bytes) -> UpstreamError | None:
    """The error that a body with status 200 holds; None when it holds none, or is no JSON."""
    try:
        document = decode_any(body)
    except msgspec.DecodeError:
        return None
    return judge_embedded(document) if has_error(document) else None


def _error_object(document: object) -> dict[str, Any]:
    """The mapping that holds code and message, wherever the family puts it."""
    if isinstance(document, list) and document:
        document = document[0]
    if not isinstance(document, dict):
        return {"message": document} if isinstance(document, str) else {}
    error = document.get("error")
    if isinstance(error, dict):
        return error
    if isinstance(error, str) and error:
        return {"code": document.get("code"), "message": document.get("message") or error}
    response = document.get("response")
    nested = response.get("error") if isinstance(response, dict) else None
    if isinstance(nested, dict):
        return nested
    detail = document.get("detail")
    if "message" not in document and detail:
        # FastAPI upstreams (vLLM) put a text or a list of findings here.
        text = detail if isinstance(detail, str) else msgspec.json.encode(detail).decode()
        return {"code": document.get("code"), "message": text}
    # Flat, as DashScope writes it. A ``type`` here is the event's or the object's, not the error's.
    return {key: value for key, value in document.items() if key != "type"}


def _status_of(error: dict[str, Any]) -> int:
    for key in ("status", "status_code", "http_code", "code"):
        value = error.get(key)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value[:4])
        if isinstance(value, int) and 400 <= value <= 599:
            return value
    code = _word(error.get("code"))
    if _is_moderation(code):
        return 400
    for word in (code, _word(error.get("type"))):
        status = _STATUS_OF_WORD.get(word) or _STATUS_OF_WORD.get(word.partition(".")[0])
        if status is not None:
            return status
    return 502


def _judge(status: int, error: dict[str, Any], default_message: str) -> UpstreamError:
    code = _word(error.get("code"))
    kind = _word(error.get("type"))
    message = error.get("message") or error.get("msg")
    param = error.get("param")
    is_unpaid = code in _UNPAID
    is_moderation = _is_moderation(code) or _is_moderation(kind)
    is_providers = is_unpaid or code.startswith(_PROVIDER_CODES)
    return UpstreamError(
        status=status,
        code=code,
        message=message[:_MESSAGE_LIMIT] if isinstance(message, str) and message else default_message,
        kind=kind,
        param=param if isinstance(param, str) else None,
        blames_caller=is_moderation or (status in _CALLER_STATUSES and not is_providers),
        blames_credential=not is_moderation and (is_unpaid or status in _CREDENTIAL_STATUSES),
    )


def _is_moderation(code: str) -> bool:
    lowered = code.lower()
    return any(part in lowered for part in _MODERATION)


def _word(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _unreadable(status: int, body: bytes) -> str:
    start = body[:256].lstrip().lower()
    if not start:
        return f"the upstream answered {status} with an empty body"
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
        return f"the upstream answered {status} with a web page instead of an error"
    return f"the upstream answered {status} with a body that is no JSON"
