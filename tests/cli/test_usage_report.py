import csv
import io
import json
from pathlib import Path

import pytest
from msgspec import structs
from tests.control.test_usage_files import read_xlsx
from tests.support.shell import Shell, served
from tests.support.usage import calls_of, varied

from aimesh.core.clock import SystemClock
from aimesh.store.database import default_url
from aimesh.store.engine import open_store
from aimesh.store.usage_import import import_usage, prepared
from aimesh.store.usage_rows import Metered

DAYS = ("--since", "2025-06-14", "--until", "2025-06-19")


def used(home: Path, count: int = 60) -> list[Metered]:
    several = [varied(number) for number in range(count)]
    store = open_store(default_url(home))
    import_usage(store, prepared(several))
    store.close()
    return several


def tokens(several: list[Metered]) -> int:
    return sum(one.record.usage.input_tokens + one.record.usage.output_tokens for one in several)


def test_a_report_adds_up_whatever_it_is_by(tmp_path: Path) -> None:
    several = used(tmp_path)
    shell = Shell(tmp_path)
    for by in ("model", "key", "user", "provider", "tenant", "day", "hour"):
        rows = shell.data("usage", "report", "--by", by, *DAYS)
        assert sum(row["tokens"] for row in rows) == tokens(several), by
        assert sum(row["requests"] for row in rows) == len(calls_of(several)), by
    assert shell.data("usage", "report", "--limit", "1", *DAYS)[0]["tokens"] < tokens(several)
    result = shell.run("usage", "report", *DAYS)
    assert f"{len(calls_of(several))} requests" in result.stderr
    assert f"{tokens(several)} tokens" in result.stderr


def test_filters(tmp_path: Path) -> None:
    several = used(tmp_path)
    shell = Shell(tmp_path)

    def count(*words: str) -> int:
        return sum(row["requests"] for row in shell.data("usage", "report", *DAYS, *words))

    assert count("--label", "team=blue", "--label", "cost=4711") == sum(
        one.record.labels == {"team": "blue", "cost": "4711"} for one in calls_of(several)
    )
    assert count("--model", "default/model-1") == sum(
        one.record.model == "default/model-1" for one in calls_of(several)
    )
    assert count("--source", "byok") == 0
    assert shell.data("usage", "report", "--since", "24h") == []
    assert shell.refused("usage", "report", "--since", "soon")["code"] == "INVALID_REQUEST"


def test_bars_are_as_long_as_what_they_stand_for(tmp_path: Path) -> None:
    several = used(tmp_path)
    shell = Shell(tmp_path)
    lines = shell.done("usage", "report", "--plot", *DAYS).splitlines()
    assert [line[:10] for line in lines] == [f"2025-06-{day}" for day in range(14, 20)]
    amounts = [int(line.split()[-1]) for line in lines]
    assert sum(amounts) == tokens(several)
    bars = [line.count("█") for line in lines]
    assert bars.index(max(bars)) == amounts.index(max(amounts))
    for bar, amount in zip(bars, amounts, strict=True):
        assert bar == pytest.approx(max(bars) * amount / max(amounts), abs=1.0)
    drawn = shell.done("usage", "report", "--plot", "--by", "model", "--metric", "cost", *DAYS)
    assert drawn.startswith("CNY\n")
    assert "\nUSD\n" in drawn


def test_calls_and_one_of_them(tmp_path: Path) -> None:
    several = used(tmp_path)
    shell = Shell(tmp_path)
    newest = max(several, key=lambda one: (one.record.at, one.record.id)).record.id
    rows = shell.data("usage", "calls", *DAYS, "--page-size", "1000")
    assert len(rows) == len(several)
    assert rows[0]["id"] == newest
    assert shell.data("usage", "show", newest) == rows[0]
    failed = shell.data("usage", "calls", *DAYS, "--outcome", "upstream_failed")
    assert {row["outcome"] for row in failed} == {"upstream_failed"}
    assert newest in shell.done("usage", "calls", *DAYS)
    assert shell.refused("usage", "show", "absent")["code"] == "CALL_NOT_FOUND"


@pytest.mark.parametrize("is_served", [False, True])
def test_files(tmp_path: Path, is_served: bool) -> None:
    several = used(tmp_path)
    if is_served:
        with served(tmp_path) as shell:
            check_files(shell, tmp_path, several)
    else:
        check_files(Shell(tmp_path), tmp_path, several)


def check_files(shell: Shell, directory: Path, several: list[Metered]) -> None:
    shell.done("usage", "export", "-o", str(directory / "a.xlsx"), "--by", "details", *DAYS)
    (sheet,) = read_xlsx((directory / "a.xlsx").read_bytes())
    shell.done("usage", "export", "-o", str(directory / "same.csv"), "--by", "details", *DAYS)
    same = (directory / "same.csv").read_text(encoding="utf-8-sig")
    assert len(sheet) == len(list(csv.reader(io.StringIO(same, newline=""))))
    shell.done("usage", "export", "-o", str(directory / "a.csv"), "--view", "calls", *DAYS)
    text = (directory / "a.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert sum(int(row["tokens"]) for row in rows) == tokens(several)
    assert shell.done("usage", "export", "-o", "-", "--view", "summary", *DAYS).startswith("\ufeffsource,")
    missing = directory / "b.csv"
    refused = shell.refused("usage", "export", "-o", str(missing), "--view", "trend", "--by", "key", *DAYS)
    assert refused["code"] == "INVALID_REQUEST"
    assert not missing.exists()
    assert not list(directory.glob(".*.part"))
    shell.misused("usage", "export", "-o", "a.pdf")
    nowhere = shell.refused("usage", "export", "-o", str(directory / "absent" / "a.csv"), *DAYS)
    assert "cannot be written" in nowhere["message"]


def test_a_name_with_control_characters_does_not_reach_the_terminal(tmp_path: Path) -> None:
    one = varied(1)
    record = structs.replace(one.record, key_alias="a\x1b[31m", at=SystemClock().wall_s() - 3600)
    store = open_store(default_url(tmp_path))
    import_usage(store, prepared([structs.replace(one, record=record)]))
    store.close()
    shell = Shell(tmp_path)
    for words in (["report", "--by", "key"], ["report", "--by", "key", "--plot"], ["calls"]):
        shown = shell.done("usage", *words, "--since", "24h")
        assert "\x1b" not in shown
        assert "a" in shown
    rows = json.loads(shell.done("usage", "report", "--by", "key", "--since", "24h", "--json"))
    assert rows[0]["name"] == "a\x1b[31m"
