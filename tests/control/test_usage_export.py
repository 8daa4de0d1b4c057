"""A file of every view has what the API shows."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal

import pytest
from starlette.testclient import TestClient
from tests.control.test_usage import DAYS, URL, cost, get, some, tokens
from tests.control.test_usage_files import read_xlsx
from tests.support.control import Control
from tests.support.control_answers import code
from tests.support.usage import calls_of

import aimesh.control.usage_export as room
import aimesh.control.usage_tables as tables
from aimesh.core.money import Currency

VIEWS = [
    {"view": "summary"},
    {"view": "trend", "metric": "cost", "by": "model"},
    {"view": "trend", "metric": "requests", "grain": "hour"},
    {"view": "top", "by": "key", "metric": "cost"},
    {"view": "breakdown", "by": "details"},
    {"view": "breakdown", "by": "tenant", "grain": "hour"},
    {"view": "calls"},
]


def rows_of(client: TestClient, query: dict[str, str]) -> Iterator[dict[str, str]]:
    answer = client.get(f"{URL}/export", params={**DAYS, **query})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    name = answer.headers["content-disposition"]
    assert name == f'attachment; filename="aimesh-usage-{query["view"]}-20250614-20250619.csv"'
    return csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))


def nano(rows: list[dict[str, str]], column: str) -> int:
    return sum(int(Decimal(row[column] or "0").scaleb(9)) for row in rows)


@pytest.mark.parametrize("by", ["model", "tenant", "key", "user", "details"])
def test_a_table_adds_up_to_the_records(control: Control, platform: TestClient, by: str) -> None:
    several = some(control)
    rows = list(rows_of(platform, {"view": "breakdown", "by": by}))
    assert sum(int(row["requests"]) for row in rows) == len(calls_of(several))
    assert sum(int(row["tokens"]) for row in rows) == tokens(several)
    for currency in Currency:
        assert nano(rows, f"cost_{currency.lower()}") == cost(several, currency)


def test_calls_are_all_there_with_their_cost(
    control: Control, platform: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_CALLS_AT_ONCE", 7)
    several = some(control)
    rows = list(rows_of(platform, {"view": "calls"}))
    assert sorted(row["id"] for row in rows) == sorted(one.record.id for one in several)
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)
    for currency in Currency:
        assert nano([row for row in rows if row["currency"] == currency], "cost") == cost(several, currency)
    unpriced = [row for row in rows if not row["currency"]]
    assert {row["cost"] for row in unpriced} == {""}
    assert len(unpriced) == sum(one.priced is None for one in several)


def test_summary_trend_and_ranking_are_those_of_the_page(control: Control, platform: TestClient) -> None:
    several = some(control)
    rows = {row["source"]: row for row in rows_of(platform, {"view": "summary"})}
    told = get(platform, "summary")
    for source in ("system", "byok", "total"):
        assert int(rows[source]["tokens"]) == told["tokens"][source]
    assert rows["total"]["cost_per_million_tokens_cny"] == told["average"]["total"]["CNY"]
    trend = list(rows_of(platform, {"view": "trend", "metric": "cost", "by": "model"}))
    for currency in Currency:
        assert nano(trend, f"cost_{currency.lower()}") == cost(several, currency)
    top = [row["id"] for row in rows_of(platform, {"view": "top", "by": "key", "metric": "cost"})]
    assert top == [row["id"] for row in get(platform, "top", {"by": "key", "metric": "cost"})["data"]]


@pytest.mark.parametrize("query", VIEWS)
def test_both_formats_say_the_same(control: Control, platform: TestClient, query: dict[str, str]) -> None:
    some(control, 40)
    answer = platform.get(f"{URL}/export", params={**DAYS, **query})
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    answer = platform.get(f"{URL}/export", params={**DAYS, **query, "format": "xlsx"})
    assert answer.status_code == 200
    (sheet,) = read_xlsx(answer.content)
    assert len(sheet) == len(lines)
    assert [text for _, text in sheet[0]] == lines[0]
    numbers = [name for name in ("requests", "tokens", "cost_cny", "cost_usd") if name in lines[0]]
    for name in numbers:
        place = lines[0].index(name)
        in_csv = [Decimal(line[place]) for line in lines[1:] if line[place]]
        assert in_csv
    filled = sum(1 for line in lines for text in line if text)
    assert sum(1 for row in sheet for _, text in row if text) == filled


def test_a_file_is_of_what_may_be_seen(control: Control, member: TestClient, admin: TestClient) -> None:
    several = some(control)
    assert list(rows_of(member, {"view": "calls"})) == []
    mine = [one.record.id for one in several if one.record.tenant == "default"]
    assert len(list(rows_of(admin, {"view": "calls"}))) == len(mine)


def test_too_many_calls_for_a_spreadsheet_are_refused_before_it_is_begun(
    control: Control, platform: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_XLSX_CALLS", 10)
    some(control)
    query = {**DAYS, "view": "calls", "format": "xlsx"}
    assert code(platform.get(f"{URL}/export", params=query)) == (422, "TOO_MANY_ROWS")
    assert platform.get(f"{URL}/export", params={**query, "format": "csv"}).status_code == 200
