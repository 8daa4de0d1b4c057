"""Tenants: for who runs the installation."""

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, Control

from aimesh.core.ids import TenantId
from aimesh.store.changes import current
from aimesh.store.tenants import find_tenant

TENANTS = f"{API}/tenants"
QUOTA = {"unit": "tokens", "period": "daily", "limit": 1_000_000}
LIMITS = {
    "quotas": [
        QUOTA,
        {"unit": "CNY", "period": "monthly", "limit": "100.5"},
    ],
    "rpm": 600,
    "tpm": None,
    "concurrency": 20,
}


def world(control: Control) -> int:
    with control.parts.store.read() as db:
        return current(db, "world")


def test_a_tenant_with_everything(control: Control, platform: TestClient) -> None:
    before = world(control)
    body = {
        "id": "acme",
        "name": "Acme 公司",
        "limits": LIMITS,
        "default_route": {"mode": "provider", "providers": ["a", "b"]},
        "default_limits": {"quotas": [{"unit": "tokens", "period": "total", "limit": 10}]},
    }
    answer = platform.post(TENANTS, json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"1"'
    told = answer.json()
    assert (told["id"], told["name"], told["status"], told["limits"]) == (
        "acme",
        "Acme 公司",
        "active",
        LIMITS,
    )
    assert told["default_route"]["providers"] == ["a", "b"]
    assert platform.get(f"{TENANTS}/acme").json() == told
    assert world(control) == before + 1
    with control.parts.store.read() as db:
        stored = find_tenant(db, TenantId("acme"))
    assert stored is not None
    assert [quota.limit for quota in stored.terms.limits.quotas] == [1_000_000, 100_500_000_000]
    assert platform.post(TENANTS, json=body).json()["error"]["code"] == "TENANT_EXISTS"
    assert platform.get(f"{API}/members?tenant=acme").json()["data"] == []


def test_the_list_is_by_id(platform: TestClient) -> None:
    platform.post(TENANTS, json={"id": "acme", "name": "Acme"})
    first = platform.get(f"{TENANTS}?limit=2").json()
    assert [one["id"] for one in first["data"]] == ["acme", "default"]
    assert first["total"] == 3
    last = platform.get(f"{TENANTS}?limit=2&cursor={first['next_cursor']}").json()
    assert [one["id"] for one in last["data"]] == ["other"]


def test_a_change_keeps_what_it_leaves_out(control: Control, platform: TestClient) -> None:
    platform.post(TENANTS, json={"id": "acme", "name": "Acme", "limits": LIMITS})
    before = world(control)
    url = f"{TENANTS}/acme"
    done = platform.patch(url, json={"status": "overdue"}, headers={"if-match": '"1"'})
    assert (done.status_code, done.headers["etag"]) == (200, '"2"')
    assert (done.json()["status"], done.json()["limits"]) == ("overdue", LIMITS)
    assert world(control) == before + 1
    cleared = platform.patch(url, json={"limits": {}}, headers={"if-match": '"2"'}).json()
    assert cleared["limits"] == {"quotas": [], "rpm": None, "tpm": None, "concurrency": None}
    (second, first) = platform.get(f"{API}/audit?action=tenant.change&tenant=acme").json()["data"]
    assert first["changes"] == {"status": {"from": "active", "to": "overdue"}}
    assert second["changes"]["limits"]["to"] == {}


def test_an_edit_says_what_it_was_made_to(control: Control, platform: TestClient) -> None:
    url = f"{TENANTS}/other"
    assert platform.patch(url, json={"name": "X"}).status_code == 428
    assert platform.patch(url, json={"name": "X"}, headers={"if-match": '"4"'}).status_code == 412
    before = world(control)
    same = platform.patch(url, json={"name": "Another company"}, headers={"if-match": '"1"'})
    assert (same.status_code, same.headers["etag"], world(control)) == (200, '"1"', before)


@pytest.mark.parametrize(
    ("limits", "path"),
    [
        ({"rpm": 0}, "limits.rpm"),
        ({"quotas": [{"unit": "tokens", "period": "daily", "limit": 0}]}, "limits.quotas.0"),
        ({"quotas": [{"unit": "tokens", "period": "daily", "limit": 1.5}]}, "limits.quotas.0.limit"),
        ({"quotas": [{"unit": "tokens", "period": "daily", "limit": True}]}, "limits.quotas.0.limit"),
        ({"quotas": [{"unit": "tokens", "period": "daily", "limit": "1.5"}]}, "limits.quotas.0"),
        ({"quotas": [{"unit": "CNY", "period": "daily", "limit": "1e3"}]}, "limits.quotas.0.limit"),
        ({"quotas": [{"unit": "CNY", "period": "daily", "limit": "0.0000000001"}]}, "limits.quotas.0.limit"),
        ({"quotas": [{"unit": "EUR", "period": "daily", "limit": "1"}]}, "limits.quotas.0.unit"),
        ({"quotas": [{"unit": "CNY", "period": "hourly", "limit": "1"}]}, "limits.quotas.0.period"),
        ({"quotas": [QUOTA, QUOTA]}, "limits"),
        ({"qutas": []}, "limits.qutas"),
    ],
)
def test_limits_that_are_refused(platform: TestClient, limits: object, path: str) -> None:
    answer = platform.patch(f"{TENANTS}/other", json={"limits": limits}, headers={"if-match": "*"})
    assert answer.status_code == 422
    assert path in [one["path"][: len(path)] for one in answer.json()["error"]["details"]]


@pytest.mark.parametrize("tenant", ["", "Acme", "a b", "../x", "x" * 64, "-a"])
def test_ids_that_are_refused(platform: TestClient, tenant: str) -> None:
    assert platform.post(TENANTS, json={"id": tenant, "name": "x"}).status_code == 422


def test_others_do_not_see_tenants(admin: TestClient, member: TestClient, anonymous: TestClient) -> None:
    for client, expected in ((admin, 403), (member, 403), (anonymous, 401)):
        assert client.get(TENANTS).status_code == expected
        assert client.get(f"{TENANTS}/default").status_code == expected
        assert client.post(TENANTS, json={"id": "x", "name": "x"}).status_code == expected


def test_a_tenant_that_is_not_there(platform: TestClient) -> None:
    assert platform.get(f"{TENANTS}/nowhere").json()["error"]["code"] == "TENANT_NOT_FOUND"
