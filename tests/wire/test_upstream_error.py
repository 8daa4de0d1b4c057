"""Who is to blame for an upstream's error, and what it says, in any family's shape or none."""

import pytest

from aimesh.wire.upstream_error import find_error, read_embedded_error, read_error


@pytest.mark.parametrize(
    ("status", "body", "caller", "credential"),
    [
        (400, b'{"error":{"message":"m","type":"invalid_request_error"}}', True, False),
        (413, b'{"type":"error","error":{"type":"request_too_large","message":"m"}}', True, False),
        (415, b"", True, False),
        (422, b'{"detail":"m"}', True, False),
        (409, b'{"type":"error","error":{"type":"conflict_error","message":"m"}}', True, False),
        (400, b'{"code":"DataInspectionFailed","message":"m"}', True, False),
        (403, b'{"code":"DataInspectionFailed","message":"m"}', True, False),
        (500, b'{"error":{"code":"OutputTextSensitiveContentDetected","message":"m"}}', True, False),
        (400, b'{"error":{"type":"data_inspection_failed","message":"m"}}', True, False),
        (400, b'{"code":"Arrearage","message":"m"}', False, True),
        (400, b'{"error":{"code":"InvalidEndpoint.ClosedEndpoint","message":"m"}}', False, False),
        (400, b'{"error":{"code":"InvalidSubscription","message":"m"}}', False, True),
        (400, b'{"code":"Throttling.AllocationQuota","message":"m"}', False, False),
        (400, b'{"code":"ServiceUnavailableError","message":"m"}', False, False),
        (401, b'{"code":"InvalidApiKey","message":"m"}', False, True),
        (402, b'{"type":"error","error":{"type":"billing_error","message":"m"}}', False, True),
        (403, b'{"error":{"code":"OperationDenied.ServiceNotOpen","message":"m"}}', False, True),
        (429, b'{"code":"PrepaidBillOverdue","message":"m"}', False, True),
        (429, b'{"error":{"code":"insufficient_quota","message":"m"}}', False, False),
        (404, b'{"error":{"code":"ModelNotOpen","message":"m"}}', False, False),
        (408, b"", False, False),
        (429, b"", False, False),
        (500, b"", False, False),
        (529, b"", False, False),
    ],
)
def test_blame(status: int, body: bytes, caller: bool, credential: bool) -> None:
    error = read_error(status, body)
    assert (error.status, error.blames_caller, error.blames_credential) == (status, caller, credential)


@pytest.mark.parametrize(
    ("body", "code", "message", "kind", "param"),
    [
        (b'{"error":{"message":"m","type":"t","param":"p","code":"c"}}', "c", "m", "t", "p"),
        (b'{"error":{"message":"m","code":400,"status":"INVALID"}}', "400", "m", "", None),
        (b'{"error":{"message":"m","code":true,"param":{}}}', "", "m", "", None),
        (b'{"type":"error","error":{"type":"t","message":"m"},"request_id":"r"}', "", "m", "t", None),
        (b'{"code":"c","message":"m","request_id":"r"}', "c", "m", "", None),
        (b'{"code":"c","msg":"m"}', "c", "m", "", None),
        (b'{"error":"m"}', "", "m", "", None),
        (b'{"error":"c","message":"m"}', "", "m", "", None),
        (b'{"type":"response.failed","response":{"error":{"code":"c","message":"m"}}}', "c", "m", "", None),
        (b'{"detail":"m"}', "", "m", "", None),
        (b'{"detail":[{"msg":"m"}],"code":"c"}', "c", '[{"msg":"m"}]', "", None),
        (b'[{"error":{"code":"c","message":"m"}}]', "c", "m", "", None),
        (b'"m"', "", "m", "", None),
        (b'{"code":"c","message":"\\ud83d"}', "c", "\ufffd", "", None),
    ],
)
def test_the_words_of_every_shape(body: bytes, code: str, message: str, kind: str, param: str | None) -> None:
    error = read_error(400, body)
    assert (error.code, error.message, error.kind, error.param) == (code, message, kind, param)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty body"),
        (b"  \n", "an empty body"),
        (b"<!DOCTYPE html>secret", "a web page"),
        (b"<html>", "a web page"),
        (b"secret text", "no JSON"),
        (b'{"half":', "no JSON"),
        (b"{}", "without a readable error"),
        (b"[]", "without a readable error"),
        (b"7", "without a readable error"),
        (b'{"error":{}}', "without a readable error"),
        (b'{"error":{"message":["x"]}}', "without a readable error"),
    ],
)
def test_what_cannot_be_read_is_told_in_safe_words(body: bytes, words: str) -> None:
    error = read_error(502, body)
    assert words in error.message
    assert "secret" not in error.message
    assert "502" in error.message


def test_a_long_message_is_cut() -> None:
    assert len(read_error(400, b'{"message":"%b"}' % (b"x" * 100_000)).message) == 16_384


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"error":{"type":"invalid_request_error","message":"m"}}', 400),
        (b'{"error":{"type":"overloaded_error","message":"m"}}', 529),
        (b'{"error":{"code":"rate_limit_exceeded","type":"x","message":"m"}}', 429),
        (b'{"error":{"code":"InvalidParameter.TaskTypeMismatch","message":"m"}}', 400),
        (b'{"error":{"code":429,"message":"m"}}', 429),
        (b'{"error":{"code":"503","message":"m"}}', 503),
        (b'{"error":{"status_code":504,"message":"m"}}', 504),
        (b'{"error":{"code":7,"message":"m"}}', 502),
        (b'{"error":{"code":"InputTextSensitiveContentDetected","message":"m"}}', 400),
        (b'{"code":"Throttling.RateQuota","message":"m"}', 429),
        (b'{"error":{"code":"never_heard_of","message":"m"}}', 502),
        (b"not json", 502),
    ],
)
def test_the_status_that_an_error_inside_a_200_stands_for(body: bytes, status: int) -> None:
    assert read_embedded_error(body).status == status
    assert read_embedded_error(body, status=418).status in (418, 502)


@pytest.mark.parametrize(
    ("body", "is_error"),
    [
        (b'{"error":{"message":"m"}}', True),
        (b'{"error":"m"}', True),
        (b'{"code":"c","message":"m"}', True),
        (b'{"code":"","message":"m"}', False),
        (b'{"code":"c"}', False),
        (b'{"error":null,"choices":[]}', False),
        (b"[]", False),
        (b"half", False),
    ],
)
def test_errors_are_told_from_answers(body: bytes, is_error: bool) -> None:
    assert (find_error(body) is not None) == is_error
