"""``docs/how-to/clients.md``: its samples run, its environment variables work, its releases are the tested ones."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.live import Live, clean_environment

pytestmark = pytest.mark.conformance

ROOT = Path(__file__).parents[2]
PAGES = {
    language: (ROOT / "docs" / "how-to" / name).read_text(encoding="utf-8")
    for language, name in (("en", "clients.md"), ("zh", "clients.zh-CN.md"))
}
SAMPLES = re.findall(r"^```(python|js)\n(.*?)^```", PAGES["en"], re.MULTILINE | re.DOTALL)
ENVIRONMENT = {
    "openai": (
        {"OPENAI_BASE_URL": "/v1", "OPENAI_API_KEY": ""},
        "import openai; print(openai.OpenAI().chat.completions.create(model='qwen/qwen3.7-max', "
        "messages=[{'role': 'user', 'content': 'hello'}]).choices[0].message.content)",
    ),
    "anthropic": (
        {"ANTHROPIC_BASE_URL": "", "ANTHROPIC_API_KEY": ""},
        "import anthropic; print(anthropic.Anthropic().messages.create(model='qwen/qwen3.7-max', max_tokens=64, "
        "messages=[{'role': 'user', 'content': 'hello'}]).content[0].text)",
    ),
    "dashscope module": (
        {"DASHSCOPE_HTTP_BASE_URL": "/api/v1", "DASHSCOPE_API_KEY": ""},
        "import dashscope; print(len(dashscope.MultiModalEmbedding.call(model='qwen3-vl-embedding', "
        "input=[{'text': 'x'}]).output['embeddings'][0]['embedding']))",
    ),
    "dashscope client": (
        {"DASHSCOPE_BASE_URL": "/api/v1", "DASHSCOPE_API_KEY": ""},
        "import dashscope; print(dashscope.Client().videos.jobs.create(model='happyhorse-1.0-t2v', "
        "prompt='x').status)",
    ),
}


def run(command: list[str], extra: dict[str, str], cwd: Path) -> str:
    done = subprocess.run(
        command,
        env=clean_environment(extra | {"NO_PROXY": "127.0.0.1"}),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("number", range(len(SAMPLES)))
def test_samples(live: Live, number: int, tmp_path: Path) -> None:
    language, code = SAMPLES[number]
    code = code.replace("<address>", live.base("")).replace("<your-api-key>", live.key)
    if language == "python":
        printed = run([sys.executable, "-c", code], {}, tmp_path)
    else:
        printed = run(["node", "--input-type=module", "-e", code], {}, Path(__file__).parent / "node")
    assert "[simulated]" in printed or printed.rstrip().endswith(".mp4")


@pytest.mark.parametrize("client", ENVIRONMENT)
def test_environment_variables(live: Live, client: str, tmp_path: Path) -> None:
    variables, code = ENVIRONMENT[client]
    extra = {
        name: live.base(value) if name.endswith("BASE_URL") else live.key for name, value in variables.items()
    }
    assert all(name in page for name in variables for page in PAGES.values())
    printed = run([sys.executable, "-c", code], extra, tmp_path)
    assert printed.strip() in {"2560", "PENDING"} or printed.startswith("[simulated]")


def test_both_languages_have_the_same_samples_and_tables() -> None:
    assert re.findall(r"^```(python|js)\n(.*?)^```", PAGES["zh"], re.MULTILINE | re.DOTALL) == SAMPLES
    rows = {language: page.count("\n|") for language, page in PAGES.items()}
    assert rows["en"] == rows["zh"]
    assert len(SAMPLES) == 5


def test_the_releases_are_the_tested_ones() -> None:
    wanted = set()
    lock = (ROOT / "requirements" / "dev.lock").read_text()
    for package in ("openai", "anthropic", "dashscope", "volcengine-ark-runtime"):
        wanted |= set(re.findall(rf"^{package}==(\S+)", lock, re.MULTILINE))
    older = (ROOT / "tests" / "conformance" / "older_sdks.txt").read_text()
    wanted |= set(re.findall(r"^(?:openai|anthropic|dashscope)==(\S+)", older, re.MULTILINE))
    wanted |= set(
        json.loads((ROOT / "tests/conformance/node/package.json").read_text())["dependencies"].values()
    )
    for page in PAGES.values():
        table = page.split("\n\n|", 1)[1].split("\n\n", 1)[0]
        assert set(re.findall(r"\d+\.\d+\.\d+", table)) - {"127.0.0"} == wanted
