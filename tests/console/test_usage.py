"""The screen of usage: what it shows is what the API counts, and every filter leads there and back."""

import json
import re
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.console.conftest import OpenPage
from tests.support.console_browser import accessibility, shot
from tests.support.console_stack import Person, Stack

CHAT, OTHER_CHAT, VECTORS = "qwen/qwen3.7-max", "deepseek/deepseek-v4-pro", "qwen/text-embedding-v4"


class Used(NamedTuple):
    """Five calls of somebody's two keys."""

    person: Person
    key: str
    alias: str
    last: str
    """Id of the last call."""


@pytest.fixture(scope="module")
def used(stack: Stack) -> Used:
    person = stack.person()
    key, text = stack.key(person)
    other, other_text = stack.key(person)
    chat = {"messages": [{"role": "user", "content": "Hello"}]}
    for model in (CHAT, CHAT, OTHER_CHAT):
        assert stack.call("/v1/chat/completions", text, {"model": model, **chat}).is_success
    stack.call("/v1/embeddings", other_text, {"model": VECTORS, "input": "hello"}).raise_for_status()
    answer = stack.call("/v1/chat/completions", other_text, {"model": CHAT, "stream": True, **chat})
    last = answer.headers["x-request-id"]
    stack.counted(person, last)
    alias = person.get(f"/keys/{key}")["alias"]
    assert person.get(f"/keys/{other}")["alias"] != alias
    return Used(person, key, alias, last)


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name=name)


def requests(page: Page, count: int) -> None:
    expect(
        card(page, "Total requests").locator("div").filter(has_text=re.compile(rf"^{count}$")).first
    ).to_be_visible()


def chosen(page: Page, name: str, option: str) -> None:
    page.get_by_role("combobox", name=name).click()
    page.get_by_role("option", name=option).or_(page.locator(f'[title="{option}"]')).last.click()


def test_the_cards_say_what_the_api_counts(used: Used, open_page: OpenPage) -> None:
    told = used.person.get("/usage/summary")
    page = open_page("/usage", used.person)
    requests(page, told["requests"]["total"])
    assert told["requests"]["total"] == 5
    expect(card(page, "Total tokens")).to_contain_text(f"System{told['tokens']['system']:,}")
    expect(card(page, "Total requests")).to_contain_text("Success100% (5)")
    expect(card(page, "Total cost")).to_contain_text("¥")
    expect(card(page, "Total cost")).to_contain_text("$")
    expect(card(page, "Total cost")).to_contain_text("BYOK, at list price")
    expect(page.get_by_text(re.compile(r"^\d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d, 7 days$"))).to_be_visible()
    expect(page.get_by_text("Counted until")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("Tokens by Day"))).to_be_visible()
    assert accessibility(page) == []
    shot(page, "usage-light")


