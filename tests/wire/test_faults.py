"""Errors in the shape of each family: every class of fault, its types, and what travels in headers."""

import json
from typing import Any

import pytest

from aimesh.core import errors
from aimesh.core.errors import FailedAttempt, Fault
from aimesh.wire.faults import encode_fault, fault_headers
from aimesh.wire.interface import Family

ATTEMPT = FailedAttempt(
    endpoint_id="p@m@open_ai",
    slug_name="p/m",
    base_url="https://up",
    api_key_alias="main",
    provider="p",
    model="m",
    status=500,
    body="oops",
)


def rendered(family: Family, fault: Fault, path: str = "/gateway/v1/x") -> dict[str, Any]:
    document: dict[str, Any] = json.loads(encode_fault(family, fault, request_id="req-1", path=path))
    return document


def limited(seconds: int | None, *, should_retry: bool = True) -> Fault:
    return errors.UpstreamRateLimited(
        "all busy", history=(ATTEMPT,), retry_after_s=seconds, should_retry=should_retry
    )


FAULTS: list[tuple[Fault, int, str, str, str]] = [
    # fault, status, OpenAI type, Anthropic type, Ark type
    (errors.BadRequest("x"), 400, "invalid_request_error", "invalid_request_error", "BadRequest"),
    (errors.MissingPath("x"), 400, "invalid_request_error", "invalid_request_error", "BadRequest"),
    (
        errors.MethodNotAllowed("x", allowed=("GET", "POST")),
        405,
        "invalid_request_error",
        "invalid_request_error",
        "BadRequest",
    ),
    (errors.MissingKey("x"), 401, "authentication_error", "authentication_error", "Unauthorized"),
    (errors.InvalidKey("x"), 401, "authentication_error", "authentication_error", "Unauthorized"),
    (errors.DisabledKey("x"), 401, "authentication_error", "authentication_error", "Unauthorized"),
    (errors.ExpiredKey("x"), 401, "authentication_error", "authentication_error", "Unauthorized"),
    (errors.TenantOverdue("x"), 403, "permission_error", "permission_error", "Forbidden"),
    (errors.TenantOverQuota("x"), 403, "permission_error", "permission_error", "Forbidden"),
    (errors.ModelNotPermitted("x"), 403, "permission_error", "permission_error", "Forbidden"),
    (errors.AddressNotAllowed("x"), 403, "permission_error", "permission_error", "Forbidden"),
    (errors.ModelNotResolved("x"), 400, "invalid_request_error", "invalid_request_error", "BadRequest"),
    (errors.ModelNotFound("x"), 404, "invalid_request_error", "not_found_error", "NotFound"),
    (errors.NoCandidates("x"), 400, "invalid_request_error", "invalid_request_error", "BadRequest"),
    (errors.TooLarge("x"), 413, "invalid_request_error", "request_too_large", "BadRequest"),
    (
        errors.RateLimited("x", retry_after_s=7),
        429,
        "rate_limit_error",
        "rate_limit_error",
        "TooManyRequests",
    ),
    (errors.QuotaSpent("x"), 429, "insufficient_quota", "rate_limit_error", "TooManyRequests"),
    (errors.TaskNotFound("x"), 404, "invalid_request_error", "not_found_error", "NotFound"),
    (errors.IdempotencyConflict("x"), 409, "invalid_request_error", "conflict_error", "BadRequest"),
    (errors.Unsupported("x"), 400, "invalid_request_error", "invalid_request_error", "BadRequest"),
    (errors.AllFailed("x"), 502, "upstream_error", "api_error", "InternalServerError"),
    (errors.BrokenStream("x"), 502, "upstream_error", "api_error", "InternalServerError"),
    (errors.UpstreamTimeout("x"), 504, "server_error", "timeout_error", "InternalServerError"),
    (limited(3), 429, "rate_limit_error", "rate_limit_error", "TooManyRequests"),
    (errors.Draining("x"), 503, "server_error", "overloaded_error", "InternalServerError"),
    (errors.Unavailable("x"), 503, "server_error", "overloaded_error", "InternalServerError"),
    (errors.Internal("x"), 500, "server_error", "api_error", "InternalServerError"),
]


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: type(row[0]).__name__)
def test_every_fault_in_every_family(row: tuple[Fault, int, str, str, str]) -> None:
    fault, status, openai_type, anthropic_type, ark_type = row
    assert fault.status == status
    words = f"[aimesh] {fault.message} path=/gateway/v1/x, requestId=req-1"
    history = [json.loads(json.dumps({name: getattr(ATTEMPT, name) for name in ATTEMPT.__struct_fields__}))]
    source = "upstream" if isinstance(fault, errors.ProviderFault) else "gateway"
    told = {
        "code": fault.code,
        "message": words,
        "source": source,
        "retry_history": (history if fault.history else []) if source == "upstream" else None,
    }
    assert rendered(Family.OPENAI, fault) == {
        "error": told | {"type": openai_type, "param": fault.param, "request_id": "req-1"}
    }
    assert rendered(Family.ANTHROPIC, fault) == {
        "type": "error",
        "error": told | {"type": anthropic_type},
        "request_id": "req-1",
    }
    assert rendered(Family.ARK, fault) == {
        "error": told | {"type": ark_type, "param": fault.param or "", "request_id": "req-1"}
    }
    assert rendered(Family.DASHSCOPE, fault) == told | {"request_id": "req-1"}


