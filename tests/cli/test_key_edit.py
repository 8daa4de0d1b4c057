from pathlib import Path

import pytest
from tests.support.shell import Shell

from aimesh.catalog.load import load_built_in

PROVIDERS = sorted(load_built_in().providers)[:2]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path)
    for alias in ("a-1", "a-2", "b-1"):
        shell.done("key", "create", alias, "--label", f"team={alias[0]}")
    return shell


def statuses(shell: Shell) -> dict[str, str]:
    return {row["alias"]: row["status"] for row in shell.data("key", "list")}


def test_a_route_is_shown_and_set(shell: Shell) -> None:
    assert shell.done("key", "route", "a-1") == "default: by price"
    assert shell.data("key", "route", "a-1")["mode"] == "default"
    shell.done("key", "route", "a-1", "--route-type", "provider", "--providers", ",".join(PROVIDERS))
    assert shell.done("key", "route", "a-1") == f"provider: {', '.join(PROVIDERS)}"
    shell.done("key", "route", "a-1", "--route-type", "default", "--provider-sort", "throughput")
    assert shell.data("key", "route", "a-1")["rank_by"] == "throughput"
    shell.done("key", "route", "a-1", "--providers", PROVIDERS[0])
    route = shell.data("key", "route", "a-1")
    assert (route["rank_by"], route["providers"]) == ("throughput", [PROVIDERS[0]])
    assert "--private-keys" in shell.misused("key", "route", "a-1", "--route-type", "byok")


def test_many_are_switched_by_name(shell: Shell) -> None:
    rows = shell.data("key", "batch", "disable", "a-1", "b-1")
    assert [(row["alias"], row["done"]) for row in rows] == [("a-1", True), ("b-1", True)]
    assert statuses(shell) == {"a-1": "disabled", "a-2": "enabled", "b-1": "disabled"}
    shell.done("key", "batch", "enable", "--alias", "-")
    assert set(statuses(shell).values()) == {"enabled"}


def test_many_are_changed_by_a_filter(shell: Shell) -> None:
    shell.done("key", "batch", "set-limits", "--having", "team=a", "--quota", "daily:7", "--rpm", "9")
    for alias in ("a-1", "a-2"):
        key = shell.data("key", "show", alias)
        assert ([one["limit"] for one in key["quotas"]], key["rpm"]) == ([7], 9)
    assert shell.data("key", "show", "b-1")["rpm"] is None
    shell.done("key", "batch", "set-labels", "a-1", "b-1", "--label", "env=test")
    assert shell.data("key", "show", "b-1")["labels"] == {"env": "test"}
    shell.done("key", "batch", "set-route", "b-1", "--provider-sort", "latency")
    assert shell.data("key", "show", "b-1")["route"]["rank_by"] == "latency"


def test_many_are_deleted_after_a_yes(shell: Shell) -> None:
    assert shell.run("key", "batch", "delete", "--alias", "a-", text="n\n").exit_code == 1
    assert len(statuses(shell)) == 3
    result = shell.run("key", "batch", "delete", "--alias", "a-", "--yes")
    assert "2 of 2 keys are done." in result.stderr
    assert set(statuses(shell)) == {"b-1"}


def test_a_batch_says_which_of_them_failed(shell: Shell) -> None:
    (shell.home / "aimesh.yaml").write_text(
        "virtual_keys: [{alias: fixed, key: ck-of-the-file-0123456789}]\n", encoding="utf-8"
    )
    result = shell.run("key", "batch", "disable", "fixed", "a-1")
    assert result.exit_code == 1
    assert "1 of 2 keys are done." in result.stderr
    assert statuses(shell)["a-1"] == "disabled"


def test_a_batch_must_say_which_and_what(shell: Shell) -> None:
    assert "--alias or --having" in shell.misused("key", "batch", "disable")
    assert "--alias or --having" in shell.misused("key", "batch", "disable", "a-1", "--alias", "a")
    assert "--label" in shell.misused("key", "batch", "set-labels", "a-1")
    assert "--quota" in shell.misused("key", "batch", "set-limits", "a-1")
    assert "--route-type" in shell.misused("key", "batch", "set-route", "a-1")
    assert shell.refused("key", "batch", "disable", "--alias", "zzz")["code"] == "KEY_NOT_FOUND"
    assert shell.refused("key", "batch", "disable", "a-1", "zzz")["code"] == "KEY_NOT_FOUND"
    assert set(statuses(shell).values()) == {"enabled"}
