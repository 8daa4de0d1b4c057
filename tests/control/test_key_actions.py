"""Keys beyond the list: who may touch which, keys of the file, upserts, rotation, batches, and what was used."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, Control, opened_control
from tests.support.control_answers import Json, code, match
from tests.support.limits import CHAT, ZONE, Node, admit, usage

from aimesh.core.ids import KeyId
from aimesh.core.secret import Secret
from aimesh.store import virtual_keys
from aimesh.store.engine import Store
from aimesh.store.ledger import LedgerView
from aimesh.store.people import Role
from aimesh.store.vault import Vault

KEYS = f"{API}/keys"
LIMITS: Json = {"quotas": [{"unit": "tokens", "period": "daily", "limit": 1000}]}
FILE = """
virtual_keys:
  - alias: from the file
    key: ck-file-key-0123456789
    models: ["qwen/*"]
    labels: {team: ops}
    quotas: [{period: total, tokens: 500}]
  - alias: switched off
    key: ck-other-file-key-0123456789
    enabled: false
"""


def make(client: TestClient, alias: str, **fields: Any) -> Json:
    answer = client.post(KEYS, json={"alias": alias, **fields})
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def listed(client: TestClient, **query: str) -> list[str]:
    data = client.get(KEYS, params=query).json()["data"]
    return sorted(key["alias"] for key in data)


def actions(client: TestClient) -> list[tuple[str, str]]:
    data = client.get(f"{API}/audit").json()["data"]
    return sorted((line["action"], line["target"]["name"]) for line in data)


# Who may touch which


def test_a_member_manages_the_members_own_keys_only(
    control: Control, member: TestClient, admin: TestClient
) -> None:
    own, foreign = make(member, "own"), make(admin, "foreign")
    assert listed(member) == ["own"]
    assert listed(member, operator="me") == ["own"]
    assert listed(member, operator=foreign["owner"]["id"]) == []
    assert listed(member, key=foreign["text"]) == []
    assert sorted(listed(admin)) == ["foreign", "own"]
    for method, path in (
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/copy"), ("POST", "/enable"), ("POST", "/disable"),
        ("POST", "/reveal"), ("POST", "/rotate"), ("GET", "/route"), ("PUT", "/route"), ("GET", "/quotas"),
        ("PUT", "/quotas"), ("GET", "/quota"),
    ):  # fmt: skip
        body = {"alias": "copy"} if path == "/copy" else {}
        sent = body if method in ("POST", "PUT", "PATCH") else None
        answer = member.request(method, f"{KEYS}/{foreign['id']}{path}", headers=match(foreign), json=sent)
        assert code(answer) == (404, "KEY_NOT_FOUND"), (method, path)
        assert foreign["id"] not in answer.text
    assert member.post(f"{KEYS}/{own['id']}/disable").json()["status"] == "disabled"
    taken = member.put(f"{KEYS}/by-alias/foreign", json={})
    assert code(taken) == (409, "ALIAS_TAKEN")
    batch = member.post(f"{KEYS}/batch", json={"action": "delete", "ids": [foreign["id"], own["id"]]}).json()
    assert [one["ok"] for one in batch["data"]] == [False, True]
    assert listed(admin) == ["foreign"]


def test_another_tenants_keys_do_not_exist(
    admin: TestClient, other_admin: TestClient, platform: TestClient
) -> None:
    key = make(admin, "a")
    assert listed(other_admin) == []
    assert code(other_admin.get(f"{KEYS}/{key['id']}")) == (404, "KEY_NOT_FOUND")
    assert code(other_admin.post(f"{KEYS}/{key['id']}/reveal")) == (404, "KEY_NOT_FOUND")
    assert code(other_admin.get(KEYS, params={"tenant": "default"})) == (404, "TENANT_NOT_FOUND")
    assert listed(platform, tenant="other") == []
    theirs = platform.post(KEYS, params={"tenant": "other"}, json={"alias": "by the platform"})
    assert theirs.status_code == 201
    assert listed(other_admin) == ["by the platform"]


def test_the_keys_of_somebody_who_left_stay_without_a_name(control: Control, admin: TestClient) -> None:
    ann = control.person("ann", Role.MEMBER)
    make(control.client(ann), "hers")
    assert admin.delete(f"{API}/members/{ann.id}").status_code in (200, 204)
    [key] = admin.get(KEYS).json()["data"]
    assert key["owner"] == {"id": ann.id, "username": None}


def test_the_operator_of_the_machine_makes_keys_of_nobody(control: Control) -> None:
    key = make(control.local(), "by command")
    assert key["owner"] is None
    assert listed(control.local(), operator="me") == ["by command"]


# Keys of aimesh.yaml


@pytest.fixture
def with_file(any_store: Store, tmp_path: Path) -> Iterator[Control]:
    with opened_control(any_store, tmp_path, FILE) as control:
        yield control


def test_keys_of_the_file_come_first_and_are_read_only(with_file: Control) -> None:
    admin = with_file.client(with_file.person("admin", Role.AI_GATEWAY_ADMIN))
    made = make(admin, "made")
    page = admin.get(KEYS, params={"limit": 1}).json()
    seen = []
    while True:
        assert page["total"] == 3
        seen += [(key["alias"], key["source"], key["status"]) for key in page["data"]]
        if page["next_cursor"] is None:
            break
        page = admin.get(KEYS, params={"limit": 1, "cursor": page["next_cursor"]}).json()
    assert seen == [
        ("from the file", "file", "active"),
        ("switched off", "file", "disabled"),
        ("made", "database", "active"),
    ]
    path = f"{KEYS}/file:from%20the%20file"
    key = admin.get(path).json()
    assert (key["id"], key["models"], key["labels"]) == ("file:from the file", ["qwen/*"], {"team": "ops"})
    assert (key["key"], key["owner"], key["created_at"], key["version"]) == ("ck-f****6789", None, None, 0)
    assert key["limits"]["quotas"][0]["limit"] == 500
    assert "0123456789" not in admin.get(KEYS).text
    for answer in (
        admin.patch(path, json={"alias": "b"}, headers={"if-match": "*"}),
        admin.delete(path),
        admin.post(f"{path}/disable"),
        admin.post(f"{path}/rotate"),
        admin.put(f"{path}/route", json={}, headers={"if-match": "*"}),
        admin.put(f"{path}/quotas", json={}, headers={"if-match": "*"}),
    ):
        assert code(answer) == (409, "KEY_READ_ONLY")
    assert admin.post(f"{path}/reveal").json()["text"] == "ck-file-key-0123456789"
    copy = admin.post(f"{path}/copy", json={"alias": "its copy"}).json()
    assert (copy["models"], copy["source"], copy["limits"]["quotas"][0]["limit"]) == (
        ["qwen/*"],
        "database",
        500,
    )
    assert made["alias"] in listed(admin)


def test_keys_of_the_file_are_found_by_the_same_filters(with_file: Control) -> None:
    admin = with_file.client(with_file.person("admin", Role.AI_GATEWAY_ADMIN))
    assert listed(admin, alias="FROM THE") == ["from the file"]
    assert listed(admin, status="disabled") == ["switched off"]
    assert listed(admin, label="team=ops") == ["from the file"]
    assert listed(admin, label="team=no") == []
    assert listed(admin, key="ck-file-key-0123456789") == ["from the file"]
    assert listed(admin, key="ck-f****6789") == ["from the file"]
    assert listed(admin, operator="me") == []
    member = with_file.client(with_file.person("member", Role.MEMBER))
    assert listed(member) == []
    assert member.get(f"{KEYS}/file:switched off").status_code == 404


def test_the_alias_of_a_key_of_the_file_is_taken(with_file: Control) -> None:
    admin = with_file.client(with_file.person("admin", Role.AI_GATEWAY_ADMIN))
    made = make(admin, "a")
    name = "from the file"
    for answer in (
        admin.post(KEYS, json={"alias": name}),
        admin.put(f"{KEYS}/by-alias/{name}", json={}),
        admin.patch(f"{KEYS}/{made['id']}", json={"alias": name}, headers=match(made)),
        admin.post(f"{KEYS}/{made['id']}/copy", json={"alias": name}),
    ):
        assert code(answer) == (409, "ALIAS_TAKEN")


# Upsert


def test_an_upsert_makes_then_changes_then_does_nothing(admin: TestClient) -> None:
    path = f"{KEYS}/by-alias/team/search"
    made = admin.put(path, json={"limits": LIMITS, "labels": {"a": "b"}}).json()
    assert made["text"].startswith("ck-")
    assert (made["alias"], made["version"], made["labels"]) == ("team/search", 1, {"a": "b"})
    changed = admin.put(path, json={"models": ["qwen/*"]}).json()
    assert (changed["id"], changed["text"], changed["version"]) == (made["id"], None, 2)
    assert (changed["models"], changed["labels"]) == (["qwen/*"], {"a": "b"})
    assert changed["limits"]["quotas"][0]["limit"] == 1000
    again = admin.put(path, json={"models": ["qwen/*"]}).json()
    assert again == changed
    assert actions(admin) == [("key.change", "team/search"), ("key.create", "team/search")]


# Rotation


def test_a_rotation_gives_a_new_text_and_the_old_one_a_grace(control: Control, admin: TestClient) -> None:
    made = make(admin, "a", limits=LIMITS)
    rotated = admin.post(f"{KEYS}/{made['id']}/rotate", json={"grace_s": 600}).json()
    assert rotated["id"] == made["id"]
    assert rotated["text"] != made["text"]
    assert (rotated["key"] != made["key"], rotated["limits"]) == (True, made["limits"])
    assert rotated["old_text_until"] == "2025-06-15T15:16:40Z"
    assert listed(admin, key=made["text"]) == listed(admin, key=rotated["text"]) == ["a"]
    assert admin.post(f"{KEYS}/{made['id']}/reveal").json()["text"] == rotated["text"]
    control.clock.advance(600)
    assert listed(admin, key=made["text"]) == []
    assert admin.get(f"{KEYS}/{made['id']}").json()["old_text_until"] is None
    at_once = admin.post(f"{KEYS}/{made['id']}/rotate").json()
    assert at_once["old_text_until"] is None
    assert listed(admin, key=rotated["text"]) == []
    lines = admin.get(f"{API}/audit", params={"action": "key.rotate"}).json()["data"]
    assert lines[-1]["changes"] == {"text": {"changed": True}, "grace_s": 600}
    assert admin.post(f"{KEYS}/{made['id']}/rotate", json={"grace_s": -1}).status_code == 422


# Revealing


@pytest.mark.parametrize("word", ["never", "audited"])
def test_a_key_is_not_revealed_where_only_its_hash_is_kept(
    any_store: Store, tmp_path: Path, word: str
) -> None:
    with opened_control(any_store, tmp_path, f"keys: {{reveal: {word}}}") as control:
        if word == "audited":
            control.app.state.parts = replace(control.parts, vault=None)
        admin = control.client(control.person("admin", Role.AI_GATEWAY_ADMIN))
        made = make(admin, "a")
        assert code(admin.post(f"{KEYS}/{made['id']}/reveal")) == (409, "KEY_NOT_REVEALABLE")
        assert actions(admin) == [("key.create", "a")]


def test_a_key_of_a_lost_master_key_says_so(control: Control, admin: TestClient) -> None:
    made = make(admin, "a")
    control.app.state.parts = replace(control.parts, vault=Vault([Secret(b"n" * 32)]))
    assert code(admin.post(f"{KEYS}/{made['id']}/reveal")) == (503, "VAULT_CLOSED")


# Batches


def test_a_batch_does_one_thing_to_many_and_says_what_failed(admin: TestClient) -> None:
    ids = [make(admin, f"k{index}")["id"] for index in range(3)]
    answer = admin.post(f"{KEYS}/batch", json={"action": "disable", "ids": [*ids, "none", ids[0]]}).json()
    assert (answer["done"], answer["failed"]) == (3, 1)
    assert [one["id"] for one in answer["data"]] == [*ids, "none"]
    assert answer["data"][3]["error"]["code"] == "KEY_NOT_FOUND"
    assert listed(admin, status="disabled") == ["k0", "k1", "k2"]
    assert [one for one in actions(admin) if one[0] == "key.disable"] == [
        ("key.disable", "k0"), ("key.disable", "k1"), ("key.disable", "k2"),
    ]  # fmt: skip
    for action, fields in (
        ("enable", {}),
        ("set_labels", {"labels": {"team": "x"}}),
        ("set_limits", {"limits": LIMITS}),
        ("set_route", {"route": {"rank_by": "latency"}}),
    ):
        done = admin.post(f"{KEYS}/batch", json={"action": action, "ids": ids[:2], **fields}).json()
        assert (done["done"], done["failed"]) == (2, 0), action
    key = admin.get(f"{KEYS}/{ids[0]}").json()
    assert (key["status"], key["labels"], key["route"]["rank_by"]) == ("active", {"team": "x"}, "latency")
    assert key["limits"]["quotas"][0]["limit"] == 1000
    assert admin.get(f"{KEYS}/{ids[2]}").json()["labels"] == {}
    assert admin.post(f"{KEYS}/batch", json={"action": "delete", "ids": ids}).json()["done"] == 3
    assert listed(admin) == []


def test_a_batch_takes_every_key_that_fits_a_filter(control: Control, admin: TestClient) -> None:
    for alias, team in (("a-1", "x"), ("a-2", "x"), ("b-1", "x"), ("a-3", "y")):
        make(admin, alias, labels={"team": team})
    wanted = {"alias": "A-", "label": "team=x"}
    answer = admin.post(f"{KEYS}/batch", json={"action": "disable", "filter": wanted}).json()
    assert answer["done"] == 2
    assert listed(admin, status="disabled") == ["a-1", "a-2"]
    again = admin.post(f"{KEYS}/batch", json={"action": "delete", "filter": {"status": "disabled"}}).json()
    assert again["done"] == 2
    assert listed(admin) == ["a-3", "b-1"]


def test_a_batch_that_makes_no_sense_does_nothing(admin: TestClient) -> None:
    key = make(admin, "a")
    for body, path in (
        ({"action": "delete"}, "ids"),
        ({"action": "delete", "ids": [key["id"]], "filter": {"alias": "a"}}, "ids"),
        ({"action": "delete", "filter": {}}, "filter"),
        ({"action": "set_labels", "ids": [key["id"]]}, "labels"),
        ({"action": "delete", "ids": [key["id"]], "labels": {}}, "labels"),
        ({"action": "set_route", "ids": [key["id"]], "route": {"providers": ["none"]}}, "route.providers.0"),
        ({"action": "delete", "ids": ["x"] * 1001}, "ids"),
        ({"action": "burn", "ids": [key["id"]]}, "action"),
        ({"action": "delete", "ids": ["\x00"]}, "ids.0"),
        ({"action": "delete", "filter": {"alias": "\x00"}}, "filter.alias"),
    ):  # fmt: skip
        answer = admin.post(f"{KEYS}/batch", json=body)
        assert answer.status_code == 422, body
        assert answer.json()["error"]["details"][0]["path"] == path, body
    assert listed(admin) == ["a"]
    assert actions(admin) == [("key.create", "a")]


# Quotas


def test_quotas_are_set_whole_and_shown_as_they_can_be_sent_back(admin: TestClient) -> None:
    key = make(admin, "a")
    path = f"{KEYS}/{key['id']}/quotas"
    body = {
        "quotas": [*LIMITS["quotas"], {"unit": "CNY", "period": "monthly", "limit": "0.000000001"}],
        "rpm": 60,
        "tpm": None,
        "concurrency": None,
    }
    assert admin.put(path, json=body).status_code == 428
    answer = admin.put(path, json=body, headers=match(key))
    assert (answer.status_code, answer.headers["etag"], answer.json()) == (200, '"2"', body)
    read = admin.get(path)
    assert (read.headers["etag"], read.json()) == ('"2"', body)
    assert admin.put(path, json={}, headers={"if-match": '"1"'}).status_code == 412
    assert admin.put(path, json={}, headers={"if-match": '"2"'}).json()["quotas"] == []


def test_what_was_used_is_held_and_remains_is_shown(
    control: Control, admin: TestClient, tmp_path: Path
) -> None:
    node = Node(tmp_path, control.clock)
    control.app.state.parts = replace(control.parts, ledger=lambda: LedgerView(node.path, ZONE))
    quotas = [*LIMITS["quotas"], {"unit": "CNY", "period": "total", "limit": "2"}]
    key = make(admin, "a", limits={"quotas": quotas, "rpm": 5})
    with control.parts.store.read() as db:
        stored = virtual_keys.find_key(db, KeyId(key["id"]))
    assert stored is not None
    account = node.account(stored.terms.limits, name=key["id"])
    admit(account, 300).settle(usage(400), CHAT)
    admit(account, 500)
    use = admin.get(f"{KEYS}/{key['id']}/quota").json()
    [of_tokens, of_money] = use["quotas"]
    assert of_tokens == {
        "unit": "tokens", "period": "daily", "limit": 1000, "used": 400, "held": 500, "remaining": 100,
        "resets_at": "2025-06-15T16:00:00Z",
    }  # fmt: skip
    assert (of_money["used"], of_money["resets_at"]) == ("0.002", None)
    assert Decimal(of_money["held"]) > 0
    assert Decimal(of_money["remaining"]) == Decimal("1.998") - Decimal(of_money["held"])
    assert (use["rpm"], use["tpm"], use["concurrency"]) == (5, None, None)
    assert admin.get(KEYS).json()["data"][0]["limits"] == use
    node.close()


def test_a_member_switches_on_only_what_the_member_switched_off(control: Control, admin: TestClient) -> None:
    ann = control.person("ann", Role.MEMBER)
    hers, token = control.client(ann), control.token_client(ann)
    key = make(hers, "a")

    def switched(client: TestClient, what: str) -> int:
        # One after the other: the log of a moment is in no order.
        control.clock.advance(1)
        batch = client.post(f"{KEYS}/batch", json={"action": what, "ids": [key["id"]]}).json()["data"][0]
        control.clock.advance(1)
        status = client.post(f"{KEYS}/{key['id']}/{what}").status_code
        assert batch["ok"] is (status == 200)
        return status

    for one, other in ((hers, hers), (token, hers), (hers, token), (token, token)):
        assert (switched(one, "disable"), switched(other, "enable")) == (200, 200)
    for somebody in (admin, control.local()):
        assert switched(somebody, "disable") == 200
        assert (switched(hers, "enable"), switched(token, "enable")) == (403, 403)
        # Nor by switching it off once more.
        assert switched(hers, "disable") == 200
        assert switched(hers, "enable") == 403
        assert (switched(admin, "enable"), switched(hers, "disable"), switched(hers, "enable")) == (
            200,
            200,
            200,
        )
