"""Calls of every sort of model from the page."""

import re

import pytest
from playwright.sync_api import expect
from tests.console.conftest import OpenPage
from tests.support.console_browser import accessibility
from tests.support.console_stack import Stack

CHAT = "qwen/qwen3.7-max"
OTHER = "deepseek/deepseek-v4-flash"


def test_several_models_answer_one_prompt_side_by_side(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person()
    key, _ = stack.key(person)
    page = open_page(f"/playground?model={CHAT},{OTHER}", person)
    page.get_by_role("textbox", name="Message").fill("What is a queue?")
    page.get_by_role("textbox", name="Message").press("Enter")
    for model in (CHAT, OTHER):
        answer = page.get_by_role("region", name=f"Answer of {model}")
        expect(answer).to_contain_text("You said: What is a queue?")
        expect(answer).to_contain_text("TTFT")
        expect(answer).not_to_contain_text("being counted", timeout=30_000)
        expect(answer).to_contain_text("Cost")
    calls = person.get("/usage/calls", key=key)["data"]
    assert {call["model"] for call in calls} == {CHAT, OTHER}
    assert f"key={key}" in page.url
    assert accessibility(page) == []


@pytest.mark.parametrize("over", ["Chat completions", "Messages"])
def test_a_model_calls_a_tool_and_hears_what_it_gave(stack: Stack, open_page: OpenPage, over: str) -> None:
    person = stack.person()
    stack.key(person)
    page = open_page(f"/playground?model={CHAT}", person)
    page.get_by_role("combobox", name="Called over").click()
    page.get_by_title(over, exact=True).click()
    page.get_by_role("button", name="Put in an example").click()
    page.get_by_role("textbox", name="Message").fill("Call the tool get_weather for Oslo")
    page.get_by_role("button", name="Send").click()
    answer = page.get_by_role("region", name=f"Answer of {CHAT}")
    expect(answer).to_contain_text("TTFT")
    expect(answer).to_contain_text(over)


def test_an_error_is_shown_with_its_code_and_request(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person()
    stack.key(person, models=["openai/*"])
    page = open_page(f"/playground?model={CHAT}", person, expects=["403"])
    page.get_by_role("textbox", name="Message").fill("Hello")
    page.get_by_role("button", name="Send").click()
    answer = page.get_by_role("region", name=f"Answer of {CHAT}")
    expect(answer).to_contain_text("GATEWAY_MODEL_NOT_PERMITTED")
    expect(answer).to_contain_text("Request ID")
    expect(answer.get_by_role("button", name="Try again")).to_be_visible()


def test_a_picture_is_made(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person()
    stack.key(person)
    page = open_page("/playground?model=doubao-seedream-4.0", person)
    expect(page.get_by_role("tab", name="Image")).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="Run").click()
    picture = page.get_by_role("img", name=re.compile("^Result 1"))
    expect(picture).to_have_js_property("complete", value=True)
    assert picture.evaluate("image => image.naturalWidth") > 0


def test_a_film_is_made_as_a_task_that_a_link_finds_again(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person()
    stack.key(person)
    page = open_page("/playground?tab=video&model=doubao-seedance-1.0-pro", person)
    page.get_by_role("button", name="Run").click()
    expect(page).to_have_url(re.compile(r"task=cgt-"))
    expect(page.get_by_text("Ready", exact=True)).to_be_visible(timeout=30_000)
    page.reload()
    expect(page.get_by_role("link", name="Download")).to_be_visible()
    task = re.search(r"task=([^&]+)", page.url)
    assert task is not None
    assert any(each["task_id"] == task[1] for each in person.get("/tasks")["data"])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_vectors_are_compared(stack: Stack, open_page: OpenPage, language: str) -> None:
    person = stack.person()
    stack.key(person)
    page = open_page("/playground?model=qwen/text-embedding-v4", person, language=language)
    page.get_by_role("button", name="Run" if language == "en" else "运行").click()
    words = "Cosine similarity" if language == "en" else "余弦相似度"
    expect(page.get_by_role("heading", name=words)).to_be_visible()
    expect(page.get_by_role("cell", name="1.000").first).to_be_visible()
    assert accessibility(page) == []


def test_who_has_no_key_makes_one_there(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person()
    page = open_page("/playground", person)
    page.get_by_role("button", name="Make a key").click()
    page.get_by_role("button", name=re.compile("haiku")).click()
    expect(page.get_by_text("You said: Write a haiku about queues.")).to_be_visible()
    [key] = person.get("/keys")["data"]
    assert key["alias"].startswith("playground ")
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage, location.href])")
    assert "ck-" not in kept


def test_the_code_of_a_call_is_copied_with_the_key_and_shown_without(
    stack: Stack, open_page: OpenPage
) -> None:
    person = stack.person()
    _, text = stack.key(person)
    page = open_page(f"/playground?model={CHAT}", person)
    page.get_by_role("textbox", name="Message").fill("Hello")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("region", name=f"Answer of {CHAT}")).to_contain_text("TTFT")
    page.get_by_role("tab", name="Code").click()
    expect(page.get_by_text("/gateway/v1/chat/completions")).to_be_visible()
    assert text not in page.content()
    page.get_by_role("button", name="Copy the code").click()
    assert text in page.evaluate("navigator.clipboard.readText()")


def test_it_works_on_a_phone_in_the_dark(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person()
    stack.key(person)
    page = open_page(f"/playground?model={CHAT},{OTHER}", person, theme="dark", is_phone=True)
    page.get_by_role("textbox", name="Message").fill("Hello")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("region", name=f"Answer of {OTHER}")).to_contain_text("TTFT")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert accessibility(page) == []
