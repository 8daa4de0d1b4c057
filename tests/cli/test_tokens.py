import json
from pathlib import Path

from tests.support.shell import Shell, served


def test_a_token_is_shown_once_and_works_until_it_is_deleted(tmp_path: Path) -> None:
    with served(tmp_path) as remote:
        made = remote.data("token", "create", "ci", "--days", "3")
        assert made["text"].startswith("at-")
        assert made["role"] == "AI_GATEWAY_ADMIN"
        assert made["expires_at"] is not None
        listed = remote.data("token", "list")
        assert {row["name"] for row in listed} == {"ci", "shell"}
        assert made["text"] not in json.dumps(listed)

        environment = {"AIMESH_TOKEN": made["text"], "AIMESH_TOKEN_FILE": ""}
        assert remote.run("key", "list", environment=environment).exit_code == 0
        # It runs a tenant, not the installation.
        assert remote.run("tenant", "list", environment=environment).exit_code == 1
        assert remote.run("token", "delete", "ci", text="n\n").exit_code == 1
        assert remote.data("token", "delete", "ci", "-y")["deleted"] is True
        assert remote.run("key", "list", environment=environment).exit_code == 1


def test_a_token_has_at_most_the_role_of_its_maker(tmp_path: Path) -> None:
    with served(tmp_path) as remote:
        text = remote.done("token", "create", "ci")
        environment = {"AIMESH_TOKEN": text, "AIMESH_TOKEN_FILE": ""}
        again = remote.run("token", "create", "twin", "--json", environment=environment)
        assert json.loads(again.stdout)["role"] == "AI_GATEWAY_ADMIN"
        more = remote.run(
            "token", "create", "more", "--role", "PLATFORM_ADMIN", "--json", environment=environment
        )
        assert more.exit_code == 1
        assert json.loads(more.stdout)["error"]["code"] == "ROLE_TOO_HIGH"


def test_names_and_times_are_checked(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.done("token", "create", "ci")
    assert shell.refused("token", "create", "ci")["code"] == "TOKEN_EXISTS"
    assert shell.refused("token", "create", "old", "--expires", "2001-01-01")["code"] == "INVALID_REQUEST"
    assert shell.refused("token", "delete", "nobody", "-y")["code"] == "TOKEN_NOT_FOUND"
    shell.misused("token", "create", "x", "--expires", "soon")
