"""Versions of prices, and discounts: for who runs the installation."""

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, OTHER_TENANT, Control
from tests.support.pricing import ENDPOINTS, catalog_with, priced_record

from aimesh.catalog.price_record import Pricer
from aimesh.core.ids import EndpointName
from aimesh.store.discounts import find_discount
from aimesh.store.prices import keep_versions

DISCOUNTS = f"{API}/discounts"
VERSIONS = f"{API}/price-versions"
# JSON of requests and answers.
Json = dict[str, Any]


def made(client: TestClient, body: Json, tenant: str = "default") -> Json:
    answer = client.post(f"{DISCOUNTS}?tenant={tenant}", json=body)
    assert answer.status_code == 201, answer.text
    told: Json = answer.json()
    return told


def test_a_discount_from_its_making_to_its_end(control: Control, platform: TestClient) -> None:
    model = sorted(control.parts.settings.catalog.models)[0]
    told = made(platform, {"scope": "model", "name": model, "factor": "0.8"}, OTHER_TENANT)
    assert (told["tenant"], told["scope"], told["name"], told["factor"], told["until"]) == (
        OTHER_TENANT,
        "model",
        model,
        "0.8",
        None,
    )
    assert told["since"] == told["created_at"]
    url = f"{DISCOUNTS}/{told['id']}?tenant={OTHER_TENANT}"
    assert platform.get(url).json() == told
    assert platform.get(f"{DISCOUNTS}/{told['id']}").json()["error"]["code"] == "DISCOUNT_NOT_FOUND"

    change = {"factor": "0.75", "until": "2099-01-01T00:00:00Z"}
    assert platform.patch(url, json=change).status_code == 428
    changed = platform.patch(url, json=change, headers={"if-match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (changed.json()["factor"], changed.json()["until"]) == ("0.75", "2099-01-01T00:00:00Z")
    assert changed.json()["since"] == told["since"]
    assert platform.patch(url, json=change, headers={"if-match": '"1"'}).status_code == 412
    same = platform.patch(url, json={}, headers={"if-match": '"2"'})
    assert same.json()["version"] == 2
    back = platform.patch(url, json={"until": None}, headers={"if-match": '"2"'})
    assert back.json()["until"] is None

    assert platform.delete(url).status_code == 204
    assert platform.get(url).status_code == 404
    with control.parts.store.read() as db:
        assert find_discount(db, told["id"]) is None
    lines = platform.get(f"{API}/audit?tenant={OTHER_TENANT}&action=discount").json()["data"]
    assert [one["action"] for one in lines] == [
        "discount.delete",
        "discount.change",
        "discount.change",
        "discount.create",
    ]
    assert lines[2]["changes"]["factor"] == {"from": "0.8", "to": "0.75"}


def test_the_list_is_of_one_tenant(platform: TestClient) -> None:
    for factor in ("0.9", "0.8", "0.7"):
        made(platform, {"factor": factor})
    made(platform, {"factor": "0.1"}, OTHER_TENANT)
    first = platform.get(f"{DISCOUNTS}?limit=2").json()
    last = platform.get(f"{DISCOUNTS}?limit=2&cursor={first['next_cursor']}").json()
    assert sorted(one["factor"] for one in first["data"] + last["data"]) == ["0.7", "0.8", "0.9"]
    assert (first["total"], last["next_cursor"]) == (3, None)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"factor": "-1"}, "factor"),
        ({"factor": "101"}, "factor"),
        ({"factor": "0.1234567891"}, "factor"),
        ({"factor": 0.8}, "factor"),
        ({"factor": "0.8", "scope": "vendor"}, "scope"),
        ({"factor": "0.8", "scope": "model", "name": "no/such"}, "name"),
        ({"factor": "0.8", "scope": "provider", "name": "nowhere"}, "name"),
        ({"factor": "0.8", "name": "qwen/qwen3-max"}, "name"),
        ({"factor": "0.8", "since": "2026-01-02T00:00:00Z", "until": "2026-01-02T00:00:00Z"}, "until"),
        ({"factor": "0.8", "percent": 20}, "percent"),
        ({"factor": "0.8", "since": "0001-01-01T00:00:00+14:00"}, "since"),
        ({"factor": "0.8", "until": "9999-12-31T23:59:59-14:00"}, "until"),
    ],
)
def test_what_is_no_discount_is_refused(platform: TestClient, body: Json, path: str) -> None:
    answer = platform.post(DISCOUNTS, json=body)
    assert answer.status_code == 422
    assert [one["path"] for one in answer.json()["error"]["details"]] == [path]


def test_only_who_runs_the_installation_has_to_do_with_discounts(
    admin: TestClient, member: TestClient, platform: TestClient
) -> None:
    told = made(platform, {"factor": "0.9"})
    for client in (admin, member):
        assert client.get(DISCOUNTS).status_code == 403
        assert client.post(DISCOUNTS, json={"factor": "0.1"}).status_code == 403
        assert client.delete(f"{DISCOUNTS}/{told['id']}").status_code == 403


def test_versions_say_what_priced_records(control: Control, member: TestClient) -> None:
    assert member.get(VERSIONS).json() == {"data": [], "next_cursor": None, "total": 0}
    pricer = Pricer(catalog_with({ENDPOINTS[0]: "CNY 1 2", ENDPOINTS[1]: "USD 3 4"}))
    for number, endpoint in enumerate(ENDPOINTS[:2]):
        pricer.price(priced_record(f"r{number}", endpoint))
    with control.parts.store.write() as db:
        keep_versions(db, pricer.used, control.clock.wall_s())
    first = member.get(f"{VERSIONS}?limit=1").json()
    last = member.get(f"{VERSIONS}?limit=1&cursor={first['next_cursor']}").json()
    told = {one["endpoint"]: one for one in first["data"] + last["data"]}
    assert told[ENDPOINTS[0]]["price"] == {"currency": "CNY", "tiers": [{"input": "1", "output": "2"}]}
    assert told[ENDPOINTS[1]]["version"] in pricer.used
    one = told[EndpointName(ENDPOINTS[0])]
    assert member.get(f"{VERSIONS}/{one['version']}").json() == one
    assert member.get(f"{VERSIONS}/none").json()["error"]["code"] == "PRICE_VERSION_NOT_FOUND"
    only = member.get(VERSIONS, params={"endpoint": ENDPOINTS[1]}).json()
    assert [one["endpoint"] for one in only["data"]] == [ENDPOINTS[1]]
