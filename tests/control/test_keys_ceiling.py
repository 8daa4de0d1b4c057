"""A MEMBER tightens the limits of the own keys, and loosens none that somebody else may have set."""

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, Control
from tests.support.control_answers import Json, match

from aimesh.control.keys_ceiling import filled, tightest
from aimesh.core.ids import DEFAULT_TENANT
from aimesh.core.policy import Limits, Period, Quota, Unit
from aimesh.store.people import Role
from aimesh.store.tenants import change_tenant, find_tenant
from aimesh.store.users import User

KEYS = f"{API}/keys"
DAILY = {"unit": "tokens", "period": "daily", "limit": 1000}
SET = {"quotas": [DAILY], "rpm": 60}
DEFAULT = Limits(quotas=(Quota(Unit.TOKENS, Period.DAILY, 1000),), rpm=60)

LOOSER: list[Json] = [
    {},
    {"quotas": [DAILY]},
    {"quotas": [DAILY], "rpm": 61},
    {"quotas": [DAILY | {"limit": 1001}], "rpm": 60},
    {"quotas": [DAILY | {"period": "total"}], "rpm": 60},
    {"quotas": [{"unit": "CNY", "period": "daily", "limit": "1"}], "rpm": 60},
]
TIGHTER: list[Json] = [
    {"quotas": [DAILY | {"limit": 999}], "rpm": 60},
    {
        "quotas": [DAILY, {"unit": "CNY", "period": "total", "limit": "5"}],
        "rpm": 1,
        "tpm": 9,
        "concurrency": 2,
    },
]


@pytest.fixture
def ann(control: Control) -> User:
    with control.parts.store.write() as db:
        tenant = find_tenant(db, DEFAULT_TENANT)
        assert tenant is not None
        terms = tenant.terms
        fresh = type(terms)(
            name=terms.name, default_limits=DEFAULT, limits=terms.limits, default_route=terms.default_route
        )
        assert change_tenant(db, tenant, fresh, control.clock.wall_s()) is not None
    return control.person("ann", Role.MEMBER)


def make(client: TestClient, alias: str, **fields: Any) -> Json:
    answer = client.post(KEYS, json={"alias": alias, **fields})
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def limits(client: TestClient, key: Json) -> Json:
    told: Json = client.get(f"{KEYS}/{key['id']}/quotas").json()
    return {name: value for name, value in told.items() if value}


def ways(client: TestClient, key: Json, body: Json) -> list[int]:
    """The statuses of every way to set the limits of a key; what a batch says of it stands for its status."""
    path = f"{KEYS}/{key['id']}"
    batch = client.post(f"{KEYS}/batch", json={"action": "set_limits", "ids": [key["id"]], "limits": body})
    of_batch = 403 if batch.json()["data"][0].get("error") else 200
    return [
        client.patch(path, json={"limits": body}, headers={"if-match": "*"}).status_code,
        client.put(f"{path}/quotas", json=body, headers={"if-match": "*"}).status_code,
        client.put(f"{KEYS}/by-alias/{key['alias']}", json={"limits": body}).status_code,
        of_batch,
    ]


@pytest.mark.parametrize("body", LOOSER)
def test_a_member_loosens_no_limit_in_any_way(control: Control, ann: User, body: Json) -> None:
    hers = control.client(ann)
    key = make(hers, "a")
    assert limits(hers, key) == SET
    assert ways(hers, key, body) == [403] * 4
    assert ways(control.token_client(ann), key, body) == [403] * 4
    assert limits(hers, key) == SET
    refused = hers.put(f"{KEYS}/{key['id']}/quotas", json=body, headers=match(key)).json()["error"]
    assert refused["code"] == "LIMITS_TOO_LOOSE"
    assert refused["details"]


@pytest.mark.parametrize("body", TIGHTER)
def test_a_member_tightens_in_every_way(control: Control, ann: User, body: Json) -> None:
    hers = control.client(ann)
    key = make(hers, "a")
    assert ways(hers, key, body) == [200] * 4
    assert limits(hers, key) == body


def test_an_administrator_sets_what_a_member_then_cannot_undo(
    control: Control, admin: TestClient, ann: User
) -> None:
    hers = control.client(ann)
    key = make(hers, "a")
    assert ways(admin, key, {}) == [200] * 4
    assert ways(admin, key, {"concurrency": 3}) == [200] * 4
    assert ways(hers, key, {}) == [403] * 4
    assert ways(hers, key, {"concurrency": 4}) == [403] * 4
    assert ways(hers, key, {"concurrency": 2}) == [200] * 4


def test_other_edits_of_a_key_are_not_about_its_limits(
    control: Control, admin: TestClient, ann: User
) -> None:
    hers = control.client(ann)
    key = make(hers, "a")
    ways(admin, key, {"rpm": 100})
    answer = hers.patch(f"{KEYS}/{key['id']}", json={"labels": {"a": "b"}}, headers={"if-match": "*"})
    assert (answer.status_code, limits(hers, key)) == (200, {"rpm": 100})


def test_a_new_key_of_a_member_has_the_defaults_at_least(control: Control, ann: User) -> None:
    hers = control.client(ann)
    assert limits(hers, make(hers, "plain", limits={})) == SET
    assert limits(hers, make(hers, "more", limits={"tpm": 5})) == SET | {"tpm": 5}
    tight = {"quotas": [DAILY | {"limit": 7}], "rpm": 6}
    assert limits(hers, make(hers, "tight", limits=tight)) == tight
    for body in ({"rpm": 61}, {"quotas": [DAILY | {"limit": 1001}]}):
        answer = hers.post(KEYS, json={"alias": "loose", "limits": body})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "LIMITS_TOO_LOOSE")
        assert hers.put(f"{KEYS}/by-alias/loose", json={"limits": body}).status_code == 403


def test_a_copy_of_a_member_has_the_tighter_of_both(control: Control, admin: TestClient, ann: User) -> None:
    hers = control.client(ann)
    key = make(hers, "a")
    ways(admin, key, {"quotas": [DAILY | {"limit": 5000}], "concurrency": 2})
    copied = hers.post(f"{KEYS}/{key['id']}/copy", json={"alias": "b"}).json()
    assert limits(hers, copied) == SET | {"concurrency": 2}
    whole = admin.post(f"{KEYS}/{key['id']}/copy", json={"alias": "c"}).json()
    assert limits(admin, whole) == {"quotas": [DAILY | {"limit": 5000}], "concurrency": 2}


def test_limits_are_filled_and_joined_kind_by_kind() -> None:
    daily, total = Quota(Unit.TOKENS, Period.DAILY, 5), Quota(Unit.CNY, Period.TOTAL, 6)
    assert filled(Limits(quotas=(daily,), tpm=1), Limits(quotas=(total,), tpm=2, rpm=3)) == Limits(
        quotas=(daily, total), tpm=1, rpm=3
    )
    looser = Quota(Unit.TOKENS, Period.DAILY, 9)
    assert tightest(Limits(quotas=(looser,), rpm=1), Limits(quotas=(daily,), concurrency=4)) == Limits(
        quotas=(daily,), rpm=1, concurrency=4
    )
