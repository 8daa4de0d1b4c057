import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from aimesh import __version__
from aimesh.cli.main import app
from aimesh.core.clock import FixedClock
from aimesh.core.ids import InterfaceId, KeyId, RequestId, TenantId
from aimesh.core.outcome import Outcome
from aimesh.core.record import UsageRecord
from aimesh.core.usage import Usage
from aimesh.store.journal import Journal

CLEAN = dict.fromkeys(("AIMESH_CONFIG", "AIMESH_MASTER_KEY", "DASHSCOPE_API_KEY", "ARK_API_KEY"), "")


def run(home: Path, *arguments: str, text: str = "") -> Result:
    environment = {**CLEAN, "AIMESH_HOME": str(home), "HOME": str(home), "XDG_DATA_HOME": ""}
    return CliRunner().invoke(app, list(arguments), env=environment, input=text)


def test_help_names_every_command(tmp_path: Path) -> None:
    shown = run(tmp_path, "--help").output
    for command in (
        "demo",
        "serve",
        "simulate",
        "check-config",
        "models",
        "examples",
        "key",
        "usage",
        "version",
    ):
        assert command in shown


def test_version(tmp_path: Path) -> None:
    assert run(tmp_path, "version").output.strip() == __version__


def test_a_good_configuration_is_summed_up(tmp_path: Path) -> None:
    file = tmp_path / "aimesh.yaml"
    file.write_text("credentials: {aliyun_bailian_bj: some-secret-of-mine}\n")
    result = run(tmp_path, "check-config", str(file))
    assert result.exit_code == 0
    assert "good" in result.output
    assert "some-secret" not in result.output


def test_a_bad_configuration_says_where_and_what_instead(tmp_path: Path) -> None:
    file = tmp_path / "aimesh.yaml"
    file.write_text("listen: ['127.0.0.1:1']\ntimeoutz: {}\n")
    result = run(tmp_path, "check-config", str(file))
    assert result.exit_code == 1
    assert f"{file}:2:1" in result.output
    assert "timeouts" in result.output


def test_models_are_listed_with_their_status(tmp_path: Path) -> None:
    found = json.loads(run(tmp_path, "models", "seedance-2.0", "--json").output)
    assert {model["model"] for model in found} >= {"doubao-seedance-2.0", "doubao-seedance-2.0-fast"}
    assert {endpoint["status"] for model in found for endpoint in model["endpoints"]} <= {
        "unconfigured",
        "unknown id",
    }
    assert run(tmp_path, "models", "no-such-model").exit_code == 1


def test_examples_hold_the_address_and_the_key(tmp_path: Path) -> None:
    result = run(
        tmp_path, "examples", "doubao-seed-2.0-pro", "--base-url", "http://x/gateway", "--key", "ck-1"
    )
    assert result.exit_code == 0
    assert "curl -X POST http://x/gateway/api/v3/chat/completions" in result.output
    assert 'OpenAI(base_url="http://x/gateway/api/v3", api_key="ck-1")' in result.output
    wrong = run(tmp_path, "examples", "doubao-seed-2.0-pr")
    assert wrong.exit_code == 1
    assert "doubao-seed-2.0-pro" in wrong.output


def test_a_key_lives_from_create_to_delete(tmp_path: Path) -> None:
    made = run(tmp_path, "key", "create", "team", "--model", "qwen/*", "--json")
    assert made.exit_code == 0
    key = json.loads(made.output)["key"]
    assert key.startswith("ck-")
    assert len(key) == 43
    again = run(tmp_path, "key", "create", "team")
    assert again.exit_code == 1
    assert "already" in again.output
    (listed,) = json.loads(run(tmp_path, "key", "list", "--json").output)
    assert listed["key"] == f"{key[:4]}****{key[-4:]}"
    assert listed["models"] == ["qwen/*"]
    assert run(tmp_path, "key", "disable", "team").exit_code == 0
    (listed,) = json.loads(run(tmp_path, "key", "list", "--json").output)
    assert listed["status"] == "disabled"
    assert run(tmp_path, "key", "enable", "team").exit_code == 0
    assert run(tmp_path, "key", "delete", "team", text="n\n").exit_code == 1
    assert run(tmp_path, "key", "delete", "team", "--yes").exit_code == 0
    assert json.loads(run(tmp_path, "key", "list", "--json").output) == []
    assert run(tmp_path, "key", "enable", "team").exit_code == 1


@pytest.mark.parametrize("as_json", [True, False])
def test_usage_is_read_from_the_journal(as_json: bool, tmp_path: Path) -> None:
    journal = Journal(
        tmp_path / "journal", process=1, clock=FixedClock(), on_alarm=lambda name, message: None
    )
    for number in range(3):
        journal.append(
            UsageRecord(
                id=RequestId(f"r{number}"),
                at=1_750_000_000.0,
                tenant=TenantId("default"),
                key_id=KeyId("k"),
                key_alias="team",
                operation="chat",
                interface=InterfaceId("open_ai"),
                outcome=Outcome.OK,
                duration_ms=12.0,
                usage=Usage(input_tokens=7),
            )
        )
    journal.close()
    result = run(tmp_path, "usage", "tail", "-n", "2", *(["--json"] if as_json else []))
    lines = result.output.strip().splitlines()
    assert len(lines) == 2
    if as_json:
        assert [json.loads(line)["id"] for line in lines] == ["r1", "r2"]
    else:
        assert "input_tokens=7" in lines[0]


def test_an_empty_journal_says_so(tmp_path: Path) -> None:
    assert "no record yet" in run(tmp_path, "usage", "tail").output
