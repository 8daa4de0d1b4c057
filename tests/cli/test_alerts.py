"""Alerts on the command line: channels whose secrets nobody sees, rules by the names of things, what is on."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.alert_sinks import running_hook
from tests.support.shell import Shell, served

from aimesh.store.alerts import State, put_states
from aimesh.store.database import default_url
from aimesh.store.engine import open_store

URL, SECRET = "https://alerts.example.com/x?token=tokens-in-urls", "signing-secret-4711"


@pytest.fixture(params=["local", "http"])
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    if request.param == "local":
        yield Shell(tmp_path)
        return
    with served(tmp_path) as remote:
        yield remote


def test_a_channel_from_its_making_to_its_end(shell: Shell, tmp_path: Path) -> None:
    made = shell.data("alert", "channel", "add", "robot", "dingtalk", text=f"{URL}\n{SECRET}\n")
    assert (made["kind"], made["host"], made["enabled"]) == ("dingtalk", "alerts.example.com", True)
    (tmp_path / "url").write_text(f"{URL}\n", encoding="utf-8")
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    files = ("--address-file", str(tmp_path / "url"), "--secret-file", str(tmp_path / "secret"))
    shell.done("alert", "channel", "add", "hook", "webhook", *files, "--disabled")
    shell.done("alert", "channel", "add", "group", "wecom", text=URL)
    mail = ("--host", "mx.example.com", "--sender", "bot@example.com", "--to", "a@example.com")
    shell.done("alert", "channel", "add", "mail", "smtp", *mail, "--username", "bot", text="mail-secret-0815")
    rows = shell.data("alert", "channel", "list")
    assert [(row["name"], row["enabled"]) for row in rows] == [
        ("robot", True), ("hook", False), ("group", True), ("mail", True),
    ]  # fmt: skip
    assert "a@example.com by mx.example.com" in shell.done("alert", "channel", "list")

    shell.done("alert", "channel", "set", "hook", "--enable", "--rename", "our hook")
    changed = shell.data(
        "alert", "channel", "set", rows[3]["id"], "--to", "b@example.com", "--to", "c@example.com"
    )
    assert (changed["recipients"], changed["username"]) == (["b@example.com", "c@example.com"], "bot")
    assert "--secret-file" in shell.misused("alert", "channel", "set", "mail", "--host", "other.example.com")
    moved = shell.data(
        "alert",
        "channel",
        "set",
        "mail",
        "--host",
        "other.example.com",
        "--secret-file",
        "-",
        text="new-secret-1",
    )
    assert moved["host"] == "other.example.com"
    moved = shell.data(
        "alert", "channel", "set", "group", "--address-file", "-", text="https://elsewhere.example.com/robot"
    )
    assert moved["host"] == "elsewhere.example.com"
    assert "what is to change" in shell.misused("alert", "channel", "set", "mail")

    assert shell.run("alert", "channel", "delete", "robot", text="n\n").exit_code == 1
    assert shell.data("alert", "channel", "delete", "robot", "--yes")["deleted"] is True
    assert shell.refused("alert", "channel", "delete", "robot", "-y")["code"] == "ALERT_CHANNEL_NOT_FOUND"
    (tmp_path / "url").unlink()
    (tmp_path / "secret").unlink()
    for path in tmp_path.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert not any(word in data for word in (b"tokens-in-urls", SECRET.encode(), b"mail-secret-0815")), (
            path
        )


def test_secrets_are_no_arguments_and_in_no_output(shell: Shell) -> None:
    shell.misused("alert", "channel", "add", "robot", "dingtalk", URL)
    assert "nothing was given" in shell.misused("alert", "channel", "add", "robot", "dingtalk", text="\n")
    assert "only smtp" in shell.misused(
        "alert", "channel", "add", "x", "wecom", "--to", "a@example.com", text=URL
    )
    shell.misused("alert", "channel", "add", "x", "smtp", "--address-file", "/dev/null")
    for words in (
        ("alert", "channel", "add", "robot", "feishu"),
        ("alert", "channel", "list"),
        ("alert", "channel", "set", "robot", "--secret-file", "-"),
        ("audit", "list"),
    ):
        for format_ in ("table", "json"):
            said = shell.run(*words, "--format", format_, text=f"{URL}\n{SECRET}\n").output
            assert "tokens-in-urls" not in said
            assert SECRET not in said
    wrong = shell.refused("alert", "channel", "add", "y", "webhook", text="ftp://tokens-in-urls\n\n")
    assert "tokens-in-urls" not in json.dumps(wrong)


def test_a_channel_is_tested(shell: Shell) -> None:
    with running_hook() as hook:
        shell.done(
            "alert", "channel", "add", "hook", "webhook", "--allow-private", text=f"{hook.url}\n{SECRET}\n"
        )
        assert shell.done("alert", "channel", "test", "hook") == "hook took it"
        ((_, headers, _),) = hook.came
        assert headers["x-aimesh-signature"].startswith("sha256=")
        hook.status = 500
        result = shell.run("alert", "channel", "test", "hook", "--format", "json")
        assert result.exit_code == 1
        assert json.loads(result.stdout)["data"]["ok"] is False


def test_a_rule_from_its_making_to_its_end(shell: Shell) -> None:
    shell.done("key", "create", "team", "--quota", "daily:5")
    key = shell.data("key", "show", "team")["id"]
    for name in ("robot", "spare"):
        shell.done("alert", "channel", "add", name, "wecom", text=URL)
    ids = {row["name"]: row["id"] for row in shell.data("alert", "channel", "list")}
    made = shell.data(
        "alert", "rule", "add", "errors", "error_rate", "--channel", "robot", "--channel", ids["spare"],
        "--percent", "20", "--least", "50", "--minutes", "10", "--cooldown", "6h", "--model", "v/m",
    )  # fmt: skip
    assert made["channels"] == [ids["robot"], ids["spare"]]
    assert (made["percents"], made["least"], made["minutes"]) == ([20.0], 50, 10)
    assert (made["cooldown_s"], made["model"]) == (21_600.0, "v/m")
    quota = shell.data("alert", "rule", "add", "quota", "quota_used", "--channel", "robot", "--key", "team")
    assert (quota["key"], quota["percents"], quota["tenant"]) == (key, [80.0, 100.0], "default")
    shell.done(
        "alert", "rule", "add", "behind", "import_lag", "--channel", "robot", "--lag", "10m", "--disabled"
    )
    table = shell.done("alert", "rule", "list")
    assert "errors\terror_rate\tv/m\t20 % of 50 or more failed in 10 min\trobot, spare\tyes" in table
    assert "600 s behind" in table

    changed = shell.data("alert", "rule", "set", "errors", "--percent", "10", "--channel", "robot")
    assert changed["channels"] == [ids["robot"]]
    assert (changed["percents"], changed["least"], changed["model"]) == ([10.0], 50, "v/m")
    assert shell.data("alert", "rule", "set", "behind", "--enable")["enabled"] is True
    assert "what is to change" in shell.misused("alert", "rule", "set", "behind")
    assert shell.refused("alert", "channel", "delete", "robot", "-y")["code"] == "CHANNEL_IN_USE"
    refused = shell.refused("alert", "rule", "add", "x", "import_lag", "--channel", "nobody")
    assert refused["code"] == "ALERT_CHANNEL_NOT_FOUND"
    shell.misused("alert", "rule", "add", "x", "import_lag")
    shell.misused("alert", "rule", "add", "x", "no_such_kind", "--channel", "robot")
    assert shell.data("alert", "rule", "delete", "errors", "--yes")["deleted"] is True
    assert shell.refused("alert", "rule", "set", "errors", "--disable")["code"] == "ALERT_RULE_NOT_FOUND"


def test_what_is_on_and_what_was_is_listed(shell: Shell) -> None:
    shell.done("alert", "channel", "add", "robot", "wecom", text=URL)
    rule = shell.data("alert", "rule", "add", "errors", "error_rate", "--channel", "robot")["id"]
    store = open_store(default_url(shell.home))
    with store.write() as db:
        for subject, resolved_at_s in (("now", None), ("past", 1_800_000_100.0)):
            put_states(
                db,
                [
                    State(
                        rule=rule, subject=subject, value=60.0, message=f"{subject}: 6 of 10 calls failed",
                        since_s=1_800_000_000.0, resolved_at_s=resolved_at_s, told_at_s=None, is_told=False,
                    )
                ],
            )  # fmt: skip
    store.close()
    assert {(row["subject"], row["status"]) for row in shell.data("alert", "list")} == {
        ("now", "firing"), ("past", "resolved"),
    }  # fmt: skip
    (row,) = shell.data("alert", "list", "--status", "resolved")
    assert row["subject"] == "past"
    line = "firing\terrors\t2027-01-15 08:00:00\t\tnow: 6 of 10 calls failed"
    assert line in shell.done("alert", "list", "--status", "firing")
