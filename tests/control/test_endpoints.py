"""Endpoints, one by one: listed, switched, named, priced and limited."""

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, Control
from tests.support.control_answers import Json, code

from aimesh.catalog.snapshot import Endpoint
from aimesh.store.overlays import OverlayKind, put_overlay

ENDPOINTS = f"{API}/endpoints"


@pytest.fixture
def endpoint(control: Control) -> Endpoint:
    """A built-in one, enabled, with a price."""
    return next(
        one
        for one in control.parts.settings.catalog.endpoints.values()
        if one.enabled and one.price is not None and one.price.tiers
    )


def get(client: TestClient, name: str) -> Json:
    answer = client.get(f"{ENDPOINTS}/{name}")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def patch(client: TestClient, before: Json, **fields: Any) -> Json:
    match = {"if-match": f'"{before["version"]}"'}
    answer = client.patch(f"{ENDPOINTS}/{before['name']}", json=fields, headers=match)
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == f'"{answer.json()["version"]}"'
    found: Json = answer.json()
    return found


def test_endpoints_are_listed_filtered_and_cut_into_pages(
    control: Control, member: TestClient, endpoint: Endpoint
) -> None:
    every = sorted(control.parts.settings.catalog.endpoints)
    page = member.get(ENDPOINTS, params={"limit": 200}).json()
    assert (page["total"], [row["name"] for row in page["data"]]) == (len(every), every[:200])
    rest = member.get(ENDPOINTS, params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [row["name"] for row in rest["data"]] == every[200:202]
    of_one = member.get(ENDPOINTS, params={"provider": endpoint.provider, "limit": 200}).json()["data"]
    assert {row["provider"] for row in of_one} == {endpoint.provider}
    found = member.get(ENDPOINTS, params={"search": endpoint.name.upper()}).json()["data"]
    assert endpoint.name in [row["name"] for row in found]
    off = member.get(ENDPOINTS, params={"status": "disabled", "limit": 200}).json()["data"]
    assert off
    assert {row["status"] for row in off} == {"disabled"}
    assert code(member.get(f"{ENDPOINTS}/none@x@y")) == (404, "ENDPOINT_NOT_FOUND")


def test_an_endpoint_is_switched_off_and_on(platform: TestClient, endpoint: Endpoint) -> None:
    before = get(platform, endpoint.name)
    off = patch(platform, before, enabled=False)
    assert (off["status"], off["source"], off["version"]) == ("disabled", "database", 1)
    on = patch(platform, off, enabled=True)
    assert on["status"] == before["status"]
    as_it_came = patch(platform, on, enabled=None)
    assert as_it_came == before


def test_one_that_came_switched_off_is_switched_on(control: Control, platform: TestClient) -> None:
    name = next(one.name for one in control.parts.settings.catalog.endpoints.values() if not one.enabled)
    before = get(platform, name)
    assert before["status"] == "disabled"
    assert patch(platform, before, enabled=True)["status"] != "disabled"


def test_a_price_a_name_and_ceilings_are_set_and_put_back(platform: TestClient, endpoint: Endpoint) -> None:
    before = get(platform, endpoint.name)
    price = {"currency": "USD", "tiers": [{"input": "0.25", "output": "1"}]}
    changed = patch(platform, before, price=price, upstream="ep-4711", limits={"rpm": 10})
    assert (changed["price"], changed["upstream"]) == (price, "ep-4711")
    assert changed["limits"] == {"rpm": 10, "tpm": None, "concurrency": None}
    assert changed["status"] == before["status"]
    dearer = {"currency": "USD", "tiers": [{"input": 0.5}]}
    again = patch(platform, changed, price=dearer)
    assert (again["price"]["tiers"], again["upstream"]) == ([{"input": "0.5"}], "ep-4711")
    model = platform.get(f"{API}/models/{endpoint.model}").json()
    assert model["entry"]["endpoints"][0]["as"] == "ep-4711"
    others = [one for one in model["endpoints"] if one["name"] != endpoint.name]
    assert "ep-4711" not in [one["upstream"] for one in others]
    back = patch(platform, again, price=None, upstream=None, limits=None)
    assert back == before


def test_what_does_not_fit_is_refused_with_its_place(platform: TestClient, endpoint: Endpoint) -> None:
    for fields, path, words in (
        ({"price": {"tiers": []}}, "price", "the key 'currency' is missing"),
        ({"price": {"currency": "EUR"}}, "price.currency", "'EUR' is not possible here"),
        ({"price": {"currency": "CNY"}}, "price", "a price without an amount"),
        ({"price": {"currency": "CNY", "tiers": [{"input": -1}]}}, "price.tiers.0.input", "not negative"),
        (
            {"price": {"currency": "CNY", "tiers": [{"input": 1}, {"input": 2}]}},
            "price.tiers.0",
            "only the last tier has no top",
        ),
        ({"limits": {"rpm": 0}}, "limits.rpm", "greater than or equal to 1"),
        ({"upstream": "a b"}, "upstream", "pattern"),
        ({"upstream": "模型"}, "upstream", "pattern"),
        ({"colour": "red"}, "colour", "not permitted"),
    ):
        answer = platform.patch(f"{ENDPOINTS}/{endpoint.name}", json=fields, headers={"if-match": "*"})
        assert answer.status_code == 422, fields
        [detail] = answer.json()["error"]["details"]
        assert detail["path"] == path, fields
        assert words in detail["message"]
    assert get(platform, endpoint.name)["version"] == 0


def test_a_change_says_what_it_was_made_to_and_is_audited(platform: TestClient, endpoint: Endpoint) -> None:
    path = f"{ENDPOINTS}/{endpoint.name}"
    assert code(platform.patch(path, json={"enabled": False})) == (428, "IF_MATCH_REQUIRED")
    patch(platform, get(platform, endpoint.name), enabled=False)
    stale = platform.patch(path, json={"enabled": True}, headers={"if-match": '"0"'})
    assert code(stale) == (412, "STALE")


def test_a_change_by_a_later_release_is_not_overwritten_and_can_be_taken_away(
    control: Control, platform: TestClient, endpoint: Endpoint
) -> None:
    later = b'{"name":"%s","colour":"red"}' % endpoint.model.encode()
    with control.parts.store.write() as db:
        put_overlay(db, OverlayKind.MODEL, endpoint.model, document=later, before=0, at_s=1.0)
    assert get(platform, endpoint.name)["version"] == 1
    answer = platform.patch(
        f"{ENDPOINTS}/{endpoint.name}", json={"enabled": False}, headers={"if-match": "*"}
    )
    assert code(answer) == (409, "ENTRY_UNREADABLE")
    assert platform.get(f"{API}/models/{endpoint.model}").json()["entry"]["colour"] == "red"
    assert platform.delete(f"{API}/models/{endpoint.model}").status_code == 204
    assert get(platform, endpoint.name)["version"] == 0
