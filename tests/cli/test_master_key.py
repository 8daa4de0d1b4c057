from pathlib import Path

import pytest
from tests.support.shell import Shell

ONE, TWO = "11" * 32, "22" * 32


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def master_keys(shell: Shell) -> list[str]:
    return (shell.home / "master.key").read_text(encoding="ascii").split()


def test_a_rotation_encrypts_anew_and_then_forgets(shell: Shell) -> None:
    text = shell.done("key", "create", "team")
    (old,) = master_keys(shell)
    done = shell.data("master-key", "rotate")
    assert (done["resealed"], done["unreadable"]) == (1, [])
    new, *rest = master_keys(shell)
    assert rest == [old]
    assert new != old
    assert shell.data("master-key", "rotate", "--resume") == {"resealed": 0, "current": 1, "unreadable": []}
    assert shell.run("master-key", "forget", text="n\n").exit_code == 1
    assert shell.data("master-key", "forget", "--yes")["forgotten"] == 1
    assert master_keys(shell) == [new]
    assert shell.done("key", "get", "team") == text
    actions = [row["action"] for row in shell.data("audit", "list")]
    assert actions.count("master_key.rotate") == 2
    assert actions.count("master_key.forget") == 1


def test_what_does_not_open_is_named_and_nothing_is_forgotten(shell: Shell) -> None:
    shell.done("key", "create", "team")
    (shell.home / "master.key").write_text(f"{ONE}\n", encoding="ascii")
    result = shell.run("master-key", "rotate")
    assert result.exit_code == 1
    assert "does not open" in result.stdout
    error = shell.refused("master-key", "forget", "--yes")
    assert "nothing was forgotten" in error["message"]
    assert len(master_keys(shell)) == 2


def test_keys_of_the_setting_are_the_operators(tmp_path: Path) -> None:
    one = Shell(tmp_path, {"AIMESH_MASTER_KEY": ONE})
    text = one.done("key", "create", "team")
    assert "AIMESH_MASTER_KEY=new,old" in one.refused("master-key", "rotate")["message"]
    both = Shell(tmp_path, {"AIMESH_MASTER_KEY": f"{TWO},{ONE}"})
    assert both.data("master-key", "rotate")["resealed"] == 1
    assert "take the old ones out" in both.refused("master-key", "forget", "-y")["message"]
    assert Shell(tmp_path, {"AIMESH_MASTER_KEY": TWO}).done("key", "get", "team") == text
    assert not (tmp_path / "master.key").exists()


def test_it_is_done_on_the_gateways_own_machine(shell: Shell) -> None:
    error = shell.refused("master-key", "rotate", "--url", "http://127.0.0.1:1")
    assert "without --url" in error["message"]
    assert not (shell.home / "master.key").exists()
