"""The error tree, three branches by blame.

    Fault
    +-- CallerFault      the request is wrong or not allowed            source gateway
    |   +-- BadRequest            400 GATEWAY_BAD_REQUEST
    |   +-- MissingPath           400 GATEWAY_MISSING_ACTUAL_PATH
    |   +-- MethodNotAllowed      405 GATEWAY_METHOD_NOT_ALLOWED
    |   +-- MissingKey            401 GATEWAY_MISSING_VIRTUAL_KEY
    |   +-- InvalidKey            401 GATEWAY_INVALID_VIRTUAL_KEY
    |   +-- DisabledKey           401 GATEWAY_VIRTUAL_KEY_DISABLED
    |   +-- ExpiredKey            401 GATEWAY_VIRTUAL_KEY_EXPIRED
    |   +-- TenantOverdue         403 GATEWAY_TENANT_OVERDUE
    |   +-- TenantOverQuota       403 GATEWAY_TENANT_OVER_QUOTA
    |   +-- ModelNotPermitted     403 GATEWAY_MODEL_NOT_PERMITTED
    |   +-- AddressNotAllowed     403 GATEWAY_IP_NOT_ALLOWED
    |   +-- ModelNotResolved      400 GATEWAY_MODEL_NOT_RESOLVED
    |   +-- ModelNotFound         404 GATEWAY_MODEL_NOT_RESOLVED   (GET /models/{id} only)
    |   +-- NoCandidates          400 GATEWAY_NO_UPSTREAM_CANDIDATES
    |   +-- TooLarge              413 GATEWAY_REQUEST_TOO_LARGE
    |   +-- RateLimited           429 GATEWAY_RATE_LIMITED
    |   +-- QuotaSpent            429 GATEWAY_TOO_MANY_REQUESTS
    |   +-- TaskNotFound          404 GATEWAY_TASK_NOT_FOUND
    |   +-- IdempotencyConflict   409 GATEWAY_IDEMPOTENCY_CONFLICT
    |   +-- Unsupported           400 GATEWAY_UNSUPPORTED
    +-- ProviderFault    an upstream failed                              source upstream
    |   +-- AllFailed             502 UPSTREAM_ALL_FAILED
    |   +-- UpstreamTimeout       504 UPSTREAM_TIMEOUT
    |   +-- UpstreamRateLimited   429 UPSTREAM_RATE_LIMITED
    |   +-- UpstreamRefused       as answered; the upstream blames the caller
    |   +-- BrokenStream          502 UPSTREAM_BROKEN_STREAM       (only inside a stream)
    +-- GatewayFault     we failed                                       source gateway
        +-- Draining              503 GATEWAY_DRAINING
        +-- Unavailable           503 GATEWAY_UNAVAILABLE
        +-- Internal              500 GATEWAY_INTERNAL_API_EXCEPTION

1. ``message`` is safe text: it never holds a secret or the body of a request.
2. A fault is rendered once, at the edge, in the shape of the path's family (``wire/faults.py``).
"""

from typing import ClassVar, Literal

from msgspec import Struct

Source = Literal["gateway", "upstream"]


class FailedAttempt(Struct, frozen=True):
    """One line of ``retry_history``; ``body`` is cut at 2 KiB and scrubbed of credentials."""

    endpoint_id: str
    slug_name: str
    base_url: str
    api_key_alias: str
    provider: str
    model: str
    status: int
    """0: no HTTP answer (refused, reset, timed out)."""
    body: str
    error: str = ""
    """Why the attempt failed, in our words: ``connect refused``, ``no first byte in 120 s``."""


class Fault(Exception):
    """What a stage raises when a call cannot go on."""

    code: ClassVar[str] = "GATEWAY_INTERNAL_API_EXCEPTION"
    status: int = 500
    source: ClassVar[Source] = "gateway"
    should_retry: bool | None = None
    """``x-should-retry`` for the official SDKs: None leaves it to them."""
    retry_after_s: int | None = None
    param: str | None = None
    history: tuple[FailedAttempt, ...] = ()

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class CallerFault(Fault):
    status = 400
    code = "GATEWAY_BAD_REQUEST"


