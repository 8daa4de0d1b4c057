"""BYOK and the platform's credentials: kept, shown masked, tested with a real call, switched, and never given back."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.support.chaos_config import ALPHA_SECRET
from tests.support.control import API, Control
from tests.support.control_answers import Json, code, match
from tests.support.control_upstreams import PROVIDERS, opened_upstreams
from tests.support.simulation import LiveSimulator, live_simulator

from aimesh.control.credential_test import MOST_PER_MINUTE
from aimesh.core.ids import CredentialId
from aimesh.store import credentials
from aimesh.store.changes import current
from aimesh.store.engine import Store
from aimesh.store.people import Role

BYOK, PLATFORM = f"{API}/byok", f"{API}/credentials"
SECRET = "sk-a-secret-of-the-tenant-4711"


@pytest.fixture(scope="module")
def simulator() -> Iterator[LiveSimulator]:
    with live_simulator() as simulator:
        yield simulator


@pytest.fixture
def control(any_store: Store, tmp_path: Path, simulator: LiveSimulator) -> Iterator[Control]:
    with opened_upstreams(any_store, tmp_path, simulator) as control:
        yield control


def keep(client: TestClient, name: str = "team-key", path: str = BYOK, **more: Any) -> Json:
    body = {"provider": "beta", "name": name, "secret": SECRET} | more
    answer = client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def route_to(client: TestClient, alias: str, *names: str) -> Json:
    body = {"alias": alias, "route": {"mode": "byok", "credentials": list(names)}}
    key: Json = client.post(f"{API}/keys", json=body).json()
    return key


# The screen: configurable providers, their status, search


def test_the_providers_that_can_have_own_keys_are_listed_with_their_status(admin: TestClient) -> None:
    keep(admin)
    keep(admin, "spare", enabled=False)
    rows = {row["id"]: row for row in admin.get(f"{BYOK}/providers", params={"limit": 200}).json()["data"]}
    assert set(PROVIDERS) <= set(rows)
    assert (rows["beta"]["configured"], rows["beta"]["enabled"], rows["beta"]["built_in"]) == (2, 1, False)
    assert (rows["alpha"]["configured"], rows["alpha"]["built_in"]) == (0, True)
    assert rows["beta"]["title"] == "Provider beta"
    assert rows["beta"]["auth"] == "bearer"
    assert rows["beta"]["test_models"] == ["chaos/text", "chaos/vector"]
    assert rows["gamma"]["test_models"] == []


def test_the_providers_are_searched_in_both_languages_and_cut_into_pages(admin: TestClient) -> None:
    def ids(**query: Any) -> list[str]:
        return [row["id"] for row in admin.get(f"{BYOK}/providers", params=query).json()["data"]]

    assert ids(search="PROVIDER B") == ["beta"]
    assert ids(search="只有图") == ["gamma"]
    first = admin.get(f"{BYOK}/providers", params={"limit": 2}).json()
    second = admin.get(f"{BYOK}/providers", params={"limit": 200, "cursor": first["next_cursor"]}).json()
    every = ids(limit=200)
    assert [row["id"] for row in first["data"] + second["data"]] == every == sorted(every)
    assert first["total"] == len(every)


# The dialog: name, key, enabled, test model, test, save


def test_a_saved_key_is_shown_masked_and_its_secret_never_again(
    control: Control, admin: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = keep(admin)
    assert made["id"] == "byok:default/beta/team-key"
    assert (made["masked"], made["enabled"], made["test"], made["version"]) == ("sk-a****4711", True, None, 1)
    seen = [
        admin.get(f"{BYOK}/{made['id']}").text,
        admin.get(BYOK).text,
        admin.get(f"{BYOK}/providers").text,
        admin.get(f"{API}/audit").text,
        admin.patch(f"{BYOK}/{made['id']}", json={"secret": f"{SECRET}-2"}, headers=match(made)).text,
        admin.post(BYOK, json={"provider": "beta", "name": "team-key", "secret": SECRET}).text,
        admin.post(BYOK, json={"provider": "none", "name": "x", "secret": SECRET}).text,
        admin.post(BYOK, json={"provider": "beta", "name": "", "secret": SECRET}).text,
        admin.post(BYOK, json={"provider": "beta", "name": "x", "secret": f"{SECRET} \u00e9"}).text,
        caplog.text,
        repr(control.parts),
    ]
    assert not [text for text in seen if SECRET in text]
    with control.parts.store.read() as db:
        envelope = credentials.envelope_of(db, CredentialId(made["id"]))
    assert envelope is not None
    assert SECRET.encode() not in envelope


def test_several_keys_of_one_provider_have_names_of_their_own(
    admin: TestClient, other_admin: TestClient
) -> None:
    keep(admin, "one")
    keep(admin, "two")
    keep(other_admin, "one")
    assert [row["name"] for row in admin.get(BYOK).json()["data"]] == ["one", "two"]
    answer = admin.post(BYOK, json={"provider": "alpha", "name": "one", "secret": SECRET})
    assert code(answer) == (409, "NAME_TAKEN")
    assert [row["name"] for row in admin.get(BYOK, params={"provider": "alpha"}).json()["data"]] == []


def test_what_cannot_be_a_key_is_refused(admin: TestClient) -> None:
    for body, path in (
        ({"provider": "bta"}, "provider"),
        ({"name": "a/b"}, "name"),
        ({"name": ""}, "name"),
        ({"secret": ""}, "secret"),
        ({"secret": "with a space"}, "secret"),
        ({"secret": "with-\u00e9"}, "secret"),
        ({"secret": "line\nbreak"}, "secret"),
    ):
        answer = admin.post(BYOK, json={"provider": "beta", "name": "x", "secret": SECRET} | body)
        assert answer.status_code == 422, body
        assert answer.json()["error"]["details"][0]["path"] == path, body
    hint = admin.post(BYOK, json={"provider": "bta", "name": "x", "secret": SECRET}).json()
    assert hint["error"]["details"][0]["hint"] == "did you mean 'beta'?"
    assert admin.get(BYOK).json()["total"] == 0
    pasted = keep(admin, secret=f"{SECRET}\n")
    assert pasted["masked"] == "sk-a****4711"


def test_a_key_is_switched_off_and_on(control: Control, admin: TestClient) -> None:
    made = keep(admin)
    with control.parts.store.read() as db:
        before = current(db, "world")
    off = admin.patch(f"{BYOK}/{made['id']}", json={"enabled": False}, headers=match(made))
    assert (off.status_code, off.json()["enabled"], off.headers["etag"]) == (200, False, '"2"')
    again = admin.patch(f"{BYOK}/{made['id']}", json={"enabled": False}, headers=match(off.json())).json()
    assert again["version"] == 2
    on = admin.patch(f"{BYOK}/{made['id']}", json={"enabled": True}, headers=match(again)).json()
    assert on["enabled"]
    with control.parts.store.read() as db:
        assert current(db, "world") == before + 2
    assert code(admin.patch(f"{BYOK}/{made['id']}", json={})) == (428, "IF_MATCH_REQUIRED")
    stale = admin.patch(f"{BYOK}/{made['id']}", json={"enabled": False}, headers=match(made))
    assert code(stale) == (412, "STALE")


def test_a_key_is_renamed_and_keeps_its_id(admin: TestClient) -> None:
    made = keep(admin)
    renamed = admin.patch(f"{BYOK}/{made['id']}", json={"name": "其他"}, headers=match(made)).json()
    assert (renamed["id"], renamed["name"]) == (made["id"], "其他")
    again = keep(admin)
    assert again["id"] == "byok:default/beta/team-key~2"
    taken = admin.patch(f"{BYOK}/{again['id']}", json={"name": "其他"}, headers=match(again))
    assert code(taken) == (409, "NAME_TAKEN")


def test_an_unsaved_key_is_tested_with_a_real_call(admin: TestClient, simulator: LiveSimulator) -> None:
    body = {"provider": "beta", "secret": SECRET}
    result = admin.post(f"{BYOK}/test", json=body).json()
    assert (result["ok"], result["model"], result["status"], result["message"]) == (
        True,
        "chaos/text",
        200,
        "",
    )
    assert result["endpoint"] == "beta@chaos/text@open_ai"
    assert 0 <= result["latency_ms"] < 30_000
    [request] = simulator.control("GET", "/_sim/requests?limit=10")["requests"]
    assert request["path"] == "/beta/v1/chat/completions"
    assert request["headers"]["authorization"] == f"Bearer {SECRET}"
    assert admin.get(BYOK).json()["total"] == 0
    for model in ("chaos/vector", "beta@chaos/text@anthropic", "beta@chaos/text@responses", "chaos/image"):
        named = admin.post(f"{BYOK}/test", json=body | {"model": model}).json()
        assert (named["ok"], named["message"]) == (True, ""), named
    for model in ("none", "alpha@chaos/text@open_ai"):
        unknown = admin.post(f"{BYOK}/test", json=body | {"model": model})
        assert unknown.json()["error"]["details"][0]["path"] == "model"


def test_a_saved_key_is_tested_and_the_result_kept(
    control: Control, admin: TestClient, simulator: LiveSimulator
) -> None:
    made = keep(admin)
    assert admin.post(f"{BYOK}/{made['id']}/test").json()["ok"]
    row = admin.get(f"{BYOK}/{made['id']}").json()
    assert (row["test"]["ok"], row["test"]["at"], row["version"]) == (True, "2025-06-15T15:06:40Z", 1)
    simulator.fault("status", status=401, body={"error": {"message": f"bad key {SECRET}", "code": "invalid"}})
    failed = admin.post(f"{BYOK}/{made['id']}/test", json={"model": "chaos/text"}).json()
    assert (failed["ok"], failed["status"]) == (False, 401)
    assert failed["message"] == "the provider refuses the key (HTTP 401): bad key ****"
    row = admin.get(f"{BYOK}/{made['id']}").json()
    assert (row["test"]["ok"], row["test"]["message"]) == (False, failed["message"])
    lines = admin.get(f"{API}/audit", params={"action": "byok.test"}).json()["data"]
    assert sorted(line["changes"]["ok"] for line in lines) == [False, True]
    changed = admin.patch(f"{BYOK}/{made['id']}", json={"secret": f"{SECRET}-2"}, headers=match(row)).json()
    assert changed["test"] is None


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "status", "status": 429}, "the provider knows the key, and its quota or rate is used up"),
        ({"kind": "status", "status": 404}, "the provider has not opened this model to the key"),
        ({"kind": "status", "status": 503}, "HTTP 503"),
        ({"kind": "reset_before_first_byte"}, "connection lost"),
        ({"kind": "empty_200"}, "failed after HTTP 200"),
    ],
)
def test_a_test_that_fails_says_why(
    admin: TestClient, simulator: LiveSimulator, fault: Json, words: str
) -> None:
    simulator.fault(**fault)
    result = admin.post(f"{BYOK}/test", json={"provider": "beta", "secret": SECRET}).json()
    assert not result["ok"]
    assert words in result["message"]


def test_a_model_that_refuses_the_old_field_is_asked_again(
    admin: TestClient, simulator: LiveSimulator
) -> None:
    simulator.fault(
        "status", status=400, times=1, body={"error": {"message": "use max_completion_tokens", "type": "x"}}
    )
    assert admin.post(f"{BYOK}/test", json={"provider": "beta", "secret": SECRET}).json()["ok"]
    assert len(simulator.control("GET", "/_sim/requests?limit=10")["requests"]) == 2


def test_a_provider_that_only_makes_pictures_is_not_tested_unless_a_model_is_named(
    admin: TestClient, simulator: LiveSimulator
) -> None:
    made = keep(admin, provider="gamma")
    result = admin.post(f"{BYOK}/{made['id']}/test").json()
    assert (result["ok"], result["latency_ms"], result["model"]) == (False, None, "")
    assert "without cost" in result["message"]
    assert admin.get(f"{BYOK}/{made['id']}").json()["test"] is None
    assert simulator.control("GET", "/_sim/requests?limit=10")["requests"] == []
    assert admin.post(f"{BYOK}/{made['id']}/test", json={"model": "chaos/image"}).json()["ok"]


def test_one_caller_tests_so_often_and_others_go_on(
    control: Control, admin: TestClient, other_admin: TestClient
) -> None:
    body = {"provider": "beta", "secret": SECRET}
    for _ in range(MOST_PER_MINUTE):
        assert admin.post(f"{BYOK}/test", json=body).status_code == 200
    refused = admin.post(f"{BYOK}/test", json=body)
    assert code(refused) == (429, "SLOW_DOWN")
    assert int(refused.headers["retry-after"]) <= 60
    assert other_admin.post(f"{BYOK}/test", json=body).status_code == 200
    control.clock.advance(60)
    assert admin.post(f"{BYOK}/test", json=body).status_code == 200


# Before changing one, see which keys depend on it


def test_the_keys_that_depend_on_it_are_shown_and_protect_it(admin: TestClient) -> None:
    made = keep(admin)
    route_to(admin, "first", "team-key")
    route_to(admin, "second", "team-key")
    row = admin.get(f"{BYOK}/{made['id']}").json()
    assert [one["alias"] for one in row["used_by"]] == ["first", "second"]
    answer = admin.delete(f"{BYOK}/{made['id']}")
    assert code(answer) == (409, "CREDENTIAL_IN_USE")
    assert "first, second" in answer.json()["error"]["message"]
    renamed = admin.patch(f"{BYOK}/{made['id']}", json={"name": "x"}, headers=match(row))
    assert code(renamed) == (409, "CREDENTIAL_IN_USE")
    off = admin.patch(f"{BYOK}/{made['id']}", json={"enabled": False}, headers=match(row)).json()
    assert [one["alias"] for one in off["used_by"]] == ["first", "second"]
    key = admin.get(f"{API}/keys", params={"alias": "first"}).json()["data"][0]
    assert key["warnings"] == ["the BYOK credential 'team-key' is disabled"]
    assert admin.delete(f"{BYOK}/{made['id']}", params={"force": "true"}).status_code == 204
    key = admin.get(f"{API}/keys", params={"alias": "first"}).json()["data"][0]
    assert key["warnings"] == ["the BYOK credential 'team-key' is not there any more"]


def test_an_unused_one_is_deleted(control: Control, admin: TestClient) -> None:
    made = keep(admin)
    assert code(admin.delete(f"{BYOK}/{made['id']}", headers={"if-match": '"7"'})) == (412, "STALE")
    assert admin.delete(f"{BYOK}/{made['id']}", headers=match(made)).status_code == 204
    assert code(admin.get(f"{BYOK}/{made['id']}")) == (404, "CREDENTIAL_NOT_FOUND")
    actions = {line["action"] for line in admin.get(f"{API}/audit").json()["data"]}
    assert actions == {"byok.create", "byok.delete"}


# Who may


def test_members_and_other_tenants_do_not_see_it(
    admin: TestClient, member: TestClient, other_admin: TestClient, platform: TestClient
) -> None:
    made = keep(admin)
    path = f"{BYOK}/{made['id']}"
    for answer in (member.get(path), member.get(BYOK), member.post(f"{BYOK}/test", json={})):
        assert answer.status_code == 403
    for answer in (
        other_admin.get(path),
        other_admin.patch(path, json={"enabled": False}, headers={"if-match": "*"}),
        other_admin.delete(path),
        other_admin.post(f"{path}/test"),
        platform.get(path, params={"tenant": "other"}),
        platform.get(f"{PLATFORM}/{made['id']}"),
    ):
        assert code(answer) == (404, "CREDENTIAL_NOT_FOUND")
    assert other_admin.get(BYOK).json()["data"] == []
    assert platform.get(path).status_code == 200
    for answer in (admin.get(PLATFORM), admin.post(PLATFORM, json={})):
        assert answer.status_code == 403


# The platform's own


def test_the_platforms_credentials_stand_beside_those_of_the_file(
    control: Control, platform: TestClient
) -> None:
    made = keep(platform, path=PLATFORM)
    assert made["id"] == "db:beta/team-key"
    rows = platform.get(PLATFORM).json()
    assert [(row["id"], row["source"], row["masked"]) for row in rows["data"]] == [
        ("db:beta/team-key", "database", "sk-a****4711"),
        ("alpha/main", "file", f"{ALPHA_SECRET[:4]}****{ALPHA_SECRET[-4:]}"),
    ]
    assert rows["total"] == 2
    page = platform.get(PLATFORM, params={"limit": 1}).json()
    rest = platform.get(PLATFORM, params={"cursor": page["next_cursor"]}).json()
    assert page["data"] + rest["data"] == rows["data"]
    assert ALPHA_SECRET not in platform.get(PLATFORM).text
    assert platform.get(f"{PLATFORM}/alpha/main").json()["version"] == 0
    for answer in (
        platform.patch(f"{PLATFORM}/alpha/main", json={"enabled": False}, headers={"if-match": "*"}),
        platform.delete(f"{PLATFORM}/alpha/main"),
    ):
        assert code(answer) == (409, "CREDENTIAL_READ_ONLY")
    assert platform.post(f"{PLATFORM}/alpha/main/test").json()["ok"]
    assert platform.post(f"{PLATFORM}/{made['id']}/test").json()["ok"]
    assert platform.get(f"{PLATFORM}/{made['id']}").json()["test"]["ok"]
    assert platform.post(f"{PLATFORM}/test", json={"provider": "beta", "secret": SECRET}).json()["ok"]
    changed = platform.patch(f"{PLATFORM}/{made['id']}", json={"enabled": False}, headers=match(made)).json()
    assert not changed["enabled"]
    [beta] = platform.get(f"{BYOK}/providers", params={"search": "beta"}).json()["data"]
    assert not beta["built_in"]
    assert platform.delete(f"{PLATFORM}/{made['id']}").status_code == 204
    assert code(platform.get(f"{PLATFORM}/none")) == (404, "CREDENTIAL_NOT_FOUND")


# The simulator and real keys


def test_a_real_key_is_never_sent_to_the_simulator_that_stands_in(
    any_store: Store, tmp_path: Path, simulator: LiveSimulator
) -> None:
    more: Json = {"simulator": simulator.url, "credentials": {}}
    with opened_upstreams(any_store, tmp_path, simulator, **more) as control:
        admin = control.client(control.person("admin", Role.AI_GATEWAY_ADMIN))
        result = admin.post(f"{BYOK}/test", json={"provider": "beta", "secret": SECRET}).json()
        assert (result["ok"], result["latency_ms"]) == (False, None)
        assert simulator.control("GET", "/_sim/requests?limit=10")["requests"] == []
        made_up = admin.post(f"{BYOK}/test", json={"provider": "beta", "secret": "simulated-1"}).json()
        assert made_up["ok"]
