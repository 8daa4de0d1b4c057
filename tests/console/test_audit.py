"""The audit log: filtered by address, and what a line says."""

import re

import pytest
from playwright.sync_api import expect
from tests.console.conftest import OpenPage
from tests.support.console_browser import accessibility
from tests.support.console_stack import Stack


def test_lines_are_filtered_opened_and_their_request_is_copied(stack: Stack, open_page: OpenPage) -> None:
    admin = stack.person("AI_GATEWAY_ADMIN")
    key, _ = stack.key(admin)
    admin.post(f"/keys/{key}/disable")
    page = open_page(f"/audit?target={key}", admin)
    expect(page.get_by_text("API key disabled")).to_be_visible()
    page.get_by_role("combobox", name="What").click()
    page.get_by_role("combobox", name="What").fill("API key created")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("action=key.create"))
    expect(page.get_by_text("API key disabled")).to_have_count(0)
    page.get_by_role("button", name="Expand row").click()
    expect(page.get_by_role("cell", name="alias", exact=True)).to_be_visible()
    page.get_by_role("button", name="Copy the request ID").click()
    (line,) = admin.get("/audit", target=key, action="key.create")["data"]
    assert page.evaluate("navigator.clipboard.readText()") == line["request_id"]
    page.get_by_role("button", name="close Clear").click()
    expect(page).to_have_url(re.compile("/audit$"))
    page.get_by_role("button", name=admin.username, exact=True).first.click()
    expect(page).to_have_url(re.compile("actor=usr_"))


@pytest.mark.parametrize(("language", "words"), [("en", "Nothing was changed"), ("zh", "没有符合条件的变更")])
def test_an_empty_log_says_so(stack: Stack, open_page: OpenPage, language: str, words: str) -> None:
    page = open_page("/audit?actor=nobody-at-all", stack.person("AI_GATEWAY_ADMIN"), language=language)
    expect(page.get_by_text(words)).to_be_visible()
    assert accessibility(page) == []
