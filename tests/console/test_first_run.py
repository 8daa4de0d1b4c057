"""From the printed one-time link to a streamed answer, as somebody does it who sees aimesh for the first time."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.console.conftest import WIDE
from tests.support.console_browser import Watch, accessibility
from tests.support.live import running_demo, wait_for

MOST_CLICKS = 12
MOST_SECONDS = 120
PASSWORD = "a first password 1"
_LINK = re.compile(r"/setup#setup=(\S+)")
WORDS = {
    "en": ("Password", "Password again", "Save and go on", "Create a key", "Send", "Answer"),
    "zh": ("密码", "再次输入密码", "保存并继续", "创建 API Key", "发送", "回答"),
}


@pytest.fixture(params=["en", "zh"])
def first_page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[tuple[Page, str, str]]:
    """A page of a browser that knows nothing, the address that a new installation printed, and the language."""
    language = request.param
    with running_demo() as live:
        token = wait_for(lambda: _LINK.search(live.said()))[1]
        context = browser.new_context(
            base_url=live.url,
            viewport=WIDE,  # type: ignore[arg-type]  # a dict of the right shape
            locale="zh-CN" if language == "zh" else "en-US",
            reduced_motion="reduce",
        )
        context.set_default_timeout(20_000)
        page = context.new_page()
        watch = Watch(page)
        yield page, f"/setup#setup={token}", language
        assert watch.unexpected() == []
        context.close()


def test_a_first_time_user_gets_an_answer(first_page: tuple[Page, str, str]) -> None:
    page, link, language = first_page
    password, again, save, create, send, answer = WORDS[language]
    began = time.monotonic()
    clicks = 0
    page.goto(link)
    page.get_by_label(password, exact=True).fill(PASSWORD)
    assert "#" not in page.url, "the token leaves the address"
    page.get_by_label(again).fill(PASSWORD)
    page.get_by_role("button", name=save).click()
    clicks += 1
    expect(page).to_have_url(re.compile(r"/start$"))
    page.get_by_role("button", name=create).click()
    clicks += 1
    page.get_by_role("button", name=send).click()
    clicks += 1
    answered = page.get_by_role("region", name=answer)
    expect(answered).to_contain_text("[simulated]")
    expect(answered).to_contain_text("TTFT" if language == "en" else "首 Token")
    assert clicks <= MOST_CLICKS
    assert time.monotonic() - began <= MOST_SECONDS
    expect(page.get_by_text("/gateway/v1/chat/completions")).to_be_visible()
    assert accessibility(page) == []
    assert page.evaluate("JSON.stringify([localStorage, sessionStorage])").count("ck-") == 0
