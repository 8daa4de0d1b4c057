from pathlib import Path

import pytest
from tests.support.shell import Shell
from tests.support.stores import opened_store

from aimesh.core.secret import Secret
from aimesh.store.database import default_url
from aimesh.store.users import find_by_username, set_password_hash


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_a_member_is_added_with_a_link_that_works_once(shell: Shell) -> None:
    (shell.home / "aimesh.yaml").write_text(
        "regions: [{id: sh, base_url: 'https://ai.example.com/gateway'}]\n", encoding="utf-8"
    )
    added = shell.data("member", "add", "Lin", "--name", "Lin Yue", "--email", "lin@example.com")
    assert (added["username"], added["role"]) == ("lin", "MEMBER")
    assert added["link"].startswith("https://ai.example.com/setup#link=")
    result = shell.run("member", "password-link", "lin")
    assert result.exit_code == 0
    assert result.stdout.startswith("https://ai.example.com/setup#link=")
    assert added["link"] not in result.stdout
    assert "once" in result.stderr
    assert "already" in shell.refused("member", "add", "lin")["message"]


def test_a_member_for_single_sign_on_needs_no_link(shell: Shell) -> None:
    assert shell.done("member", "add", "bo", "--no-link") == "bo is added"
    assert [row["action"] for row in shell.data("audit", "list")] == ["user.create"]


def test_members_are_listed_and_get_roles(shell: Shell) -> None:
    shell.done("member", "add", "lin", "--role", "ai_gateway_admin")
    shell.done("member", "add", "bo")
    assert [row["username"] for row in shell.data("member", "list")] == ["bo", "lin"]
    assert [row["username"] for row in shell.data("member", "list", "--role", "AI_GATEWAY_ADMIN")] == ["lin"]
    assert [row["username"] for row in shell.data("member", "list", "--search", "b")] == ["bo"]
    assert shell.done("member", "role", "bo", "AI_GATEWAY_ADMIN") == "bo is AI_GATEWAY_ADMIN"
    assert shell.refused("member", "role", "nobody", "MEMBER")["code"] == "MEMBER_NOT_FOUND"
    assert "ai_gateway_admin" in shell.misused("member", "role", "bo", "KING")


def test_a_member_is_removed_after_a_yes(shell: Shell) -> None:
    shell.done("member", "add", "bo")
    assert shell.run("member", "remove", "bo", text="n\n").exit_code == 1
    gone = shell.data("member", "remove", "BO", "--yes")
    assert (gone["username"], gone["removed"], gone["keys"]) == ("bo", True, [])
    assert shell.data("member", "list") == []


def test_the_last_administrator_stays(shell: Shell) -> None:
    shell.done("member", "add", "lin", "--role", "AI_GATEWAY_ADMIN")
    with opened_store(default_url(shell.home)) as store, store.write() as db:
        lin = find_by_username(db, "lin")
        assert lin is not None
        set_password_hash(db, lin.id, Secret("a hash"))
    assert shell.refused("member", "remove", "lin", "--yes")["code"] == "LAST_ADMINISTRATOR"


def test_an_invited_administrator_is_removed_though_nobody_can_sign_in_yet(shell: Shell) -> None:
    shell.done("member", "add", "lin", "--role", "AI_GATEWAY_ADMIN")
    assert shell.data("member", "remove", "lin", "--yes")["removed"] is True
