"""What the first screen costs: bytes that are sent, and the time until it stands."""

import json
from urllib.parse import urlsplit

from playwright.sync_api import Response, expect
from tests.console.conftest import OpenPage
from tests.support.console_stack import Stack

from aimesh.control.parts import CONSOLE

MOST_BYTES = 350 * 1024
LARGEST_PAINT_S = 1.5
_LARGEST_PAINT = """() => new Promise((resolve) => {
  new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime))
    .observe({ type: "largest-contentful-paint", buffered: true });
})"""


def gzipped(path: str) -> int:
    name = path.lstrip("/") if "." in path else "index.html"
    return (CONSOLE / f"{name}.gz").stat().st_size


def test_the_first_screen_is_small_and_stands_soon(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person("AI_GATEWAY_ADMIN")
    stack.key(person)
    page = open_page("/sign-in", person)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    # The clean browser of a first visit: nothing is kept from the page before.
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - Playwright marks what it is given
    page.goto("/keys")
    expect(page.get_by_role("heading", name="API keys")).to_be_visible()
    page.wait_for_load_state("networkidle")
    code = [urlsplit(each.url).path for each in answers if "/api/" not in each.url]
    scripts = [each for each in answers if each.url.endswith(".js")]
    assert all(each.headers.get("content-encoding") in ("gzip", "br") for each in scripts)
    # As gzip has them, which every browser takes; ours sends what is smaller still.
    sizes = {path: gzipped(path) for path in code}
    assert not [name for name in sizes if "ChartDrawn" in name or "three" in name.lower()]
    assert len(scripts) > 3
    assert sum(sizes.values()) <= MOST_BYTES, json.dumps(sizes)
    print(f"first screen: {sum(sizes.values()) / 1024:.2f} KiB gzipped")
    took_s = page.evaluate(_LARGEST_PAINT) / 1000
    print(f"largest paint after {took_s:.2f} s")
    assert took_s <= LARGEST_PAINT_S
