"""What is sent to find a key: never the text of one."""

from pathlib import Path

import pytest
from tests.support.shell import Shell

from aimesh.cli.client import Call, Reply
from aimesh.cli.local import Local
from aimesh.store.key_text import make_text

FILE_TEXT = "a-text-of-the-file-0123456789"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (tmp_path / "aimesh.yaml").write_text(
        f"virtual_keys: [{{alias: fixed, key: {FILE_TEXT}}}]\n", encoding="utf-8"
    )
    return Shell(tmp_path)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that was sent, without what it is answered."""
    seen: list[str] = []
    whole = Local.send

    def send(self: Local, call: Call) -> Reply:
        seen.append(f"{call.path} {call.query} {call.body!r}")
        return whole(self, call)

    monkeypatch.setattr(Local, "send", send)
    return seen


def test_a_key_is_found_by_its_text_which_is_not_sent(shell: Shell, sent: list[str]) -> None:
    text = shell.done("key", "create", "team")
    assert shell.data("key", "show", text)["alias"] == "team"
    assert shell.data("key", "show", "-", text=f"{text}\n")["alias"] == "team"
    assert [row["alias"] for row in shell.data("key", "list", "--key", text)] == ["team"]
    assert shell.data("key", "show", FILE_TEXT)["alias"] == "fixed"
    assert shell.done("key", "get", text) == text
    assert not [line for line in sent if text in line or FILE_TEXT in line]


def test_a_text_that_no_key_has_is_not_sent_either(shell: Shell, sent: list[str]) -> None:
    text = make_text().reveal()
    assert shell.refused("key", "show", text)["code"] == "KEY_NOT_FOUND"
    assert "--key" in shell.misused("key", "list", "--alias", text)
    assert sent
    assert not [line for line in sent if text in line]


def test_a_key_is_found_by_alias_mask_and_id_as_before(shell: Shell) -> None:
    long = "ck-search-production-and-more"
    shell.done("key", "create", long)
    (row,) = (one for one in shell.data("key", "list") if one["alias"] == long)
    for ref in (long, row["key"], row["id"]):
        assert shell.data("key", "show", ref)["alias"] == long
