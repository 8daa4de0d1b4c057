"""The probe against a gateway that answers as it is told; that the real one sends these headers is tested with it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from aimesh.cli.faults import Misused, Refused
from aimesh.cli.probe import call_base, probe
from aimesh.core.secret import Secret

KEY = Secret("ck-" + "k" * 40)
PREFIX = "x-czgw-ratelimit-api-key-token-"


class Gateway:
    def __init__(self) -> None:
        self.models: list[str] = ["qwen/text-embedding-v4", "qwen/qwen3.7-max"]
        self.status = 200
        self.body: Any = {"choices": []}
        self.headers: list[tuple[str, str]] = []
        self.asked: list[tuple[str, Any, str]] = []
        self.url = ""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    told = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, {"object": "list", "data": [{"id": name} for name in told.models]}, [])

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            told.asked.append((self.path, body, self.headers["authorization"]))
            self._answer(told.status, told.body, told.headers)

        def _answer(self, status: int, body: Any, headers: list[tuple[str, str]]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the class's own name for it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    with server:
        yield told
        server.shutdown()
    thread.join()


def quota(period: str, limit: str, used: str, remaining: str) -> list[tuple[str, str]]:
    values = {"period": period, "limit": limit, "used": used, "remaining": remaining}
    return [(PREFIX + name, value) for name, value in values.items()]


def test_the_headers_of_one_cheap_call_are_read(gateway: Gateway) -> None:
    gateway.headers = quota("PDO", "10000000", "238", "9999762")
    (row,) = probe(gateway.url, KEY)
    assert row == {
        "unit": "tokens",
        "period": "daily",
        "period_code": "PDO",
        "limit": 10_000_000,
        "used": 238,
        "remaining": 9_999_762,
        "scope": "api-key",
        "model": "qwen/qwen3.7-max",
    }
    ((path, body, authorization),) = gateway.asked
    assert path == "/gateway/v1/chat/completions"
    assert body == {
        "model": "qwen/qwen3.7-max",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 1,
    }
    assert authorization == f"Bearer {KEY.reveal()}"


@pytest.mark.parametrize("repeated", [True, False])
def test_several_quotas_stand_in_line(repeated: bool, gateway: Gateway) -> None:
    first, second = quota("PTO", "100", "1", "99"), quota("PWO", "50", "1", "49")
    gateway.headers = (
        first + second
        if repeated
        else [(name, f"{one}, {two}") for (name, one), (_, two) in zip(first, second, strict=True)]
    )
    rows = probe(gateway.url, KEY, "some/model")
    assert [(row["period"], row["limit"], row["remaining"]) for row in rows] == [
        ("total", 100, 99),
        ("weekly", 50, 49),
    ]
    assert gateway.asked[0][1]["model"] == "some/model"


def test_what_is_not_reported_is_not_zero(gateway: Gateway) -> None:
    gateway.headers = [(f"{PREFIX}period", "PMO"), (f"{PREFIX}limit", "7")]
    (row,) = probe(gateway.url, KEY)
    assert (row["period"], row["limit"], row["used"], row["remaining"]) == ("monthly", 7, None, None)


def test_no_headers_are_an_error_with_its_code(gateway: Gateway) -> None:
    with pytest.raises(Refused) as caught:
        probe(gateway.url, KEY)
    assert caught.value.code == "GATEWAY_QUOTA_UNAVAILABLE"


def test_a_guessed_model_that_is_not_there_says_so(gateway: Gateway) -> None:
    gateway.status, gateway.body = 404, {"error": {"code": "GATEWAY_MODEL_NOT_RESOLVED", "message": "no"}}
    with pytest.raises(Refused, match="--model") as caught:
        probe(gateway.url, KEY)
    assert caught.value.code == "GATEWAY_PROBE_MODEL_UNAVAILABLE"
    with pytest.raises(Refused) as caught:
        probe(gateway.url, KEY, "some/model")
    assert caught.value.code == "GATEWAY_MODEL_NOT_RESOLVED"
    gateway.models = ["qwen/text-embedding-v4"]
    with pytest.raises(Refused) as caught:
        probe(gateway.url, KEY)
    assert caught.value.code == "GATEWAY_PROBE_MODEL_UNAVAILABLE"


def test_the_gateways_own_refusal_is_passed_on(gateway: Gateway) -> None:
    gateway.status = 429
    gateway.body = {"error": {"code": "GATEWAY_TOO_MANY_REQUESTS", "message": "spent"}}
    with pytest.raises(Refused, match="spent") as caught:
        probe(gateway.url, KEY)
    assert caught.value.code == "GATEWAY_TOO_MANY_REQUESTS"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://h/gateway/v1", "https://h/gateway/v1"),
        ("https://h/gateway/v1/", "https://h/gateway/v1"),
        ("https://h/gateway", "https://h/gateway/v1"),
        ("https://h/v1", "https://h/gateway/v1"),
        ("https://h/v3", "https://h/gateway/v3"),
        ("https://h", "https://h/gateway/v1"),
        ("http://h:8600/sub", "http://h:8600/sub/gateway/v1"),
    ],
)
def test_an_address_is_completed(given: str, expected: str) -> None:
    assert call_base(given) == expected


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(Misused):
        call_base("h:8600")
