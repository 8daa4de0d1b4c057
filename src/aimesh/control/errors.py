"""Errors of the admin API: one tree, one shape.

    ApiError
    +-- Unauthenticated       401
    +-- Forbidden             403
    +-- NotFound              404   also for what belongs to somebody else
    +-- Conflict              409
    +-- Stale                 412   the thing was changed since it was read
    +-- Invalid               422
    +-- PreconditionRequired  428   an edit without ``If-Match``
    +-- TooManyRequests       429
    +-- Unavailable           503

    {"error": {"code": "KEY_NOT_FOUND", "message": "...", "request_id": "...", "details": [...]}}

1. A handler raises; the shape is given here, once. FastAPI's own errors get the same shape.
2. No text repeats what was sent: it may be a secret.
3. ``documented`` says which statuses an operation answers with; every one has the schema ``ErrorAnswer``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from aimesh.control.source import source_of
from aimesh.store.database import DuplicateError, StoreError


class Detail(BaseModel):
    """One thing that is wrong."""

    path: str = Field(description="Where: `limits.quotas.0.limit`, or the name of a parameter.")
    message: str = Field(description="What.")
    hint: str = Field(default="", description="What to write instead, if that is known.")


class ErrorBody(BaseModel):
    code: str = Field(description="Stable name of what happened.")
    message: str = Field(description="For people.")
    request_id: str = Field(description="Also in the header `x-request-id`.")
    details: list[Detail] = Field(default=[], description="What is wrong with the request, one by one.")


class ErrorAnswer(BaseModel):
    """Every error has this shape."""

    error: ErrorBody


class ApiError(Exception):
    status: ClassVar[int] = 500

    def __init__(self, code: str, message: str, *, details: Sequence[Detail] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = list(details)

    def headers(self) -> dict[str, str]:
        return {}


class Unauthenticated(ApiError):
    status = 401

    def headers(self) -> dict[str, str]:
        return {"www-authenticate": "Bearer"}


class Forbidden(ApiError):
    status = 403


class NotFound(ApiError):
    status = 404


class Conflict(ApiError):
    status = 409


class Stale(ApiError):
    status = 412

    def __init__(self) -> None:
        super().__init__("STALE", "it was changed since it was read; read it again and repeat the change")


class Invalid(ApiError):
    status = 422


class PreconditionRequired(ApiError):
    status = 428

    def __init__(self) -> None:
        super().__init__(
            "IF_MATCH_REQUIRED", "send If-Match with the version that was read, so that no change is lost"
        )


class TooManyRequests(ApiError):
    status = 429

    def __init__(self, code: str, message: str, *, retry_after_s: float) -> None:
        super().__init__(code, message)
        self.retry_after_s = retry_after_s

    def headers(self) -> dict[str, str]:
        return {"retry-after": str(max(1, round(self.retry_after_s)))}


class Unavailable(ApiError):
    status = 503

    def headers(self) -> dict[str, str]:
        return {"retry-after": "1"}


SEEN: Mapping[int, tuple[str, str, str]] = {
    401: ("Nobody is signed in, or the token is not valid", "UNAUTHENTICATED", "sign in, or send a token"),
    403: ("Not allowed for this role", "FORBIDDEN", "this needs the role AI_GATEWAY_ADMIN"),
    404: ("There is none, or it is somebody else's", "NOT_FOUND", "there is no such thing"),
    409: ("It does not fit the present state", "CONFLICT", "something with this name exists already"),
    412: ("It was changed since it was read", "STALE", "it was changed since it was read"),
    413: ("The body is too large", "TOO_LARGE", "a request has at most 1 MiB"),
    422: ("The request is not valid", "INVALID_REQUEST", "the request is not valid"),
    428: ("`If-Match` is missing", "IF_MATCH_REQUIRED", "send If-Match with the version that was read"),
    429: ("Too many attempts", "SLOW_DOWN", "too many attempts; wait 8 s"),
    502: ("Another service failed", "IDENTITY_PROVIDER_FAILED", "the identity provider did not answer"),
    503: ("The database is away or busy", "DATABASE_UNAVAILABLE", "the database cannot be reached"),
}


# FastAPI's own type for the parameter `responses`.
def documented(statuses: Sequence[int]) -> dict[int | str, dict[str, Any]]:
    """The part of an operation's document that tells of its errors."""
    answers: dict[int | str, dict[str, Any]] = {}
    for status in sorted(statuses):
        answers[status] = {
            "model": ErrorAnswer,
            "description": SEEN[status][0],
            "content": {"application/json": {"example": example_of(status)}},
        }
    return answers


def example_of(status: int) -> dict[str, Any]:
    _, code, message = SEEN[status]
    body = ErrorBody(code=code, message=message, request_id="0190f2a4c1de5f3b00000001")
    return ErrorAnswer(error=body).model_dump()


def error_response(error: ApiError, request_id: str) -> JSONResponse:
    body = ErrorBody(code=error.code, message=error.message, request_id=request_id, details=error.details)
    return JSONResponse(
        ErrorAnswer(error=body).model_dump(), status_code=error.status, headers=error.headers()
    )


def add_handlers(app: FastAPI) -> None:
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(DuplicateError, _duplicate)
    app.add_exception_handler(StoreError, _store_error)


# Handlers take the class they are registered for; Starlette's signature says Exception.
def _api_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    return error_response(error, source_of(request).request_id)


def _validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    details = [_detail(one) for one in error.errors()]
    message = details[0].message if len(details) == 1 else f"{len(details)} things are wrong with the request"
    return error_response(Invalid("INVALID_REQUEST", message, details=details), source_of(request).request_id)


def _detail(error: Mapping[str, Any]) -> Detail:
    place = [str(part) for part in error["loc"]]
    kind, path = place[0], ".".join(place[1:])
    if error["type"] == "json_invalid":
        return Detail(path="", message="the body is not JSON")
    message = str(error["msg"]).removeprefix("Value error, ")
    # A name in the path may be what the caller made up, half a surrogate pair included.
    return Detail(path=_printable(path) or kind, message=_printable(message))


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()[:300]


_FRAMEWORK: Mapping[int, tuple[str, str]] = {
    404: ("NOT_FOUND", "there is nothing at this path"),
    405: ("METHOD_NOT_ALLOWED", "this path does not know this method"),
    413: ("TOO_LARGE", "a request has at most 1 MiB"),
}


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    request_id = source_of(request).request_id
    if error.status_code == 400:
        # A body that is no text at all; one that is no JSON is 422 as well.
        return error_response(Invalid("INVALID_REQUEST", "the body cannot be read"), request_id)
    code, message = _FRAMEWORK.get(error.status_code, ("ERROR", "the request was refused"))
    body = ErrorBody(code=code, message=message, request_id=request_id)
    return JSONResponse(
        ErrorAnswer(error=body).model_dump(), status_code=error.status_code, headers=error.headers
    )


def _duplicate(request: Request, _: Exception) -> JSONResponse:
    error = Conflict("CONFLICT", "something with this name exists already")
    return error_response(error, source_of(request).request_id)


def _store_error(request: Request, _: Exception) -> JSONResponse:
    error = Unavailable("DATABASE_UNAVAILABLE", "the database cannot be reached; try again in a moment")
    return error_response(error, source_of(request).request_id)
