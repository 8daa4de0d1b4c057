"""The model plaza: cards, details, prices and call examples; and models that administrators add or change."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, Control, opened_control
from tests.support.control_answers import Json, code
from tests.support.control_upstreams import upstream_yaml

from aimesh.store.changes import current
from aimesh.store.engine import Store
from aimesh.store.people import Role

MODELS, PROVIDERS = f"{API}/models", f"{API}/providers"
OURS: Json = {
    "kind": "chat",
    "title": "Our own",
    "description": "For tests.",
    "description_zh": "测试用。",
    "vendor": "us",
    "endpoints": [
        {
            "provider": "beta",
            "interfaces": ["open_ai", "anthropic"],
            "as": "own-1",
            "price": {
                "currency": "CNY",
                "tiers": [{"up_to": 32000, "input": 2, "output": "8"}, {"input": "4"}],
            },
            "limits": {"rpm": 60},
        }
    ],
}


@pytest.fixture
def control(any_store: Store, tmp_path: Path) -> Iterator[Control]:
    with opened_control(any_store, tmp_path, upstream_yaml("http://127.0.0.1:9")) as control:
        yield control


def get(client: TestClient, name: str) -> Json:
    answer = client.get(f"{MODELS}/{name}")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def put(client: TestClient, name: str, entry: Json, **headers: str) -> Json:
    answer = client.put(f"{MODELS}/{name}", json=entry, headers=headers)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def names(client: TestClient, **query: Any) -> list[str]:
    answer = client.get(MODELS, params={"limit": 200} | query)
    assert answer.status_code == 200, answer.text
    return [row["name"] for row in answer.json()["data"]]


# Cards


def test_a_card_shows_name_markers_and_description(member: TestClient) -> None:
    rows = {row["name"]: row for row in member.get(MODELS, params={"limit": 200}).json()["data"]}
    text = rows["chaos/text"]
    assert (text["title"], text["kind"], text["callable"]) == ("text", "chat", True)
    assert (text["built_in"], text["byok"]) == (True, False)
    assert text["interfaces"] == ["anthropic", "open_ai", "responses"]
    real = rows["qwen/qwen3.7-max"]
    assert "" not in (real["description"], real["description_zh"], real["vendor"])
    assert (real["callable"], real["built_in"]) == (False, False)
    assert real["source"] == "built_in"


def test_the_byok_marker_is_the_tenants_own(admin: TestClient, other_admin: TestClient) -> None:
    body = {"provider": "gamma", "name": "ours", "secret": "sk-0123456789abcdef"}
    assert admin.post(f"{API}/byok", json=body).status_code == 201
    mine, theirs = get(admin, "chaos/image"), get(other_admin, "chaos/image")
    assert (mine["byok"], mine["built_in"]) == (True, True)
    assert (theirs["byok"], theirs["built_in"]) == (False, True)
    statuses = {one["provider"]: one["status"] for one in mine["endpoints"]}
    assert statuses == {"alpha": "active", "beta": "unconfigured", "gamma": "active"}


def test_the_plaza_is_searched_and_filtered(member: TestClient) -> None:
    assert names(member, search="CHAOS/t") == ["chaos/text"]
    assert "qwen/qwen3.7-max" in names(member, search="QWEN3.7-max")
    assert names(member, search="chaos", kind="embedding") == ["chaos/vector"]
    assert names(member, search="chaos", interface="task") == ["chaos/video"]
    assert names(member, provider="gamma") == ["chaos/image"]
    made_by = {row["name"]: row["vendor"] for row in member.get(MODELS, params={"limit": 200}).json()["data"]}
    vendor = made_by["qwen/qwen3.7-max"]
    of_one = [name for name, maker in made_by.items() if maker == vendor]
    assert names(member, vendor=vendor.upper()) == of_one
    assert names(member, search="no such model") == []
    assert member.get(MODELS, params={"kind": "odd"}).status_code == 422


def test_the_plaza_is_cut_into_pages(member: TestClient) -> None:
    every = names(member)
    assert every == sorted(every)
    first = member.get(MODELS, params={"limit": 3}).json()
    second = member.get(MODELS, params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [row["name"] for row in first["data"] + second["data"]] == every[:6]
    assert first["total"] == len(every)


def test_only_what_a_key_may_call_is_listed(control: Control, admin: TestClient, member: TestClient) -> None:
    def key(alias: str, **fields: Any) -> str:
        made = admin.post(f"{API}/keys", json={"alias": alias, **fields})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    every = ["chaos/image", "chaos/text", "chaos/vector", "chaos/video"]
    assert names(admin, key=key("all")) == every
    assert names(admin, key=key("patterns", models=["chaos/v*"])) == ["chaos/vector", "chaos/video"]
    # beta has no credential yet.
    assert names(admin, key=key("beta", route={"mode": "provider", "providers": ["beta"]})) == []
    assert names(admin, key=key("alpha", route={"providers": ["alpha"]})) == every
    byok = key("byok", route={"mode": "byok"})
    assert names(admin, key=byok) == []
    body = {"provider": "beta", "name": "ours", "secret": "sk-0123456789abcdef"}
    admin.post(f"{API}/byok", json=body)
    assert names(admin, key=byok) == every
    off = key("off")
    admin.post(f"{API}/keys/{off}/disable")
    assert names(admin, key=off) == []
    assert member.get(MODELS, params={"key": off}).status_code == 404


# Details


def test_the_detail_shows_endpoints_with_prices_and_status(member: TestClient) -> None:
    model = get(member, "qwen/qwen3.7-max")
    [endpoint, *_] = [one for one in model["endpoints"] if one["interface"] == "open_ai"]
    assert endpoint["name"] == f"{endpoint['provider']}@qwen/qwen3.7-max@open_ai"
    assert "" not in (endpoint["provider_name"], endpoint["provider_title_zh"])
    assert endpoint["status"] == "unconfigured"
    assert endpoint["price"]["currency"] in ("CNY", "USD")
    assert endpoint["price"]["tiers"][0]["input"]
    assert model["entry"] is None
    alone = member.get(f"{API}/endpoints/{endpoint['name']}").json()
    assert alone == endpoint
    assert code(member.get(f"{MODELS}/none")) == (404, "MODEL_NOT_FOUND")


def test_the_call_examples_are_for_the_address_that_was_asked(member: TestClient) -> None:
    model = get(member, "chaos/text")
    assert model["regions"] == [{"id": "here", "name": "", "base_url": "http://aimesh.example/gateway"}]
    shown = {(one["interface"], one["language"]) for one in model["examples"]}
    assert shown >= {
        ("open_ai", "curl"),
        ("open_ai", "python"),
        ("anthropic", "curl"),
        ("responses", "python"),
    }
    [curl] = [one for one in model["examples"] if (one["interface"], one["language"]) == ("open_ai", "curl")]
    assert "http://aimesh.example/gateway/v1/chat/completions" in curl["code"]
    assert "$API_KEY" in curl["code"]


def test_the_call_examples_are_made_for_every_region(any_store: Store, tmp_path: Path) -> None:
    regions = [
        {"id": "bj", "name": "北京", "base_url": "https://bj.example/gateway"},
        {"id": "sg", "base_url": "https://sg.example/gateway/"},
    ]
    yaml = upstream_yaml("http://127.0.0.1:9", regions=regions)
    with opened_control(any_store, tmp_path, yaml) as control:
        model = get(control.client(control.person("member", Role.MEMBER)), "chaos/text")
    assert [(one["id"], one["name"]) for one in model["regions"]] == [("bj", "北京"), ("sg", "sg")]
    [curl] = [
        one["code"]
        for one in model["examples"]
        if (one["region"], one["interface"], one["language"]) == ("sg", "open_ai", "curl")
    ]
    assert "https://sg.example/gateway/v1/chat/completions" in curl


# Changes


def test_a_model_is_added_and_taken_away(control: Control, platform: TestClient, member: TestClient) -> None:
    with control.parts.store.read() as db:
        before = current(db, "world")
    made = put(platform, "us/own", OURS)
    assert (made["source"], made["version"], made["title"]) == ("database", 1, "Our own")
    assert made["entry"]["endpoints"][0]["as"] == "own-1"
    [anthropic, chat] = sorted(get(member, "us/own")["endpoints"], key=lambda one: one["interface"])
    assert (anthropic["interface"], chat["interface"]) == ("anthropic", "open_ai")
    assert chat["price"] == {
        "currency": "CNY", "tiers": [{"up_to": 32000, "input": "2", "output": "8"}, {"input": "4"}],
    }  # fmt: skip
    assert chat["limits"] == {"rpm": 60, "tpm": None, "concurrency": None}
    assert get(member, "us/own")["entry"] is None
    with control.parts.store.read() as db:
        assert current(db, "world") == before + 1
    again = put(platform, "us/own", OURS, **{"if-match": '"1"'})
    assert again["version"] == 1
    assert platform.delete(f"{MODELS}/us/own", headers={"if-match": '"1"'}).status_code == 204
    assert code(platform.get(f"{MODELS}/us/own")) == (404, "MODEL_NOT_FOUND")
    assert code(platform.delete(f"{MODELS}/us/own")) == (404, "MODEL_NOT_FOUND")
    lines = platform.get(f"{API}/audit", params={"action": "model"}).json()["data"]
    assert sorted(line["action"] for line in lines) == ["model.change", "model.reset"]
    [change] = [line for line in lines if line["action"] == "model.change"]
    assert (change["target"]["id"], change["tenant"]) == ("us/own", "")
    assert change["changes"]["entry"] == {"from": None, "to": made["entry"]}


def test_a_built_in_model_is_changed_and_put_back(platform: TestClient) -> None:
    name = "qwen/qwen3.7-max"
    built_in = get(platform, name)
    assert built_in["version"] == 0
    changed = put(platform, name, {"title": "Renamed", "aliases": ["our-max"]}, **{"if-match": '"0"'})
    assert (changed["title"], changed["source"]) == ("Renamed", "database")
    assert (changed["kind"], len(changed["endpoints"])) == ("chat", len(built_in["endpoints"]))
    refused = platform.put(f"{MODELS}/{name}", json={"title": "x"})
    assert code(refused) == (428, "IF_MATCH_REQUIRED")
    stale = platform.put(f"{MODELS}/{name}", json={"title": "x"}, headers={"if-match": '"0"'})
    assert code(stale) == (412, "STALE")
    assert platform.delete(f"{MODELS}/{name}").status_code == 204
    assert get(platform, name) == built_in


def test_a_model_that_is_switched_off_is_there_only_for_those_who_may_switch_it_on(
    platform: TestClient, member: TestClient
) -> None:
    name = "qwen/qwen3.7-max"
    off = put(platform, name, {"enabled": False})
    assert (off["enabled"], off["callable"]) == (False, False)
    assert {one["status"] for one in off["endpoints"]} == {"disabled"}
    assert code(member.get(f"{MODELS}/{name}")) == (404, "MODEL_NOT_FOUND")
    on = put(platform, name, {"enabled": True}, **{"if-match": '"1"'})
    assert on["enabled"]
    assert get(member, name)["name"] == name


@pytest.mark.parametrize(
    ("entry", "path", "message", "hint"),
    [
        ({"kind": "chatt"}, "kind", "'chatt' is not possible here", "did you mean 'chat'?"),
        ({"knd": "chat"}, "knd", "unknown key 'knd'", "did you mean 'kind'?"),
        ({"context": 0}, "context", "0 is too small", ""),
        ({"title": ["x"]}, "title", "expected a text, found a list", ""),
        ({"endpoints": [{"provider": "beta"}]}, "endpoints.0", "the key 'interfaces' is missing", ""),
        ({"endpoints": []}, "", "the key 'kind' is missing", ""),
        (
            {"kind": "chat", "endpoints": [{"provider": "bta", "interfaces": ["open_ai"], "as": "x"}]},
            "endpoints.0.provider", "unknown provider 'bta'", "did you mean 'beta'?",
        ),
        (
            {"kind": "chat", "endpoints": [{"provider": "beta", "interfaces": ["open_ai"]}]},
            "endpoints.0", "the key 'as' is missing", "the name the provider knows the model by",
        ),
        (
            {"kind": "chat", "endpoints": [{"provider": "beta", "interfaces": ["ark_image"], "as": "x"}]},
            "endpoints.0.interfaces.0", "ark_image cannot carry a model of kind 'chat'", "",
        ),
        ({"kind": "chat", "aliases": ["chaos/text"]}, "aliases.0", "'chaos/text' already names the model", ""),
        ({"kind": "chat", "name": "other"}, "name", "the path names another model", ""),
    ],
)  # fmt: skip
def test_an_entry_that_does_not_fit_is_refused_with_its_place(
    any_store: Store, tmp_path: Path, entry: Json, path: str, message: str, hint: str
) -> None:
    with opened_control(any_store, tmp_path, upstream_yaml("http://127.0.0.1:9")) as control:
        platform = control.client(control.person("platform", Role.PLATFORM_ADMIN))
        answer = platform.put(f"{MODELS}/us/own", json=entry)
        assert code(answer) == (422, "INVALID_ENTRY")
        [detail] = answer.json()["error"]["details"]
        assert (detail["path"], detail["hint"].startswith(hint)) == (path, True)
        assert message in detail["message"]
        assert platform.get(f"{MODELS}/us/own").status_code == 404


def test_what_json_can_say_and_nothing_else_is_refused(platform: TestClient) -> None:
    for body in (
        rb'{"kind": "chat", "title": "\ud800"}',
        rb'{"kind": "chat", "\ud800": 1}',
        b'{"kind": "chat", "context": 1%s}' % (b"0" * 40),
        b'{"kind": "chat", "context": NaN}',
        b'{"kind": "chat", "context": true}',
        b'{"a":' * 200 + b"1" + b"}" * 200,
    ):
        headers = {"content-type": "application/json"}
        answer = platform.put(f"{MODELS}/us/own", content=body, headers=headers)
        assert answer.status_code == 422, body
    assert code(platform.get(f"{MODELS}/us/own")) == (404, "MODEL_NOT_FOUND")


def test_several_faults_are_told_at_once(platform: TestClient) -> None:
    answer = platform.put(f"{MODELS}/us/own", json={"kind": "odd", "context": -1, "titel": "x"})
    paths = [one["path"] for one in answer.json()["error"]["details"]]
    assert sorted(paths) == ["context", "kind", "titel"]


def test_what_the_file_defines_is_read_only(platform: TestClient) -> None:
    assert get(platform, "chaos/text")["source"] == "file"
    for answer in (
        platform.put(f"{MODELS}/chaos/text", json={"title": "x"}),
        platform.delete(f"{MODELS}/chaos/text"),
        platform.put(f"{PROVIDERS}/alpha", json={"name": "x"}),
        platform.delete(f"{PROVIDERS}/alpha"),
        platform.patch(
            f"{API}/endpoints/alpha@chaos/text@open_ai", json={"enabled": False}, headers={"if-match": "*"}
        ),
    ):
        assert code(answer) == (409, "ENTRY_READ_ONLY")


def test_only_the_platform_changes_the_catalogue(admin: TestClient, member: TestClient) -> None:
    for client in (admin, member):
        for answer in (
            client.put(f"{MODELS}/us/own", json=OURS),
            client.delete(f"{MODELS}/us/own"),
            client.put(f"{PROVIDERS}/ours", json={}),
            client.delete(f"{PROVIDERS}/ours"),
            client.patch(f"{API}/endpoints/x", json={}),
        ):
            assert answer.status_code == 403
