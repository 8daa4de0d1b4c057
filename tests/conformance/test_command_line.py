"""The ``aimesh`` command as a process of its own against a gateway that runs: over HTTP, and on its database."""

import contextlib
import json
import secrets
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tests.support.live import Live, clean_environment, wait_for

pytestmark = pytest.mark.conformance

MODEL = "qwen/qwen3.7-max"


class Command:
    """``aimesh`` with an environment."""

    def __init__(self, **environment: str) -> None:
        self._environment = clean_environment(environment)

    def run(self, *words: str, text: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "aimesh.cli.main", *words],
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=self._environment | environment,
        )

    def done(self, *words: str, text: str = "") -> str:
        result = self.run(*words, text=text)
        assert result.returncode == 0, (words, result.stdout, result.stderr)
        return result.stdout.strip()

    def data(self, *words: str) -> Any:
        return json.loads(self.done(*words, "--format", "json"))["data"]


@pytest.fixture(scope="module")
def local(live: Live) -> Command:
    """As the operator of the gateway's machine."""
    return Command(AIMESH_HOME=str(live.home))


@pytest.fixture(scope="module")
def remote(live: Live, local: Command, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """From elsewhere, with a token in a file."""
    file = tmp_path_factory.mktemp("token") / "token"
    file.touch(mode=0o600)
    made = local.run("token", "create", "conformance", "--role", "PLATFORM_ADMIN")
    assert made.returncode == 0, made.stderr
    file.write_text(made.stdout, encoding="utf-8")
    home = tmp_path_factory.mktemp("elsewhere")
    return Command(AIMESH_HOME=str(home), AIMESH_URL=live.url, AIMESH_TOKEN_FILE=str(file))


def call(live: Live, key: str) -> tuple[int, str]:
    """Status of a small call, and the code of its error."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 8}
    request = urllib.request.Request(
        live.base("/v1/chat/completions"),
        json.dumps(body).encode(),
        {"authorization": f"Bearer {key}", "content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
            return answer.status, ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())["error"]["code"]


def test_what_is_made_from_elsewhere_works_at_once(live: Live, remote: Command) -> None:
    key = remote.done("key", "create", "from-elsewhere", "--models", "qwen/*")
    wait_for(lambda: call(live, key)[0] == 200, 3)
    remote.done("key", "disable", "from-elsewhere")
    wait_for(lambda: call(live, key) == (401, "GATEWAY_VIRTUAL_KEY_DISABLED"), 3)
    remote.done("key", "delete", "from-elsewhere", "--yes")
    wait_for(lambda: call(live, key) == (401, "GATEWAY_INVALID_VIRTUAL_KEY"), 3)


def test_what_is_made_on_the_machine_works_at_once(live: Live, local: Command, remote: Command) -> None:
    key = local.done("key", "create", "on-the-machine")
    wait_for(lambda: call(live, key)[0] == 200, 3)
    assert "on-the-machine" in remote.done("key", "list")
    new = local.done("key", "rotate", "on-the-machine", "--grace", "0")
    wait_for(lambda: call(live, new)[0] == 200 and call(live, key)[0] == 401, 3)


def test_quotas_are_told_to_who_holds_the_key_and_to_who_runs_it(live: Live, remote: Command) -> None:
    key = remote.done("key", "create", "counted", "--quota", "total:100000", "--quota", "daily:5000")
    wait_for(lambda: call(live, key)[0] == 200, 3)

    def probe() -> list[dict[str, Any]]:
        result = remote.run(
            "quota",
            "--probe",
            "--model",
            MODEL,
            "--format",
            "json",
            AIMESH_API_KEY=key,
            AIMESH_BASE_URL=live.url,
        )
        assert result.returncode == 0, (result.stdout, result.stderr)
        rows: list[dict[str, Any]] = json.loads(result.stdout)["data"]
        return rows

    rows = probe()
    assert {row["period"]: row["limit"] for row in rows} == {"total": 100_000, "daily": 5000}
    assert all(row["used"] > 0 and row["remaining"] == row["limit"] - row["used"] for row in rows)
    known = {row["period"]: row for row in remote.data("quota", "counted")}
    assert known["total"]["limit"] == 100_000
    assert known["total"]["used"] > rows[0]["used"]
    assert known["daily"]["resets_at"] is not None


def test_a_spent_quota_refuses_until_it_is_raised(live: Live, remote: Command) -> None:
    key = remote.done("key", "create", "spent", "--quota", "total:1")
    wait_for(lambda: call(live, key) == (429, "GATEWAY_TOO_MANY_REQUESTS"), 3)
    remote.done("key", "set-quota", "spent", "--period", "total", "--quota", "100000")
    wait_for(lambda: call(live, key)[0] == 200, 3)


def test_no_secret_is_on_a_command_line(live: Live, remote: Command) -> None:
    """Command lines are for every user of the machine to read."""
    provider = remote.data("byok", "providers")[0]["id"]
    secret = f"sk-{secrets.token_hex(16)}"
    remote.done("byok", "add", provider, "of-the-test", text=secret)
    key = remote.done("key", "create", "of-the-test")
    wait_for(lambda: call(live, key)[0] == 200, 3)
    lines = b""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines += path.read_bytes()
    assert b"aimesh" in lines
    for text in (secret, key, live.key):
        assert text.encode() not in lines
    remote.done("byok", "delete", "of-the-test", "--yes")
