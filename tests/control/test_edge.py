"""What is true of every answer: request ids, security headers, bounded bodies, and 500 for what nobody expected."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, Control

from aimesh.control.edge import MOST_BYTES
from aimesh.control.setup import NOUN

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


@pytest.mark.parametrize("path", [f"{API}/setup", f"{API}/session", f"{API}/openapi.json", "/nowhere"])
def test_security_headers(anonymous: TestClient, path: str) -> None:
    answer = anonymous.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_the_workers_request_id_is_taken_over(anonymous: TestClient) -> None:
    answer = anonymous.get(f"{API}/session", headers={"x-request-id": "0190f2-abc_1.2"})
    assert answer.headers["x-request-id"] == "0190f2-abc_1.2"
    assert answer.json()["error"]["request_id"] == "0190f2-abc_1.2"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "<script>", "a\u00e9"])
def test_an_odd_request_id_is_not(anonymous: TestClient, given: str) -> None:
    answer = anonymous.get(f"{API}/setup", headers={b"x-request-id": given.encode("latin-1")})
    assert answer.headers["x-request-id"] not in ("", given)


def test_the_source_of_a_change_is_the_relays_word(control: Control, admin: TestClient) -> None:
    headers = {"x-forwarded-for": "198.51.100.1, 203.0.113.7", "x-request-id": "abc"}
    admin.post(f"{API}/members", json={"username": "lin"}, headers=headers)
    (line,) = admin.get(f"{API}/audit?action=user.create").json()["data"]
    assert (line["ip"], line["request_id"]) == ("203.0.113.7", "abc")


def test_a_body_that_is_too_long(anonymous: TestClient) -> None:
    body = b'{"username": "' + b"x" * MOST_BYTES + b'"}'
    answer = anonymous.post(f"{API}/session", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "TOO_LARGE")


def test_a_body_that_is_too_long_and_does_not_say_so(anonymous: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"username": "'
        for _ in range(MOST_BYTES // 65_536 + 1):
            yield b"x" * 65_536
        yield b'"}'

    answer = anonymous.post(f"{API}/session", content=pieces(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "TOO_LARGE")


def test_a_body_of_just_the_size_is_read(anonymous: TestClient) -> None:
    head, tail = b'{"username": "', b'"}'
    body = head + b"x" * (MOST_BYTES - len(head) - len(tail)) + tail
    assert len(body) == MOST_BYTES
    answer = anonymous.post(f"{API}/session", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422


def test_what_nobody_expected(
    control: Control, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("Authorization: Bearer sk-secret-of-somebody-4711")

    monkeypatch.setattr("aimesh.control.setup._is_needed", broken)
    assert NOUN.operations[0] == "get_setup"
    answer = control.anonymous().get(f"{API}/setup", headers={"x-request-id": "find-me"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "INTERNAL_ERROR")
    assert "sk-secret" not in answer.text
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert control.parts.log is not None
    control.parts.log.close()
    logged = capfd.readouterr().err
    assert "find-me" in logged
    assert "RuntimeError" in logged
    assert "sk-secret-of-somebody" not in logged
