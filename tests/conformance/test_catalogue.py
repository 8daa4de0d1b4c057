"""Every model and every endpoint of the built-in catalogue is called; every printed example works as printed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.live import Live, clean_environment
from tests.support.live_raw import send

from aimesh.catalog.examples import examples
from aimesh.catalog.load import load_built_in
from aimesh.catalog.snapshot import Endpoint, Model, compile_catalog

pytestmark = pytest.mark.conformance

_BUILT_IN = load_built_in()
CATALOG = compile_catalog(_BUILT_IN.providers, _BUILT_IN.models)
MODELS = {
    name: model for name, model in CATALOG.models.items() if any(one.is_callable for one in model.endpoints)
}
PICTURE: Any = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
HELLO: Any = [{"role": "user", "content": "hello"}]
PATHS = {
    "open_ai": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "responses": "/v1/responses",
    "open_ai_embedding": "/v1/embeddings",
    "open_ai_image": "/v1/images/generations",
    "ark_image": "/api/v3/images/generations",
    "task": "/api/v3/contents/generations/tasks",
    "ark_embedding": "/api/v3/embeddings/multimodal",
    "dashscope_video": "/api/v1/services/aigc/video-generation/video-synthesis",
    "dashscope_embedding": "/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding",
}


def order(endpoint: Endpoint) -> dict[str, Any]:
    """The least that a model of this interface can be asked."""
    match endpoint.interface:
        case "open_ai":
            return {"messages": HELLO}
        case "anthropic":
            return {"messages": HELLO, "max_tokens": 64}
        case "responses":
            return {"input": "hello"}
        case "open_ai_embedding":
            return {"input": ["hello"], "encoding_format": "float"}
        case "open_ai_image":
            return {"prompt": "a house"}
        case "ark_image":
            return {"prompt": "a house", "size": "2K"}
        case "task":
            return {"content": [PICTURE] if endpoint.kind == "3d" else [{"type": "text", "text": "a cat"}]}
        case "ark_embedding":
            return {"input": [PICTURE]}
        case "dashscope_embedding":
            return {"input": {"contents": [{"text": "hello"}]}}
        case _:
            media = {"i2v": "first_frame", "r2v": "reference_image"}.get(endpoint.model[-3:])
            given: dict[str, Any] = {"prompt": "a cat"}
            if media:
                given["media"] = [{"type": media, "url": "https://example.com/a.png"}]
            return {"input": given}


def endpoints_of(provider: str) -> list[Endpoint]:
    return [one for one in CATALOG.endpoints.values() if one.provider == provider and one.is_callable]


@pytest.mark.parametrize("provider", [name for name in CATALOG.providers if endpoints_of(name)])
def test_every_endpoint_by_its_whole_name(live: Live, provider: str) -> None:
    for endpoint in endpoints_of(provider):
        body = json.dumps({"model": endpoint.name} | order(endpoint)).encode()
        headers = {"Authorization": f"Bearer {live.key}", "anthropic-version": "2023-06-01"}
        answer = send(live.base(PATHS[endpoint.interface]), body, headers)
        assert answer.status == 200, (endpoint.name, answer.body)
        record = live.record(answer.header("x-request-id"))
        assert (record.endpoint, record.model, record.upstream_model) == (
            endpoint.name,
            endpoint.model,
            endpoint.upstream_name,
        )
        if endpoint.interface not in {"task", "dashscope_video"}:
            assert record.usage.reported, endpoint.name


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_curl_example(live: Live, model: Model, tmp_path: Path) -> None:
    (tmp_path / ".curlrc").write_text("silent\nshow-error\nfail-with-body\n")
    curls = [one for one in examples(model, base_url=live.base(""), key="$API_KEY") if one.language == "curl"]
    assert curls
    for example in curls:
        done = subprocess.run(
            ["bash", "-c", example.code],
            env=clean_environment({"API_KEY": live.key, "CURL_HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"}),
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, (example.code, done.stdout, done.stderr)
        assert json.loads(done.stdout)


def one_model_of(interface: str) -> Model:
    return next(
        model
        for model in MODELS.values()
        if any(one.interface == interface and one.is_callable for one in model.endpoints)
    )


@pytest.mark.parametrize("interface", PATHS)
def test_one_python_example_of_every_interface(live: Live, interface: str, tmp_path: Path) -> None:
    example = next(
        one
        for one in examples(one_model_of(interface), base_url=live.base(""), key=live.key)
        if one.interface == interface and one.language == "python"
    )
    script = tmp_path / "example.py"
    script.write_text(example.code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        env=clean_environment({"NO_PROXY": "127.0.0.1"}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, *_ = done.stdout.splitlines()
    if "import requests" in example.code:
        assert first == "200", done.stdout
    else:
        assert first


def test_the_command_prints_them(live: Live) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "aimesh.cli.main",
            "examples",
            one_model_of("open_ai").name,
            "--base-url",
            live.base(""),
        ],
        env=clean_environment({"AIMESH_HOME": str(live.home)}),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    wanted = examples(one_model_of("open_ai"), base_url=live.base(""), key="$API_KEY")
    for example in wanted:
        assert example.code.strip() in done.stdout
