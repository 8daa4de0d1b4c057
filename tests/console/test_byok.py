"""Own provider keys: tested, kept, changed, and what depends on them."""

import re

import pytest
from playwright.sync_api import expect
from tests.console.conftest import OpenPage
from tests.support.console_stack import Stack

PROVIDER = "deepseek_cn"
TOO_LITTLE = ["409"]


def test_a_key_is_tested_saved_edited_disabled_and_deleted(stack: Stack, open_page: OpenPage) -> None:
    person, name = stack.person("AI_GATEWAY_ADMIN"), stack.name("byok")
    page = open_page("/byok?search=deepseek", person)
    page.get_by_role("button", name="Add a key of DeepSeek").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    secret = dialog.get_by_label("Key", exact=True)
    expect(secret).to_have_attribute("type", "password")
    secret.fill("sk-a-real-one")
    dialog.get_by_role("button", name="Test", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("a real key is never sent to it")
    expect(dialog.get_by_role("button", name="Save without a test")).to_be_visible()
    secret.fill("simulated-one-1234")
    dialog.get_by_role("button", name="Test", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text(re.compile(r"It works: .* answered in \d+ ms"))
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog).to_have_count(0)
    row = page.get_by_role("row").filter(has=page.get_by_role("button", name=f"Edit {name}"))
    expect(row.last).to_contain_text("simu****1234")
    assert "simulated-one-1234" not in page.content()
    (kept,) = [one for one in person.get("/byok")["data"] if one["name"] == name]
    assert (kept["provider"], kept["enabled"]) == (PROVIDER, True)

    page.get_by_role("button", name=f"Test {name}").click()
    expect(row.last).to_contain_text("Works")
    page.get_by_role("button", name=f"Edit {name}").click()
    dialog.get_by_label("Name").fill(f"{name}-new")
    dialog.get_by_role("button", name="Save", exact=True).click()
    switch = page.get_by_role("switch", name=f"{name}-new is enabled")
    switch.click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    expect(switch).not_to_be_checked()
    assert person.get(f"/byok/{kept['id']}")["enabled"] is False
    switch.click()
    expect(switch).to_be_checked()
    page.get_by_role("button", name=f"Delete {name}-new").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(switch).to_have_count(0)
    assert kept["id"] not in [one["id"] for one in person.get("/byok")["data"]]


def test_what_routing_depends_on_is_said_before_it_is_taken_away(stack: Stack, open_page: OpenPage) -> None:
    person, name, alias = stack.person("AI_GATEWAY_ADMIN"), stack.name("byok"), stack.name("key")
    made = person.post("/byok", {"provider": PROVIDER, "name": name, "secret": "simulated-two"})
    person.post("/keys", {"alias": alias, "route": {"mode": "byok", "credentials": [name]}})
    page = open_page("/byok?status=configured", person)
    expect(page.get_by_role("link", name="1 API key").first).to_be_visible()
    page.get_by_role("button", name=f"Edit {name}").click()
    expect(page.get_by_role("dialog").get_by_label("Name")).to_be_disabled()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    page.get_by_role("switch", name=f"{name} is enabled").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(alias)
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name=f"Delete {name}").click()
    expect(dialog.last).to_contain_text(alias)
    dialog.last.get_by_role("button", name="Delete anyway").click()
    expect(page.get_by_role("switch", name=f"{name} is enabled")).to_have_count(0)
    assert made["id"] not in [one["id"] for one in person.get("/byok")["data"]]


def test_a_name_that_is_taken_is_refused_at_the_form(stack: Stack, open_page: OpenPage) -> None:
    person, name = stack.person("AI_GATEWAY_ADMIN"), stack.name("byok")
    person.post("/byok", {"provider": PROVIDER, "name": name, "secret": "simulated-three"})
    page = open_page("/byok?search=deepseek", person, expects=TOO_LITTLE)
    page.get_by_role("button", name="Add a key of DeepSeek").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Key", exact=True).fill("simulated-four")
    dialog.get_by_role("button", name="Save without a test").click()
    expect(dialog.get_by_role("alert")).to_contain_text("NAME_TAKEN")
    expect(dialog.get_by_role("alert")).to_contain_text("Request ID")


@pytest.mark.parametrize(
    ("language", "how", "search"), [("en", "How BYOK", "Search"), ("zh", "BYOK 与", "搜索")]
)
def test_it_explains_itself_and_providers_are_found(
    stack: Stack, open_page: OpenPage, language: str, how: str, search: str
) -> None:
    page = open_page("/byok", stack.person("AI_GATEWAY_ADMIN"), language=language)
    page.get_by_role("button", name=re.compile(how)).click()
    expect(page.get_by_role("listitem").filter(has_text="BYOK").last).to_be_visible()
    page.get_by_role("searchbox", name=re.compile(search)).fill("anthropic")
    expect(page.get_by_text("anthropic_global")).to_be_visible()
    expect(page.get_by_text(PROVIDER)).to_have_count(0)
    expect(page).to_have_url(re.compile("search=anthropic"))
