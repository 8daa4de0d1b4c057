"""The commands of the reference product, one test per row of its table, over both ways to the admin API.

Names of providers are those of the catalogue; nothing is called.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.shell import Shell, served

from aimesh.catalog.load import load_built_in

PROVIDERS = sorted(load_built_in().providers)[:2]
DEFAULT_QUOTA = ("tokens", "total", 10_000_000)


@pytest.fixture(params=["local", "http"])
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    # With the simulator every model counts as callable. Nobody is there, and nobody is called.
    (tmp_path / "aimesh.yaml").write_text("simulator: http://127.0.0.1:1\n", encoding="utf-8")
    if request.param == "local":
        yield Shell(tmp_path)
        return
    with served(tmp_path) as remote:
        yield remote


def quotas(shell: Shell, ref: str) -> list[tuple[str, str, object]]:
    return [(one["unit"], one["period"], one["limit"]) for one in shell.data("key", "show", ref)["quotas"]]


def masked(text: str) -> str:
    return f"{text[:4]}****{text[-4:]}"


def test_key_list(shell: Shell) -> None:
    first = shell.done("key", "create", "search-production", "--label", "team=search")
    second = shell.done("key", "create", "chat-staging")
    shell.done("key", "disable", "chat-staging")

    envelope = json.loads(shell.done("key", "list", "--format", "json"))
    assert set(envelope) == {"data", "count", "total", "time_ms"}
    assert (envelope["count"], envelope["total"]) == (2, 2)
    assert [row["alias"] for row in envelope["data"]] == ["chat-staging", "search-production"]
    assert [row["key"] for row in envelope["data"]] == [masked(second), masked(first)]
    assert [row["status"] for row in envelope["data"]] == ["disabled", "enabled"]
    assert {"route", "quotas"} <= set(envelope["data"][0])

    def aliases(*words: str) -> list[str]:
        return [row["alias"] for row in shell.data("key", "list", *words)]

    assert aliases("--alias", "PROD") == ["search-production"]
    assert aliases("--key", first) == aliases("--key", masked(first)) == ["search-production"]
    assert aliases("--status", "0") == aliases("--status", "disabled") == ["chat-staging"]
    assert aliases("--status", "1") == aliases("--status", "enabled") == ["search-production"]
    assert aliases("--status", "expired") == []
    assert aliases("--mine") == ["chat-staging", "search-production"]
    assert aliases("--label", "team=search") == aliases("--label", "team") == ["search-production"]
    assert aliases("--page", "2", "--page-size", "1") == ["search-production"]
    assert aliases("--page", "3", "--page-size", "1") == []
    revealed = shell.data("key", "list", "--reveal")
    assert [row["key"] for row in revealed] == [second, first]
    said = shell.run("key", "list", "--page-size", "1").stderr
    assert "Page 1, showing 1 of 2 virtual keys." in said
    assert "one of them" in shell.misused("key", "list", "--mine", "--operator", "lin")
    assert shell.refused("key", "list", "--operator", "nobody")["code"] == "MEMBER_NOT_FOUND"


def test_key_create(shell: Shell) -> None:
    made = shell.data("key", "create", "team")
    assert made["key"].startswith("ck-")
    assert len(made["key"]) == 43
    assert made["id"]
    assert quotas(shell, "team") == [DEFAULT_QUOTA]
    assert shell.data("key", "show", "team")["key"] == masked(made["key"])

    again = shell.refused("key", "create", "team")
    assert "already" in again["message"]

    shell.done(
        "key", "create", "pairs", "--period", "daily", "--quota", "5", "--period", "weekly", "--quota", "9"
    )
    assert quotas(shell, "pairs") == [("tokens", "daily", 5), ("tokens", "weekly", 9)]
    shell.done(
        "key", "create", "forms", "--quota", "monthly:7", "--budget", "monthly:100.5CNY", "--rpm", "60"
    )
    assert quotas(shell, "forms") == [("tokens", "monthly", 7), ("CNY", "monthly", "100.5")]
    assert shell.data("key", "show", "forms")["rpm"] == 60
    shell.done("key", "create", "free", "--no-quota", "--tpm", "1000", "--concurrency", "3")
    free = shell.data("key", "show", "free")
    assert (free["quotas"], free["tpm"], free["concurrency"]) == ([], 1000, 3)

    shell.done(
        "key", "create", "ordered", "--route-type", "provider", "--providers", PROVIDERS[1], PROVIDERS[0]
    )
    route = shell.data("key", "show", "ordered")["route"]
    assert (route["mode"], route["providers"]) == ("provider", [PROVIDERS[1], PROVIDERS[0]])
    shell.done("key", "create", "quick", "--provider-sort", "latency")
    assert shell.data("key", "show", "quick")["route"]["rank_by"] == "latency"

    scope = ("--models", "qwen/*", "deepseek/*", "--cidr", "10.0.0.0/8", "--expires", "2099-01-01T00:00:00Z")
    shell.done("key", "create", "narrow", *scope, "--label", "team=search", "--label", "env=prod")
    narrow = shell.data("key", "show", "narrow")
    assert narrow["models"] == ["qwen/*", "deepseek/*"]
    assert narrow["networks"] == ["10.0.0.0/8"]
    assert narrow["expires_at"].startswith("2099-01-01T00:00:00")
    assert narrow["labels"] == {"team": "search", "env": "prod"}


def test_key_create_says_what_is_missing(shell: Shell) -> None:
    assert "--providers" in shell.misused("key", "create", "x", "--route-type", "provider")
    assert "--private-keys" in shell.misused("key", "create", "x", "--route-type", "byok")
    assert "--quota daily:" in shell.misused("key", "create", "x", "--period", "daily")
    assert "--no-quota" in shell.misused("key", "create", "x", "--no-quota", "--quota", "daily:1")
    shell.misused("key", "create")
    shell.misused("key", "create", "x", "--route-type", "fastest")
    wrong = shell.refused("key", "create", "x", "--route-type", "provider", "--providers", "nobody_at_all")
    assert "nobody_at_all" in json.dumps(wrong)
    assert shell.refused("key", "create", "x", "--route-type", "byok", "--private-keys", "none")["code"]
    assert shell.data("key", "list") == []


def test_key_upsert(shell: Shell) -> None:
    made = shell.data("key", "upsert", "team", "--rpm", "10", "--models", "qwen/*")
    assert made["key"].startswith("ck-")
    assert quotas(shell, "team") == [DEFAULT_QUOTA]
    again = shell.data("key", "upsert", "team", "--rpm", "10", "--models", "qwen/*")
    assert again["id"] == made["id"]
    assert again["key"] == masked(made["key"])
    shell.done("key", "upsert", "team", "--quota", "daily:100")
    team = shell.data("key", "show", "team")
    assert [(one["period"], one["limit"]) for one in team["quotas"]] == [("daily", 100)]
    assert (team["rpm"], team["models"]) == (10, ["qwen/*"])
    shell.done("key", "upsert", "team", "--provider-sort", "throughput")
    team = shell.data("key", "show", "team")
    assert (team["route"]["rank_by"], team["rpm"]) == ("throughput", 10)
    assert len(shell.data("key", "list")) == 1


def test_key_get(shell: Shell) -> None:
    text = shell.done("key", "create", "team")
    assert shell.done("key", "get", "team") == text
    assert shell.done("key", "get", masked(text)) == text
    assert shell.done("key", "get", text) == text
    assert shell.done("key", "get", "-", text=f"{text}\n") == text
    got = shell.data("key", "get", "team")
    assert (got["key"], got["alias"]) == (text, "team")
    reveals = [row for row in shell.data("audit", "list") if row["action"] == "key.reveal"]
    assert len(reveals) == 5
    error = shell.refused("key", "get", "tema")
    assert error["code"] == "KEY_NOT_FOUND"
    assert "did you mean 'team'?" in error["message"]
    gone = shell.refused("key", "get", f"{text[:-1]}?")
    assert text[:-1] not in gone["message"]


def test_the_alias_is_tried_before_the_text(shell: Shell) -> None:
    text = shell.done("key", "create", "first")
    other = shell.done("key", "create", masked(text))
    assert shell.done("key", "get", masked(text)) == other


def test_key_set_quota(shell: Shell) -> None:
    shell.done("key", "create", "team", "--quota", "total:1000")
    shell.done("key", "set-quota", "team", "--period", "daily", "--quota", "50")
    assert quotas(shell, "team") == [("tokens", "total", 1000), ("tokens", "daily", 50)]
    changed = shell.data("key", "set-quota", "team", "--period", "daily", "--quota", "60", "--rpm", "5")
    assert quotas(shell, "team") == [("tokens", "total", 1000), ("tokens", "daily", 60)]
    assert changed["rpm"] == 5
    shell.done("key", "set-quota", "team", "--budget", "monthly:20USD", "--replace", "--rpm", "0")
    assert quotas(shell, "team") == [("USD", "monthly", "20")]
    assert shell.data("key", "show", "team")["rpm"] is None
    shell.done("key", "set-quota", "team", "--no-quota")
    assert quotas(shell, "team") == []
    assert "--period daily" in shell.misused("key", "set-quota", "team")
    assert "which period" in shell.misused("key", "set-quota", "team", "--quota", "5")
    assert shell.refused("key", "set-quota", "nobody", "--quota", "daily:5")["code"] == "KEY_NOT_FOUND"


def test_key_enable_and_disable(shell: Shell) -> None:
    shell.done("key", "create", "team")
    off = shell.data("key", "disable", "team")
    assert (off["alias"], off["status"]) == ("team", "disabled")
    assert shell.data("key", "disable", "team")["status"] == "disabled"
    assert shell.data("key", "enable", "team") == {**off, "status": "enabled"}
    assert shell.refused("key", "enable", "nobody")["code"] == "KEY_NOT_FOUND"


def test_key_delete(shell: Shell) -> None:
    shell.done("key", "create", "team")
    assert shell.run("key", "delete", "team", text="n\n").exit_code == 1
    assert shell.run("key", "delete", "team").exit_code == 1
    assert len(shell.data("key", "list")) == 1
    gone = shell.data("key", "delete", "team", "-y")
    assert gone["deleted"] is True
    assert shell.data("key", "list") == []
    assert shell.refused("key", "delete", "team", "--yes")["code"] == "KEY_NOT_FOUND"


def test_key_rotate_and_copy(shell: Shell) -> None:
    """Not in the reference's table; the rest of what its console does to a key."""
    text = shell.done("key", "create", "team", "--quota", "daily:5", "--provider-sort", "latency")
    new = shell.done("key", "rotate", "team", "--grace", "2h")
    assert new != text
    assert shell.done("key", "get", text) == new
    last = shell.done("key", "rotate", "team", "--grace", "0")
    assert shell.refused("key", "get", new)["code"] == "KEY_NOT_FOUND"
    copied = shell.data("key", "copy", "team", "team-2")
    assert copied["key"] not in (text, new, last)
    twin, team = shell.data("key", "show", "team-2"), shell.data("key", "show", "team")
    assert (twin["route"], twin["quotas"]) == (team["route"], team["quotas"])
    shell.misused("key", "rotate", "team", "--grace", "soon")


