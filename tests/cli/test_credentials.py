"""Secrets towards providers, at the simulator: kept, tested by a real call, and never seen again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.control_upstreams import upstream_yaml
from tests.support.shell import Shell
from tests.support.simulation import LiveSimulator, live_simulator

SECRET = "sk-a-secret-of-the-tenant-4711"


@pytest.fixture(scope="module")
def simulator() -> Iterator[LiveSimulator]:
    with live_simulator() as simulator:
        yield simulator


@pytest.fixture
def shell(simulator: LiveSimulator, tmp_path: Path) -> Shell:
    simulator.clear()
    (tmp_path / "aimesh.yaml").write_text(upstream_yaml(simulator.url), encoding="utf-8")
    return Shell(tmp_path)


@pytest.fixture(params=["byok", "credential"])
def noun(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def names(shell: Shell, noun: str) -> set[str]:
    return {row["name"] for row in shell.data(noun, "list", "--provider", "beta")}


def test_a_secret_comes_from_a_pipe_or_a_file(noun: str, shell: Shell, tmp_path: Path) -> None:
    made = shell.data(noun, "add", "beta", "piped", text=f"{SECRET}\n")
    assert (made["provider"], made["name"], made["enabled"]) == ("beta", "piped", True)
    file = tmp_path / "key.txt"
    file.write_text(f"  {SECRET}\n", encoding="utf-8")
    made = shell.data(noun, "add", "beta", "filed", "--secret-file", str(file), "--disabled")
    assert made["enabled"] is False
    file.unlink()
    assert names(shell, noun) == {"piped", "filed"}
    assert "sk-a****4711" in shell.done(noun, "list")
    assert "empty" in shell.misused(noun, "add", "beta", "nothing", text="\n")
    assert "key.txt" in shell.misused(noun, "add", "beta", "nothing", "--secret-file", str(file))


def test_a_secret_is_no_argument_and_in_no_output(noun: str, shell: Shell) -> None:
    shell.misused(noun, "add", "beta", "team-key", SECRET)
    assert names(shell, noun) == set()
    for words in (
        (noun, "add", "beta", "team-key", "--test"),
        (noun, "test", "team-key"),
        (noun, "rotate", "team-key"),
        (noun, "disable", "team-key"),
        (noun, "list"),
        ("audit", "list"),
    ):
        for format_ in ("table", "json"):
            assert SECRET not in shell.run(*words, "--format", format_, text=SECRET).output
    for path in shell.home.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


def test_it_is_tested_by_a_real_call(noun: str, shell: Shell, simulator: LiveSimulator) -> None:
    shell.done(noun, "add", "beta", "team-key", "--test", text=SECRET)
    good = shell.data(noun, "test", "team-key")
    assert (good["ok"], good["status"]) == (True, 200)
    assert good["model"]
    assert "answered in" in shell.done(noun, "test", "team-key")
    (row,) = shell.data(noun, "list", "--provider", "beta")
    assert row["test"]["ok"] is True

    simulator.fault("status", status=401)
    result = shell.run(noun, "test", "team-key", "--format", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["data"]["ok"] is False


def test_what_does_not_work_is_not_kept(noun: str, shell: Shell, simulator: LiveSimulator) -> None:
    simulator.fault("status", status=401)
    result = shell.run(noun, "add", "beta", "team-key", "--test", "--format", "json", text=SECRET)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "CREDENTIAL_TEST_FAILED"
    assert names(shell, noun) == set()


def test_it_is_switched_replaced_and_deleted(noun: str, shell: Shell) -> None:
    made = shell.data(noun, "add", "beta", "team-key", text=SECRET)
    assert shell.done(noun, "disable", "team-key") == "team-key is disabled"
    assert shell.data(noun, "enable", made["id"])["enabled"] is True
    changed = shell.data(noun, "rotate", "team-key", text="sk-another-secret-0815")
    assert (changed["id"], changed["masked"]) == (made["id"], "sk-a****0815")
    assert shell.run(noun, "delete", "team-key", text="n\n").exit_code == 1
    assert shell.data(noun, "delete", "team-key", "--yes")["deleted"] is True
    assert shell.refused(noun, "delete", "team-key", "--yes")["code"] == "CREDENTIAL_NOT_FOUND"
    assert shell.run(noun, "add", "no_such_provider", "x", text=SECRET).exit_code == 1


def test_routes_that_name_it_are_told(shell: Shell) -> None:
    shell.done("byok", "add", "beta", "team-key", text=SECRET)
    shell.done("key", "create", "ours", "--route-type", "byok", "--private-keys", "team-key")
    assert shell.data("key", "route", "ours")["credentials"] == ["team-key"]
    assert "ours" in shell.run("byok", "disable", "team-key").stderr
    assert shell.refused("byok", "delete", "team-key", "-y")["code"] == "CREDENTIAL_IN_USE"
    shell.done("byok", "delete", "team-key", "--force", "-y")
    assert shell.data("byok", "list") == []


def test_providers_that_can_have_keys_are_listed(shell: Shell) -> None:
    shell.done("byok", "add", "beta", "one", text=SECRET)
    shell.done("byok", "add", "beta", "two", "--disabled", text=SECRET)
    (row,) = shell.data("byok", "providers", "beta")
    assert (row["configured"], row["enabled"]) == (2, 1)
    assert "1 of 2 enabled" in shell.done("byok", "providers", "beta")
    assert len(shell.data("byok", "providers")) > 3
