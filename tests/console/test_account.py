"""One's own account, and the tenants of the installation."""

import re

from playwright.sync_api import expect
from tests.console.conftest import OpenPage
from tests.support.console_browser import accessibility
from tests.support.console_stack import PASSWORD, Stack

WRONG = ["403"]
NEW_PASSWORD = "another password of tests"


def test_the_password_is_changed_and_this_browser_stays(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person()
    page = open_page("/account", person, expects=WRONG)
    may = page.get_by_role("list", name="What you may do")
    expect(may).to_contain_text("Create and change API keys")
    expect(may).not_to_contain_text("Manage tenants")

    def change(current: str) -> None:
        page.get_by_label("Current password").fill(current)
        page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
        page.get_by_label("New password again").fill(NEW_PASSWORD)
        page.get_by_role("button", name="Change the password").click()

    change("not the password")
    expect(page.get_by_role("alert")).to_contain_text("the current password is wrong")
    change(PASSWORD)
    expect(page.get_by_text("Your other sessions have ended")).to_be_visible()
    assert person.api.get("/session").status_code == 401
    body = {"username": person.username, "password": NEW_PASSWORD}
    assert person.api.post("/session", json=body).is_success
    # A change with the new session's token.
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in"))


def test_language_and_theme_are_chosen(stack: Stack, open_page: OpenPage) -> None:
    page = open_page("/account", stack.person())
    page.get_by_text("简体中文", exact=True).click()
    expect(page.get_by_role("heading", name="账号")).to_be_visible()
    page.get_by_text("深色", exact=True).click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert accessibility(page) == []


def test_a_tenant_is_added_limited_and_marked_overdue(stack: Stack, open_page: OpenPage) -> None:
    admin, tenant = stack.person("PLATFORM_ADMIN"), stack.name("acme")
    page = open_page("/platform/tenants", admin)
    page.get_by_role("button", name="Add a tenant").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("ID", exact=True).fill(tenant)
    drawer.get_by_label("Name", exact=True).fill(f"Acme {tenant}")
    drawer.get_by_label("Requests a minute").first.fill("60")
    drawer.get_by_role("button", name="Save").click()
    expect(page.get_by_text(f"Acme {tenant}", exact=True)).to_be_visible()
    made = admin.get(f"/tenants/{tenant}")
    assert (made["limits"]["rpm"], made["default_limits"]["rpm"], made["status"]) == (60, None, "active")
    page.get_by_role("button", name=f"Edit Acme {tenant}").click()
    drawer.get_by_role("radio", name=re.compile("Overdue")).check()
    drawer.get_by_role("button", name="Save").click()
    asked = page.get_by_role("dialog").filter(has_text="Calls are refused").last
    asked.get_by_role("button", name="Set to Overdue").click()
    expect(page.get_by_role("cell", name="Overdue")).to_be_visible()
    changed = admin.get(f"/tenants/{tenant}")
    assert (changed["status"], changed["limits"]["rpm"]) == ("overdue", 60)
