"""Errors in each family's shape."""

import json

import pytest

from aimesh.simulator import failures
from aimesh.simulator.answers import Dialect, Refusal

STATUSES = (400, 401, 403, 404, 413, 418, 429, 500, 502, 503, 504, 529)
ERROR_KEYS = {
    Dialect.OPENAI: {"message", "type", "param", "code"},
    Dialect.COMPATIBLE: {"message", "type", "param", "code"},
    Dialect.ANTHROPIC: {"type", "message"},
    Dialect.ARK: {"code", "message", "param", "type"},
}


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("status", STATUSES)
def test_every_status_in_every_shape(dialect: Dialect, status: int) -> None:
    answer = failures.encode(dialect, failures.by_status(dialect, status), "id-1")
    body = json.loads(answer.body)
    assert answer.status == status
    if dialect is Dialect.DASHSCOPE:
        assert set(body) == {"code", "message", "request_id"}
    else:
        assert set(body["error"]) == ERROR_KEYS[dialect]
    assert ("id-1" in answer.body.decode()) is (dialect is not Dialect.OPENAI)


@pytest.mark.parametrize(
    ("dialect", "status", "word"),
    [
        (Dialect.OPENAI, 503, "server_is_overloaded"),
        (Dialect.COMPATIBLE, 401, "invalid_api_key"),
        (Dialect.ANTHROPIC, 529, "overloaded_error"),
        (Dialect.ANTHROPIC, 413, "request_too_large"),
        (Dialect.DASHSCOPE, 429, "Throttling.RateQuota"),
        (Dialect.ARK, 404, "InvalidEndpointOrModel.NotFound"),
        (Dialect.ARK, 500, "InternalServerError"),
    ],
)
def test_the_familys_words(dialect: Dialect, status: int, word: str) -> None:
    answer = failures.encode(dialect, failures.by_status(dialect, status), "id")
    assert f'"{word}"'.encode() in answer.body


@pytest.mark.parametrize("dialect", list(Dialect))
def test_known_refusals(dialect: Dialect) -> None:
    refusals: list[tuple[Refusal, int]] = [
        (failures.unauthorized(dialect, is_missing=True), 401),
        (failures.unauthorized(dialect, is_missing=False), 401),
        (failures.missing_model(dialect), 400),
        (failures.model_not_found(dialect, "m"), 404),
        (failures.invalid(dialect, "wrong", "p"), 400),
        (failures.bad_json(dialect), 400),
    ]
    for refusal, status in refusals:
        assert refusal.status == status
        assert refusal.message
        assert json.loads(failures.encode(dialect, refusal, "id").body)
