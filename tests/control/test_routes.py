"""The routing policy of a key, as the console and the command set it: modes, order, ranking, providers, BYOK."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, Control, opened_control
from tests.support.control_answers import Json
from tests.support.control_upstreams import upstream_yaml

from aimesh.store.engine import Store

KEYS = f"{API}/keys"


@pytest.fixture
def control(any_store: Store, tmp_path: Path) -> Iterator[Control]:
    with opened_control(any_store, tmp_path, upstream_yaml("http://127.0.0.1:9")) as control:
        yield control


@pytest.fixture
def key(admin: TestClient) -> Json:
    made: Json = admin.post(KEYS, json={"alias": "k"}).json()
    return made


def keep(client: TestClient, name: str, **more: Any) -> Json:
    body = {"provider": "beta", "name": name, "secret": "sk-0123456789abcdef"} | more
    made: Json = client.post(f"{API}/byok", json=body).json()
    return made


def put(client: TestClient, key: Json, **route: Any) -> Json:
    answer = client.put(f"{KEYS}/{key['id']}/route", json=route, headers={"if-match": "*"})
    assert answer.status_code == 200, answer.text
    kept: Json = answer.json()
    assert client.get(f"{KEYS}/{key['id']}/route").json() == kept
    shown = client.get(f"{KEYS}/{key['id']}").json()["route"]
    assert shown == {name: value for name, value in kept.items() if name != "warnings"}
    return kept


def refused(client: TestClient, key: Json, **route: Any) -> Json:
    answer = client.put(f"{KEYS}/{key['id']}/route", json=route, headers={"if-match": "*"})
    assert answer.status_code == 422, answer.text
    [detail] = answer.json()["error"]["details"]
    found: Json = detail
    return found


def test_a_new_key_is_in_mode_default_ranked_by_price(admin: TestClient, key: Json) -> None:
    assert key["route"] == {
        "mode": "default", "rank_by": "price", "providers": [], "credentials": [], "tiers": {}, "weights": {},
        "affinity": True,
    }  # fmt: skip


@pytest.mark.parametrize("rank_by", ["price", "throughput", "latency"])
def test_mode_default_ranks_by_price_throughput_or_latency(
    admin: TestClient, key: Json, rank_by: str
) -> None:
    kept = put(admin, key, mode="default", rank_by=rank_by)
    assert (kept["rank_by"], kept["warnings"]) == (rank_by, [])
    assert refused(admin, key, rank_by="beauty")["path"] == "rank_by"


def test_mode_default_takes_a_subset_tiers_weights_and_affinity(admin: TestClient, key: Json) -> None:
    route: Json = {
        "mode": "default",
        "providers": ["alpha", "beta"],
        "tiers": {"beta": 1},
        "weights": {"alpha": 3},
        "affinity": False,
    }
    kept = put(admin, key, **route)
    assert {name: kept[name] for name in route} == route
    for field, value in (("providers", ["alfa"]), ("tiers", {"alfa": 1}), ("weights", {"alfa": 1})):
        detail = refused(admin, key, **{field: value})
        assert detail["path"].startswith(field)
        assert (detail["message"], detail["hint"]) == ("unknown provider 'alfa'", "did you mean 'alpha'?")
    assert refused(admin, key, weights={"alpha": 0})["path"] == "weights.alpha"


def test_mode_provider_keeps_the_order_of_its_list(admin: TestClient, key: Json) -> None:
    assert put(admin, key, mode="provider", providers=["beta", "alpha"])["providers"] == ["beta", "alpha"]
    assert put(admin, key, mode="provider", providers=["alpha", "beta"])["providers"] == ["alpha", "beta"]
    assert "needs providers" in refused(admin, key, mode="provider")["message"]
    assert "twice" in refused(admin, key, mode="provider", providers=["beta", "beta"])["message"]
    assert refused(admin, key, mode="provider", providers=["none"])["path"] == "providers.0"


def test_mode_byok_keeps_the_order_of_its_names(admin: TestClient, key: Json) -> None:
    keep(admin, "team-key")
    keep(admin, "spare")
    kept = put(admin, key, mode="byok", credentials=["spare", "team-key"])
    assert (kept["credentials"], kept["warnings"]) == (["spare", "team-key"], [])
    detail = refused(admin, key, mode="byok", credentials=["team-kee"])
    assert (detail["path"], detail["hint"]) == ("credentials.0", "did you mean 'team-key'?")


def test_mode_byok_without_names_stands_for_all_of_them(admin: TestClient, key: Json) -> None:
    assert put(admin, key, mode="byok")["warnings"] == [
        "the tenant has no enabled BYOK credential, so every call is refused"
    ]
    keep(admin, "off", enabled=False)
    assert put(admin, key, mode="byok")["warnings"] != []
    keep(admin, "on")
    assert put(admin, key, mode="byok")["warnings"] == []


def test_a_byok_name_of_another_tenant_is_unknown(
    admin: TestClient, other_admin: TestClient, key: Json
) -> None:
    keep(other_admin, "theirs")
    assert refused(admin, key, mode="byok", credentials=["theirs"])["path"] == "credentials.0"


def test_a_disabled_byok_name_is_a_warning(admin: TestClient, key: Json) -> None:
    keep(admin, "off", enabled=False)
    kept = put(admin, key, mode="byok", credentials=["off"])
    assert kept["warnings"] == ["the BYOK credential 'off' is disabled"]
    # Another mode does not use it.
    assert put(admin, key, mode="default", credentials=["off"])["warnings"] == []


def test_a_route_says_what_it_was_made_to_and_is_audited(admin: TestClient, key: Json) -> None:
    path = f"{KEYS}/{key['id']}/route"
    assert admin.put(path, json={}).status_code == 428
    done = admin.put(path, json={"rank_by": "latency"}, headers={"if-match": '"1"'})
    assert done.headers["etag"] == '"2"'
    assert admin.put(path, json={}, headers={"if-match": '"1"'}).status_code == 412
    [line] = admin.get(f"{API}/audit", params={"action": "key.change"}).json()["data"]
    assert line["changes"] == {"route": {"from": {}, "to": {"rank_by": "latency"}}}


def test_a_route_is_given_when_a_key_is_made_and_goes_along_with_a_copy(admin: TestClient) -> None:
    route = {"mode": "provider", "providers": ["beta", "alpha"]}
    made = admin.post(KEYS, json={"alias": "a", "route": route}).json()
    assert (made["route"]["mode"], made["route"]["providers"]) == ("provider", ["beta", "alpha"])
    copy = admin.post(f"{KEYS}/{made['id']}/copy", json={"alias": "b"}).json()
    assert copy["route"] == made["route"]
    wrong = admin.post(KEYS, json={"alias": "c", "route": {"mode": "provider", "providers": ["alfa"]}})
    assert wrong.json()["error"]["details"][0]["path"] == "route.providers.0"
