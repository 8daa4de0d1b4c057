"""The openai SDK for Python: every failure arrives as the SDK's own exception, and is retried as often as it should."""

import time
from typing import Any

import openai
import pytest
from tests.support.live import Live, SimulatorControl
from tests.support.live_clients import drive, openai_async, openai_client

pytestmark = pytest.mark.conformance

QWEN = "qwen/qwen3.7-max"
PINNED = f"aliyun_bailian_bj@{QWEN}@open_ai"
HELLO: Any = [{"role": "user", "content": "hello"}]
DOORS = ["/v1", "/api/v3"]


def error_of(error: openai.APIStatusError) -> dict[str, Any]:
    """The SDK hands out the inner object; it must hold everything that an error of ours holds."""
    body = error.body
    assert isinstance(body, dict)
    assert body["message"]
    assert body["source"] in {"gateway", "upstream"}
    assert body["request_id"] == error.request_id
    assert "retry_history" in body
    assert error.response.headers["content-type"] == "application/json"
    return body


def ask(client: openai.OpenAI, model: str = QWEN, **more: Any) -> Any:
    return client.chat.completions.create(model=model, messages=HELLO, **more)


@pytest.mark.parametrize("door", DOORS)
def test_wrong_key(live: Live, simulator: SimulatorControl, door: str) -> None:
    with (
        openai_client(live, door, key="ck-" + "0" * 40) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        ask(client)
    assert error_of(caught.value)["code"] == "GATEWAY_INVALID_VIRTUAL_KEY"
    assert caught.value.status_code == 401
    assert simulator.seen() == []


def test_wrong_key_async(live: Live) -> None:
    async def main() -> None:
        async with openai_async(live, key="ck-wrong") as client:
            await client.chat.completions.create(model=QWEN, messages=HELLO)

    with pytest.raises(openai.AuthenticationError) as caught:
        drive(main())
    assert error_of(caught.value)["type"] == "authentication_error"


def test_a_key_in_an_error_is_not_repeated(live: Live) -> None:
    with (
        openai_client(live, key="ck-" + "7" * 40) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        ask(client)
    assert "7777777777" not in caught.value.response.text


@pytest.mark.parametrize("door", DOORS)
def test_unknown_model(live: Live, door: str) -> None:
    with openai_client(live, door) as client, pytest.raises(openai.BadRequestError) as caught:
        ask(client, model="nobody/nothing")
    body = error_of(caught.value)
    assert body["code"] == "GATEWAY_MODEL_NOT_RESOLVED"
    assert body["param"] == "model"
    assert "nobody/nothing" in body["message"]


def test_a_model_of_another_kind(live: Live) -> None:
    with openai_client(live) as client, pytest.raises(openai.BadRequestError) as caught:
        ask(client, model="doubao-seedance-2.0")
    assert error_of(caught.value)["source"] == "gateway"


def test_what_the_upstream_blames_on_the_caller_is_repeated_word_for_word(
    live: Live, simulator: SimulatorControl
) -> None:
    words = (
        "This model's maximum context length is 4096 tokens. However, your messages resulted in 9999 tokens."
    )
    simulator.fault(
        "status",
        status=400,
        body={
            "error": {
                "message": words,
                "type": "invalid_request_error",
                "param": "messages",
                "code": "context_length_exceeded",
            }
        },
    )
    with openai_client(live, max_retries=2) as client, pytest.raises(openai.BadRequestError) as caught:
        ask(client)
    body = error_of(caught.value)
    assert body["message"] == words
    assert (caught.value.code, caught.value.param, caught.value.type) == (
        "context_length_exceeded",
        "messages",
        "invalid_request_error",
    )
    assert body["source"] == "upstream"
    assert len(simulator.seen("/chat/completions")) == 1


@pytest.mark.parametrize("status", [413, 415, 422])
def test_other_blame_keeps_its_status(live: Live, simulator: SimulatorControl, status: int) -> None:
    simulator.fault("status", status=status)
    with openai_client(live) as client, pytest.raises(openai.APIStatusError) as caught:
        ask(client)
    assert caught.value.status_code == status
    assert error_of(caught.value)["source"] == "upstream"
    assert len(simulator.seen("/chat/completions")) == 1


def test_rate_limit(live: Live, simulator: SimulatorControl) -> None:
    simulator.fault("status", status=429)
    with openai_client(live) as client, pytest.raises(openai.RateLimitError) as caught:
        ask(client, model=PINNED)
    body = error_of(caught.value)
    assert body["source"] == "upstream"
    assert [line["status"] for line in body["retry_history"]] == [429]
    assert "retry-after" not in caught.value.response.headers


def test_rate_limit_is_retried_when_the_upstream_says_when(live: Live, simulator: SimulatorControl) -> None:
    simulator.fault("status", status=429, headers={"retry-after": "1"}, times=1)
    began_s = time.monotonic()
    with openai_client(live, max_retries=2) as client:
        answer = ask(client, model=PINNED)
    assert answer.choices[0].message.content
    assert time.monotonic() - began_s >= 0.9
    assert [seen.status for seen in simulator.seen("/chat/completions")] == [429, 200]


def test_a_wait_of_a_day_is_not_passed_on(live: Live, simulator: SimulatorControl) -> None:
    simulator.fault("status", status=429, headers={"retry-after": "86400"})
    began_s = time.monotonic()
    with openai_client(live, max_retries=2) as client, pytest.raises(openai.RateLimitError) as caught:
        ask(client, model=PINNED)
    assert time.monotonic() - began_s < 5
    assert "retry-after" not in caught.value.response.headers
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert "86400" in error_of(caught.value)["message"]
    assert len(simulator.seen("/chat/completions")) == 1


def test_a_failure_is_retried_as_the_sdk_likes(live: Live, simulator: SimulatorControl) -> None:
    """Without the header a 500 is retried twice by the SDK; the gateway has one endpoint to try each time."""
    simulator.fault("status", status=500)
    with openai_client(live, max_retries=2) as client, pytest.raises(openai.InternalServerError) as caught:
        ask(client, model=PINNED)
    assert caught.value.status_code == 502
    body = error_of(caught.value)
    assert body["code"] == "UPSTREAM_ALL_FAILED"
    assert len(body["retry_history"]) == 1
    assert body["retry_history"][0]["status"] == 500
    assert body["retry_history"][0]["endpoint_id"] == PINNED
    assert "An internal error has occurred" in body["retry_history"][0]["body"]
    assert len(simulator.seen("/chat/completions")) == 3


def test_another_endpoint_answers_when_the_first_fails(live: Live, simulator: SimulatorControl) -> None:
    simulator.fault("status", status=503, times=1)
    with openai_client(live) as client:
        answer = ask(client)
    assert answer.choices[0].message.content.endswith("hello")
    tried = simulator.seen("/chat/completions")
    assert [seen.status for seen in tried] == [503, 200]
    assert len({seen.provider for seen in tried}) == 2
    record = live.record(answer._request_id)
    assert len(record.attempts) == 2
    assert record.outcome == "ok"


@pytest.mark.parametrize("status", [401, 403])
def test_our_credential_is_not_the_callers_fault(
    live: Live, simulator: SimulatorControl, status: int
) -> None:
    """A caller must never take a provider's 401 for one of its own key."""
    simulator.fault("status", status=status)
    with openai_client(live) as client, pytest.raises(openai.InternalServerError) as caught:
        ask(client, model=PINNED)
    assert caught.value.status_code == 502
    assert error_of(caught.value)["retry_history"][0]["status"] == status


def test_the_callers_own_timeout(live: Live, simulator: SimulatorControl) -> None:
    simulator.fault("head_then_silence")
    with openai_client(live) as client, pytest.raises(openai.APITimeoutError):
        ask(client.with_options(timeout=0.5))


def test_an_error_event_before_the_first_token_is_a_status(live: Live, simulator: SimulatorControl) -> None:
    simulator.fault("error_event_first")
    with openai_client(live) as client, pytest.raises(openai.APIStatusError) as caught:
        list(ask(client, model=PINNED, stream=True))
    assert caught.value.status_code in {429, 500, 502}
    assert error_of(caught.value)["source"] == "upstream"


@pytest.mark.parametrize("kind", ["error_event_after_chunks", "cut_after_chunks", "reset_after_chunks"])
def test_a_stream_that_breaks_raises(live: Live, simulator: SimulatorControl, kind: str) -> None:
    # Apart in time, so that the first chunks are on their way to the caller when it breaks.
    simulator.fault("slow_chunks_ms", n=5)
    simulator.fault(kind, n=4)
    chunks: list[Any] = []
    with openai_client(live) as client, pytest.raises(openai.APIError) as caught:
        chunks.extend(ask(client, stream=True))
    # ``extend`` keeps what came before the exception.
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks).startswith("[simulated]")
    assert not isinstance(caught.value, openai.APIConnectionError)
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["message"]


def test_broken_json_from_a_caller(live: Live) -> None:
    with openai_client(live) as client, pytest.raises(openai.BadRequestError) as caught:
        client.post("/chat/completions", content=b'{"model": "x",', options={}, cast_to=object)
    assert error_of(caught.value)["code"] == "GATEWAY_BAD_REQUEST"


def test_an_unknown_path(live: Live) -> None:
    with openai_client(live) as client, pytest.raises(openai.BadRequestError) as caught:
        client.audio.speech.create(model="tts-1", voice="alloy", input="hello")
    assert error_of(caught.value)["code"] == "GATEWAY_MISSING_ACTUAL_PATH"


def test_a_wrong_method(live: Live) -> None:
    with openai_client(live) as client, pytest.raises(openai.APIStatusError) as caught:
        client.get("/chat/completions", cast_to=object)
    assert caught.value.status_code == 405
    assert caught.value.response.headers["allow"] == "POST"
    assert error_of(caught.value)["code"] == "GATEWAY_METHOD_NOT_ALLOWED"
