"""Providers and endpoints, as who runs the installation manages them."""

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from tests.console.conftest import OpenPage
from tests.support.console_browser import accessibility, shot
from tests.support.console_stack import Stack

REFUSED = ["422"]


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).click()
    page.locator("div[title]").get_by_text(option, exact=True).last.click()


def some_endpoint(stack: Stack) -> str:
    found = stack.admin.get("/endpoints", provider="zhipu_cn", status="active", limit=1)["data"]
    return str(found[0]["name"])


def test_a_provider_is_added_refused_at_its_field_changed_and_forgotten(
    stack: Stack, open_page: OpenPage
) -> None:
    name = stack.name("cluster").replace("-", "_")
    page = open_page("/platform/providers", stack.admin, expects=REFUSED)
    page.get_by_role("button", name="Add a provider").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Id", exact=True).fill(name)
    form.get_by_label("Name", exact=True).fill("Our cluster")
    form.get_by_label("Base address").fill("nowhere")
    choose(page, "Interfaces that it serves", "Chat completions")
    page.keyboard.press("Escape")
    form.get_by_label("Everything else (JSON)").fill("{")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("This is no JSON")).to_be_visible()
    form.get_by_label("Everything else (JSON)").fill('{"traits": {"developer_role": false}}')
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text(re.compile("^'nowhere' has"))).to_be_visible()
    expect(form.get_by_role("alert").filter(has_text="Request ID")).to_be_visible()
    form.get_by_label("Base address").fill("http://127.0.0.1:9/v1")
    form.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(f"provider={name}"))
    made = stack.admin.get(f"/providers/{name}")
    assert (made["interfaces"], made["entry"]["traits"]) == (["open_ai"], {"developer_role": False})
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("tab", name="Overview").click()
    drawer.get_by_role("button", name="Change", exact=True).click()
    form = page.get_by_role("dialog").last
    form.get_by_label("Name", exact=True).fill("Our second cluster")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Our second cluster").first).to_be_visible()
    drawer.get_by_role("button", name="Forget changes").click()
    page.get_by_role("dialog").last.get_by_role("button", name="Forget changes").click()
    expect(page).not_to_have_url(re.compile("provider="))
    assert stack.admin.api.get(f"/providers/{name}").status_code == 404


def test_a_credential_is_tested_kept_switched_replaced_and_deleted(stack: Stack, open_page: OpenPage) -> None:
    name = stack.name("credential")
    page = open_page("/platform/providers?provider=zhipu_cn&tab=credentials", stack.admin)
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("button", name="Add a credential").click()
    form = page.get_by_role("dialog").last
    form.get_by_label("Name", exact=True).fill(name)
    form.get_by_label("API key").fill("sk-of-a-test-0123456789")
    form.get_by_role("button", name="Test first").click()
    # A real key goes to no simulator.
    expect(form.get_by_text("a real key is never sent to it")).to_be_visible()
    form.get_by_role("button", name="Save").click()
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_be_visible()
    row.get_by_role("button", name="Test").click()
    expect(page.get_by_text(re.compile("^The test call failed: ")).last).to_be_visible()
    row.get_by_role("switch").click()
    page.get_by_role("dialog").last.get_by_role("button", name="Switch off").click()
    expect(row.get_by_role("switch")).not_to_be_checked()
    row.get_by_role("switch").click()
    expect(row.get_by_role("switch")).to_be_checked()
    page.get_by_role("button", name=f"Actions of {name}").click()
    page.get_by_role("menuitem", name="Replace the key").click()
    form = page.get_by_role("dialog").last
    form.get_by_label("New API key").fill("sk-of-a-test-9876543210")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Key replaced")).to_be_visible()
    assert "9876543210" not in page.content()
    page.get_by_role("button", name=f"Actions of {name}").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").last.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Credential deleted")).to_be_visible()
    kept = stack.admin.get("/credentials", provider="zhipu_cn")["data"]
    assert name not in [each["name"] for each in kept]


def test_an_endpoint_is_found_switched_priced_and_limited(stack: Stack, open_page: OpenPage) -> None:
    name = some_endpoint(stack)
    path = f"/endpoints/{quote(name, safe='')}"
    page = open_page("/platform/endpoints?provider=zhipu_cn", stack.admin, expects=REFUSED)
    page.get_by_role("searchbox", name="Part of the name").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 in all")).to_be_visible()
    switch = page.get_by_role("switch", name=f"{name}: called")
    switch.click()
    page.get_by_role("dialog").get_by_role("button", name="Switch off").click()
    expect(switch).not_to_be_checked()
    assert stack.admin.get(path)["status"] == "disabled"
    switch.click()
    page.get_by_role("dialog").get_by_role("button", name="Switch on").click()
    expect(switch).to_be_checked()
    page.get_by_role("button", name=name, exact=True).click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("button", name="Change", exact=True).click()
    form = page.get_by_role("dialog").last
    form.get_by_label("Requests per minute").fill("60")
    form.get_by_label("Price (JSON)").fill('{"currency": "CNY", "tiers": [{"inputs": "1"}]}')
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert").filter(has_text="Request ID")).to_be_visible()
    form.get_by_role("button", name="tokens", exact=True).click()
    form.get_by_role("button", name="Save").click()
    expect(drawer.get_by_text("60 requests/min")).to_be_visible()
    changed = stack.admin.get(path)
    assert (changed["limits"]["rpm"], changed["price"]["tiers"][0]["input"]) == (60, "2.4")
    drawer.get_by_role("button", name="Change the model").click()
    form = page.get_by_role("dialog").last
    form.get_by_label("Display name").fill("Of a test")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Model saved")).to_be_visible()
    model = changed["model"]
    assert stack.admin.get(f"/models/{quote(model, safe='')}")["title"] == "Of a test"
    page.goto(f"/platform/endpoints?model={quote(model, safe='')}")
    page.get_by_role("dialog").get_by_role("button", name="Forget changes").click()
    page.get_by_role("dialog").last.get_by_role("button", name="Forget changes").click()
    expect(page.get_by_text("Changes forgotten")).to_be_visible()
    assert stack.admin.get(path)["source"] == "built_in"


def test_a_filter_that_fits_nothing_says_so_and_is_cleared(stack: Stack, open_page: OpenPage) -> None:
    page = open_page("/platform/endpoints?search=nothing-fits&status=active", stack.admin)
    expect(page.get_by_text("No endpoint fits")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(page.get_by_text("No endpoint fits")).to_have_count(0)
    expect(page).to_have_url(re.compile("/platform/endpoints$"))


@pytest.mark.parametrize("path", ["/platform/providers?provider=zhipu_cn", "/platform/endpoints"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_they_are_for_everybody_to_read(stack: Stack, open_page: OpenPage, path: str, theme: str) -> None:
    page = open_page(path, stack.admin, language="zh", theme=theme, is_phone=theme == "dark")
    expect(page.get_by_text(re.compile("智谱|端点")).first).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert accessibility(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    shot(page, f"platform-{re.sub('[^a-z]+', '-', path)}-{theme}")
