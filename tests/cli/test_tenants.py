from pathlib import Path

import pytest
from tests.support.shell import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_tenants_are_added_and_listed(shell: Shell) -> None:
    made = shell.data("tenant", "add", "research", "--name", "Research", "--budget", "monthly:100.5CNY")
    assert made["limits"]["quotas"] == [{"unit": "CNY", "period": "monthly", "limit": "100.5"}]
    assert [row["id"] for row in shell.data("tenant", "list")] == ["default", "research"]
    assert "monthly 100.5 CNY" in shell.done("tenant", "list")
    assert shell.refused("tenant", "add", "research")["code"] == "TENANT_EXISTS"
    assert shell.refused("tenant", "add", "Not A Slug")["code"] == "INVALID_REQUEST"


def test_what_is_not_said_stays(shell: Shell) -> None:
    shell.done("tenant", "add", "research", "--name", "Research", "--quota", "daily:5", "--rpm", "60")
    shell.done("tenant", "set", "research", "--status", "overdue")
    shell.done("tenant", "set", "research", "--quota", "weekly:9", "--rpm", "0", "--concurrency", "3")
    (research,) = [row for row in shell.data("tenant", "list") if row["id"] == "research"]
    assert (research["name"], research["status"]) == ("Research", "overdue")
    limits = research["limits"]
    assert [(one["period"], one["limit"]) for one in limits["quotas"]] == [("daily", 5), ("weekly", 9)]
    assert (limits["rpm"], limits["concurrency"]) == (None, 3)
    shell.done("tenant", "set", "research", "--no-quota", "--name", "R")
    (research,) = [row for row in shell.data("tenant", "list") if row["id"] == "research"]
    assert (research["limits"]["quotas"], research["limits"]["concurrency"]) == ([], 3)


def test_a_change_must_change_something_that_is_there(shell: Shell) -> None:
    assert "--status" in shell.misused("tenant", "set", "default")
    assert shell.refused("tenant", "set", "nobody", "--rpm", "1")["code"] == "TENANT_NOT_FOUND"
