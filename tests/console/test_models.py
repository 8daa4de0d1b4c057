"""The model plaza and the page of a model, as people use them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.console.conftest import OpenPage
from tests.support.console_browser import accessibility
from tests.support.console_stack import Person, Stack

QWEN = "qwen/qwen3.7-max"
PAGE = f"/models/{QWEN}"
SIMULATED = "this is the aimesh provider simulator"


@pytest.fixture(scope="module")
def reader(stack: Stack) -> Person:
    """Somebody who only looks."""
    return stack.person()


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_title(option, exact=True).last.click()


def test_models_are_found_by_a_word_and_opened(reader: Person, open_page: OpenPage) -> None:
    page = open_page("/models", reader)
    total = reader.get("/models", limit=1)["total"]
    expect(page.get_by_text(f"{total} models")).to_be_visible()
    page.get_by_role("textbox", name="Search models").fill("qwen3.7-max")
    expect(page).to_have_url(re.compile("search=qwen3.7-max"))
    found = reader.get("/models", search="qwen3.7-max")["total"]
    expect(page.get_by_role("article")).to_have_count(found)
    page.get_by_role("button", name=f"Copy the name {QWEN}", exact=True).click()
    assert page.evaluate("navigator.clipboard.readText()") == QWEN
    page.get_by_role("link", name="Qwen3.7-Max", exact=True).click()
    expect(page).to_have_url(re.compile(re.escape(PAGE)))
    expect(page.get_by_role("heading", name="Qwen3.7-Max")).to_be_visible()


def test_filters_and_the_view_are_kept_in_the_address(reader: Person, open_page: OpenPage) -> None:
    page = open_page("/models", reader)
    choose(page, "Kind", "Image")
    images = reader.get("/models", kind="image")["total"]
    expect(page.get_by_role("article")).to_have_count(images)
    choose(page, "Vendor", "ByteDance")
    both = reader.get("/models", kind="image", vendor="ByteDance")["total"]
    assert both < images
    expect(page.get_by_role("article")).to_have_count(both)
    page.get_by_text("Table", exact=True).click()
    expect(page.get_by_role("article")).to_have_count(0)
    expect(page.get_by_role("row")).to_have_count(both + 1)
    page.reload()
    expect(page.get_by_role("row")).to_have_count(both + 1)
    choose(page, "Access", "BYOK")
    expect(page.get_by_text("No model fits")).to_be_visible()
    page.get_by_role("button", name="Clear filters").first.click()
    expect(page).to_have_url(re.compile(r"/models(\?view=table)?$"))


def test_only_what_a_key_may_call(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person()
    key_id, _ = stack.key(person, models=["deepseek/*"])
    page = open_page(f"/models?key={key_id}", person)
    callable_now = person.get("/models", key=key_id)["total"]
    assert 0 < callable_now < 20
    expect(page.get_by_role("article")).to_have_count(callable_now)


def test_scrolling_brings_more(reader: Person, open_page: OpenPage) -> None:
    page = open_page("/models", reader)
    total = reader.get("/models", limit=1)["total"]
    expect(page.get_by_role("article").first).to_be_visible()
    assert page.locator("article").count() < total
    page.get_by_role("button", name="Load more").scroll_into_view_if_needed()
    expect(page.locator("article")).to_have_count(total)


def test_a_model_that_does_not_exist(reader: Person, open_page: OpenPage) -> None:
    page = open_page("/models/no/such-model", reader, expects=["404"])
    expect(page.get_by_text("There is no such model")).to_be_visible()
    page.get_by_role("button", name="To the model plaza").click()
    expect(page).to_have_url(re.compile("/models$"))


def test_the_copied_example_has_the_key_and_runs(stack: Stack, open_page: OpenPage, tmp_path: Path) -> None:
    person = stack.person()
    key_id, text = stack.key(person)
    masked = person.get(f"/keys/{key_id}")["key"]
    page = open_page(f"{PAGE}?lang=python", person)
    code = page.locator("pre").first
    expect(code).to_contain_text(masked)
    expect(code).to_contain_text(f"{stack.url}/gateway/v1")
    assert text not in page.content()
    page.get_by_role("button", name="Copy the code").click()
    expect(page.get_by_role("tooltip", name="Copied")).to_be_visible()
    sample = tmp_path / "sample.py"
    sample.write_text(page.evaluate("navigator.clipboard.readText()"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, sample], capture_output=True, timeout=60, check=False, encoding="utf-8"
    )
    assert SIMULATED in done.stdout, done.stderr
    assert text not in page.url
    assert text not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")


@pytest.mark.parametrize("interface", ["open_ai", "anthropic", "responses"])
def test_a_call_runs_on_the_page(stack: Stack, open_page: OpenPage, interface: str) -> None:
    person = stack.person()
    stack.key(person)
    page = open_page(f"{PAGE}?api={interface}", person)
    page.get_by_role("button", name="Run it here").click()
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text(SIMULATED)
    expect(answer).to_contain_text("first byte")
    request_id = answer.locator("code").first.inner_text().strip()
    record = stack.counted(person, request_id)
    assert record["model"] == QWEN
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(answer).to_be_hidden()


def test_a_whole_answer_and_a_task(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person()
    stack.key(person)
    page = open_page(PAGE, person)
    page.get_by_role("switch", name="Streamed").click()
    expect(page.locator("pre").first).not_to_contain_text("stream")
    page.get_by_role("button", name="Run it here").click()
    expect(page.get_by_role("region", name="Answer")).to_contain_text('"object": "chat.completion"')
    page.goto("/models/doubao-seedance-2.0")
    page.get_by_role("button", name="Run it here").click()
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text("The task was made")
    expect(answer.get_by_role("link", name="Open the tasks")).to_be_visible()
    assert len(person.get("/tasks")["data"]) == 1


def test_what_an_endpoint_costs(reader: Person, open_page: OpenPage) -> None:
    endpoint = f"aliyun_bailian_bj@{QWEN}@open_ai"
    rates = reader.get(f"/endpoints/{endpoint}")["price"]["tiers"][0]
    page = open_page(PAGE, reader)
    row = page.get_by_role("row").filter(has_text=endpoint)
    row.get_by_role("button", name="View billing").click()
    drawer = page.get_by_role("dialog", name="Billing")
    expect(drawer).to_contain_text(rates["cache_write"])
    expect(drawer.get_by_role("heading", name="Versions")).to_be_visible()
    expect(page).to_have_url(re.compile("billing="))
    page.reload()
    expect(drawer).to_contain_text(rates["cache_write"])
    drawer.get_by_role("button", name="Close").click()
    expect(page).not_to_have_url(re.compile("billing="))
    page.get_by_role("tab", name="Prices").click()
    expect(page.get_by_text(endpoint)).to_be_visible()


def test_how_a_model_does(stack: Stack, open_page: OpenPage) -> None:
    _, text = stack.key(stack.admin)
    body = {"model": QWEN, "messages": [{"role": "user", "content": "hello"}]}
    stack.counted(stack.admin, stack.call("/v1/chat/completions", text, body).headers["x-request-id"])
    page = open_page(f"{PAGE}?tab=monitoring&range=1h", stack.admin)
    expect(page.get_by_text("Success rate").first).to_be_visible()
    expect(page.get_by_role("img", name="Chart: Time to first byte over time")).to_be_visible()
    expect(page.get_by_role("img", name="Chart: Requests over time")).to_be_visible()
    page.get_by_text("7 days", exact=True).click()
    expect(page).to_have_url(re.compile("range=7d"))
    # Amounts are of all tenants: who does not run the installation sees shares only.
    page = open_page(f"{PAGE}?tab=monitoring&range=1h", stack.person("AI_GATEWAY_ADMIN"))
    expect(page.get_by_role("img", name="Chart: Error rate over time")).to_be_visible()
    expect(page.get_by_text("Requests", exact=True)).to_have_count(0)


def test_an_administrator_switches_an_endpoint(stack: Stack, open_page: OpenPage) -> None:
    models = stack.admin.get("/models", provider="zhipu_cn", limit=1)["data"]
    model = models[0]["name"]
    endpoint = models[0]["endpoints"][0]["name"]
    page = open_page(f"/models/{model}", stack.admin)
    row = page.get_by_role("row").filter(has_text=endpoint)
    row.get_by_role("button", name="Disable").click()
    dialog = page.get_by_role("dialog", name="Disable this endpoint?")
    expect(dialog).to_contain_text(endpoint)
    dialog.get_by_role("button", name="Cancel").click()
    row.get_by_role("button", name="Disable").click()
    dialog.get_by_role("button", name="Disable").click()
    expect(row.get_by_text("Disabled", exact=True)).to_be_visible()
    assert stack.admin.get(f"/endpoints/{endpoint}")["status"] == "disabled"
    row.get_by_role("button", name="Enable").click()
    expect(row.get_by_text("Active", exact=True)).to_be_visible()
    assert stack.admin.get(f"/endpoints/{endpoint}")["status"] == "active"


def test_others_are_not_offered_the_switch(stack: Stack, open_page: OpenPage) -> None:
    page = open_page(PAGE, stack.person("AI_GATEWAY_ADMIN"))
    expect(page.get_by_role("button", name="View billing").first).to_be_visible()
    expect(page.get_by_role("button", name="Disable")).to_have_count(0)


def test_in_chinese(reader: Person, open_page: OpenPage) -> None:
    page = open_page("/models?search=qwen3.7-max", reader, language="zh")
    expect(page.get_by_role("heading", name="模型广场")).to_be_visible()
    page.get_by_role("link", name="Qwen3.7-Max", exact=True).click()
    expect(page.get_by_role("heading", name="接入点")).to_be_visible()
    expect(page.get_by_text("阿里云百炼（北京）").first).to_be_visible()
    page.get_by_role("button", name="查看计费").first.click()
    expect(page.get_by_role("dialog", name="计费")).to_contain_text("每百万 Token")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/models", "/models?view=table", PAGE, f"{PAGE}?tab=prices"])
def test_everybody_can_use_it(stack: Stack, open_page: OpenPage, path: str, theme: str) -> None:
    page = open_page(path, stack.admin, theme=theme, is_phone=theme == "dark")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert accessibility(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
