"""What callers see when nothing helps: every endpoint failed, or the upstream blames the caller."""

import pytest
from tests.support.chaos_calls import STYLES, WHOLE_STYLES, Style, read_error
from tests.support.chaos_config import ALPHA_SECRET, BETA_SECRET
from tests.support.chaos_http import Seen, call
from tests.support.chaos_simulator import SimulatorProcess
from tests.support.chaos_worker import InnerGateway

pytestmark = pytest.mark.chaos

every_style = pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)


def _assert_failed(
    style: Style, seen: Seen, gateway: InnerGateway, *, status: int, code: str, attempts: int
) -> str:
    """The documented error with its history, one record, nothing left behind; gives the message."""
    error = read_error(style.family, seen.body)
    assert (seen.status, error.code, error.source) == (status, code, "upstream"), seen.body
    assert error.request_id == seen.request_id
    assert error.history is not None
    assert [line["provider"] for line in error.history] == ["alpha", "beta"][:attempts]
    for line in error.history:
        assert {"endpoint_id", "slug_name", "base_url", "api_key_alias", "model", "status", "body"} <= set(
            line
        )
    record = gateway.record()
    assert (record.id, record.outcome, record.status) == (seen.request_id, "upstream_failed", status)
    assert record.error_code == code
    assert len(record.attempts) == attempts
    gateway.wait_at_rest()
    return error.message


@every_style
def test_every_endpoint_answers_500(style: Style, gateway: InnerGateway, simulator: SimulatorProcess) -> None:
    simulator.fault("status", provider=None, status=500)
    seen = call(gateway.url, style.path, style.body)
    attempts = 1 if style.once else 2
    _assert_failed(style, seen, gateway, status=502, code="UPSTREAM_ALL_FAILED", attempts=attempts)
    assert len(simulator.requests()) == attempts


@every_style
def test_every_endpoint_is_too_slow(style: Style, gateway: InnerGateway, simulator: SimulatorProcess) -> None:
    simulator.fault("slow_start", provider=None, n=5)
    seen = call(gateway.url, style.path, style.body)
    attempts = 1 if style.once else 2
    _assert_failed(style, seen, gateway, status=504, code="UPSTREAM_TIMEOUT", attempts=attempts)
    assert 0.6 * attempts <= seen.took_s < 0.6 * attempts + 3
    assert all(request["peer_gone"] for request in simulator.requests())


@every_style
def test_every_endpoint_is_rate_limited(
    style: Style, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    simulator.fault("status", status=429, headers={"retry-after": "9"})
    simulator.fault("status", provider="beta", status=429, headers={"retry-after": "4"})
    seen = call(gateway.url, style.path, style.body)
    _assert_failed(style, seen, gateway, status=429, code="UPSTREAM_RATE_LIMITED", attempts=2)
    assert seen.headers["retry-after"] == "4"
    assert seen.headers.get("x-should-retry") != "false"


@every_style
def test_rate_limited_without_a_time(
    style: Style, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    simulator.fault("status", provider=None, status=429)
    seen = call(gateway.url, style.path, style.body)
    _assert_failed(style, seen, gateway, status=429, code="UPSTREAM_RATE_LIMITED", attempts=2)
    assert "retry-after" not in seen.headers


@every_style
def test_rate_limited_for_a_day(style: Style, gateway: InnerGateway, simulator: SimulatorProcess) -> None:
    """An SDK that sleeps whatever it is told must not be told to sleep for a day."""
    simulator.fault("status", provider=None, status=429, headers={"retry-after": "86400"})
    seen = call(gateway.url, style.path, style.body)
    message = _assert_failed(style, seen, gateway, status=429, code="UPSTREAM_RATE_LIMITED", attempts=2)
    assert "retry-after" not in seen.headers
    assert seen.headers["x-should-retry"] == "false"
    assert "86400" in message


@pytest.mark.parametrize("status", [401, 403])
@every_style
def test_our_credentials_are_refused(
    style: Style, status: int, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    """A caller must not read this as a fault of its own key."""
    simulator.fault("status", provider=None, status=status)
    seen = call(gateway.url, style.path, style.body)
    _assert_failed(style, seen, gateway, status=502, code="UPSTREAM_ALL_FAILED", attempts=2)


@every_style
def test_an_upstream_that_repeats_our_credential(
    style: Style, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    for provider, secret in (("alpha", ALPHA_SECRET), ("beta", BETA_SECRET)):
        body = {"error": {"message": f"key {secret} is out of order", "code": "internal"}, "code": "internal"}
        simulator.fault("status", provider=provider, status=503, body=body)
    seen = call(gateway.url, style.path, style.body)
    _assert_failed(style, seen, gateway, status=502, code="UPSTREAM_ALL_FAILED", attempts=2)
    assert b"out of order" in seen.body
    assert b"secret" not in seen.body


def _refusal(style: Style, words: str) -> dict[str, object]:
    if style.family == "dashscope":
        return {"code": "InvalidParameter.Chaos", "message": words, "request_id": "r-1"}
    if style.family == "anthropic":
        return {"type": "error", "error": {"type": "invalid_request_error", "message": words}}
    error = {"message": words, "type": "invalid_request_error", "param": "chaos", "code": "chaotic"}
    return {"error": error}


@pytest.mark.parametrize("status", [400, 413, 415, 422])
@every_style
def test_the_upstream_blames_the_caller(
    style: Style, status: int, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    words = 'messages.0: "chaos" is no such thing; did you mean „order“? (例)'
    simulator.fault("status", status=status, body=_refusal(style, words))
    seen = call(gateway.url, style.path, style.body)
    error = read_error(style.family, seen.body)
    assert (seen.status, error.message, error.source) == (status, words, "upstream")
    if style.family == "dashscope":
        assert error.code == "InvalidParameter.Chaos"
    elif style.family != "anthropic":
        assert error.code == "chaotic"
    assert [request["provider"] for request in simulator.requests()] == ["alpha"]
    record = gateway.record()
    assert (record.outcome, record.status) == ("refused_upstream", status)
    gateway.wait_at_rest()


@pytest.mark.parametrize("style", WHOLE_STYLES, ids=lambda style: style.name)
def test_a_refusal_is_no_failure_of_the_provider(
    style: Style, gateway: InnerGateway, simulator: SimulatorProcess
) -> None:
    """Ten bad requests of one caller do not close an endpoint to the others."""
    simulator.fault("status", status=400, body=_refusal(style, "no"), times=10)
    for _ in range(10):
        assert call(gateway.url, style.path, style.body).status == 400
    assert call(gateway.url, style.path, style.body).status == 200
    assert [request["provider"] for request in simulator.requests()] == ["alpha"] * 11
