"""The screen of tasks: their state by itself, their files, and an end to those that wait."""

import re
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect
from tests.console.conftest import OpenPage
from tests.support.console_browser import accessibility, shot
from tests.support.console_stack import Person, Stack
from tests.support.live import wait_for

VIDEO, SOLID = "doubao-seedance-2.0", "doubao-seed3d-2.0"
"""A provider's store lets no page read its files."""


class Maker:
    """Somebody who makes tasks, with what the simulated provider is told about them."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.person: Person = stack.person()
        _, self._text = stack.key(self.person)
        self.video = self.done(self.make(VIDEO))
        address = urlsplit(self.video["files"]["data"][0]["url"])
        self._simulator = f"{address.scheme}://{address.netloc}"

    def make(self, model: str) -> str:
        content: list[Any] = [{"type": "text", "text": "a fox runs --dur 5"}]
        if model == SOLID:
            content.append({"type": "image_url", "image_url": {"url": "https://x.example/a.png"}})
        asked = {"model": model, "content": content}
        answer = self.stack.call("/api/v3/contents/generations/tasks", self._text, asked)
        assert answer.is_success, answer.text
        return f"task:{answer.json()['id']}"

    def fault(self, **fault: Any) -> None:
        httpx.post(f"{self._simulator}/_sim/faults", json={"times": 1, **fault}).raise_for_status()

    def task(self, task: str) -> Any:
        return self.person.get(f"/tasks/{task}")

    def done(self, task: str) -> Any:
        return wait_for(lambda: found if (found := self.task(task))["settled"] else None, 30)


@pytest.fixture(scope="module")
def maker(stack: Stack) -> Maker:
    return Maker(stack)


def opened(page: Page, task: str) -> None:
    page.get_by_role("button", name=re.compile(task.partition(":")[2])).click()


def test_a_film_is_played_with_everything_that_is_known_of_it(maker: Maker, open_page: OpenPage) -> None:
    task = maker.video
    page = open_page("/tasks", maker.person)
    opened(page, task["id"])
    drawer = page.get_by_role("dialog", name="Task")
    expect(page).to_have_url(re.compile(r"task=task%3A"))
    expect(drawer.get_by_label("Video 1 of the task")).to_be_visible()
    expect(drawer.get_by_role("link", name="Open or download")).to_have_attribute(
        "href", task["files"]["data"][0]["url"]
    )
    for word in ("Opens until", "Usage is recorded", task["endpoint"], task["key_alias"], "5 s"):
        expect(drawer.get_by_text(word).first).to_be_visible()
    expect(drawer.get_by_text(re.compile(r"^¥\d")).first).to_be_visible()
    expect(drawer.get_by_role("button", name="Cancel the task")).to_have_count(0)
    assert accessibility(page) == []
    shot(page, "tasks-video-light")
    drawer.get_by_role("link", name="Its calls in usage").click()
    expect(page.get_by_role("button", name=re.compile("Open call"))).to_have_count(2)


def test_an_address_that_has_expired_says_so(maker: Maker, open_page: OpenPage) -> None:
    page = open_page("/models", maker.person)
    task = maker.video
    files = [{**each, "expired": True} for each in task["files"]["data"]]
    told = {**task, "files": {**task["files"], "data": files}}
    page.route("**/api/admin/v1/tasks/task%3A*", lambda route: route.fulfill(json=told))
    page.goto(f"/tasks?task={task['id']}")
    drawer = page.get_by_role("dialog", name="Task")
    expect(drawer.get_by_text("This address has expired.")).to_be_visible()
    expect(drawer.get_by_role("link", name="Open or download")).to_have_count(0)


def test_a_task_that_waits_is_cancelled_after_asking(maker: Maker, open_page: OpenPage) -> None:
    maker.fault(kind="task_seconds", n=900)
    task = maker.make(VIDEO)
    page = open_page(f"/tasks?task={task}", maker.person)
    drawer = page.get_by_role("dialog", name="Task", exact=True)
    cancel = drawer.get_by_role("button", name="Cancel the task")
    cancel.click()
    asking = page.get_by_role("dialog", name="Cancel this task?")
    expect(asking).to_contain_text("costs nothing")
    asking.get_by_role("button", name="Keep it").click()
    assert maker.task(task)["state"] == "queued"
    cancel.click()
    asking.get_by_role("button", name="Cancel the task").click()
    expect(page.get_by_text("The task is cancelled")).to_be_visible()
    expect(drawer.get_by_text("Cancelled").first).to_be_visible()
    expect(drawer.get_by_text("It did not succeed, so there are no files.")).to_be_visible()
    assert maker.task(task)["state"] == "cancelled"


def test_a_task_that_runs_says_why_it_cannot_be_cancelled_and_ends_by_itself(
    maker: Maker, open_page: OpenPage
) -> None:
    maker.fault(kind="task_seconds", n=14)
    task = maker.make(VIDEO)
    page = open_page(f"/tasks?task={task}", maker.person)
    drawer = page.get_by_role("dialog", name="Task")
    expect(drawer.get_by_text("It has begun")).to_be_visible(timeout=20_000)
    expect(drawer.get_by_text("This page looks again by itself.")).to_be_visible()
    expect(drawer.get_by_label("Video 1 of the task")).to_be_visible(timeout=40_000)


def test_a_task_that_failed_says_why(maker: Maker, open_page: OpenPage) -> None:
    maker.fault(kind="task_fails")
    task = maker.make(VIDEO)
    told = maker.done(task)["error"]
    page = open_page(f"/tasks?state=failed&task={task}", maker.person)
    alert = page.get_by_role("dialog", name="Task").get_by_role("alert")
    expect(alert).to_contain_text(told["code"])
    expect(alert).to_contain_text(told["message"])


def test_a_model_is_turned_by_keys_and_told_in_words(maker: Maker, open_page: OpenPage) -> None:
    task = maker.done(maker.make(SOLID))
    # Software draws it, and says so.
    page = open_page(f"/tasks?task={task['id']}", maker.person, expects=["WebGL", "GL Driver"])
    drawer = page.get_by_role("dialog", name="Task")
    drawer.get_by_role("button", name="Show in 3D").click()
    viewer = drawer.get_by_role("application", name=re.compile("3D model"))
    told = drawer.get_by_role("status").filter(has_text=re.compile(r"[1-9]\d* triangles"))
    expect(told).to_be_visible(timeout=20_000)
    before = viewer.screenshot()
    viewer.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "+"):
        page.keyboard.press(key)
    assert viewer.screenshot() != before
    shot(page, "tasks-3d-light")


def test_filters_stand_in_the_address(maker: Maker, open_page: OpenPage) -> None:
    page = open_page("/tasks?state=succeeded&kind=video", maker.person)
    rows = page.get_by_role("button", name=re.compile("Open task"))
    expect(rows).not_to_have_count(0)
    page.get_by_role("combobox", name="Kind").click()
    page.locator('[title="Image"]').last.click()
    expect(page).to_have_url(re.compile("kind=image"))
    expect(page.get_by_text("No task with these filters")).to_be_visible()
    expect(page.get_by_role("link", name="Make one in the playground")).to_be_visible()


def test_nobody_sees_the_tasks_of_others(stack: Stack, maker: Maker, open_page: OpenPage) -> None:
    page = open_page(f"/tasks?task={maker.video['id']}", stack.person(), expects=["404"])
    expect(page.get_by_text("No task with these filters")).to_be_visible()
    expect(page.get_by_role("dialog", name="Task").get_by_role("alert")).to_contain_text("Request ID")


def test_in_chinese_on_a_phone_in_the_dark(maker: Maker, open_page: OpenPage) -> None:
    page = open_page("/tasks", maker.person, language="zh", theme="dark", is_phone=True)
    expect(page.get_by_role("heading", name="任务", exact=True)).to_be_visible()
    opened(page, maker.video["id"])
    drawer = page.get_by_role("dialog", name="任务")
    expect(drawer.get_by_label("任务的视频 1")).to_be_visible()
    expect(drawer.get_by_text("用量已记录")).to_be_visible()
    assert accessibility(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    shot(page, "tasks-zh-dark-phone")
