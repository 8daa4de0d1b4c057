"""Errors in each family's shape and words.

1. A refusal's ``code`` is already the family's own; ``encode`` only chooses the shape and the ``type`` word.
2. ``by_status`` is what a family says for a bare status: the ``status`` fault and the error frames use it.
"""

from aimesh.simulator.answers import Dialect, Refusal, Whole, encode_json

_OPENAI_TYPES = {
    401: "invalid_request_error",
    403: "permission_error",
    429: "rate_limit_error",
    500: "server_error",
    502: "server_error",
    503: "service_unavailable_error",
    504: "server_error",
    529: "server_error",
}
_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_ARK_TYPES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    429: "TooManyRequests",
}
_CODES: dict[int, tuple[str, str, str, str]] = {
    # status: openai, compatible, dashscope, ark
    400: ("invalid_value", "invalid_parameter_error", "InvalidParameter", "InvalidParameter"),
    401: ("invalid_api_key", "invalid_api_key", "InvalidApiKey", "AuthenticationError"),
    403: ("access_denied", "access_denied", "AccessDenied", "AccessDenied"),
    404: ("model_not_found", "model_not_found", "ModelNotFound", "InvalidEndpointOrModel.NotFound"),
    413: ("request_too_large", "request_too_large", "BadRequest.TooLarge", "InvalidParameter"),
    429: ("rate_limit_exceeded", "limit_requests", "Throttling.RateQuota", "AccountRateLimitExceeded"),
    500: ("server_error", "internal_error", "InternalError", "InternalServiceError"),
    503: ("server_is_overloaded", "ModelUnavailable", "ModelUnavailable", "InternalServiceError"),
}
_MESSAGES = {
    400: "[simulated] The request is not valid.",
    401: "[simulated] The key in the request is missing or invalid.",
    403: "[simulated] Access denied.",
    404: "[simulated] The model does not exist or you do not have access to it.",
    413: "[simulated] The request is too large.",
    429: "[simulated] Rate limit reached, please try again later.",
    500: "[simulated] An internal error has occurred, please try again later.",
    503: "[simulated] The service is overloaded, please try again later.",
    504: "[simulated] The request timed out.",
    529: "[simulated] Overloaded.",
}


def by_status(dialect: Dialect, status: int) -> Refusal:
    """What the family says for this status, whatever happened."""
    near = status if status in _CODES else (400 if status < 500 else 500)
    openai, compatible, dashscope, ark = _CODES[near]
    code = {
        Dialect.OPENAI: openai,
        Dialect.COMPATIBLE: compatible,
        Dialect.DASHSCOPE: dashscope,
        Dialect.ARK: ark,
        Dialect.ANTHROPIC: "",
    }[dialect]
    return Refusal(status, code, _MESSAGES.get(status, _MESSAGES[near]))


def body(dialect: Dialect, refusal: Refusal, request_id: str) -> dict[str, object]:
    match dialect:
        case Dialect.ANTHROPIC:
            kind = refusal.kind or _ANTHROPIC_TYPES.get(refusal.status) or "api_error"
            return {
                "type": "error",
                "error": {"type": kind, "message": refusal.message},
                "request_id": request_id,
            }
        case Dialect.DASHSCOPE:
            return {"code": refusal.code, "message": refusal.message, "request_id": request_id}
        case Dialect.ARK:
            kind = _ARK_TYPES.get(
                refusal.status, "InternalServerError" if refusal.status >= 500 else "BadRequest"
            )
            return {
                "error": {
                    "code": refusal.code,
                    "message": f"{refusal.message} Request id: {request_id}",
                    "param": refusal.param or "",
                    "type": kind if refusal.kind is None else refusal.kind,
                }
            }
        case Dialect.OPENAI | Dialect.COMPATIBLE:
            kind = refusal.kind or _OPENAI_TYPES.get(refusal.status) or "invalid_request_error"
            error: dict[str, object] = {
                "error": {
                    "message": refusal.message,
                    "type": kind,
                    "param": refusal.param,
                    "code": refusal.code or None,
                }
            }
            return error if dialect is Dialect.OPENAI else error | {"request_id": request_id}


def encode(dialect: Dialect, refusal: Refusal, request_id: str) -> Whole:
    return Whole(encode_json(body(dialect, refusal, request_id)), status=refusal.status)


def unauthorized(dialect: Dialect, *, is_missing: bool) -> Refusal:
    """No key, or one that the upstream does not know."""
    match dialect:
        case Dialect.OPENAI:
            text = "You didn't provide an API key." if is_missing else "Incorrect API key provided."
            return Refusal(401, "invalid_api_key", text)
        case Dialect.COMPATIBLE:
            return Refusal(
                401, "invalid_api_key", "Incorrect API key provided. ", kind="invalid_request_error"
            )
        case Dialect.ANTHROPIC:
            return Refusal(401, "", "x-api-key header is required" if is_missing else "invalid x-api-key")
        case Dialect.DASHSCOPE:
            text = "No API-key provided." if is_missing else "Invalid API-key provided."
            return Refusal(401, "InvalidApiKey", text)
        case Dialect.ARK:
            return Refusal(
                401, "AuthenticationError", "The API key or AK/SK in the request is missing or invalid."
            )


def missing_model(dialect: Dialect) -> Refusal:
    match dialect:
        case Dialect.OPENAI:
            return Refusal(400, "", "you must provide a model parameter")
        case Dialect.COMPATIBLE:
            return Refusal(
                400, "invalid_parameter_error", "you must provide a model parameter", param="model"
            )
        case Dialect.ANTHROPIC:
            return Refusal(400, "", "model: Field required")
        case Dialect.DASHSCOPE:
            return Refusal(400, "BadRequest.EmptyModel", 'Required parameter "model" missing from request.')
        case Dialect.ARK:
            return Refusal(400, "MissingParameter", "missing required parameter: model.", param="model")


def model_not_found(dialect: Dialect, model: str) -> Refusal:
    text = f"The model `{model}` does not exist or you do not have access to it."
    match dialect:
        case Dialect.OPENAI | Dialect.COMPATIBLE:
            return Refusal(404, "model_not_found", text, kind="invalid_request_error")
        case Dialect.ANTHROPIC:
            return Refusal(404, "", f"model: {model}")
        case Dialect.DASHSCOPE:
            return Refusal(404, "ModelNotFound", "Model can not be found.")
        case Dialect.ARK:
            return Refusal(404, "InvalidEndpointOrModel.NotFound", text)


def invalid(dialect: Dialect, message: str, param: str | None = None) -> Refusal:
    """The request's content is wrong."""
    return Refusal(400, by_status(dialect, 400).code, message, param=param)


def bad_json(dialect: Dialect) -> Refusal:
    text = "We could not parse the JSON body of your request."
    return Refusal(400, "" if dialect is Dialect.OPENAI else by_status(dialect, 400).code, text)


def unknown_path(dialect: Dialect, path: str) -> Whole:
    """Ark answers an unknown path with an empty body."""
    if dialect is Dialect.ARK:
        return Whole(b"", status=404)
    return encode(dialect, Refusal(404, "NotFound", f"Request path not found: {path}"), "")
