"""``aimesh usage reconcile`` against a database with usage in it."""

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from tests.support.records import typical_record
from tests.support.shell import Shell
from tests.support.stores import opened_store

from aimesh.catalog.reconcile import read_mapping
from aimesh.core.ids import CredentialId, ModelName, ProviderId, TenantId, UserId
from aimesh.core.money import NANO, Currency
from aimesh.core.priced import Priced
from aimesh.core.usage import Usage
from aimesh.store.database import default_url
from aimesh.store.usage_import import import_usage, prepared
from aimesh.store.usage_rows import Metered

MAPPING = """
provider: p
columns: {time: day, model: model, item: item, quantity: quantity, cost: cost}
items:
  - {item: input, counts: fresh_input_tokens, factor: 1000}
  - {item: cache, counts: cached_tokens, factor: 1000}
  - {item: output, counts: output_tokens, factor: 1000}
  - {item: film, counts: video_seconds}
models: {one-2026: vendor/one}
"""
BILL = """\
day,model,item,quantity,cost
2026-11-01,one-2026,input,3,0.3
2026-11-01,one-2026,cache,1,0.1
2026-11-01,one-2026,output,2,0.6
2026-11-02,one-2026,input,0.5,1
2026-11-02,vendor/film,film,7.5,2
"""
DOCS = Path(__file__).parents[2] / "docs" / "how-to"