class BadRequest(CallerFault):
    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class MissingPath(CallerFault):
    code = "GATEWAY_MISSING_ACTUAL_PATH"


class MethodNotAllowed(CallerFault):
    code = "GATEWAY_METHOD_NOT_ALLOWED"
    status = 405

    def __init__(self, message: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.allowed = allowed


class MissingKey(CallerFault):
    code = "GATEWAY_MISSING_VIRTUAL_KEY"
    status = 401


class InvalidKey(CallerFault):
    code = "GATEWAY_INVALID_VIRTUAL_KEY"
    status = 401


class DisabledKey(CallerFault):
    code = "GATEWAY_VIRTUAL_KEY_DISABLED"
    status = 401


class ExpiredKey(CallerFault):
    code = "GATEWAY_VIRTUAL_KEY_EXPIRED"
    status = 401


class TenantOverdue(CallerFault):
    code = "GATEWAY_TENANT_OVERDUE"
    status = 403
    should_retry = False


class TenantOverQuota(CallerFault):
    code = "GATEWAY_TENANT_OVER_QUOTA"
    status = 403
    should_retry = False


class ModelNotPermitted(CallerFault):
    code = "GATEWAY_MODEL_NOT_PERMITTED"
    status = 403


class AddressNotAllowed(CallerFault):
    code = "GATEWAY_IP_NOT_ALLOWED"
    status = 403


class ModelNotResolved(CallerFault):
    code = "GATEWAY_MODEL_NOT_RESOLVED"
    param = "model"


class ModelNotFound(ModelNotResolved):
    status = 404


class NoCandidates(CallerFault):
    code = "GATEWAY_NO_UPSTREAM_CANDIDATES"
    param = "model"


class TooLarge(CallerFault):
    code = "GATEWAY_REQUEST_TOO_LARGE"
    status = 413


class RateLimited(CallerFault):
    code = "GATEWAY_RATE_LIMITED"
    status = 429

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class QuotaSpent(CallerFault):
    code = "GATEWAY_TOO_MANY_REQUESTS"
    status = 429
    should_retry = False


class TaskNotFound(CallerFault):
    code = "GATEWAY_TASK_NOT_FOUND"
    status = 404


class IdempotencyConflict(CallerFault):
    code = "GATEWAY_IDEMPOTENCY_CONFLICT"
    status = 409
    should_retry = False


class Unsupported(CallerFault):
    code = "GATEWAY_UNSUPPORTED"

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class ProviderFault(Fault):
    source = "upstream"
    code = "UPSTREAM_ALL_FAILED"
    status = 502

    def __init__(self, message: str, *, history: tuple[FailedAttempt, ...] = ()) -> None:
        super().__init__(message)
        self.history = history


class AllFailed(ProviderFault):
    pass


class UpstreamTimeout(ProviderFault):
    code = "UPSTREAM_TIMEOUT"
    status = 504


class UpstreamRateLimited(ProviderFault):
    code = "UPSTREAM_RATE_LIMITED"
    status = 429

    def __init__(
        self,
        message: str,
        *,
        history: tuple[FailedAttempt, ...],
        retry_after_s: int | None,
        should_retry: bool,
    ) -> None:
        super().__init__(message, history=history)
        self.retry_after_s = retry_after_s
        self.should_retry = None if should_retry else False


class UpstreamRefused(ProviderFault):
    """The upstream blames the caller: its status, code and words are the caller's to read, word for word."""

    code = "UPSTREAM_REFUSED"

    def __init__(
        self, message: str, *, status: int, upstream_code: str, kind: str, param: str | None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.upstream_code = upstream_code
        self.kind = kind
        """The upstream's own ``type`` word; empty when it gave none."""
        self.param = param


class BrokenStream(ProviderFault):
    code = "UPSTREAM_BROKEN_STREAM"


class GatewayFault(Fault):
    pass


class Draining(GatewayFault):
    code = "GATEWAY_DRAINING"
    status = 503
    retry_after_s = 1


class Unavailable(GatewayFault):
    """The call needs the database, which is away."""

    code = "GATEWAY_UNAVAILABLE"
    status = 503
    retry_after_s = 2


class Internal(GatewayFault):
    pass
