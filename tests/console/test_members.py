"""Members: invited by a link, changed, shut out, removed."""

import re

import pytest
from playwright.sync_api import expect
from tests.console.conftest import OpenPage
from tests.support.console_browser import accessibility
from tests.support.console_stack import Stack

REFUSED = ["409"]


def test_somebody_is_invited_changed_shut_out_and_removed(stack: Stack, open_page: OpenPage) -> None:
    admin, name = stack.person("AI_GATEWAY_ADMIN"), stack.name("guest")
    page = open_page("/members", admin)
    page.get_by_role("button", name="Add a member").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("radio", name=re.compile("Platform administrator"))).to_have_count(0)
    dialog.get_by_label("Username").fill(name)
    dialog.get_by_label("Display name").fill("A Guest")
    dialog.get_by_role("button", name="Add and make a link").click()
    link = page.get_by_role("textbox", name=f"One-time link for {name}")
    expect(link).to_have_value(re.compile("/setup#link="))
    page.get_by_role("button", name="Copy the link").click()
    assert page.evaluate("navigator.clipboard.readText()") == link.input_value()
    page.get_by_role("button", name="Done").click()
    assert "#link=" not in page.content()

    page.get_by_role("searchbox", name="Search name or e-mail").fill(name)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"search={name}"))
    expect(page.get_by_text("A Guest")).to_be_visible()
    actions = page.get_by_role("button", name=f"Actions for {name}")
    actions.click()
    page.get_by_role("menuitem", name="Edit").click()
    page.get_by_role("dialog").get_by_role("radio", name=re.compile("Gateway administrator")).check()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("cell", name="Gateway administrator")).to_be_visible()
    actions.click()
    page.get_by_role("menuitem", name="Disable").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    expect(page.get_by_role("cell", name="Disabled")).to_be_visible()
    (member,) = admin.get("/members", search=name)["data"]
    assert (member["role"], member["enabled"]) == ("AI_GATEWAY_ADMIN", False)
    actions.click()
    page.get_by_role("menuitem", name="Enable").click()
    expect(page.get_by_role("cell", name="Not signed in yet")).to_be_visible()
    actions.click()
    page.get_by_role("menuitem", name="Remove").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("Are you sure you want to remove this user's permissions?")
    asked.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Nobody fits")).to_be_visible()
    assert admin.get("/members", search=name)["data"] == []


def test_a_name_that_is_taken_and_keys_that_stay_are_said(stack: Stack, open_page: OpenPage) -> None:
    admin, leaving = stack.person("AI_GATEWAY_ADMIN"), stack.person()
    alias = stack.name("key")
    leaving.post("/keys", {"alias": alias})
    page = open_page(f"/members?search={leaving.username}", admin, expects=REFUSED)
    page.get_by_role("button", name="Add a member").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Username").fill(leaving.username)
    dialog.get_by_role("button", name="Add and make a link").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Somebody has this username already")
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name=f"Actions for {leaving.username}").click()
    page.get_by_role("menuitem", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("dialog").filter(has_text="goes on working")).to_contain_text(alias)


def test_nobody_is_offered_to_lose_their_own_access(stack: Stack, open_page: OpenPage) -> None:
    admin = stack.person("AI_GATEWAY_ADMIN")
    page = open_page(f"/members?search={admin.username}", admin)
    page.get_by_role("button", name=f"Actions for {admin.username}").click()
    expect(page.get_by_role("menuitem", name="New password link")).to_be_visible()
    for name in ("Disable", "Remove"):
        expect(page.get_by_role("menuitem", name=name, exact=True)).to_have_count(0)


@pytest.mark.parametrize(
    ("language", "title", "role"), [("en", "Members", "Member"), ("zh", "权限管理", "成员")]
)
def test_a_role_is_filtered_on_a_phone(
    stack: Stack, open_page: OpenPage, language: str, title: str, role: str
) -> None:
    admin, member = stack.person("AI_GATEWAY_ADMIN"), stack.person()
    page = open_page("/members?role=MEMBER", admin, language=language, is_phone=True)
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.get_by_text(member.username, exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name=role, exact=True).first).to_be_attached()
    expect(page.get_by_role("cell").filter(has_text=admin.username)).to_have_count(0)
    assert accessibility(page) == []
