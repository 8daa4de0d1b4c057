"""Every error has one shape, whoever raised it, and repeats nothing of what was sent."""

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, Control

from aimesh.control.errors import TooManyRequests, Unavailable, documented
from aimesh.store.database import StoreError
from aimesh.store.engine import Store

SECRET = "sk-very-secret-4711"


def shape(answer: object) -> set[str]:
    assert isinstance(answer, dict)
    assert set(answer) == {"error"}
    return set(answer["error"])


FIELDS = {"code", "message", "request_id", "details"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("GET", f"{API}/nowhere", 404, "NOT_FOUND"),
        ("GET", f"{API}/audit/", 404, "NOT_FOUND"),
        ("PUT", f"{API}/audit", 405, "METHOD_NOT_ALLOWED"),
        ("GET", f"{API}/audit", 401, "UNAUTHENTICATED"),
        ("POST", f"{API}/session", 422, "INVALID_REQUEST"),
    ],
)
def test_one_shape(anonymous: TestClient, method: str, path: str, status: int, code: str) -> None:
    answer = anonymous.request(method, path)
    assert answer.status_code == status
    assert shape(answer.json()) == FIELDS
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]


def test_a_wrong_method_is_told_the_right_ones(anonymous: TestClient) -> None:
    assert "GET" in anonymous.put(f"{API}/audit").headers["allow"]


@pytest.mark.parametrize(
    "body", ["{", '{"username": ', "\x00", "\udc80".encode("utf-8", "surrogatepass"), "[" * 5000, b"\xff\xfe"]
)
def test_a_body_that_is_no_json(anonymous: TestClient, body: str | bytes) -> None:
    answer = anonymous.post(f"{API}/session", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert shape(answer.json()) == FIELDS


@pytest.mark.parametrize("path", ["/session", "/setup", "/password-links/x"])
def test_what_was_sent_is_not_repeated(anonymous: TestClient, path: str) -> None:
    for body in (
        {"username": [SECRET], "password": {"x": SECRET}, "token": 1},
        {SECRET: SECRET},
        [SECRET],
        SECRET,
    ):
        answer = anonymous.post(f"{API}{path}", json=body)
        assert answer.status_code == 422
        # A name that is not known is said, so that it can be found; its value never.
        assert f'"{SECRET}"' not in answer.text.replace(f'"path":"{SECRET}"', "")


def test_half_a_surrogate_pair_is_survived(anonymous: TestClient) -> None:
    body = b'{"\\ud800": "\\udc00", "username": "\\ud800", "password": "\\ud800"}'
    answer = anonymous.post(f"{API}/session", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert shape(answer.json()) == FIELDS


def test_several_things_are_told_at_once(admin: TestClient) -> None:
    told = admin.post(f"{API}/members", json={"role": "KING", "enabled": "perhaps"}).json()["error"]
    assert {one["path"] for one in told["details"]} == {"username", "role", "enabled"}
    assert told["message"] == "3 things are wrong with the request"


def test_a_database_that_is_away(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    client = control.client(control.person("lin", "AI_GATEWAY_ADMIN"))  # type: ignore[arg-type]  # the role's text does

    def away(_: Store) -> object:
        raise StoreError("cannot connect to host db.internal, password secret")

    monkeypatch.setattr(Store, "read", away)
    answer = client.get(f"{API}/audit")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "DATABASE_UNAVAILABLE")
    assert answer.headers["retry-after"] == "1"
    assert "db.internal" not in answer.text


def test_waiting_times_are_whole_seconds() -> None:
    assert TooManyRequests("X", "x", retry_after_s=0.2).headers() == {"retry-after": "1"}
    assert TooManyRequests("X", "x", retry_after_s=7.6).headers() == {"retry-after": "8"}
    assert Unavailable("X", "x").headers() == {"retry-after": "1"}


def test_a_status_without_words_cannot_be_documented() -> None:
    with pytest.raises(KeyError):
        documented([418])
