"""The screen of API tokens: made, shown once, used, removed."""

import httpx
import pytest
from playwright.sync_api import expect
from tests.console.conftest import OpenPage
from tests.support.console_browser import accessibility, shot
from tests.support.console_stack import API, Stack


def status(stack: Stack, text: str) -> int:
    headers = {"authorization": f"Bearer {text}"}
    return httpx.get(stack.live.url + API + "/keys", headers=headers, timeout=30).status_code


def test_a_token_is_made_works_and_is_removed(stack: Stack, open_page: OpenPage) -> None:
    person, name = stack.person("AI_GATEWAY_ADMIN"), stack.name("nightly")
    page = open_page("/tokens", person)
    page.get_by_role("button", name="New token").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Make").click()
    expect(dialog.get_by_text("Needed")).to_be_visible()
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Role").click()
    expect(page.get_by_text("Platform administrator")).to_have_count(0)
    page.locator("div[title]").get_by_text("Member", exact=True).click()
    dialog.get_by_role("button", name="Make").click()
    text = page.get_by_label("Text of the token").locator("pre").inner_text()
    assert status(stack, text) == 200
    page.get_by_role("button", name="Done").click()
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("Member")
    expect(row).to_contain_text(person.username)
    assert text not in page.content()
    [made] = [one for one in person.get("/tokens")["data"] if one["name"] == name]
    assert made["role"] == "MEMBER"
    assert made["expires_at"] is not None
    page.get_by_role("button", name=f"Remove {name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text(f"{name} is removed.")).to_be_visible()
    expect(row).to_have_count(0)
    assert status(stack, text) == 401


def test_a_name_that_is_taken_is_told(stack: Stack, open_page: OpenPage) -> None:
    person, name = stack.person("MEMBER"), stack.name("taken")
    person.post("/tokens", {"name": name})
    page = open_page("/tokens?new=1", person, expects=["409"])
    page.get_by_role("dialog").get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make").click()
    expect(page.get_by_text("TOKEN_EXISTS")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_chinese(stack: Stack, open_page: OpenPage, theme: str) -> None:
    person = stack.person("MEMBER")
    page = open_page("/tokens", person, language="zh", theme=theme, is_phone=True)
    expect(page.get_by_text("还没有令牌")).to_be_visible()
    page.get_by_role("button", name="新建令牌").click()
    expect(page.get_by_text("最小角色").or_(page.get_by_text("不高于您自己的角色")).first).to_be_visible()
    shot(page, f"tokens-zh-phone-{theme}")
    assert accessibility(page) == []