def test_the_time_and_the_grain_stand_in_the_address(used: Used, open_page: OpenPage) -> None:
    page = open_page("/usage", used.person)
    page.get_by_text("Today", exact=True).click()
    expect(page).to_have_url(re.compile(r"range=today"))
    expect(page.get_by_text(re.compile(r"^(\S+) to \1, 1 day$"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("Tokens by Hour"))).to_be_visible()
    page.get_by_text("30 days", exact=True).click()
    expect(page.get_by_text(re.compile(r", 30 days$"))).to_be_visible()
    page.get_by_placeholder("Start date").click()
    page.get_by_placeholder("Start date").fill("2026-05-29")
    page.keyboard.press("Enter")
    page.get_by_placeholder("End date").fill("2026-06-05")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2026-05-29 to 2026-06-05, 8 days")).to_be_visible()
    expect(page).to_have_url(re.compile(r"since=2026-05-29&until=2026-06-05"))
    expect(page.get_by_text("No usage in this time").first).to_be_visible()
    page.reload()
    expect(page.get_by_text("2026-05-29 to 2026-06-05, 8 days")).to_be_visible()


def test_the_trend_is_of_any_metric_and_can_be_read(used: Used, open_page: OpenPage) -> None:
    page = open_page("/usage", used.person)
    trend = card(page, "Trend")
    trend.get_by_text("Requests", exact=True).click()
    trend.get_by_text("Table", exact=True).click()
    expect(trend.get_by_role("row").filter(has_text="5")).to_have_count(1)
    chosen(page, "Split by", "Models")
    expect(trend.get_by_role("columnheader", name=CHAT)).to_be_visible()
    trend.get_by_text("Cost", exact=True).click()
    trend.get_by_text("USD", exact=True).click()
    expect(page).to_have_url(re.compile("metric=cost.*split=model.*currency=USD|currency=USD"))
    expect(trend.get_by_role("cell", name=re.compile(r"^\$0\.000")).first).to_be_visible()


def test_who_uses_most_is_a_filter(used: Used, open_page: OpenPage) -> None:
    page = open_page("/usage", used.person)
    top = card(page, "Top consumers")
    top.get_by_role("button", name=OTHER_CHAT).click()
    expect(page).to_have_url(re.compile("model=deepseek"))
    requests(page, 1)
    page.get_by_role("button", name="Clear filters").click()
    requests(page, 5)
    chosen(page, "Rank", "Keys")
    top.get_by_role("button", name=used.alias).click()
    requests(page, 3)
    chosen(page, "Model", CHAT)
    requests(page, 2)


def test_a_key_that_is_linked_to_is_named(used: Used, open_page: OpenPage) -> None:
    page = open_page(f"/usage?key={used.key}", used.person)
    requests(page, 3)
    expect(page.get_by_text(used.alias).first).to_be_visible()


def test_five_tables_and_a_way_down(used: Used, open_page: OpenPage) -> None:
    page = open_page("/usage", used.person)
    table = page.get_by_role("tabpanel")
    for column in ("Time", "Tokens", "Cache hit", "Cache write", "Input", "Output", "Requests"):
        expect(table.get_by_role("columnheader", name=column, exact=True)).to_be_visible()
    expect(table.get_by_role("row").filter(has_text=CHAT)).to_contain_text("3")
    for tab, word in (("Account", "default"), ("API key", used.alias), ("User", used.person.username)):
        page.get_by_role("tab", name=tab, exact=True).click()
        expect(table.get_by_text(word).first).to_be_visible()
    page.get_by_role("tab", name="Account details").click()
    for column in ("Usage method", "Endpoint", "Model", "API key", "User", "Usage", "Requests", "Tags"):
        expect(table.get_by_role("columnheader", name=column, exact=True)).to_be_visible()
    expect(table.get_by_text("Embedding", exact=True)).to_be_visible()
    table.get_by_role("button", name=VECTORS).click()
    requests(page, 1)
    page.get_by_role("tab", name="Model", exact=True).click()
    table.get_by_role("button", name="Show calls").click()
    expect(page).to_have_url(re.compile("tab=calls"))
    expect(table.get_by_role("button", name=re.compile("Open call"))).to_have_count(1)


def test_a_call_shows_everything_that_is_known_of_it(used: Used, open_page: OpenPage) -> None:
    told: dict[str, Any] = used.person.get(f"/usage/calls/{used.last}")
    page = open_page("/usage?tab=calls", used.person)
    page.get_by_role("button", name=re.compile(used.last)).click()
    drawer = page.get_by_role("dialog", name="Call")
    expect(page).to_have_url(re.compile(f"call={used.last}"))
    for word in (
        told["endpoint"],
        told["upstream_model"],
        told["key_alias"],
        "streamed",
        "served the call",
        "HTTP 200",
    ):
        expect(drawer.get_by_text(word).first).to_be_visible()
    expect(drawer.get_by_text(told["price_version"])).to_be_visible()
    drawer.get_by_role("button", name="Copy Request ID").click()
    assert page.evaluate("navigator.clipboard.readText()") == used.last
    assert accessibility(page) == []
    page.reload()
    expect(drawer.get_by_text(used.last)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("call="))


def test_calls_are_found(used: Used, open_page: OpenPage) -> None:
    page = open_page("/usage?tab=calls", used.person)
    found = page.get_by_role("tabpanel").get_by_role("button", name=re.compile("Open call"))
    expect(found).to_have_count(5)
    page.get_by_role("textbox", name="Request ID").or_(page.get_by_role("searchbox", name="Request ID")).fill(
        used.last
    )
    page.get_by_role("button", name="Find").click()
    expect(found).to_have_count(1)
    page.get_by_role("button", name="Clear filters").click()
    expect(found).to_have_count(5)
    chosen(page, "Outcome", "Caller gone")
    expect(page.get_by_text("No call in this time with these filters")).to_be_visible()
    page.get_by_role("button", name="Look at 30 days").click()
    expect(page).to_have_url(re.compile("outcome=client_gone.*range=30d"))


def test_columns_are_chosen_and_kept(used: Used, open_page: OpenPage) -> None:
    page = open_page("/usage?tab=calls", used.person)
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="Endpoint").check()
    expect(page.get_by_role("columnheader", name="Endpoint")).to_be_visible()
    page.reload()
    expect(page.get_by_role("columnheader", name="Endpoint")).to_be_visible()


