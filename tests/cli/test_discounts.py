"""``aimesh discount``, on a database of its own and over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.shell import Shell, served


@pytest.fixture(params=["local", "http"])
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    if request.param == "local":
        yield Shell(tmp_path)
        return
    with served(tmp_path) as remote:
        yield remote


def test_a_discount_from_its_making_to_its_end(shell: Shell) -> None:
    made = shell.data(
        "discount", "add", "0.8", "--model", "qwen/qwen3-max", "--until", "2099-01-01T00:00:00Z"
    )
    assert (made["factor"], made["scope"], made["name"]) == ("0.8", "model", "qwen/qwen3-max")
    (listed,) = shell.data("discount", "list")
    assert listed == made
    assert "qwen/qwen3-max" in shell.done("discount", "list")
    shell.done("discount", "set", made["id"], "--factor", "0.75", "--since", "2026-01-01T00:00:00Z")
    (changed,) = shell.data("discount", "list")
    assert (changed["factor"], changed["since"], changed["until"]) == (
        "0.75",
        "2026-01-01T00:00:00Z",
        "2099-01-01T00:00:00Z",
    )
    assert shell.done("discount", "delete", made["id"], "--yes") == f"{made['id']} is deleted"
    assert shell.data("discount", "list") == []


def test_a_discount_of_another_tenant(shell: Shell) -> None:
    shell.done("tenant", "add", "research")
    shell.done("discount", "add", "0.9", "--tenant", "research")
    assert shell.data("discount", "list") == []
    (listed,) = shell.data("discount", "list", "--tenant", "research")
    assert (listed["tenant"], listed["scope"], listed["until"]) == ("research", "all", None)


def test_what_cannot_be_is_refused(shell: Shell) -> None:
    assert "--provider" in shell.misused("discount", "add", "0.8", "--model", "a", "--provider", "b")
    assert "--factor" in shell.misused("discount", "set", "dsc_1")
    assert shell.refused("discount", "add", "0.8", "--provider", "nowhere")["code"] == "INVALID_REQUEST"
    assert shell.refused("discount", "set", "dsc_1", "--factor", "1")["code"] == "DISCOUNT_NOT_FOUND"
