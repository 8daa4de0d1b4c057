"""Every screen in both themes and languages, wide and on a phone: a picture to look at, axe, no sideways scroll."""

import pytest
from playwright.sync_api import Page, expect
from tests.console.conftest import OpenPage
from tests.support.console_browser import accessibility, shot
from tests.support.console_stack import Stack

SCREENS = (
    "start",
    "keys",
    "models",
    "models/qwen/qwen3.7-max",
    "playground",
    "byok",
    "usage",
    "tasks",
    "members",
    "tokens",
    "audit",
    "platform/providers",
    "platform/endpoints",
    "platform/prices",
    "platform/health",
    "platform/alerts",
    "platform/tenants",
    "platform/settings",
    "account",
)


@pytest.fixture(scope="module")
def used(stack: Stack) -> Stack:
    """With a key of the administrator's, and a call: screens have something to show."""
    _, text = stack.key(stack.admin)
    body = {"model": "qwen/qwen3.7-max", "messages": [{"role": "user", "content": "hello"}]}
    answer = stack.call("/v1/chat/completions", text, body)
    stack.counted(stack.admin, answer.headers["x-request-id"])
    return stack


def stands(page: Page) -> None:
    """The screen is there: its title is, and nothing loads any more."""
    expect(page.get_by_role("main").get_by_role("heading", level=1).first).to_be_visible()
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("screen", SCREENS)
def test_it_stands_in_every_dress(used: Stack, open_page: OpenPage, screen: str) -> None:
    found: dict[str, list[str]] = {}
    for theme, language, is_phone in (("light", "en", False), ("dark", "zh", True)):
        page = open_page(f"/{screen}", used.admin, theme=theme, language=language, is_phone=is_phone)
        stands(page)
        size = "phone" if is_phone else "wide"
        name = f"{screen.replace('/', '-')}-{theme}-{language}-{size}"
        shot(page, f"screen-{name}")
        complaints = accessibility(page)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            complaints.append("the page scrolls sideways")
        # The other theme in the same page: what is drawn must follow.
        page.emulate_media(color_scheme="dark" if theme == "light" else "light")
        shot(page, f"screen-{name}-other")
        found |= {name: complaints} if complaints else {}
    assert found == {}
