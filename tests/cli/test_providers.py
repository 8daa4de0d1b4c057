from pathlib import Path

import pytest
from tests.support.shell import Shell

from aimesh.catalog.load import load_built_in

BUILT_IN = sorted(load_built_in().providers)
CLUSTER = "name: Our cluster\nbase_url: http://10.0.0.5:8000/v1\nspeaks: {open_ai: {}}\nauth: none\n"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_providers_are_listed_and_shown(shell: Shell) -> None:
    assert [row["id"] for row in shell.data("provider", "list")] == BUILT_IN
    (found,) = shell.data("provider", "list", BUILT_IN[0])
    assert found["source"] == "built_in"
    assert shell.data("provider", "get", BUILT_IN[0])["id"] == BUILT_IN[0]
    assert shell.refused("provider", "get", "nobody")["code"] == "PROVIDER_NOT_FOUND"


def test_a_provider_is_set_changed_and_reset(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text(CLUSTER, encoding="utf-8")
    made = shell.data("provider", "set", "our_cluster", "-f", str(file))
    assert (made["name"], made["source"]) == ("Our cluster", "database")
    changed = shell.data("provider", "set", "our_cluster", "-f", "-", text=CLUSTER.replace("Our", "Their"))
    assert changed["name"] == "Their cluster"
    assert changed["version"] > made["version"]
    assert "our_cluster" in shell.done("provider", "list")
    assert shell.run("provider", "reset", "our_cluster", text="n\n").exit_code == 1
    shell.done("provider", "reset", "our_cluster", "--yes")
    assert [row["id"] for row in shell.data("provider", "list")] == BUILT_IN


def test_a_built_in_one_keeps_what_is_not_said(shell: Shell) -> None:
    before = shell.data("provider", "get", BUILT_IN[0])
    changed = shell.data("provider", "set", BUILT_IN[0], "-f", "-", text="name: Renamed\n")
    assert changed["name"] == "Renamed"
    assert changed["base_urls"] == before["base_urls"]
    shell.done("provider", "reset", BUILT_IN[0], "-y")
    assert shell.data("provider", "get", BUILT_IN[0])["name"] == before["name"]
    assert shell.run("provider", "reset", BUILT_IN[0], "-y").exit_code == 1


def test_what_aimesh_yaml_says_is_changed_there(shell: Shell) -> None:
    (shell.home / "aimesh.yaml").write_text(
        f"providers: {{{BUILT_IN[0]}: {{name: Ours}}}}\n", encoding="utf-8"
    )
    assert shell.data("provider", "get", BUILT_IN[0])["source"] == "file"
    error = shell.refused("provider", "set", BUILT_IN[0], "-f", "-", text="name: Renamed\n")
    assert error["code"] == "ENTRY_READ_ONLY"


def test_a_file_that_is_wrong_says_where(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("base_urll: x\n", encoding="utf-8")
    error = shell.refused("provider", "set", "ours", "-f", str(file))
    assert error["code"] == "INVALID_FILE"
    assert "wrong.yaml:1:1" in error["details"][0]
    assert "base_url" in error["details"][0]
    shell.misused("provider", "set", "ours", "-f", str(tmp_path / "nowhere.yaml"))
    shell.misused("provider", "set", "ours")
