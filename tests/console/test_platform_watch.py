"""Prices, health, alerts and settings, as who runs the installation sees and changes them."""

import http.server
import re
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.console.conftest import OpenPage
from tests.support.console_browser import accessibility, shot
from tests.support.console_stack import Stack


class _Hook(http.server.BaseHTTPRequestHandler):
    taken: list[bytes]

    def do_POST(self) -> None:
        self.taken.append(self.rfile.read(int(self.headers.get("content-length") or 0)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[tuple[str, list[bytes]]]:
    taken: list[bytes] = []
    handler = type("Hook", (_Hook,), {"taken": taken})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", taken
    server.shutdown()
    server.server_close()


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).click()
    page.locator("div[title]").get_by_text(option, exact=True).last.click()


def test_a_channel_and_a_rule_are_made_tested_switched_and_deleted(
    stack: Stack, open_page: OpenPage, hook: tuple[str, list[bytes]]
) -> None:
    url, taken = hook
    channel, rule = stack.name("hook"), stack.name("errors")
    page = open_page("/platform/alerts?tab=channels", stack.admin, expects=["409", "422"])
    page.get_by_role("button", name="Add a channel").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name", exact=True).fill(channel)
    form.get_by_label("Address").fill(url)
    form.get_by_label("Key of the signature").fill("a secret of both")
    form.get_by_label("May lead into this network").click()
    form.get_by_role("button", name="Save").click()
    row = page.get_by_role("row").filter(has_text=channel)
    row.get_by_role("button", name="Test").click()
    expect(page.get_by_text(f"{channel} took the test notice")).to_be_visible()
    assert b'"test"' in taken[0]
    assert "a secret of both" not in page.content()
    page.get_by_role("tab", name="Rules").click()
    page.get_by_role("button", name="Add a rule").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name", exact=True).fill(rule)
    form.get_by_label("Share of failed calls (percent)").fill("20")
    form.get_by_role("button", name="Save").click()
    watching = page.get_by_role("row").filter(has_text=rule)
    expect(watching).to_contain_text("20% of at least 10 calls in 5 min failed")
    watching.get_by_role("switch").click()
    page.get_by_role("dialog").last.get_by_role("button", name="Switch off").click()
    expect(watching.get_by_role("switch")).not_to_be_checked()
    made = [each for each in stack.admin.get("/alert-rules")["data"] if each["name"] == rule]
    assert [(each["enabled"], each["percents"]) for each in made] == [(False, [20.0])]
    page.get_by_role("button", name=f"Actions of {rule}").click()
    page.get_by_role("menuitem", name="Change").click()
    form = page.get_by_role("dialog").last
    choose(page, "Kind", "A token quota is used up")
    form.get_by_role("button", name="Save").click()
    expect(watching).to_contain_text("80%, 100% used")
    page.get_by_role("button", name=f"Actions of {rule}").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").last.get_by_role("button", name="Delete").click()
    expect(watching).to_have_count(0)
    page.get_by_role("tab", name="Channels").click()
    page.get_by_role("button", name=f"Actions of {channel}").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").last.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    assert channel not in [each["name"] for each in stack.admin.get("/alert-channels")["data"]]


def test_a_discount_is_given_changed_and_deleted(stack: Stack, open_page: OpenPage) -> None:
    page = open_page("/platform/prices?tab=discounts", stack.admin, expects=["422"])
    page.get_by_role("button", name="Add a discount").click()
    form = page.get_by_role("dialog")
    choose(page, "On", "One model")
    form.get_by_label("Name of the model").fill("no/such-model")
    form.get_by_label("Factor").fill("0.8")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("there is no such model").first).to_be_visible()
    form.get_by_label("Name of the model").fill("qwen/qwen3.7-max")
    form.get_by_role("button", name="Save").click()
    row = page.get_by_role("row").filter(has_text="qwen/qwen3.7-max")
    expect(row).to_contain_text("20% off")
    page.get_by_role("button", name="Actions of the discount on qwen/qwen3.7-max").click()
    page.get_by_role("menuitem", name="Change").click()
    form = page.get_by_role("dialog").last
    form.get_by_label("Factor").fill("0.75")
    form.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("25% off")
    assert [each["factor"] for each in stack.admin.get("/discounts")["data"]] == ["0.75"]
    page.get_by_role("button", name="Actions of the discount on qwen/qwen3.7-max").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").last.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("This tenant pays list prices")).to_be_visible()
    assert stack.admin.get("/discounts")["data"] == []


