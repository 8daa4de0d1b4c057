"""Every sample of the product's page, run as a caller would run it: real curl, real SDKs, own processes."""

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.live import Live, clean_environment, wait_for
from tests.support.live_media import check_glb, check_mp4, check_picture, download
from tests.support.live_seed import runnable, samples

pytestmark = pytest.mark.conformance

SEED = Path(__file__).parent / "seed"
PAGE = Path(__file__).parents[3] / "shared" / "product" / "seed-page.txt"
FILES = {file.name: file.read_text(encoding="utf-8") for file in sorted(SEED.iterdir())}


def test_the_kept_samples_are_the_pages() -> None:
    kinds = [name.partition("_")[0] for name in FILES]
    assert (kinds.count("curl"), kinds.count("python")) == (10, 4)
    if PAGE.exists():
        assert samples(PAGE.read_text(encoding="utf-8")) == FILES


def run(name: str, live: Live, directory: Path) -> str:
    """What the sample prints. curl gets its flags from a ``.curlrc``, so that the sample's text stays as it is."""
    script = directory / name.removesuffix(".txt")
    script.write_text(runnable(FILES[name], origin=live.url, key=live.key), encoding="utf-8")
    (directory / ".curlrc").write_text('silent\nshow-error\nfail-with-body\nnoproxy = "*"\n')
    command = ["bash", str(script)] if script.suffix == ".sh" else [sys.executable, str(script)]
    extra = {"API_KEY": live.key, "CURL_HOME": str(directory), "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=directory,
        env=clean_environment(extra),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def _get(live: Live, path: str, directory: Path) -> Any:
    """A task's state, with the same curl."""
    command = ["curl", live.base(path), "-H", f"Authorization: Bearer {live.key}"]
    environment = clean_environment({"CURL_HOME": str(directory)})
    done = subprocess.run(command, capture_output=True, env=environment, timeout=30, check=True)
    return json.loads(done.stdout)


def _is_vector(value: object, size: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) == size
        and math.isclose(math.sqrt(sum(number * number for number in value)), 1.0, rel_tol=1e-3)
    )


def _ark_result(live: Live, answer: Any, directory: Path) -> Any:
    path = f"/api/v3/contents/generations/tasks/{answer['id']}"

    def ended() -> Any:
        task = _get(live, path, directory)
        return task if task["status"] not in {"queued", "running"} else None

    task = wait_for(ended, 20)
    assert task["status"] == "succeeded"
    assert task["usage"]["completion_tokens"] > 0
    return task


def check_chat(answer: Any, live: Live, directory: Path) -> None:
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["content"].startswith("[simulated]")
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"]["prompt_tokens"] > 0
    assert answer["usage"]["completion_tokens"] > 0


def check_message(answer: Any, live: Live, directory: Path) -> None:
    assert answer["type"] == "message"
    assert answer["content"][0]["text"].endswith("You said: hello")
    assert answer["usage"]["input_tokens"] > 0
    assert answer["usage"]["output_tokens"] > 0


def check_horse(answer: Any, live: Live, directory: Path) -> None:
    assert answer["output"]["task_status"] == "PENDING"

    def ended() -> Any:
        task = _get(live, f"/api/v1/tasks/{answer['output']['task_id']}", directory)
        return task if task["output"]["task_status"] not in {"PENDING", "RUNNING"} else None

    task = wait_for(ended, 20)
    assert task["output"]["task_status"] == "SUCCEEDED"
    assert task["usage"]["duration"] == 5
    check_mp4(download(task["output"]["video_url"]), directory)


def check_text_vector(answer: Any, live: Live, directory: Path) -> None:
    assert _is_vector(answer["data"][0]["embedding"], 1024)
    assert answer["usage"]["total_tokens"] > 0


def check_native_vectors(answer: Any, live: Live, directory: Path) -> None:
    vectors = answer["output"]["embeddings"]
    assert [entry["type"] for entry in vectors] == ["image", "text"]
    assert all(_is_vector(entry["embedding"], 2560) for entry in vectors)
    assert answer["usage"]["image_tokens"] > 0


def check_image(answer: Any, live: Live, directory: Path) -> None:
    assert check_picture(download(answer["data"][0]["url"])) == (1024, 1024)
    assert answer["usage"]["generated_images"] == 1


def check_film(answer: Any, live: Live, directory: Path) -> None:
    task = _ark_result(live, answer, directory)
    check_mp4(download(task["content"]["video_url"]), directory)


def check_ark_vector(answer: Any, live: Live, directory: Path) -> None:
    assert _is_vector(answer["data"]["embedding"], 2048)
    assert answer["usage"]["prompt_tokens_details"]["image_tokens"] > 0


def check_model_3d(answer: Any, live: Live, directory: Path) -> None:
    task = _ark_result(live, answer, directory)
    assert check_glb(download(task["content"]["file_url"]))["meshes"]


CURL: tuple[Callable[[Any, Live, Path], None], ...] = (
    check_chat,
    check_message,
    check_horse,
    check_text_vector,
    check_native_vectors,
    check_chat,
    check_image,
    check_film,
    check_ark_vector,
    check_model_3d,
)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
@pytest.mark.parametrize(("number", "check"), list(enumerate(CURL, 1)))
def test_curl(number: int, check: Callable[[Any, Live, Path], None], live: Live, tmp_path: Path) -> None:
    check(json.loads(run(f"curl_{number:02}.sh", live, tmp_path)), live, tmp_path)


@pytest.mark.parametrize("number", [1, 2])
def test_python_openai(number: int, live: Live, tmp_path: Path) -> None:
    printed = run(f"python_{number:02}.py.txt", live, tmp_path)
    assert printed.startswith("[simulated]")
    assert printed.rstrip(os.linesep).endswith("You said: hello")


def test_python_requests(live: Live, tmp_path: Path) -> None:
    status, _, text = run("python_03.py.txt", live, tmp_path).partition("\n")
    assert status == "200"
    check_message(json.loads(text), live, tmp_path)


def test_python_anthropic(live: Live, tmp_path: Path) -> None:
    printed = run("python_04.py.txt", live, tmp_path)
    assert "TextBlock(" in printed
    assert "You said: hello" in printed
