"""What a key may not do, and how long a call may take, as the SDKs see it, at a gateway with its own configuration."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from tests.support.live import Live, SimulatorControl, running_serve
from tests.support.live_clients import anthropic_client, ark_client, openai_client
from tests.support.live_raw import send
from volcenginesdkarkruntime._exceptions import ArkPermissionDeniedError

pytestmark = pytest.mark.conformance

QWEN = "qwen/qwen3.7-max"
PINNED = f"aliyun_bailian_bj@{QWEN}@open_ai"
CLAUDE = "anthropic/claude-opus-4.6"
HELLO: Any = [{"role": "user", "content": "hello"}]
LIMITED, DISABLED, EXPIRED, ELSEWHERE = (f"ck-{letter * 40}" for letter in "abcd")
CONFIGURATION = f"""
virtual_keys:
  - {{alias: limited, key: {LIMITED}, models: ["qwen/qwen3.7-*"]}}
  - {{alias: disabled, key: {DISABLED}, enabled: false}}
  - {{alias: expired, key: {EXPIRED}, expires_at: "2020-01-01"}}
  - {{alias: elsewhere, key: {ELSEWHERE}, cidrs: ["192.0.2.0/24"]}}
timeouts: {{first_byte_stream_s: 0.4, first_byte_whole_s: 0.4, idle_s: 0.5}}
limits: {{max_body_bytes: 100000}}
"""


@pytest.fixture(scope="module")
def strict(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    home = tmp_path_factory.mktemp("strict")
    with running_serve(CONFIGURATION, key=LIMITED, simulator=live.simulator, home=home) as stack:
        yield stack


def test_a_model_outside_the_keys_list_openai(strict: Live) -> None:
    with openai_client(strict) as client, pytest.raises(openai.PermissionDeniedError) as caught:
        client.chat.completions.create(model="doubao-seed-2.0-pro", messages=HELLO)
    assert caught.value.code == "GATEWAY_MODEL_NOT_PERMITTED"
    assert caught.value.type == "permission_error"


def test_a_model_outside_the_keys_list_anthropic(strict: Live) -> None:
    with anthropic_client(strict) as client, pytest.raises(anthropic.PermissionDeniedError) as caught:
        client.messages.create(model=CLAUDE, max_tokens=16, messages=HELLO)
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["error"]["type"] == "permission_error"


def test_a_model_outside_the_keys_list_ark(strict: Live) -> None:
    with pytest.raises(ArkPermissionDeniedError) as caught:
        ark_client(strict).images.generate(model="doubao-seedream-4.0", prompt="x")
    assert caught.value.code == "GATEWAY_MODEL_NOT_PERMITTED"


def test_a_model_outside_the_keys_list_dashscope(strict: Live) -> None:
    path = "/api/v1/services/aigc/video-generation/video-synthesis"
    body = json.dumps({"model": "happyhorse-1.0-t2v", "input": {"prompt": "x"}}).encode()
    answer = send(strict.base(path), body, {"Authorization": f"Bearer {strict.key}"})
    assert answer.status == 403
    assert json.loads(answer.body)["code"] == "GATEWAY_MODEL_NOT_PERMITTED"


def test_an_endpoint_by_name_is_no_way_round_the_list(strict: Live) -> None:
    with openai_client(strict) as client:
        with pytest.raises(openai.PermissionDeniedError):
            client.chat.completions.create(model="volcengine_bj@doubao-seed-2.0-pro@open_ai", messages=HELLO)
        assert client.chat.completions.create(model=PINNED, messages=HELLO).choices


def test_the_list_shows_what_the_key_may_call(strict: Live) -> None:
    with openai_client(strict) as client:
        names = [model.id for model in client.models.list()]
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("doubao-seed-2.0-pro")
    assert QWEN in names
    assert all(name.startswith("qwen/qwen3.7-") for name in names)


@pytest.mark.parametrize(
    ("key", "kind", "code"),
    [
        (DISABLED, openai.AuthenticationError, "GATEWAY_VIRTUAL_KEY_DISABLED"),
        (EXPIRED, openai.AuthenticationError, "GATEWAY_VIRTUAL_KEY_EXPIRED"),
        (ELSEWHERE, openai.PermissionDeniedError, "GATEWAY_IP_NOT_ALLOWED"),
    ],
)
def test_keys_that_may_not_call(strict: Live, key: str, kind: type[openai.APIStatusError], code: str) -> None:
    with openai_client(strict, key=key) as client, pytest.raises(kind) as caught:
        client.chat.completions.create(model=QWEN, messages=HELLO)
    assert caught.value.code == code
    with openai_client(strict, key=key) as client, pytest.raises(kind):
        client.models.list()


@pytest.mark.parametrize("stream", [False, True])
def test_an_upstream_that_never_begins(strict: Live, simulator: SimulatorControl, stream: bool) -> None:
    simulator.fault("slow_start", n=30)
    with openai_client(strict) as client, pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model=PINNED, messages=HELLO, stream=stream)
    assert caught.value.status_code == 504
    assert caught.value.code == "UPSTREAM_TIMEOUT"


def test_an_upstream_that_never_begins_anthropic(strict: Live, simulator: SimulatorControl) -> None:
    simulator.fault("slow_start", n=30)
    with anthropic_client(strict) as client, pytest.raises(anthropic.InternalServerError) as caught:
        client.messages.create(model=QWEN, max_tokens=16, messages=HELLO)
    assert caught.value.status_code == 504
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["error"]["type"] == "timeout_error"


def test_a_stream_that_falls_silent(strict: Live, simulator: SimulatorControl) -> None:
    simulator.fault("slow_chunks_ms", n=5)
    simulator.fault("stall_after_chunks", n=4)
    chunks: list[Any] = []
    with openai_client(strict) as client, pytest.raises(openai.APIError) as caught:
        chunks.extend(client.chat.completions.create(model=QWEN, messages=HELLO, stream=True))
    assert chunks
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["code"] == "UPSTREAM_BROKEN_STREAM"


def test_a_body_that_is_too_large(strict: Live, simulator: SimulatorControl) -> None:
    with openai_client(strict, max_retries=2) as client, pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model=QWEN, messages=[{"role": "user", "content": "x" * 200_000}])
    assert caught.value.status_code == 413
    assert caught.value.code == "GATEWAY_REQUEST_TOO_LARGE"
    assert simulator.seen() == []
