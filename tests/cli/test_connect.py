"""The options that every command has, seen at ``audit list``, which needs nothing but a home."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.live import clean_environment
from tests.support.shell import Shell, served

from aimesh.cli.connect import spread


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("key create x --providers a b --yes", "key create x --providers a --providers b --yes"),
        ("--providers a,b c", "--providers a,b --providers c"),
        ("--private-keys a b --models c d", "--private-keys a --private-keys b --models c --models d"),
        ("--provider a x", "--provider a x"),
        ("--providers a - b", "--providers a --providers - --providers b"),
        ("--providers a -- b", "--providers a -- b"),
        ("list", "list"),
    ],
)
def test_lists_may_be_written_with_spaces(given: str, expected: str) -> None:
    assert spread(given.split()) == expected.split()


def test_without_an_address_the_local_database_is_asked(shell: Shell) -> None:
    assert shell.data("audit", "list") == []
    assert (shell.home / "aimesh.db").is_file()


def test_two_gateways_at_once_are_refused(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text("", encoding="utf-8")
    said = shell.misused("audit", "list", "--url", "http://127.0.0.1:1", "--config", str(file))
    assert "one of them" in said
    # The variable is a habit, the option is meant.
    assert (
        shell.run(
            "audit", "list", "-c", str(file), environment={"AIMESH_URL": "http://127.0.0.1:1"}
        ).exit_code
        == 0
    )


def test_a_token_without_an_address_is_refused(shell: Shell) -> None:
    assert "add --url" in shell.misused("audit", "list", "--token", "at-x")
    assert shell.run("audit", "list", environment={"AIMESH_TOKEN": "at-x"}).exit_code == 0


def test_a_misuse_is_json_where_json_was_asked_for(shell: Shell) -> None:
    result = shell.run("audit", "list", "--token", "at-x", "--format", "json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == "USAGE_ERROR"


def test_a_wrong_configuration_is_named_and_nothing_is_asked(shell: Shell) -> None:
    (shell.home / "aimesh.yaml").write_text("timeoutz: {}\n", encoding="utf-8")
    result = shell.run("audit", "list")
    assert result.exit_code == 1
    assert "aimesh.yaml:1:1" in result.stderr
    error = shell.refused("audit", "list")
    assert error["code"] == "CONFIG_ERROR"
    assert "timeouts" in error["details"][0]


def test_a_database_that_cannot_be_opened_is_an_error_of_one_line(shell: Shell) -> None:
    (shell.home / "aimesh.yaml").write_text(
        "database: postgresql://u:secret@127.0.0.1:1/x\n", encoding="utf-8"
    )
    error = shell.refused("audit", "list")
    assert "secret" not in json.dumps(error)
    assert "\n" not in error["message"]


def test_over_http_a_token_is_needed_and_enough(tmp_path: Path) -> None:
    with served(tmp_path) as remote:
        assert [row["action"] for row in remote.data("audit", "list")] == ["token.create"]
        nobody = remote.run("audit", "list", "--format", "json", environment={"AIMESH_TOKEN_FILE": ""})
        assert nobody.exit_code == 1
        assert json.loads(nobody.stdout)["error"]["code"] == "UNAUTHENTICATED"
        wrong = remote.run("audit", "list", "--token", "at-wrong", "--format", "json")
        assert json.loads(wrong.stdout)["error"]["code"] == "TOKEN_NOT_VALID"
        assert "at-wrong" not in wrong.output
        missing = remote.run("audit", "list", "--token-file", str(tmp_path / "nowhere"))
        assert missing.exit_code == 2


def test_commands_that_ask_nothing_load_no_api_and_no_client() -> None:
    code = (
        "import sys\n"
        "from aimesh.cli.main import app\n"
        "heavy = {'fastapi', 'httpx', 'pydantic', 'sqlalchemy', 'uvicorn', 'starlette'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=clean_environment(),
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "noun", ["key", "model", "provider", "byok", "credential", "member", "tenant", "token"]
)
def test_every_noun_explains_itself(noun: str, shell: Shell) -> None:
    said = shell.done(noun, "--help")
    assert "list" in said
    assert shell.run(noun, "no-such-command").exit_code == 2
