"""The screen of API keys: every action as a person does it, seen in the page and through the API."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.console.conftest import OpenPage
from tests.support.console_browser import accessibility, shot
from tests.support.console_stack import Person, Stack
from tests.support.live import wait_for


def row_of(page: Page, alias: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_text(alias, exact=True))


def choose(page: Page, label: str, option: str) -> None:
    """In a choice of Ant Design."""
    page.get_by_role("combobox", name=label, exact=True).click()
    page.locator("div[title]").get_by_text(option, exact=True).last.click()


def act(page: Page, alias: str, action: str) -> None:
    page.get_by_role("button", name=f"More for {alias}", exact=True).click()
    page.get_by_role("menuitem", name=action, exact=True).click()


def key_of(person: Person, alias: str) -> Any:
    return next(key for key in person.get("/keys", alias=alias)["data"] if key["alias"] == alias)


def line(stack: Stack, action: str, target: str) -> bool:
    lines = stack.admin.get("/audit", action=action, limit=50)["data"]
    return any(target in str(each) for each in lines)


def test_a_key_is_made_shown_once_and_works(stack: Stack, open_page: OpenPage) -> None:
    person, alias = stack.person("AI_GATEWAY_ADMIN"), stack.name("search")
    page = open_page("/keys", person)
    page.get_by_role("button", name=re.compile(r"New$")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_text("Needed")).to_be_visible()
    dialog.get_by_label("Name").fill(alias)
    dialog.get_by_label("Token quota").fill("1000000")
    dialog.get_by_role("button", name="More").click()
    dialog.get_by_label("Requests per minute").fill("600")
    dialog.get_by_role("button", name="Add a quota").click()
    choose(page, "Unit", "CNY ¥")
    dialog.get_by_label("Ceiling").fill("100.50")
    for label, text in (
        ("Allowed models", "qwen/*"),
        ("Source networks", "127.0.0.0/8"),
        ("Labels", "team=search"),
    ):
        field = dialog.get_by_label(label)
        field.fill(text)
        field.press("Enter")
        page.keyboard.press("Tab")
    dialog.get_by_role("button", name="Create").click()
    text = page.get_by_label("Text of the key").locator("pre").inner_text()
    assert re.fullmatch(r"ck-[0-9A-Za-z]{40}", text)
    page.get_by_role("button", name="Copy the key").click()
    assert page.evaluate("navigator.clipboard.readText()") == text
    expect(page.locator("pre", has_text="curl")).to_contain_text(f"{stack.url}/gateway/v1/chat/completions")
    body = {"model": "qwen/qwen3.7-max", "messages": [{"role": "user", "content": "Hello"}]}
    assert wait_for(lambda: stack.call("/v1/chat/completions", text, body).is_success)
    made = key_of(person, alias)
    assert made["models"] == ["qwen/*"]
    assert made["networks"] == ["127.0.0.0/8"]
    assert made["labels"] == {"team": "search"}
    assert made["limits"]["rpm"] == 600
    quotas = {(one["unit"], one["period"]): one["limit"] for one in made["limits"]["quotas"]}
    assert quotas[("tokens", "monthly")] == 1_000_000
    assert [limit for (unit, _), limit in quotas.items() if unit == "CNY"] == ["100.5"]
    page.get_by_role("button", name="Done").click()
    expect(row_of(page, alias)).to_contain_text("600 RPM")
    expect(row_of(page, alias).get_by_role("progressbar")).to_have_count(2)
    assert text not in page.content()


def test_the_server_says_what_is_wrong_at_its_field(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person("AI_GATEWAY_ADMIN")
    taken = stack.name("taken")
    person.post("/keys", {"alias": taken})
    page = open_page("/keys?new=1", person, expects=["409"])
    page.get_by_label("Name", exact=True).fill(taken)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("it is taken").first).to_be_visible()
    expect(page.get_by_text("ALIAS_TAKEN")).to_be_visible()
    expect(page.get_by_text("Request ID")).to_be_visible()


def test_a_text_is_revealed_hidden_and_copied(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person("AI_GATEWAY_ADMIN")
    alias = stack.name("secret")
    made = person.post("/keys", {"alias": alias})
    page = open_page(f"/keys?alias={alias}", person)
    row = row_of(page, alias)
    expect(row.get_by_text(made["key"])).to_be_visible()
    page.get_by_role("button", name=f"Show the text of {alias}").click()
    expect(row.get_by_text(made["text"])).to_be_visible()
    assert line(stack, "key.reveal", made["id"])
    page.get_by_role("button", name=f"Hide the text of {alias}").click()
    expect(row.get_by_text(made["text"])).to_have_count(0)
    page.get_by_role("button", name=f"Copy the text of {alias}").click()
    expect(page.get_by_text("The key is on the clipboard.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == made["text"]


def test_a_key_is_edited_and_a_late_change_is_told(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person("AI_GATEWAY_ADMIN")
    alias, renamed = stack.name("before"), stack.name("after")
    made = person.post("/keys", {"alias": alias})
    page = open_page(f"/keys?operator=me&edit={made['id']}", person, expects=["412"])
    name = page.get_by_label("Name", exact=True)
    expect(name).to_have_value(alias)
    person.post(f"/keys/{made['id']}/disable")
    name.fill(renamed)
    page.get_by_label("Token quota").fill("5000")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Somebody else changed this key meanwhile")).to_be_visible()
    page.get_by_role("button", name="Load again").click()
    expect(name).to_have_value(alias)
    name.fill(renamed)
    page.get_by_label("Token quota").fill("5000")
    page.get_by_role("button", name="Save").click()
    expect(row_of(page, renamed)).to_contain_text("5,000")
    after = key_of(person, renamed)
    assert after["id"] == made["id"]
    assert [one["limit"] for one in after["limits"]["quotas"]] == [5000]


def test_a_key_is_disabled_enabled_copied_rotated_and_deleted(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person("AI_GATEWAY_ADMIN")
    alias = stack.name("life")
    made = person.post("/keys", {"alias": alias, "models": ["qwen/*"]})
    page = open_page("/keys?operator=me", person)
    act(page, alias, "Disable")
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    expect(row_of(page, alias)).to_contain_text("Disabled")
    assert key_of(person, alias)["status"] == "disabled"
    act(page, alias, "Enable")
    expect(row_of(page, alias)).to_contain_text("Active")

    act(page, alias, "Copy")
    copied = f"{alias} two"
    page.get_by_label("Name of the new key").fill(copied)
    page.get_by_role("dialog").get_by_role("button", name="Copy", exact=True).click()
    page.get_by_role("button", name="Done").click()
    assert key_of(person, copied)["models"] == ["qwen/*"]

    act(page, alias, "Rotate")
    page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    text = page.get_by_label("Text of the key").locator("pre").inner_text()
    assert text != made["text"]
    page.get_by_role("button", name="Done").click()
    expect(row_of(page, alias)).to_contain_text("the old text works until")
    for each in (text, made["text"]):
        wait_for(lambda each=each: stack.call("/v1/models", each, None).is_success)  # type: ignore[misc]

    act(page, alias, "Delete")
    asked = page.get_by_role("dialog")
    expect(asked.get_by_role("link", name="View usage")).to_have_attribute("href", f"/usage?key={made['id']}")
    asked.get_by_role("button", name="Delete").click()
    expect(row_of(page, alias)).to_have_count(0)
    assert [key["alias"] for key in person.get("/keys", operator="me")["data"]] == [copied]

    act(page, copied, "View usage")
    expect(page).to_have_url(re.compile(r"/usage\?.*key=key-"))


def test_a_route_is_set_by_dragging_and_by_keyboard(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person("AI_GATEWAY_ADMIN")
    alias = stack.name("route")
    made = person.post("/keys", {"alias": alias})
    providers = [one for one in person.get("/providers", limit=200)["data"] if one["status"] == "active"][:3]
    page = open_page(f"/keys?operator=me&route={made['id']}", person)
    drawer = page.get_by_role("dialog")
    drawer.get_by_text("Latency", exact=True).click()
    expect(drawer.get_by_text("Among them the one that answers soonest first.")).to_be_visible()
    drawer.get_by_text("Specified provider", exact=True).click()
    expect(drawer.get_by_text("Add at least one provider")).to_be_visible()
    for one in providers:
        choose(page, "Add a provider", one["name"])
    first = drawer.get_by_role("button", name=f"Move {providers[0]['name']}", exact=True)
    first.focus()
    page.keyboard.press("Space")
    expect(page.get_by_text(f"{providers[0]['name']} is over place 1.")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_text(f"{providers[0]['name']} is over place 2.")).to_have_count(1)
    page.keyboard.press("Space")
    steps = drawer.get_by_label("What is tried, in order").get_by_role("listitem")
    expect(steps.first).to_contain_text(providers[1]["name"])
    third = drawer.get_by_role("button", name=f"Move {providers[2]['name']}", exact=True).bounding_box()
    top = drawer.get_by_role("button", name=f"Move {providers[1]['name']}", exact=True).bounding_box()
    assert third is not None
    assert top is not None
    page.mouse.move(third["x"] + 8, third["y"] + 8)
    page.mouse.down()
    page.mouse.move(top["x"] + 8, top["y"] + 20, steps=8)
    page.mouse.move(top["x"] + 8, top["y"], steps=4)
    page.mouse.up()
    expect(steps.first).to_contain_text(providers[2]["name"])
    drawer.get_by_role("button", name="Save").click()
    names = [providers[index]["name"] for index in (2, 1, 0)]
    expect(row_of(page, alias)).to_contain_text(" > ".join(names))
    route = person.get(f"/keys/{made['id']}/route")
    assert (route["mode"], route["providers"]) == ("provider", [providers[i]["id"] for i in (2, 1, 0)])


def test_many_keys_at_once_and_what_became_of_each(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person("AI_GATEWAY_ADMIN")
    aliases = [stack.name("many") for _ in range(3)]
    ids = [person.post("/keys", {"alias": alias})["id"] for alias in aliases]
    page = open_page("/keys?operator=me", person)
    for alias in aliases:
        page.get_by_role("checkbox", name=alias).check()
    bar = page.get_by_role("toolbar", name="3 keys chosen")
    bar.get_by_role("button", name="Labels").click()
    page.get_by_label("Labels", exact=True).fill("team=many")
    page.get_by_label("Labels", exact=True).press("Enter")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("list", name="What was done").get_by_role("listitem")).to_have_count(3)
    page.get_by_role("dialog").get_by_text("Close", exact=True).click()
    assert all(key_of(person, alias)["labels"] == {"team": "many"} for alias in aliases)

    page.get_by_role("checkbox", name="Select all").check()
    page.get_by_role("toolbar").get_by_role("button", name="Delete").click()
    # One of them goes meanwhile.
    assert person.api.delete(f"/keys/{ids[0]}").is_success
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    results = page.get_by_role("list", name="What was done")
    expect(results.get_by_role("listitem").first).to_contain_text("KEY_NOT_FOUND")
    expect(page.get_by_text("2 done · 1 not done")).to_be_visible()
    assert person.get("/keys", operator="me")["data"] == []


def test_filters_live_in_the_address(stack: Stack, open_page: OpenPage) -> None:
    person = stack.person("AI_GATEWAY_ADMIN")
    one, other = stack.name("filter-one"), stack.name("filter-other")
    person.post("/keys", {"alias": one, "labels": {"team": "x"}})
    disabled = person.post("/keys", {"alias": other})
    person.post(f"/keys/{disabled['id']}/disable")
    page = open_page("/keys", person)
    choose(page, "Operator", "Me")
    choose(page, "Status", "Disabled")
    expect(row_of(page, other)).to_be_visible()
    expect(row_of(page, one)).to_have_count(0)
    expect(page).to_have_url(re.compile(r"operator=me&status=disabled"))
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_role("searchbox", name="Label").fill("team=x")
    expect(row_of(page, one)).to_be_visible()
    expect(row_of(page, other)).to_have_count(0)
    page.get_by_role("searchbox", name="Search by name").fill("no such key")
    expect(page.get_by_text("No key fits these filters")).to_be_visible()


def test_a_member_sees_own_keys_only_and_a_key_of_the_file_is_read_only(
    stack: Stack, open_page: OpenPage
) -> None:
    member, admin = stack.person("MEMBER"), stack.person("AI_GATEWAY_ADMIN")
    foreign = admin.post("/keys", {"alias": stack.name("foreign")})
    page = open_page("/keys", member)
    expect(page.get_by_text("No keys yet")).to_be_visible()
    expect(page.get_by_role("button", name="Make the first key")).to_be_visible()
    expect(page.get_by_role("combobox", name="Operator")).to_have_count(0)
    page = open_page(f"/keys?edit={foreign['id']}", member, expects=["404"])
    expect(page.get_by_text("KEY_NOT_FOUND")).to_be_visible()

    page = open_page("/keys?alias=demo", admin)
    row = row_of(page, "demo")
    expect(row.get_by_role("checkbox")).to_be_disabled()
    row.get_by_role("button", name="View").click()
    expect(page.get_by_text("This key is declared in aimesh.yaml.")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_be_disabled()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_chinese_on_a_phone(stack: Stack, open_page: OpenPage, theme: str) -> None:
    person, alias = stack.person("AI_GATEWAY_ADMIN"), stack.name("手机")
    page = open_page("/keys?operator=me", person, language="zh", theme=theme, is_phone=True)
    page.get_by_role("button", name="新建").or_(
        page.get_by_role("button", name="创建第一个 Key")
    ).first.click()
    page.get_by_label("名称", exact=True).fill(alias)
    page.get_by_label("Token 限额").fill("20000")
    page.get_by_role("dialog").get_by_role("button", name=re.compile("确\\s*定")).click()
    expect(page.get_by_text("Key 已创建")).to_be_visible()
    page.get_by_role("button", name=re.compile("完\\s*成")).click()
    page.get_by_role("button", name=f"{alias} 的更多操作").click()
    page.get_by_role("menuitem", name="路由策略").click()
    expect(page.get_by_text("实际尝试顺序")).to_be_visible()
    shot(page, f"keys-route-zh-phone-{theme}")
    assert accessibility(page) == []
    page.get_by_role("button", name=re.compile("取\\s*消")).click()
    expect(page.get_by_text("实际尝试顺序")).to_have_count(0)
    shot(page, f"keys-zh-phone-{theme}")
    assert accessibility(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
