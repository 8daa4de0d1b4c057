"""The console in a real browser, against a real gateway with simulated providers.

    def test_x(stack: Stack, open_page: OpenPage) -> None:
        person = stack.person("MEMBER")
        page = open_page("/keys", person)
        expect(page.get_by_role("heading", name="API keys")).to_be_visible()

A page that complains in its console fails its test; ``open_page(..., expects=["404"])`` says what is meant to happen.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page
from tests.support.console_browser import Watch, running_browser
from tests.support.console_stack import PASSWORD, Person, Stack, running_stack

WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


class OpenPage(Protocol):
    def __call__(
        self,
        path: str,
        person: Person | None = None,
        *,
        language: str = "en",
        theme: str = "light",
        is_phone: bool = False,
        expects: list[str] | None = None,
    ) -> Page: ...


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with running_stack() as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture
def open_page(stack: Stack, browser: Browser) -> Iterator[OpenPage]:
    """Opens a path as somebody who is signed in (or nobody), in a browser of their own."""
    ends: list[Callable[[], None]] = []
    watches: list[Watch] = []

    def opened(
        path: str,
        person: Person | None = None,
        *,
        language: str = "en",
        theme: str = "light",
        is_phone: bool = False,
        expects: list[str] | None = None,
    ) -> Page:
        context = browser.new_context(
            base_url=stack.url,
            viewport=PHONE if is_phone else WIDE,  # type: ignore[arg-type]  # a dict of the right shape
            locale="zh-CN" if language == "zh" else "en-US",
            color_scheme="dark" if theme == "dark" else "light",
            permissions=["clipboard-read", "clipboard-write"],
            reduced_motion="reduce",
        )
        ends.append(context.close)
        context.set_default_timeout(15_000)
        page = context.new_page()
        watch = Watch(page)
        watch.expected += [*(expects or [])]
        watches.append(watch)
        if person is not None:
            answer = page.request.post(
                "/api/admin/v1/session", data={"username": person.username, "password": PASSWORD}
            )
            assert answer.ok, answer.text()
        page.goto(path)
        return page

    yield opened
    for end in ends:
        end()
    assert [each for watch in watches for each in watch.unexpected()] == []
