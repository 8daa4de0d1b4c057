"""Providers: listed with their status, added, changed and put back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, Control, opened_control
from tests.support.control_answers import Json, code
from tests.support.control_upstreams import upstream_yaml

from aimesh.core.ids import ModelName
from aimesh.store.engine import Store
from aimesh.store.overlays import OverlayKind, put_overlay

PROVIDERS, MODELS = f"{API}/providers", f"{API}/models"
CLUSTER: Json = {
    "name": "Our cluster",
    "base_url": "http://10.0.0.5:8000/v1",
    "speaks": {"open_ai": {}},
    "auth": "none",
}
MODEL: Json = {
    "kind": "chat",
    "endpoints": [{"provider": "our_cluster", "interfaces": ["open_ai"], "as": "llama"}],
}


@pytest.fixture
def control(any_store: Store, tmp_path: Path) -> Iterator[Control]:
    with opened_control(any_store, tmp_path, upstream_yaml("http://127.0.0.1:9")) as control:
        yield control


def get(client: TestClient, name: str) -> Json:
    answer = client.get(f"{PROVIDERS}/{name}")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def built_in(control: Control) -> str:
    """A provider that the package brings."""
    return str(next(iter(control.parts.settings.sources.built_in.providers)))


def test_providers_are_listed_with_status_and_searched(member: TestClient) -> None:
    page = member.get(PROVIDERS, params={"limit": 200}).json()
    rows = {row["id"]: row for row in page["data"]}
    assert page["total"] == len(rows)
    assert list(rows) == sorted(rows)
    alpha, beta = rows["alpha"], rows["beta"]
    assert (alpha["status"], alpha["built_in"], alpha["source"], alpha["models"]) == (
        "active",
        True,
        "file",
        4,
    )
    assert (beta["status"], beta["built_in"]) == ("unconfigured", False)
    found = member.get(PROVIDERS, params={"search": "只有"}).json()["data"]
    assert [row["id"] for row in found] == ["gamma"]
    first = member.get(PROVIDERS, params={"limit": 1}).json()
    second = member.get(PROVIDERS, params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert [row["id"] for row in first["data"] + second["data"]] == list(rows)[:2]


def test_addresses_are_shown_to_those_who_may_change_them(platform: TestClient, member: TestClient) -> None:
    assert get(platform, "alpha")["base_urls"]["openai"] == "http://127.0.0.1:9/alpha/v1"
    assert get(member, "alpha")["base_urls"] is None
    assert get(member, "alpha")["environment"] is None
    assert code(member.get(f"{PROVIDERS}/none")) == (404, "PROVIDER_NOT_FOUND")


def test_a_provider_is_added_used_and_taken_away(platform: TestClient) -> None:
    answer = platform.put(f"{PROVIDERS}/our_cluster", json=CLUSTER)
    made = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    assert (made["source"], made["version"], made["built_in"]) == ("database", 1, True)
    assert made["entry"] == CLUSTER
    model = platform.put(f"{MODELS}/our/llama", json=MODEL).json()
    assert (model["callable"], model["endpoints"][0]["status"]) == (True, "active")
    assert get(platform, "our_cluster")["models"] == 1
    in_use = platform.delete(f"{PROVIDERS}/our_cluster")
    assert code(in_use) == (409, "ENTRY_IN_USE")
    assert in_use.json()["error"]["details"][0]["path"] == "models.our/llama.endpoints.0.provider"
    assert platform.delete(f"{MODELS}/our/llama").status_code == 204
    stale = platform.delete(f"{PROVIDERS}/our_cluster", headers={"if-match": '"2"'})
    assert code(stale) == (412, "STALE")
    assert platform.delete(f"{PROVIDERS}/our_cluster", headers={"if-match": '"1"'}).status_code == 204
    assert code(platform.delete(f"{PROVIDERS}/our_cluster")) == (404, "PROVIDER_NOT_FOUND")


def test_a_built_in_provider_is_changed_and_put_back(control: Control, platform: TestClient) -> None:
    name = built_in(control)
    before = get(platform, name)
    assert (before["version"], before["source"]) == (0, "built_in")
    changed = platform.put(
        f"{PROVIDERS}/{name}", json={"origin": "https://proxy.example"}, headers={"if-match": '"0"'}
    ).json()
    assert all(url.startswith("https://proxy.example/") for url in changed["base_urls"].values())
    assert (changed["name"], changed["interfaces"]) == (before["name"], before["interfaces"])
    assert code(platform.put(f"{PROVIDERS}/{name}", json={})) == (428, "IF_MATCH_REQUIRED")
    again = platform.put(f"{PROVIDERS}/{name}", json={}, headers={"if-match": '"1"'}).json()
    assert (again["version"], again["base_urls"]) == (2, before["base_urls"])
    assert platform.delete(f"{PROVIDERS}/{name}").status_code == 204
    assert get(platform, name) == before


def test_what_does_not_fit_is_refused_with_its_place(platform: TestClient) -> None:
    for entry, path, words in (
        ({"name": "x"}, "", "speaks no interface"),
        ({"speaks": {"open_ai": {}}}, "speaks.open_ai", "no base URL for open_ai"),
        ({"speaks": {"openai": {}}}, "speaks.openai", "unknown name 'openai'"),
        ({"base_url": "ftp://x", "speaks": {"open_ai": {}}}, "base_url", "not allowed"),
        (
            {"base_url": "http://x", "speaks": {"open_ai": {"path": "x"}}},
            "speaks.open_ai.path",
            "begins with '/'",
        ),
        ({"auth": "basic"}, "auth", "not possible here"),
        ({"secret": "x"}, "secret", "unknown key"),
    ):
        answer = platform.put(f"{PROVIDERS}/our_cluster", json=entry)
        assert code(answer) == (422, "INVALID_ENTRY"), entry
        [detail] = answer.json()["error"]["details"]
        assert detail["path"] == path
        assert words in detail["message"]
    assert platform.put(f"{PROVIDERS}/Our-Cluster", json=CLUSTER).status_code == 422
    assert code(platform.get(f"{PROVIDERS}/our_cluster")) == (404, "PROVIDER_NOT_FOUND")


def test_a_change_that_would_break_a_model_is_refused(platform: TestClient) -> None:
    platform.put(f"{PROVIDERS}/our_cluster", json=CLUSTER)
    platform.put(f"{MODELS}/our/llama", json=MODEL)
    other = CLUSTER | {"speaks": {"open_ai_embedding": {}}}
    answer = platform.put(f"{PROVIDERS}/our_cluster", json=other, headers={"if-match": "*"})
    assert code(answer) == (422, "INVALID_ENTRY")
    assert answer.json()["error"]["details"][0]["path"] == "models.our/llama.endpoints.0.interfaces.0"


def test_what_is_kept_makes_a_catalogue_that_workers_can_use(control: Control, platform: TestClient) -> None:
    platform.put(f"{PROVIDERS}/our_cluster", json=CLUSTER)
    platform.put(f"{MODELS}/our/llama", json=MODEL)
    with control.parts.store.read() as db:
        installed = control.parts.catalogs.of(control.parts.settings, db)
    assert installed.problem == ""
    assert installed.catalog.models[ModelName("our/llama")].endpoints[0].upstream_name == "llama"


def test_a_broken_entry_does_not_stop_others_from_being_mended(
    control: Control, platform: TestClient
) -> None:
    """The file may have changed under what was kept."""
    with control.parts.store.write() as db:
        for name in ("one", "two"):
            broken = b'{"name":"%s","endpoints":[]}' % name.encode()
            put_overlay(db, OverlayKind.MODEL, name, document=broken, before=0, at_s=1.0)
    assert platform.get(f"{MODELS}/chaos/text").status_code == 200
    answer = platform.put(f"{MODELS}/one", json={"kind": "chat"}, headers={"if-match": '"1"'})
    assert code(answer) == (409, "ENTRY_WAITING")
    assert platform.delete(f"{MODELS}/two").status_code == 204
    mended = platform.get(f"{MODELS}/one").json()
    assert (mended["kind"], mended["version"]) == ("chat", 2)
