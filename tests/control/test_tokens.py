"""Tokens: made, shown once, listed, removed, and never above their maker."""

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, OTHER_TENANT, Control

from aimesh.store.people import Role

TOKENS = f"{API}/tokens"


def made(client: TestClient, name: str = "deploy", **more: object) -> dict[str, object]:
    answer = client.post(TOKENS, json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    told: dict[str, object] = answer.json()
    return told


def refused(client: TestClient, **body: object) -> tuple[int, str]:
    answer = client.post(TOKENS, json={"name": "x", **body})
    return answer.status_code, answer.json().get("error", {}).get("code", "")


def bearer(control: Control, token: dict[str, object]) -> TestClient:
    return control.anonymous({"authorization": f"Bearer {token['text']}"})


def test_a_token_is_shown_once_and_works(control: Control, admin: TestClient) -> None:
    token = made(admin)
    text = str(token["text"])
    assert text.startswith("at-")
    assert len(text) == 43
    assert token["masked"] == f"{text[:4]}****{text[-4:]}"
    assert (token["role"], token["user"]["username"]) == ("AI_GATEWAY_ADMIN", "admin")  # type: ignore[index]  # JSON
    told = bearer(control, token).get(f"{API}/session").json()
    assert (told["kind"], told["name"], told["role"]) == ("token", "deploy", "AI_GATEWAY_ADMIN")
    listed = admin.get(TOKENS).text
    assert text not in listed
    assert text not in admin.get(f"{TOKENS}/{token['id']}").text
    assert text not in admin.get(f"{API}/audit").text


def test_the_list_is_by_name(control: Control, admin: TestClient) -> None:
    for name in ("c", "a", "b"):
        made(admin, name)
    first = admin.get(f"{TOKENS}?limit=2").json()
    assert [one["name"] for one in first["data"]] == ["a", "b"]
    assert first["total"] == 3
    last = admin.get(f"{TOKENS}?limit=2&cursor={first['next_cursor']}").json()
    assert [one["name"] for one in last["data"]] == ["c"]


def test_a_removed_token_is_refused(control: Control, admin: TestClient) -> None:
    token = made(admin)
    client = bearer(control, token)
    assert admin.delete(f"{TOKENS}/{token['id']}").status_code == 204
    assert client.get(f"{API}/session").status_code == 401
    assert admin.delete(f"{TOKENS}/{token['id']}").status_code == 404
    actions = [line["action"] for line in admin.get(f"{API}/audit?action=token").json()["data"]]
    assert actions == ["token.remove", "token.create"]


def test_a_token_has_at_most_its_makers_role(admin: TestClient, member: TestClient, control: Control) -> None:
    assert refused(admin, role="PLATFORM_ADMIN") == (403, "ROLE_TOO_HIGH")
    assert refused(member, role="AI_GATEWAY_ADMIN") == (403, "ROLE_TOO_HIGH")
    lesser = made(admin, role="MEMBER")
    assert refused(bearer(control, lesser), role="AI_GATEWAY_ADMIN") == (403, "ROLE_TOO_HIGH")


def test_a_token_makes_none_that_outlives_it(control: Control, admin: TestClient) -> None:
    first = made(admin, "first", expires_at="2025-06-16T00:00:00Z")
    client = bearer(control, first)
    assert made(client, "second")["expires_at"] == "2025-06-16T00:00:00Z"
    assert made(client, "third", expires_at="2030-01-01T00:00:00Z")["expires_at"] == "2025-06-16T00:00:00Z"
    assert (
        made(client, "fourth", expires_at="2025-06-15T23:00:00+00:00")["expires_at"] == "2025-06-15T23:00:00Z"
    )


def test_a_name_is_unique_in_the_tenant(admin: TestClient, other_admin: TestClient) -> None:
    made(admin)
    assert refused(admin, name="deploy") == (409, "TOKEN_EXISTS")
    made(other_admin)


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "a\u0000b"},
        {"name": "x" * 201},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "2030-01-01T00:00:00"},
        {"expires_at": "soon"},
        {"role": "KING"},
        {"text": "at-chosen"},
    ],
)
def test_tokens_that_are_refused(admin: TestClient, body: dict[str, object]) -> None:
    assert refused(admin, **body) == (422, "INVALID_REQUEST")


def test_a_member_has_own_tokens(control: Control, admin: TestClient, member: TestClient) -> None:
    theirs, mine = made(admin, "theirs"), made(member, "mine")
    assert [one["name"] for one in member.get(TOKENS).json()["data"]] == ["mine"]
    assert member.get(f"{TOKENS}/{theirs['id']}").status_code == 404
    assert member.delete(f"{TOKENS}/{theirs['id']}").status_code == 404
    assert bearer(control, mine).get(f"{API}/session").json()["role"] == "MEMBER"
    # The administrator takes a member's away.
    assert admin.delete(f"{TOKENS}/{mine['id']}").status_code == 204


def test_nobody_removes_a_token_above_the_own_role(admin: TestClient, platform: TestClient) -> None:
    token = made(platform, "root")
    answer = admin.delete(f"{TOKENS}/{token['id']}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "ROLE_TOO_HIGH")


def test_tokens_of_another_tenant_are_not_there(admin: TestClient, other_admin: TestClient) -> None:
    token = made(admin)
    assert other_admin.get(TOKENS).json()["data"] == []
    assert other_admin.get(f"{TOKENS}/{token['id']}").status_code == 404
    assert other_admin.delete(f"{TOKENS}/{token['id']}").status_code == 404


def test_who_runs_the_installation_makes_one_for_a_tenant(control: Control, platform: TestClient) -> None:
    body = {"name": "theirs", "role": "AI_GATEWAY_ADMIN"}
    token = platform.post(f"{TOKENS}?tenant=other", json=body).json()
    told = bearer(control, token).get(f"{API}/session").json()
    assert (told["tenant"]["id"], told["role"]) == ("other", "AI_GATEWAY_ADMIN")
    assert bearer(control, token).get(f"{API}/tenants").status_code == 403


def test_the_operator_of_the_machine_makes_one_of_nobody(control: Control) -> None:
    token = made(control.local(), role="AI_GATEWAY_ADMIN")
    assert token["user"] is None
    told = bearer(control, token).get(f"{API}/session").json()
    assert (told["user"], told["role"]) == (None, "AI_GATEWAY_ADMIN")
    # Nobody has no things of one's own.
    assert refused(control.local(), role="MEMBER") == (422, "INVALID_REQUEST")


def test_a_token_of_somebody_removed_is_gone(control: Control, admin: TestClient) -> None:
    lin = control.person("lin", Role.MEMBER)
    made(control.client(lin), "of-lin")
    admin.delete(f"{API}/members/{lin.id}")
    assert admin.get(TOKENS).json()["total"] == 0


def test_tenants_are_kept_apart_by_name(control: Control, platform: TestClient) -> None:
    stranger = control.client(control.person("stranger", Role.AI_GATEWAY_ADMIN, OTHER_TENANT))
    made(stranger, "deploy")
    assert [one["name"] for one in platform.get(f"{TOKENS}?tenant=other").json()["data"]] == ["deploy"]
    assert platform.get(TOKENS).json()["data"] == []
