"""People of a tenant: the list, adding, roles, removing, and what nobody may do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, OTHER_TENANT, PASSWORD, Control, opened_control

from aimesh.core.ids import TenantId
from aimesh.store.engine import Store
from aimesh.store.people import Role

MEMBERS = f"{API}/members"


def names(client: TestClient, query: str = "") -> list[str]:
    answer = client.get(f"{MEMBERS}{query}")
    assert answer.status_code == 200, answer.text
    return [one["username"] for one in answer.json()["data"]]


def change(client: TestClient, user_id: str, body: Mapping[str, object], match: str = "*") -> tuple[int, str]:
    answer = client.patch(f"{MEMBERS}/{user_id}", json=body, headers={"if-match": match})
    return answer.status_code, answer.json().get("error", {}).get("code", "")


def remove(client: TestClient, user_id: str) -> tuple[int, str]:
    answer = client.delete(f"{MEMBERS}/{user_id}")
    return answer.status_code, answer.json().get("error", {}).get("code", "")


def test_the_list_shows_user_role_and_last_change(control: Control, admin: TestClient) -> None:
    control.clock.advance(1)
    control.person("lin", Role.MEMBER)
    control.person("stranger", Role.MEMBER, OTHER_TENANT)
    told = admin.get(MEMBERS).json()
    assert (told["total"], told["next_cursor"]) == (2, None)
    assert [(one["username"], one["role"], one["updated_at"]) for one in told["data"]] == [
        ("admin", "AI_GATEWAY_ADMIN", "2025-06-15T15:06:40Z"),
        ("lin", "MEMBER", "2025-06-15T15:06:41Z"),
    ]


def test_filters(control: Control, admin: TestClient) -> None:
    control.person("lin", Role.MEMBER)
    control.person("lina", Role.MEMBER, email="Someone@Example.com")
    off = control.person("off", Role.MEMBER)
    change(admin, off.id, {"enabled": False})
    assert names(admin, "?search=LIN") == ["lin", "lina"]
    assert names(admin, "?search=someone%40example") == ["lina"]
    assert names(admin, "?search=_") == []
    assert names(admin, "?role=AI_GATEWAY_ADMIN") == ["admin"]
    assert names(admin, "?enabled=false") == ["off"]
    assert admin.get(f"{MEMBERS}?role=KING").status_code == 422


def test_pages(control: Control, admin: TestClient) -> None:
    for name in ("a", "b", "c", "d"):
        control.person(name, Role.MEMBER)
    first = admin.get(f"{MEMBERS}?limit=2").json()
    second = admin.get(f"{MEMBERS}?limit=2&cursor={first['next_cursor']}").json()
    last = admin.get(f"{MEMBERS}?limit=2&cursor={second['next_cursor']}").json()
    pages = [[one["username"] for one in page["data"]] for page in (first, second, last)]
    assert pages == [["a", "admin"], ["b", "c"], ["d"]]
    assert last["next_cursor"] is None


def test_a_member_sees_itself(control: Control, member: TestClient, admin: TestClient) -> None:
    assert names(member) == ["member"]
    assert names(member, "?search=admin") == []
    me = member.get(f"{API}/session").json()["user"]["id"]
    other = admin.get(f"{API}/session").json()["user"]["id"]
    assert member.get(f"{MEMBERS}/{me}").json()["username"] == "member"
    assert member.get(f"{MEMBERS}/{other}").status_code == 404


def test_adding_somebody(control: Control, admin: TestClient) -> None:
    body = {"username": "Lin", "display_name": "Lin Ming", "email": "lin@example.com"}
    answer = admin.post(MEMBERS, json=body)
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"1"'
    told: dict[str, Any] = answer.json()
    assert told.pop("id").startswith("usr_")
    assert told == {
        "tenant": "default",
        "username": "lin",
        "display_name": "Lin Ming",
        "email": "lin@example.com",
        "role": "MEMBER",
        "enabled": True,
        "has_password": False,
        "single_sign_on": False,
        "locked_until": None,
        "last_login_at": None,
        "created_at": "2025-06-15T15:06:40Z",
        "updated_at": "2025-06-15T15:06:40Z",
        "version": 1,
    }
    assert admin.post(MEMBERS, json={"username": "LIN"}).json()["error"]["code"] == "USERNAME_TAKEN"


@pytest.mark.parametrize("username", ["", "a b", "a\u0000", "x" * 101, "<b>", "a\n"])
def test_usernames_that_are_refused(admin: TestClient, username: str) -> None:
    assert admin.post(MEMBERS, json={"username": username}).status_code == 422


def test_a_username_is_unique_in_the_installation(admin: TestClient, other_admin: TestClient) -> None:
    assert admin.post(MEMBERS, json={"username": "lin"}).status_code == 201
    assert other_admin.post(MEMBERS, json={"username": "lin"}).status_code == 409
    assert other_admin.put(f"{MEMBERS}/by-username/lin", json={}).json()["error"]["code"] == "USERNAME_TAKEN"
    assert names(other_admin) == ["other-admin"]


def test_an_upsert_repeated_changes_nothing(admin: TestClient, control: Control) -> None:
    url, body = f"{MEMBERS}/by-username/lin", {"display_name": "Lin", "role": "MEMBER"}
    first, second = admin.put(url, json=body), admin.put(url, json=body)
    assert first.json() == second.json()
    assert first.json()["version"] == 1
    third = admin.put(url, json={"display_name": "Lin", "role": "AI_GATEWAY_ADMIN"})
    assert (third.json()["role"], third.headers["etag"]) == ("AI_GATEWAY_ADMIN", '"2"')
    actions = [line["action"] for line in admin.get(f"{API}/audit").json()["data"]]
    assert actions == ["user.change", "user.create"]


def test_an_edit_says_what_it_was_made_to(control: Control, admin: TestClient) -> None:
    lin = control.person("lin", Role.MEMBER)
    url, body = f"{MEMBERS}/{lin.id}", {"display_name": "Lin Ming"}
    etag = admin.get(url).headers["etag"]
    assert admin.patch(url, json=body).json()["error"]["code"] == "IF_MATCH_REQUIRED"
    assert change(admin, lin.id, body, '"7"') == (412, "STALE")
    done = admin.patch(url, json=body, headers={"if-match": etag})
    assert (done.status_code, done.headers["etag"], done.json()["display_name"]) == (200, '"2"', "Lin Ming")
    assert change(admin, lin.id, {"display_name": "Late"}, etag) == (412, "STALE")
    # A change to what it is already is none.
    assert admin.patch(url, json=body, headers={"if-match": "*"}).headers["etag"] == '"2"'


def test_a_change_is_audited_field_by_field(control: Control, admin: TestClient) -> None:
    lin = control.person("lin", Role.MEMBER)
    change(admin, lin.id, {"role": "AI_GATEWAY_ADMIN", "enabled": False})
    (line,) = admin.get(f"{API}/audit?action=user.change").json()["data"]
    assert line["actor"]["name"] == "admin"
    assert line["target"] == {"kind": "user", "id": lin.id, "name": "lin"}
    assert line["changes"] == {
        "role": {"from": "MEMBER", "to": "AI_GATEWAY_ADMIN"},
        "enabled": {"from": True, "to": False},
    }


def test_a_new_role_counts_at_once(control: Control, admin: TestClient) -> None:
    lin = control.person("lin", Role.MEMBER)
    client = control.client(lin)
    assert client.get(f"{API}/audit").status_code == 403
    change(admin, lin.id, {"role": "AI_GATEWAY_ADMIN"})
    assert client.get(f"{API}/audit").status_code == 200


def test_disabling_shuts_out_at_once_and_enabling_lets_in(control: Control, admin: TestClient) -> None:
    lin = control.person("lin", Role.MEMBER)
    session, token = control.client(lin), control.token_client(lin)
    assert change(admin, lin.id, {"enabled": False}) == (200, "")
    assert session.get(f"{API}/session").status_code == 401
    assert token.get(f"{API}/session").status_code == 401
    assert change(admin, lin.id, {"enabled": True}) == (200, "")
    assert session.get(f"{API}/session").status_code == 401
    assert token.get(f"{API}/session").status_code == 200


def test_removing_somebody(control: Control, admin: TestClient) -> None:
    lin = control.person("lin", Role.MEMBER)
    session, token = control.client(lin), control.token_client(lin)
    made = session.post(f"{API}/keys", json={"alias": "search-prod"})
    assert made.status_code == 201, made.text
    answer = admin.delete(f"{MEMBERS}/{lin.id}")
    assert answer.json() == {
        "id": lin.id,
        "removed": True,
        "tokens_removed": 1,
        "keys": [{"id": made.json()["id"], "alias": "search-prod"}],
    }
    assert session.get(f"{API}/session").status_code == 401
    assert token.get(f"{API}/session").status_code == 401
    assert names(admin) == ["admin"]
    assert [key["alias"] for key in admin.get(f"{API}/keys").json()["data"]] == ["search-prod"]
    body = {"username": "lin", "password": PASSWORD.reveal()}
    assert control.anonymous().post(f"{API}/session", json=body).status_code == 401
    assert remove(admin, lin.id) == (404, "MEMBER_NOT_FOUND")
    # The name is free again, for another person.
    assert admin.post(MEMBERS, json={"username": "lin"}).json()["id"] != lin.id


def test_removing_can_say_what_it_was_made_to(control: Control, admin: TestClient) -> None:
    lin = control.person("lin", Role.MEMBER)
    answer = admin.delete(f"{MEMBERS}/{lin.id}", headers={"if-match": '"9"'})
    assert answer.status_code == 412
    assert admin.delete(f"{MEMBERS}/{lin.id}", headers={"if-match": '"1"'}).status_code == 200


def test_nobody_shuts_oneself_out(control: Control) -> None:
    me = control.person("me", Role.AI_GATEWAY_ADMIN)
    control.person("other", Role.AI_GATEWAY_ADMIN)
    for client in (control.client(me), control.token_client(me)):
        assert remove(client, me.id) == (409, "YOURSELF")
        assert change(client, me.id, {"enabled": False}) == (409, "YOURSELF")
        assert change(client, me.id, {"role": "MEMBER"}) == (409, "YOURSELF")
    assert change(control.client(me), me.id, {"display_name": "Me"}) == (200, "")


@pytest.mark.parametrize(
    ("role", "tenant"),
    [(Role.AI_GATEWAY_ADMIN, "default"), (Role.AI_GATEWAY_ADMIN, "other"), (Role.PLATFORM_ADMIN, "default")],
)
def test_the_last_administrator_stays(control: Control, role: Role, tenant: str) -> None:
    last = control.person("last", role, TenantId(tenant))
    local, query = control.local(), f"?tenant={tenant}"
    # Somebody who cannot sign in is no successor.
    local.post(f"{MEMBERS}{query}", json={"username": "invited", "role": role.value})
    off = control.person("off", role, TenantId(tenant))
    assert change(local, f"{off.id}{query}", {"enabled": False}) == (200, "")
    expected = (409, "LAST_ADMINISTRATOR")
    assert remove(local, f"{last.id}{query}") == expected
    assert change(local, f"{last.id}{query}", {"enabled": False}) == expected
    assert change(local, f"{last.id}{query}", {"role": "MEMBER"}) == expected
    # One of the same role elsewhere does for the installation, not for a tenant.
    control.person("elsewhere", role, TenantId("default" if tenant == "other" else "other"))
    assert remove(local, f"{last.id}{query}") == ((200, "") if role is Role.PLATFORM_ADMIN else expected)
    control.person("next", role, TenantId(tenant))
    if role is Role.AI_GATEWAY_ADMIN:
        assert remove(local, f"{last.id}{query}") == (200, "")
        assert remove(local, f"{off.id}{query}") == (200, "")


@pytest.mark.parametrize("role", [Role.AI_GATEWAY_ADMIN, Role.PLATFORM_ADMIN])
def test_an_invitation_is_taken_back_though_nobody_can_sign_in_yet(control: Control, role: Role) -> None:
    local = control.local()
    for what in ({"role": "MEMBER"}, {"enabled": False}):
        made = local.post(MEMBERS, json={"username": "invited", "role": role.value}).json()
        assert change(local, made["id"], what) == (200, "")
        assert remove(local, made["id"]) == (200, "")
    made = local.post(MEMBERS, json={"username": "invited", "role": role.value}).json()
    assert remove(local, made["id"]) == (200, "")


@pytest.mark.parametrize("what", [{"role": "PLATFORM_ADMIN"}, {"enabled": False}])
def test_a_link_made_for_less_does_not_open_more(
    control: Control, admin: TestClient, platform: TestClient, what: dict[str, object]
) -> None:
    lin = control.person("lin", Role.MEMBER)
    link = admin.post(f"{MEMBERS}/{lin.id}/password-link").json()["url"].rpartition("=")[2]
    assert change(platform, lin.id, what) == (200, "")
    assert change(platform, lin.id, {"enabled": True}) == (200, "")
    used = control.anonymous().post(f"{API}/password-links/{link}", json={"password": "a long new one"})
    assert (used.status_code, used.json()["error"]["code"]) == (404, "LINK_NOT_VALID")


def test_a_link_outlives_a_change_that_gives_nothing(control: Control, admin: TestClient) -> None:
    lin = control.person("lin", Role.AI_GATEWAY_ADMIN)
    link = admin.post(f"{MEMBERS}/{lin.id}/password-link").json()["url"].rpartition("=")[2]
    assert change(admin, lin.id, {"role": "MEMBER"}) == (200, "")
    used = control.anonymous().post(f"{API}/password-links/{link}", json={"password": "a long new one"})
    assert (used.status_code, used.json()["role"]) == (200, "MEMBER")


def test_nobody_gives_or_touches_a_role_above_the_own(control: Control, admin: TestClient) -> None:
    root = control.person("root", Role.PLATFORM_ADMIN)
    control.person("second", Role.PLATFORM_ADMIN)
    lin = control.person("lin", Role.MEMBER)
    expected = (403, "ROLE_TOO_HIGH")
    assert (
        admin.post(MEMBERS, json={"username": "x", "role": "PLATFORM_ADMIN"}).json()["error"]["code"]
        == expected[1]
    )
    upsert = admin.put(f"{MEMBERS}/by-username/y", json={"role": "PLATFORM_ADMIN"})
    assert upsert.json()["error"]["code"] == expected[1]
    assert change(admin, lin.id, {"role": "PLATFORM_ADMIN"}) == expected
    assert change(admin, root.id, {"role": "MEMBER"}) == expected
    assert change(admin, root.id, {"email": "mine@example.com"}) == expected
    assert remove(admin, root.id) == expected
    # A link would be the password of somebody who may do more.
    assert admin.post(f"{MEMBERS}/{root.id}/password-link").json()["error"]["code"] == expected[1]
    assert names(admin) == ["admin", "lin", "root", "second"]


def test_members_change_nobody(control: Control, member: TestClient) -> None:
    me = member.get(f"{API}/session").json()["user"]["id"]
    assert member.post(MEMBERS, json={"username": "x"}).status_code == 403
    assert change(member, me, {"role": "AI_GATEWAY_ADMIN"}) == (403, "FORBIDDEN")
    assert member.post(f"{MEMBERS}/{me}/password-link").status_code == 403


def test_people_of_another_tenant_are_not_there(
    control: Control, admin: TestClient, platform: TestClient
) -> None:
    stranger = control.person("stranger", Role.MEMBER, OTHER_TENANT)
    assert admin.get(f"{MEMBERS}/{stranger.id}").status_code == 404
    assert change(admin, stranger.id, {"enabled": False}) == (404, "MEMBER_NOT_FOUND")
    assert remove(admin, stranger.id) == (404, "MEMBER_NOT_FOUND")
    assert admin.post(f"{MEMBERS}/{stranger.id}/password-link").status_code == 404
    assert admin.delete(f"{MEMBERS}/{stranger.id}?tenant=other").json()["error"]["code"] == "TENANT_NOT_FOUND"
    # Who runs the installation names the tenant.
    assert platform.get(f"{MEMBERS}/{stranger.id}").status_code == 404
    assert platform.get(f"{MEMBERS}/{stranger.id}?tenant=other").status_code == 200
    added = platform.post(f"{MEMBERS}?tenant=other", json={"username": "new", "role": "AI_GATEWAY_ADMIN"})
    assert added.json()["tenant"] == "other"


@pytest.mark.parametrize(
    ("yaml", "site"),
    [
        ("", "http://127.0.0.1:8600"),
        ("listen: ['0.0.0.0:9000']", "http://127.0.0.1:9000"),
        ("listen: ['unix:/run/x.sock', '[::]:9000']", "http://[::1]:9000"),
        ("listen: ['unix:/run/x.sock']", "http://localhost"),
        (
            "regions: [{id: cn, name: China, base_url: 'https://ai.example.com/gateway'}]",
            "https://ai.example.com",
        ),
    ],
)
def test_a_link_of_the_machines_operator_is_for_the_address_of_the_settings(
    any_store: Store, tmp_path: Path, yaml: str, site: str
) -> None:
    with opened_control(any_store, tmp_path, yaml) as control:
        lin = control.person("lin", Role.MEMBER)
        told = control.local().post(f"{MEMBERS}/{lin.id}/password-link").json()
    assert told["url"].startswith(f"{site}/setup#link=")


def test_a_link_is_for_the_address_that_was_asked(control: Control, admin: TestClient) -> None:
    lin = control.person("lin", Role.MEMBER)
    headers = {"x-forwarded-proto": "https", "x-forwarded-host": "gateway.example.com"}
    told = admin.post(f"{MEMBERS}/{lin.id}/password-link", headers=headers).json()
    assert told["url"].startswith("https://gateway.example.com/setup#link=")
    assert told["expires_at"] == "2025-06-16T15:06:40Z"
    (line,) = admin.get(f"{API}/audit?action=user.password_link").json()["data"]
    assert line["changes"] == {}
