"""Managing virtual keys, as an administrator or a member does it: every column, filter and action of the list."""

import re
from typing import Any

from starlette.testclient import TestClient
from tests.support.control import API, Control
from tests.support.control_answers import Json, match

from aimesh.core.ids import DEFAULT_TENANT
from aimesh.core.policy import Limits, Period, Quota, RankBy, Route, Unit
from aimesh.core.secret import Secret
from aimesh.store.key_text import named_by_digest
from aimesh.store.people import Role
from aimesh.store.tenants import TenantTerms, change_tenant, find_tenant

KEYS = f"{API}/keys"
LIMITS: Json = {"quotas": [{"unit": "tokens", "period": "daily", "limit": 1000}]}


def make(client: TestClient, alias: str, **fields: Any) -> Json:
    answer = client.post(KEYS, json={"alias": alias, **fields})
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def get(client: TestClient, key: Json) -> Json:
    answer = client.get(f"{KEYS}/{key['id']}")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def listed(client: TestClient, **query: str) -> list[str]:
    answer = client.get(KEYS, params=query)
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert answer.json()["total"] == len(data)
    return sorted(key["alias"] for key in data)


def actions(client: TestClient, **query: str) -> list[tuple[str, str]]:
    """Lines of the audit log: what was done, and to what. Time stands still, so they are in no order."""
    data = client.get(f"{API}/audit", params=query).json()["data"]
    return sorted((line["action"], line["target"]["name"]) for line in data)


# The list's columns


def test_the_list_shows_name_masked_key_status_quota_and_route(control: Control, admin: TestClient) -> None:
    made = make(admin, "search - prod - chat", limits=LIMITS, route={"rank_by": "latency"})
    row = admin.get(KEYS).json()["data"][0]
    assert row["alias"] == "search - prod - chat"
    assert re.fullmatch(r"ck-\w\*\*\*\*\w{4}", row["key"])
    assert row["status"] == "active"
    assert row["limits"]["quotas"] == [
        {"unit": "tokens", "period": "daily", "limit": 1000}
        | {"used": None, "held": None, "remaining": None, "resets_at": None}
    ]
    assert (row["route"]["mode"], row["route"]["rank_by"]) == ("default", "latency")
    assert row["owner"]["username"] == "admin"
    assert made["text"] not in admin.get(KEYS).text
    assert (row["source"], row["version"], row["old_text_until"]) == ("database", 1, None)


# Filters of the list


def test_the_list_is_filtered_by_status(control: Control, admin: TestClient) -> None:
    make(admin, "on")
    off = make(admin, "off")
    admin.post(f"{KEYS}/{off['id']}/disable")
    make(admin, "over", expires_at="2025-06-15T15:30:00Z")
    assert listed(admin, status="expired") == []
    control.clock.advance(1_800)
    assert listed(admin) == ["off", "on", "over"]
    assert listed(admin, status="active") == ["on"]
    assert listed(admin, status="disabled") == ["off"]
    assert listed(admin, status="expired") == ["over"]
    assert admin.get(KEYS, params={"status": "odd"}).status_code == 422


def test_the_list_is_filtered_by_operator(control: Control, admin: TestClient) -> None:
    ann = control.person("ann", Role.MEMBER)
    make(control.client(ann), "hers")
    make(admin, "his")
    assert listed(admin) == ["hers", "his"]
    assert listed(admin, operator="me") == ["his"]
    assert listed(admin, operator=ann.id) == ["hers"]
    assert listed(admin, operator="nobody") == []