def test_what_is_shown_is_exported(used: Used, open_page: OpenPage) -> None:
    page = open_page(f"/usage?tab=calls&key={used.key}", used.person)
    expect(page.get_by_role("button", name=re.compile("Open call"))).to_have_count(3)
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as csv:
        page.get_by_role("menuitem", name="The table below").first.click()
    lines = csv.value.path().read_text(encoding="utf-8-sig").strip().splitlines()
    assert csv.value.suggested_filename.endswith(".csv")
    assert len(lines) == 4
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as xlsx:
        page.get_by_role("menuitem", name="Summary").last.click()
    assert xlsx.value.path().read_bytes()[:2] == b"PK"


def test_nobody_sees_the_calls_of_others(stack: Stack, used: Used, open_page: OpenPage) -> None:
    page = open_page(f"/usage?tab=calls&call={used.last}", stack.person(), expects=["404"])
    drawer = page.get_by_role("dialog", name="Call")
    expect(drawer.get_by_text("CALL_NOT_FOUND")).to_be_visible()
    expect(page.get_by_text("No call in this time with these filters")).to_be_visible()
    requests(page, 0)


def test_a_failure_says_why_and_a_retry_helps(used: Used, open_page: OpenPage) -> None:
    page = open_page("/models", used.person, expects=["500"])
    body = {"error": {"code": "INTERNAL_ERROR", "message": "it broke", "request_id": "req-1", "details": []}}
    broken = "**/api/admin/v1/usage/top*"
    page.route(
        broken,
        lambda route: route.fulfill(status=500, content_type="application/json", body=json.dumps(body)),
    )
    page.goto("/usage")
    top = card(page, "Top consumers")
    expect(top.get_by_role("alert")).to_contain_text("req-1")
    page.unroute(broken)
    top.get_by_role("button", name="Try again").click()
    expect(top.get_by_role("button", name=CHAT)).to_be_visible()


def test_in_chinese_on_a_phone_in_the_dark(used: Used, open_page: OpenPage) -> None:
    page = open_page("/usage", used.person, language="zh", theme="dark", is_phone=True)
    expect(page.get_by_role("heading", name="用量统计")).to_be_visible()
    expect(card(page, "总请求数")).to_contain_text("成功率100% (5)")
    page.get_by_text("今日", exact=True).click()
    expect(page.get_by_text(re.compile("共 1 天"))).to_be_visible()
    page.get_by_role("combobox", name="统计维度").click()
    page.locator('[title="调用明细"]').last.click()
    page.get_by_role("button", name=re.compile(used.last)).click()
    expect(page.get_by_role("dialog", name="调用").get_by_text("完成了该调用")).to_be_visible()
    assert accessibility(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    shot(page, "usage-call-zh-dark-phone")