def metered(name: str, at: str, usage: Usage, cost: str, **changes: object) -> Metered:
    record = msgspec.structs.replace(
        typical_record(name),
        at=datetime.fromisoformat(at).replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp(),
        tenant=TenantId("default"),
        model=ModelName("vendor/one"),
        provider=ProviderId("p"),
        credential=CredentialId("p"),
        usage=usage,
    )
    list_nano = int(float(cost) * NANO)
    priced = Priced(list_nano * 9 // 10, list_nano, Currency.CNY, "0123456789ab")
    return Metered(msgspec.structs.replace(record, **changes), UserId(""), "chat", priced)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    calls = [
        # The first and the last minute of the bill's first day, which is not UTC's.
        metered(
            "r1", "2026-11-01T00:01", Usage(input_tokens=3000, cached_tokens=1000, output_tokens=1500), "0.6"
        ),
        metered("r2", "2026-11-01T23:59", Usage(input_tokens=1000, output_tokens=500), "0.4"),
        metered("r3", "2026-11-02T00:01", Usage(input_tokens=500), "1"),
        metered("r4", "2026-11-02T12:00", Usage(video_seconds=7.5), "2", model=ModelName("vendor/film")),
        # None of the bill's.
        metered("r5", "2026-10-31T23:59", Usage(input_tokens=77), "7"),
        metered("r6", "2026-11-03T00:01", Usage(input_tokens=77), "7"),
        metered("r7", "2026-11-01T12:00", Usage(input_tokens=77), "7", provider=ProviderId("other")),
        metered("r8", "2026-11-01T12:00", Usage(input_tokens=77), "7", credential=CredentialId("byok:1")),
    ]
    with opened_store(default_url(tmp_path)) as store:
        assert import_usage(store, prepared(calls)) == len(calls)
    (tmp_path / "map.yaml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "bill.csv").write_text(BILL, encoding="utf-8")
    return Shell(tmp_path)


def command(shell: Shell, *more: str) -> list[str]:
    return [
        "usage",
        "reconcile",
        str(shell.home / "bill.csv"),
        "--mapping",
        str(shell.home / "map.yaml"),
        *more,
    ]


def test_a_bill_that_agrees_lists_nothing(shell: Shell) -> None:
    result = shell.run(*command(shell))
    assert (result.exit_code, "0 differ" in result.stderr) == (0, True)
    assert "8 sums compared from 2026-11-01 to 2026-11-02" in result.stderr
    assert shell.data(*command(shell)) == []
    every = shell.data(*command(shell, "--all"))
    assert len(every) == 8
    (first, second) = [row for row in every if row["what"] == "fresh_input_tokens"]
    assert (first["bill"], first["ours"], first["difference"]) == ("3000", "3000", "0")
    assert (second["bill"], second["ours"], second["is_different"]) == ("500", "500", False)


def test_differences_are_listed_and_fail(shell: Shell) -> None:
    bill = shell.home / "bill.csv"
    bill.write_text(
        BILL.replace("output,2,0.6", "output,2.5,0.75") + "2026-11-02,new,input,1,0\n", encoding="utf-8"
    )
    result = shell.run(*command(shell, "--format", "json"))
    assert result.exit_code == 1
    rows = [
        [row[name] for name in ("day", "model", "what", "difference")]
        for row in json.loads(result.stdout)["data"]
    ]
    assert rows == [
        ["2026-11-01", "vendor/one", "CNY", "0.15"],
        ["2026-11-01", "vendor/one", "output_tokens", "500"],
        ["2026-11-02", "new", "fresh_input_tokens", "1000"],
    ]
    table = shell.run(*command(shell))
    assert (table.exit_code, "3 differ" in table.stderr) == (1, True)
    lines = shell.run(*command(shell, "--format", "csv")).stdout.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("day,model,kind,what,bill,ours,difference")


def test_what_we_have_and_the_bill_has_not_is_a_difference(shell: Shell) -> None:
    bill = shell.home / "bill.csv"
    bill.write_text(BILL.replace("2026-11-02,vendor/film,film,7.5,2\n", ""), encoding="utf-8")
    result = shell.run(*command(shell, "--format", "json"))
    found = {row["what"]: (row["bill"], row["ours"]) for row in json.loads(result.stdout)["data"]}
    assert found == {"CNY": ("0", "2"), "video_seconds": ("0", "7.5")}


def test_money_after_discounts_and_own_credentials(shell: Shell) -> None:
    mapping = shell.home / "map.yaml"
    mapping.write_text(MAPPING + "money: cost\n", encoding="utf-8")
    result = shell.run(*command(shell, "--format", "json"))
    assert {row["what"] for row in json.loads(result.stdout)["data"]} == {"CNY"}
    own = json.loads(shell.run(*command(shell, "--byok", "--all", "--format", "json")).stdout)["data"]
    assert [row["ours"] for row in own if row["what"] == "fresh_input_tokens"] == ["77", "0"]
    others = json.loads(shell.run(*command(shell, "--tenant", "x", "--all", "--format", "json")).stdout)[
        "data"
    ]
    assert {row["ours"] for row in others} == {"0"}


@pytest.mark.parametrize(
    ("file", "text", "exit_code", "why"),
    [
        ("bill.csv", "a,b\n1,2\n", 1, "has no column"),
        ("map.yaml", "provider: p\n", 1, "'columns' is missing"),
        ("map.yaml", MAPPING + "zone: Mars/Base\n", 1, "not known"),
        ("map.yaml", MAPPING + "zone: Asia/Kolkata\n", 1, "do not begin with an hour"),
    ],
)
def test_what_cannot_be_compared_is_said(
    shell: Shell, file: str, text: str, exit_code: int, why: str
) -> None:
    (shell.home / file).write_text(text, encoding="utf-8")
    result = shell.run(*command(shell))
    assert result.exit_code == exit_code
    assert why in result.stderr


def test_a_file_that_is_not_there(shell: Shell) -> None:
    (shell.home / "bill.csv").unlink()
    result = shell.run(*command(shell))
    assert (result.exit_code, "cannot be read" in result.stderr) == (2, True)


@pytest.mark.parametrize("page", ["reconcile-a-bill.md", "reconcile-a-bill.zh-CN.md"])
def test_the_mappings_of_the_page_are_mappings(page: str) -> None:
    samples = (DOCS / page).read_text(encoding="utf-8").split("```yaml\n")[1:]
    mappings = [read_mapping(sample.partition("```")[0], page) for sample in samples]
    assert len(mappings) == 2
    assert all(mapping.columns.cost for mapping in mappings)
