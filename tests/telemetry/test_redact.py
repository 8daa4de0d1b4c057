"""What looks like a secret does not reach a log; what only resembles one stays readable."""

import pytest

from aimesh.telemetry.redact import redact, redact_text

KEY = "ck-" + "aB3" * 13 + "z"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"key {KEY} refused", "key ck-**** refused"),
        ("sk-proj-abcdefghijklmnop1234", "sk-****"),
        ("used sk-ant-api03-abcdefghijklmnop_1-2.", "used sk-****."),
        (f"Authorization: Bearer {KEY}", "Authorization: Bearer ****"),
        ("authorization: bearer abc.def.ghi", "authorization: bearer ****"),
        ("authorization: abcdef123", "authorization: ****"),
        ("Authorization: Basic dXNlcjpwYXNz, x", "Authorization: Basic ****, x"),
        ('{"x-api-key": "abcdef123"}', '{"x-api-key": "****"}'),
        (r'"{\"api_key\":\"abcdef123\"}"', r'"{\"api_key\":\"****\"}"'),
        ("X-DashScope-ApiKey: 0123456789", "X-DashScope-ApiKey: ****"),
        ("password=hunter2;", "password=****;"),
        ("LTAI5tAbCdEfGhIjKlMnOp is an access key", "LTA**** is an access key"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc_def", "eyJ****"),
    ],
)
def test_secrets_are_taken_out(text: str, shown: str) -> None:
    assert redact_text(text) == shown
    assert redact_text(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "task-20260101-abcdefghijklmnop failed",
        "disk-abcdefghijklmnopqrstuv is full",
        "model sk-short",
        "cgt-20250611112600-abcde",
        "qwen/qwen3.7-max via example_bj@qwen/qwen3.7-max@open_ai",
        '{"tokens":12,"key":"team-search"}',
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redact_text(text) in (text, text.replace("bearer of", "bearer ****"))
    assert redact(b"\xff\xfe") == b"\xff\xfe"