def test_model_list(shell: Shell) -> None:
    first = json.loads(shell.done("model", "list", "--format", "json"))
    assert first["count"] == 10
    assert first["total"] > 10
    second = shell.data("model", "list", "--page", "2")
    assert not {row["name"] for row in first["data"]} & {row["name"] for row in second}
    every = shell.data("model", "list", "--no-limit", "--page-size", "500")
    assert len(every) == first["total"]
    assert len(shell.data("model", "list", "--limit", "3")) == 3
    key = shell.done("key", "create", "narrow", "--models", "qwen/*")
    for ref in ("narrow", key, masked(key)):
        rows = shell.data("model", "list", ref, "--no-limit")
        assert rows
        assert all(row["name"].startswith("qwen/") for row in rows)
    assert shell.refused("model", "list", "nobody")["code"] == "KEY_NOT_FOUND"


def test_quota(shell: Shell) -> None:
    shell.done("key", "create", "team", "--quota", "daily:5", "--budget", "monthly:2.5CNY", "--rpm", "60")
    rows = shell.data("quota", "team")
    assert [(row["period"], row["unit"], row["limit"]) for row in rows] == [
        ("daily", "tokens", 5),
        ("monthly", "CNY", "2.5"),
        ("minute", "requests", 60),
    ]
    assert all({"used", "held", "remaining", "resets_at"} <= set(row) for row in rows)
    assert "--probe" in shell.misused("quota")
    assert shell.refused("quota", "nobody")["code"] == "KEY_NOT_FOUND"