def test_the_list_above_knows_every_fault() -> None:
    def leaves(kind: type[Fault]) -> set[type[Fault]]:
        children = kind.__subclasses__()
        return {kind}.union(*(leaves(child) for child in children)) if children else {kind}

    branches = {Fault, errors.CallerFault, errors.ProviderFault, errors.GatewayFault, errors.UpstreamRefused}
    assert {type(row[0]) for row in FAULTS} == leaves(Fault) - branches


def refused(
    code: str = "invalid_value", kind: str = "invalid_request_error", param: str | None = "messages"
) -> Fault:
    return errors.UpstreamRefused(
        "messages.1.role: 'x' is bad", status=400, upstream_code=code, kind=kind, param=param
    )


def test_the_words_of_an_upstream_that_blames_the_caller_are_kept() -> None:
    told = {
        "code": "invalid_value",
        "message": "messages.1.role: 'x' is bad",
        "source": "upstream",
        "retry_history": [],
    }
    typed = told | {"type": "invalid_request_error", "param": "messages", "request_id": "req-1"}
    assert rendered(Family.OPENAI, refused()) == {"error": typed}
    assert rendered(Family.ARK, refused()) == {"error": typed}
    assert rendered(Family.ANTHROPIC, refused()) == {
        "type": "error",
        "error": told | {"type": "invalid_request_error"},
        "request_id": "req-1",
    }
    assert rendered(Family.DASHSCOPE, refused()) == told | {"request_id": "req-1"}


def test_what_the_upstream_left_out_is_filled_where_the_family_needs_it() -> None:
    bare = refused(code="", kind="", param=None)
    openai = rendered(Family.OPENAI, bare)["error"]
    assert (openai["code"], openai["type"], openai["param"]) == (None, "invalid_request_error", None)
    ark = rendered(Family.ARK, bare)["error"]
    assert (ark["code"], ark["type"], ark["param"]) == ("UPSTREAM_REFUSED", "BadRequest", "")
    assert rendered(Family.ANTHROPIC, bare)["error"]["type"] == "invalid_request_error"
    assert rendered(Family.ANTHROPIC, bare)["error"]["code"] == "UPSTREAM_REFUSED"
    assert rendered(Family.DASHSCOPE, bare)["code"] == "UPSTREAM_REFUSED"


def test_an_error_inside_a_stream_names_no_path() -> None:
    error = rendered(Family.OPENAI, errors.BrokenStream("gone"), path="")["error"]
    assert error["message"] == "[aimesh] gone requestId=req-1"


@pytest.mark.parametrize(
    ("fault", "headers"),
    [
        (errors.BadRequest("x"), ()),
        (errors.RateLimited("x", retry_after_s=7), (("retry-after", "7"),)),
        (errors.RateLimited("x", retry_after_s=0), (("retry-after", "1"),)),
        (errors.RateLimited("x", retry_after_s=60), (("retry-after", "60"),)),
        (errors.RateLimited("x", retry_after_s=61), (("x-should-retry", "false"),)),
        (errors.QuotaSpent("x"), (("x-should-retry", "false"),)),
        (errors.IdempotencyConflict("x"), (("x-should-retry", "false"),)),
        (limited(3), (("retry-after", "3"),)),
        (limited(None, should_retry=False), (("x-should-retry", "false"),)),
        (errors.Draining("x"), (("retry-after", "1"),)),
        (errors.Unavailable("x"), (("retry-after", "2"),)),
        (errors.MethodNotAllowed("x", allowed=("GET", "POST")), (("allow", "GET, POST"),)),
    ],
)
def test_headers(fault: Fault, headers: tuple[tuple[str, str], ...]) -> None:
    assert fault_headers(fault) == headers


def test_a_fault_may_ask_for_a_retry() -> None:
    fault = errors.AllFailed("x")
    fault.should_retry = True
    assert fault_headers(fault) == (("x-should-retry", "true"),)


def test_a_long_wait_is_told_in_the_message() -> None:
    error = rendered(Family.OPENAI, errors.RateLimited("Too fast.", retry_after_s=86_400))["error"]
    assert error["message"].startswith("[aimesh] Too fast. Try again in 86400 s. path=")
