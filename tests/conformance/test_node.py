"""The official SDKs for Node: every case of ``node/openai.mjs`` and ``node/anthropic.mjs`` is a test here.

One Node process runs a whole file, because starting one costs more than the calls.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support.live import Live, clean_environment

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(shutil.which("node") is None, reason="Node is not on this machine"),
]

NODE = Path(__file__).parent / "node"
_CASE = re.compile(r"^  async (\w+)\(\)", re.MULTILINE)


def cases(name: str) -> list[str]:
    return _CASE.findall((NODE / name).read_text(encoding="utf-8"))


def run(name: str, live: Live) -> dict[str, str | None]:
    """Name of a case to its error."""
    assert (NODE / "node_modules").is_dir(), "the Node SDKs are not installed: make setup"
    extra = {"LIVE_URL": live.url, "LIVE_KEY": live.key, "LIVE_SIMULATOR": live.simulator.url}
    done = subprocess.run(
        ["node", name],
        cwd=NODE,
        env=clean_environment(extra),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    return {result["name"]: result["error"] for result in results}


@pytest.fixture(scope="module")
def openai_results(live: Live) -> dict[str, str | None]:
    return run("openai.mjs", live)


@pytest.fixture(scope="module")
def anthropic_results(live: Live) -> dict[str, str | None]:
    return run("anthropic.mjs", live)


@pytest.mark.parametrize("case", cases("openai.mjs"))
def test_openai(openai_results: dict[str, str | None], case: str) -> None:
    assert openai_results[case] is None, openai_results[case]


@pytest.mark.parametrize("case", cases("anthropic.mjs"))
def test_anthropic(anthropic_results: dict[str, str | None], case: str) -> None:
    assert anthropic_results[case] is None, anthropic_results[case]