def test_calls_are_priced_again_after_the_difference_is_shown(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person("AI_GATEWAY_ADMIN")
    _, text = stack.key(person)
    body = {"model": "qwen/qwen3.7-max", "messages": [{"role": "user", "content": "Hello"}]}
    answer = stack.call("/v1/chat/completions", text, body)
    record = stack.counted(person, answer.headers["x-request-id"])
    terms = {"scope": "model", "name": "qwen/qwen3.7-max", "factor": "0.5", "since": "2026-01-01T00:00:00Z"}
    discount = stack.admin.post("/discounts", terms)
    page = open_page("/platform/prices?tab=reprice", stack.admin)
    page.get_by_label("Only this endpoint").fill(record["endpoint"])
    page.get_by_role("button", name="Show the difference").click()
    run = page.get_by_role("button", name=re.compile("Price .* records again"))
    expect(run).to_be_visible()
    expect(page.get_by_role("row").filter(has_text=record["endpoint"])).to_be_visible()
    assert stack.counted(person, record["id"])["cost"] == record["cost"]
    run.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile("Price .* records again")).click()
    expect(page.get_by_text("These records have their new price.")).to_be_visible()
    assert stack.counted(person, record["id"])["cost"] != record["cost"]
    assert stack.admin.api.delete(f"/discounts/{discount['id']}").status_code == 204


def test_health_shows_what_was_called(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person("AI_GATEWAY_ADMIN")
    _, text = stack.key(person)
    body = {"model": "deepseek/deepseek-v4-pro", "messages": [{"role": "user", "content": "Hello"}]}
    answer = stack.call("/v1/chat/completions", text, body)
    endpoint = stack.counted(person, answer.headers["x-request-id"])["endpoint"]
    page = open_page("/platform/health", stack.admin)
    page.get_by_text("24 h", exact=True).click()
    expect(page).to_have_url(re.compile("range=24h"))
    expect(page.get_by_text("Every endpoint is in use")).to_be_visible()
    page.get_by_role("button", name=endpoint, exact=True).click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("img", name=f"Requests by outcome: {endpoint}")).to_be_visible()
    drawer.get_by_role("link", name="Show the endpoint").click()
    expect(page).to_have_url(re.compile("/platform/endpoints"))
    expect(page.get_by_role("dialog").get_by_text("deepseek/deepseek-v4-pro", exact=True)).to_be_visible()


def test_settings_show_what_is_in_force(stack: Stack, open_page: OpenPage) -> None:
    page = open_page("/platform/settings", stack.admin)
    settings = stack.admin.get("/settings")
    expect(page.get_by_text(settings["home"], exact=True)).to_be_visible()
    expect(page.get_by_text("Usage is imported")).to_be_visible()
    expect(page.get_by_text("first_byte_stream_s")).to_be_visible()
    expect(page.get_by_text(f"aimesh {settings['version']}", exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("screen", "words"),
    [
        ("alerts?tab=rules", "还没有规则"),
        ("prices", "版本永不改变"),
        ("prices?tab=reprice", "请先查看差异"),
        ("health", "熔断中"),
        ("settings", "系统设置"),
    ],
)
def test_they_are_for_everybody_to_read(stack: Stack, open_page: OpenPage, screen: str, words: str) -> None:
    for theme in ("light", "dark"):
        page = open_page(
            f"/platform/{screen}", stack.admin, language="zh", theme=theme, is_phone=theme == "dark"
        )
        expect(page.get_by_role("main").get_by_text(re.compile(words)).first).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert accessibility(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        shot(page, f"platform-{re.sub('[^a-z]+', '-', screen)}-{theme}")