def test_the_list_is_filtered_by_alias_label_and_text(control: Control, admin: TestClient) -> None:
    made = make(admin, "Search-Prod", labels={"team": "search"})
    make(admin, "chat")
    assert listed(admin, alias="search") == ["Search-Prod"]
    assert listed(admin, label="team") == ["Search-Prod"]
    assert listed(admin, label="team=search") == ["Search-Prod"]
    assert listed(admin, label="team=chat") == []
    assert listed(admin, key=made["text"]) == ["Search-Prod"]
    assert listed(admin, key=made["key"]) == ["Search-Prod"]
    assert listed(admin, key=made["text"][:-1]) == []
    assert listed(admin, key=named_by_digest(Secret(made["text"]))) == ["Search-Prod"]
    assert listed(admin, key=named_by_digest(Secret(made["text"][:-1]))) == []
    assert listed(admin, key="sha256:odd") == []


def test_the_list_is_cut_into_pages(control: Control, admin: TestClient) -> None:
    for index in range(5):
        make(admin, f"k{index}")
        control.clock.advance(1)
    seen: list[str] = []
    cursor = None
    while True:
        page = admin.get(KEYS, params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        assert page["total"] == 5
        seen += [key["alias"] for key in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["k4", "k3", "k2", "k1", "k0"]
    assert admin.get(KEYS, params={"cursor": "odd"}).status_code == 422


# New


def test_a_new_key_shows_its_text_once(control: Control, admin: TestClient) -> None:
    answer = admin.post(KEYS, json={"alias": "a"})
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"1"'
    assert re.fullmatch(r"ck-[0-9A-Za-z]{40}", made["text"])
    assert made["key"] == f"{made['text'][:4]}****{made['text'][-4:]}"
    shown = get(admin, made)
    assert "text" not in shown
    assert shown == {name: value for name, value in made.items() if name != "text"}
    assert actions(admin) == [("key.create", "a")]
    assert made["text"] not in admin.get(f"{API}/audit").text


def test_a_new_key_has_every_field_that_was_given(control: Control, admin: TestClient) -> None:
    fields: Json = {
        "models": ["qwen/*", "qwen/qwen3.7-max"],
        "networks": ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"],
        "expires_at": "2030-01-31T00:00:00Z",
        "labels": {"team": "搜索", "env": ""},
        "limits": {
            "quotas": [
                {"unit": "tokens", "period": "daily", "limit": 1000},
                {"unit": "tokens", "period": "total", "limit": 10_000_000},
                {"unit": "CNY", "period": "monthly", "limit": "100.5"},
                {"unit": "USD", "period": "weekly", "limit": "3"},
            ],
            "rpm": 60,
            "tpm": 100_000,
            "concurrency": 4,
        },
    }
    key = get(admin, make(admin, "full", **fields))
    assert key["models"] == fields["models"]
    assert key["networks"] == ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7/32"]
    assert key["expires_at"] == fields["expires_at"]
    assert key["labels"] == fields["labels"]
    assert [(one["unit"], one["period"], one["limit"]) for one in key["limits"]["quotas"]] == [
        ("tokens", "daily", 1000), ("tokens", "total", 10_000_000),
        ("CNY", "monthly", "100.5"), ("USD", "weekly", "3"),
    ]  # fmt: skip
    assert [key["limits"][name] for name in ("rpm", "tpm", "concurrency")] == [60, 100_000, 4]


def test_a_new_key_has_the_tenants_defaults_where_nothing_is_said(
    control: Control, admin: TestClient
) -> None:
    terms = TenantTerms(
        name="default",
        default_route=Route(rank_by=RankBy.THROUGHPUT),
        default_limits=Limits(quotas=(Quota(Unit.TOKENS, Period.TOTAL, 5),), rpm=7),
    )
    with control.parts.store.write() as db:
        tenant = find_tenant(db, DEFAULT_TENANT)
        assert tenant is not None
        change_tenant(db, tenant, terms, 1.0)
    key = make(admin, "plain")
    assert key["route"]["rank_by"] == "throughput"
    assert (key["limits"]["quotas"][0]["limit"], key["limits"]["rpm"]) == (5, 7)
    own = make(admin, "own", route={}, limits={})
    assert (own["route"]["rank_by"], own["limits"]["quotas"]) == ("price", [])


def quota(limit: object) -> Json:
    return {"limits": {"quotas": [{"unit": "tokens", "period": "daily", "limit": limit}]}}


SENSELESS: list[tuple[Json, str, str]] = [
    ({"alias": ""}, "alias", "at least 1 character"),
    ({"alias": "x" * 101}, "alias", "at most 100"),
    ({"alias": "a\nb"}, "alias", "printable"),
    ({"alias": " a"}, "alias", "space"),
    ({"models": ["qwen/qwen3.7-mx"]}, "models.0", "unknown model 'qwen/qwen3.7-mx'"),
    ({"networks": ["10.0.0.0/33"]}, "networks.0", "not a network"),
    ({"networks": ["10.1.0.0/8"]}, "networks.0", "did you mean 10.0.0.0/8?"),
    ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at", "past"),
    ({"expires_at": "2030-01-01T00:00:00"}, "expires_at", "timezone"),
    ({"labels": {f"l{index}": "" for index in range(33)}}, "labels", "at most 32"),
    (quota(0), "limits.quotas.0", "more than zero"),
    (
        quota("1.5"),
        "limits.quotas.0",
        "whole",
    ),
    ({"limits": {"quotas": LIMITS["quotas"] * 2}}, "limits", "same unit and period"),
    ({"limits": {"rpm": 0}}, "limits.rpm", "greater than or equal to 1"),
    ({"route": {"mode": "provider"}}, "route", "needs providers"),
    ({"limit": {}}, "limit", "not permitted"),
]


def test_what_makes_no_sense_is_refused_with_its_place(admin: TestClient) -> None:
    for fields, path, words in SENSELESS:
        answer = admin.post(KEYS, json={"alias": "a", **fields})
        assert answer.status_code == 422, fields
        [detail] = answer.json()["error"]["details"]
        assert detail["path"] == path, fields
        assert words in detail["message"], fields
    assert listed(admin) == []


def test_a_model_that_was_mistyped_is_told_the_right_name(admin: TestClient) -> None:
    answer = admin.post(KEYS, json={"alias": "a", "models": ["qwen/qwen3.7-mx", "qwen/no*yet"]})
    [detail] = answer.json()["error"]["details"]
    assert detail["hint"] == "did you mean 'qwen/qwen3.7-max'?"


def test_an_alias_is_unique_in_its_tenant(
    control: Control, admin: TestClient, other_admin: TestClient
) -> None:
    make(admin, "a")
    make(other_admin, "a")
    answer = admin.post(KEYS, json={"alias": "a"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ALIAS_TAKEN")
    make(admin, "A")


# Edit


def test_an_edit_changes_what_it_names_and_keeps_the_text(control: Control, admin: TestClient) -> None:
    made = make(admin, "a", labels={"team": "x"}, expires_at="2030-01-01T00:00:00Z")
    answer = admin.patch(f"{KEYS}/{made['id']}", json={"alias": "b", "limits": LIMITS}, headers=match(made))
    changed = answer.json()
    assert (answer.status_code, answer.headers["etag"], changed["version"]) == (200, '"2"', 2)
    assert (changed["alias"], changed["labels"], changed["key"]) == ("b", {"team": "x"}, made["key"])
    assert changed["expires_at"] == "2030-01-01T00:00:00Z"
    assert changed["limits"]["quotas"][0]["limit"] == 1000
    endless = admin.patch(f"{KEYS}/{made['id']}", json={"expires_at": None}, headers=match(changed)).json()
    assert endless["expires_at"] is None
    assert listed(admin, key=made["text"]) == ["b"]
    lines = admin.get(f"{API}/audit", params={"action": "key.change"}).json()["data"]
    [line] = [line for line in lines if "alias" in line["changes"]]
    assert line["changes"]["alias"] == {"from": "a", "to": "b"}
    assert set(line["changes"]) == {"alias", "limits"}


def test_an_edit_says_what_it_was_made_to(admin: TestClient) -> None:
    made = make(admin, "a")
    path = f"{KEYS}/{made['id']}"
    answer = admin.patch(path, json={"alias": "b"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (428, "IF_MATCH_REQUIRED")
    assert admin.patch(path, json={"alias": "b"}, headers=match(made)).status_code == 200
    answer = admin.patch(path, json={"alias": "c"}, headers=match(made))
    assert (answer.status_code, answer.json()["error"]["code"]) == (412, "STALE")
    assert get(admin, made)["alias"] == "b"


def test_an_edit_to_an_alias_that_is_taken_is_refused(admin: TestClient) -> None:
    make(admin, "a")
    made = make(admin, "b")
    answer = admin.patch(f"{KEYS}/{made['id']}", json={"alias": "a"}, headers=match(made))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ALIAS_TAKEN")


def test_an_edit_that_changes_nothing_leaves_no_trace(admin: TestClient) -> None:
    made = make(admin, "a", limits=LIMITS)
    answer = admin.patch(f"{KEYS}/{made['id']}", json={"limits": LIMITS, "models": None}, headers=match(made))
    assert answer.json()["version"] == 1
    assert actions(admin) == [("key.create", "a")]


# Copy


def test_a_copy_is_a_new_key_with_the_same_terms(control: Control, admin: TestClient) -> None:
    fields: Json = {
        "models": ["qwen/*"],
        "networks": ["10.0.0.0/8"],
        "labels": {"team": "x"},
        "expires_at": "2030-01-01T00:00:00Z",
        "route": {"mode": "default", "rank_by": "throughput"},
        "limits": LIMITS,
    }
    made = make(admin, "a", **fields)
    answer = admin.post(f"{KEYS}/{made['id']}/copy", json={"alias": "b"})
    copy = answer.json()
    assert answer.status_code == 201
    assert copy["id"] != made["id"]
    assert copy["text"] != made["text"]
    assert copy["alias"] == "b"
    for name in ("models", "networks", "labels", "expires_at", "route", "limits", "owner"):
        assert copy[name] == made[name], name
    taken = admin.post(f"{KEYS}/{made['id']}/copy", json={"alias": "a"})
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "ALIAS_TAKEN")


# Disable, Enable


def test_a_key_is_disabled_and_enabled(admin: TestClient) -> None:
    made = make(admin, "a")
    off = admin.post(f"{KEYS}/{made['id']}/disable").json()
    assert (off["status"], off["version"]) == ("disabled", 2)
    assert admin.post(f"{KEYS}/{made['id']}/disable").json()["version"] == 2
    assert admin.post(f"{KEYS}/{made['id']}/enable").json()["status"] == "active"
    assert actions(admin) == [("key.create", "a"), ("key.disable", "a"), ("key.enable", "a")]


# Delete


def test_a_deleted_key_is_gone_and_its_alias_free(admin: TestClient) -> None:
    made = make(admin, "a")
    stale = admin.delete(f"{KEYS}/{made['id']}", headers={"if-match": '"9"'})
    assert stale.status_code == 412
    assert admin.delete(f"{KEYS}/{made['id']}", headers=match(made)).status_code == 204
    assert admin.get(f"{KEYS}/{made['id']}").status_code == 404
    assert admin.delete(f"{KEYS}/{made['id']}").status_code == 404
    assert listed(admin) == []
    make(admin, "a")
    assert actions(admin, action="key.delete") == [("key.delete", "a")]


# The eye


def test_a_reveal_shows_the_text_and_is_audited(admin: TestClient) -> None:
    made = make(admin, "a")
    shown = admin.post(f"{KEYS}/{made['id']}/reveal")
    assert shown.json() == {"id": made["id"], "alias": "a", "text": made["text"]}
    assert shown.headers["cache-control"] == "no-store"
    assert actions(admin) == [("key.create", "a"), ("key.reveal", "a")]
