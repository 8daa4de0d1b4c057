"""What the table of the reference does not say about keys (``test_main_reference.py`` has the rest)."""

import csv
import io
import json
from pathlib import Path

import pytest
from tests.support.shell import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_a_network_that_cannot_be_read_makes_no_key(shell: Shell) -> None:
    error = shell.refused("key", "create", "team", "--cidr", "10.0.0.1/8")
    assert "10.0.0.0/8" in json.dumps(error)
    assert shell.data("key", "list") == []


def test_json_alone_has_no_envelope(shell: Shell) -> None:
    made = json.loads(shell.done("key", "create", "team", "--json"))
    assert made["key"].startswith("ck-")
    (listed,) = json.loads(shell.done("key", "list", "--json"))
    assert listed["alias"] == "team"


def test_every_format_of_the_list_can_be_read(shell: Shell) -> None:
    for alias in ("a", 'b, "quoted"', "中文"):
        shell.done("key", "create", alias)
    expected = ["中文", 'b, "quoted"', "a"]
    assert [row["alias"] for row in shell.data("key", "list")] == expected
    lines = shell.done("key", "list", "--format", "jsonl").splitlines()
    assert [json.loads(line)["alias"] for line in lines] == expected
    rows = list(csv.DictReader(io.StringIO(shell.done("key", "list", "--format", "csv"))))
    assert [row["alias"] for row in rows] == expected
    table = shell.done("key", "list").splitlines()
    assert table[0].split("\t")[0] == "alias"
    assert [line.split("\t")[0] for line in table[1:]] == expected
    assert shell.done("key", "list", "--field", "alias").splitlines() == ["alias", *expected]


def test_keys_of_the_file_are_listed_and_not_changed(shell: Shell) -> None:
    text = "ck-of-the-file-0123456789"
    (shell.home / "aimesh.yaml").write_text(
        f"virtual_keys: [{{alias: fixed, key: {text}}}]\n", encoding="utf-8"
    )
    (listed,) = shell.data("key", "list")
    assert (listed["alias"], listed["source"]) == ("fixed", "file")
    assert shell.done("key", "get", "fixed") == text
    assert shell.refused("key", "disable", "fixed")["code"] == "KEY_READ_ONLY"
    assert shell.refused("key", "delete", "fixed", "-y")["code"] == "KEY_READ_ONLY"
    assert shell.run("key", "create", "fixed").exit_code == 1


def test_a_key_that_cannot_be_revealed_is_listed_masked(shell: Shell) -> None:
    shell.done("key", "create", "team")
    (shell.home / "aimesh.yaml").write_text("keys: {reveal: never}\n", encoding="utf-8")
    result = shell.run("key", "list", "--reveal")
    assert result.exit_code == 0
    assert "****" in result.stdout
    assert "Not to be shown: team." in result.stderr
    assert shell.refused("key", "get", "team")["code"] == "KEY_NOT_REVEALABLE"


def test_one_key_is_shown_field_by_field(shell: Shell) -> None:
    shell.done("key", "create", "team", "--label", "team=search", "--rpm", "60", "--quota", "daily:5")
    shown = dict(line.split("\t", 1) for line in shell.done("key", "show", "team").splitlines())
    assert shown["alias"] == "team"
    assert shown["quota"] == "daily 0 of 5"
    assert (shown["labels"], shown["rates"]) == ("team=search", "60 requests a minute")
    assert (shown["networks"], shown["expires"]) == ("any", "never")


def test_the_list_is_never_the_text(shell: Shell) -> None:
    text = shell.done("key", "create", "team")
    for words in (
        ("key", "list"),
        ("key", "show", "team"),
        ("audit", "list"),
        ("key", "list", "--format", "json"),
    ):
        assert text not in shell.run(*words).output


def test_no_file_of_the_home_holds_a_key_in_clear(shell: Shell) -> None:
    key = shell.done("key", "create", "team").encode()
    for file in shell.home.rglob("*"):
        if file.is_file():
            assert key not in file.read_bytes(), file


def test_who_made_a_key_is_found_by_name(shell: Shell) -> None:
    shell.done("member", "add", "lin")
    shell.done("key", "create", "team")
    assert shell.data("key", "list", "--operator", "lin") == []


def test_a_tenant_has_its_own_keys(shell: Shell) -> None:
    shell.done("tenant", "add", "research")
    shell.done("key", "create", "team", "--tenant", "research")
    assert shell.data("key", "list") == []
    (listed,) = shell.data("key", "list", "--tenant", "research")
    assert listed["alias"] == "team"
    assert shell.refused("key", "list", "--tenant", "nobody")["code"] == "TENANT_NOT_FOUND"
