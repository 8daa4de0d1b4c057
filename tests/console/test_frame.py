"""The frame of the console: signing in and out, languages, themes, addresses, who sees what."""

import re

import pytest
from playwright.sync_api import expect
from tests.console.conftest import OpenPage
from tests.support.console_browser import accessibility
from tests.support.console_stack import PASSWORD, Stack

SIGNED_OUT = ["401"]
"""Asking who is signed in answers 401 where nobody is."""


def test_who_is_not_signed_in_signs_in_and_comes_to_what_was_asked_for(
    stack: Stack, open_page: OpenPage
) -> None:
    person = stack.person()
    page = open_page("/usage?range=7d", expects=SIGNED_OUT)
    expect(page).to_have_url(re.compile(r"/sign-in\?next=%2Fusage%3Frange%3D7d$"))
    page.get_by_label("Username").fill(person.username)
    page.get_by_label("Password").fill("wrong wrong wrong")
    page.get_by_role("button", name="Sign in").click()
    refused = page.get_by_role("alert")
    expect(refused).to_contain_text("the name or the password is wrong")
    expect(refused).to_contain_text("Request ID")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/usage\?range=7d$"))
    page.get_by_role("button", name=re.compile(person.username)).click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert page.request.get("/api/admin/v1/session").status == 401


@pytest.mark.parametrize("next_path", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_a_sign_in_never_leads_to_another_site(stack: Stack, open_page: OpenPage, next_path: str) -> None:
    person = stack.person()
    page = open_page(f"/sign-in?next={next_path}", expects=SIGNED_OUT)
    page.get_by_label("Username").fill(person.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(re.escape(stack.url) + "/keys"))


def test_the_language_and_the_theme_are_chosen_and_kept(stack: Stack, open_page: OpenPage) -> None:
    page = open_page("/nowhere", stack.person())
    expect(page.get_by_text("There is no such page")).to_be_visible()
    page.get_by_role("button", name="Language").click()
    page.get_by_role("menuitem", name="简体中文").click()
    expect(page.get_by_text("页面不存在")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.get_by_role("button", name="主题").click()
    page.get_by_role("menuitem", name="深色").click()
    page.reload()
    expect(page.get_by_text("页面不存在")).to_be_visible()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_member_sees_neither_the_menu_nor_the_screens_of_others(stack: Stack, open_page: OpenPage) -> None:
    page = open_page("/platform/providers", stack.person("MEMBER"))
    expect(page.get_by_text("This page is not for your role")).to_be_visible()
    menu = page.get_by_role("navigation", name="Menu")
    expect(menu.get_by_role("menuitem", name="API keys")).to_be_visible()
    for name in ("BYOK", "Members", "Audit log", "Providers", "Settings"):
        expect(menu.get_by_role("menuitem", name=name)).to_have_count(0)


def test_the_keyboard_reaches_the_content_first(stack: Stack, open_page: OpenPage) -> None:
    page = open_page("/nowhere", stack.person())
    expect(page.get_by_text("There is no such page")).to_be_visible()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_has_the_menu_behind_a_button(stack: Stack, open_page: OpenPage, theme: str) -> None:
    page = open_page("/nowhere", stack.person(), theme=theme, is_phone=True)
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("menuitem", name="Usage")).to_be_visible()
    assert accessibility(page) == []
    page.get_by_role("menuitem", name="Usage").click()
    expect(page).to_have_url(re.compile("/usage"))


def test_no_secret_is_in_the_page_and_cookies_are_out_of_scripts_reach(
    stack: Stack, open_page: OpenPage
) -> None:
    page = open_page("/nowhere", stack.person())
    expect(page.get_by_text("There is no such page")).to_be_visible()
    assert page.evaluate("document.cookie") == ""
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert "csrf" not in page.content().lower()
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "ck-" not in kept
    assert "csrf" not in kept
