"""Signing in with a password: cookies, CSRF, lock-out, slow-down, and what a refusal does not tell."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, CHEAP_HASHER, OTHER_TENANT, PASSWORD, Control, opened_control

from aimesh.control.passwords import Passwords
from aimesh.control.throttle import FREE_FAILURES
from aimesh.core.policy import TenantStatus
from aimesh.core.secret import Secret
from aimesh.store.engine import Store
from aimesh.store.people import Role
from aimesh.store.tenants import TenantTerms, change_tenant, find_tenant
from aimesh.store.users import find_by_username, password_hash, set_password_hash

SESSION = f"{API}/session"
NEW = "another horse 4712"


def sign_in(client: TestClient, username: str, password: str = PASSWORD.reveal()) -> tuple[int, str]:
    answer = client.post(SESSION, json={"username": username, "password": password})
    told = answer.json()
    if answer.status_code == 200:
        client.headers["x-csrf-token"] = told["csrf_token"]
        return 200, str(told["name"])
    return answer.status_code, str(told["error"]["code"])


REFUSED = (401, "SIGN_IN_REFUSED")


def test_signing_in_and_out(control: Control, anonymous: TestClient) -> None:
    control.person("lin", Role.AI_GATEWAY_ADMIN)
    assert sign_in(anonymous, " Lin ") == (200, "lin")
    told = anonymous.get(SESSION).json()
    assert told["kind"] == "user"
    assert told["role"] == "AI_GATEWAY_ADMIN"
    assert told["tenant"] == {"id": "default", "name": "default", "status": "active"}
    assert "members.write" in told["permissions"]
    assert "tenants" not in told["permissions"]
    cookie = anonymous.cookies["aimesh_session"]
    assert anonymous.delete(SESSION).status_code == 204
    assert "aimesh_session" not in anonymous.cookies
    anonymous.cookies["aimesh_session"] = cookie
    assert anonymous.get(SESSION).json()["error"]["code"] == "SESSION_OVER"


def test_the_cookie(control: Control) -> None:
    control.person("lin", Role.MEMBER)
    plain = control.anonymous().post(SESSION, json={"username": "lin", "password": PASSWORD.reveal()})
    cookie = plain.headers["set-cookie"].lower()
    assert "; httponly" in cookie
    assert "; samesite=lax" in cookie
    assert "; path=/;" in f"{cookie};"
    assert "max-age=43200" in cookie
    assert "secure" not in cookie
    behind = control.anonymous({"x-forwarded-proto": "https"})
    answer = behind.post(SESSION, json={"username": "lin", "password": PASSWORD.reveal()})
    assert "; secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize(("setting", "is_secure"), [("always", True), ("never", False)])
def test_secure_cookies_as_the_setting_says(
    any_store: Store, tmp_path: Path, setting: str, is_secure: bool
) -> None:
    with opened_control(any_store, tmp_path, f"admin: {{secure_cookies: {setting}}}") as control:
        control.person("lin", Role.MEMBER)
        client = control.anonymous({"x-forwarded-proto": "https" if setting == "never" else "http"})
        answer = client.post(SESSION, json={"username": "lin", "password": PASSWORD.reveal()})
    assert ("; secure" in answer.headers["set-cookie"].lower()) is is_secure


def test_every_session_has_an_id_of_its_own(control: Control) -> None:
    control.person("lin", Role.MEMBER)
    first, second = control.anonymous(), control.anonymous()
    for client in (first, second):
        # What a browser brought along is not taken over.
        client.cookies.set("aimesh_session", "chosen-by-somebody", domain="aimesh.example", path="/")
        assert sign_in(client, "lin") == (200, "lin")
    found = {first.cookies["aimesh_session"], second.cookies["aimesh_session"]}
    assert len(found) == 2
    assert "chosen-by-somebody" not in found


def test_a_refusal_does_not_say_why(control: Control, anonymous: TestClient) -> None:
    control.person("lin", Role.MEMBER)
    control.person("shut", Role.MEMBER, OTHER_TENANT)
    disable_other_tenant(control)
    told = [
        anonymous.post(SESSION, json={"username": name, "password": password}).json()["error"]
        for name, password in [("lin", "wrong"), ("nobody", "wrong"), ("shut", PASSWORD.reveal())]
    ]
    assert {(one["code"], one["message"]) for one in told} == {(told[0]["code"], told[0]["message"])}
    assert told[0]["code"] == "SIGN_IN_REFUSED"


def test_a_hash_is_checked_whoever_it_is(
    control: Control, anonymous: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.person("lin", Role.MEMBER)
    seen: list[bool] = []
    usual = Passwords.is_right

    def watched(self: Passwords, password: Secret[str], kept: Secret[str] | None) -> bool:
        seen.append(kept is not None)
        return usual(self, password, kept)

    monkeypatch.setattr(Passwords, "is_right", watched)
    sign_in(anonymous, "lin", "wrong")
    sign_in(anonymous, "nobody", "wrong")
    assert seen == [True, False]


def test_wrong_passwords_in_a_row_lock_the_account(control: Control) -> None:
    control.person("lin", Role.MEMBER)
    for number in range(9):
        assert sign_in(control.anonymous(address(number)), "lin", "wrong") == REFUSED
    assert sign_in(control.anonymous(), "lin")[0] == 200
    # The right one began a new row.
    for number in range(10):
        assert sign_in(control.anonymous(address(number)), "lin", "wrong") == REFUSED
    assert sign_in(control.anonymous(), "lin") == REFUSED
    control.clock.advance(14 * 60)
    assert sign_in(control.anonymous(), "lin") == REFUSED
    control.clock.advance(61)
    assert sign_in(control.anonymous(), "lin")[0] == 200
    actions = [line["action"] for line in control.local().get(f"{API}/audit?action=user").json()["data"]]
    assert actions == ["user.lock"]


def test_a_locked_account_keeps_its_sessions(control: Control) -> None:
    control.person("lin", Role.MEMBER)
    client = control.anonymous()
    sign_in(client, "lin")
    for number in range(10):
        sign_in(control.anonymous(address(number)), "lin", "wrong")
    assert client.get(SESSION).status_code == 200


def test_an_address_that_guesses_has_to_wait(control: Control) -> None:
    control.person("lin", Role.MEMBER)
    guesser = control.anonymous({"x-forwarded-for": "203.0.113.7"})
    for number in range(FREE_FAILURES):
        assert sign_in(guesser, f"name-{number}", "wrong") == REFUSED
    answer = guesser.post(SESSION, json={"username": "lin", "password": PASSWORD.reveal()})
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "SLOW_DOWN")
    assert answer.headers["retry-after"] == "1"
    assert sign_in(control.anonymous({"x-forwarded-for": "203.0.113.8"}), "lin")[0] == 200
    control.clock.advance(1)
    assert sign_in(guesser, "lin")[0] == 200
    # Knowing one password wins no guesses at others.
    assert sign_in(guesser, "name-0", "wrong") == REFUSED
    answer = guesser.post(SESSION, json={"username": "name-1", "password": "wrong"})
    assert answer.status_code == 429


def test_who_mistyped_the_own_password_does_not_wait_for_it_later(control: Control) -> None:
    control.person("lin", Role.MEMBER)
    client = control.anonymous({"x-forwarded-for": "203.0.113.7"})
    for _ in range(3):
        for _ in range(FREE_FAILURES - 2):
            assert sign_in(client, "lin", "wrong") == REFUSED
        assert sign_in(client, "lin")[0] == 200


def test_what_was_typed_as_a_name_is_not_written_down(control: Control, anonymous: TestClient) -> None:
    sign_in(anonymous, "my-secret-password", "x")
    text = control.local().get(f"{API}/audit").text
    assert "session.refuse" in text
    assert "my-secret-password" not in text


def test_a_session_ends_when_nobody_uses_it(control: Control, anonymous: TestClient) -> None:
    control.person("lin", Role.MEMBER)
    sign_in(anonymous, "lin")
    for _ in range(3):
        control.clock.advance(119 * 60)
        assert anonymous.get(SESSION).status_code == 200
    control.clock.advance(120 * 60)
    assert anonymous.get(SESSION).json()["error"]["code"] == "SESSION_OVER"


def test_a_session_ends_by_age(control: Control, anonymous: TestClient) -> None:
    control.person("lin", Role.MEMBER)
    sign_in(anonymous, "lin")
    for _ in range(11):
        control.clock.advance(3600)
        assert anonymous.get(SESSION).status_code == 200
    control.clock.advance(3600)
    assert anonymous.get(SESSION).json()["error"]["code"] == "SESSION_OVER"


def test_people_of_a_disabled_tenant_are_shut_out(control: Control) -> None:
    shut = control.client(control.person("shut", Role.AI_GATEWAY_ADMIN, OTHER_TENANT))
    root = control.client(control.person("root", Role.PLATFORM_ADMIN, OTHER_TENANT))
    disable_other_tenant(control)
    assert shut.get(SESSION).json()["error"]["code"] == "TENANT_DISABLED"
    assert root.get(SESSION).status_code == 200
    assert sign_in(control.anonymous(), "root")[0] == 200


def test_changing_the_password_ends_the_other_sessions(control: Control) -> None:
    control.person("lin", Role.MEMBER)
    here, there = control.anonymous(), control.anonymous()
    sign_in(here, "lin")
    sign_in(there, "lin")
    body = {"current_password": PASSWORD.reveal(), "new_password": NEW}
    before = here.cookies["aimesh_session"]
    answer = here.put(f"{SESSION}/password", json=body)
    assert answer.status_code == 200
    assert here.cookies["aimesh_session"] != before
    assert here.get(SESSION).status_code == 200
    assert there.get(SESSION).status_code == 401
    assert sign_in(control.anonymous(), "lin") == REFUSED
    assert sign_in(control.anonymous(), "lin", NEW)[0] == 200
    (line,) = control.local().get(f"{API}/audit?action=user.password").json()["data"]
    assert line["changes"] == {"password": {"changed": True}}


def test_the_current_password_is_asked_for(control: Control) -> None:
    client = control.client(control.person("lin", Role.MEMBER))
    body = {"current_password": "wrong", "new_password": NEW}
    for _ in range(10):
        answer = client.put(f"{SESSION}/password", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "WRONG_PASSWORD")
    assert client.put(f"{SESSION}/password", json=body).status_code == 429
    assert sign_in(control.anonymous({"x-forwarded-for": "203.0.113.9"}), "lin") == REFUSED


def test_who_holds_a_session_guesses_no_more_often_than_others(control: Control) -> None:
    client = control.client(control.person("lin", Role.MEMBER))

    def change(current: str, host: int) -> tuple[int, str]:
        answer = client.put(
            f"{SESSION}/password",
            json={"current_password": current, "new_password": NEW},
            headers={"x-forwarded-for": f"203.0.113.{host}"},
        )
        return answer.status_code, answer.json().get("error", {}).get("code", "")

    for host in range(10):
        assert change("wrong", host) == (403, "WRONG_PASSWORD")
    # Locked by now, whatever address is tried, and however right the guess.
    assert change(PASSWORD.reveal(), 11) == (403, "WRONG_PASSWORD")
    control.clock.advance(14 * 60)
    assert change("wrong", 12) == (403, "WRONG_PASSWORD")
    control.clock.advance(2 * 60)
    assert change(PASSWORD.reveal(), 13) == (200, "")


@pytest.mark.parametrize(
    "password", ["short", "aaaaaaaaaaaa", "a-long-username", "A-Long-Username", "x" * 257]
)
def test_passwords_that_are_refused(control: Control, password: str) -> None:
    client = control.client(control.person("a-long-username", Role.MEMBER))
    body = {"current_password": PASSWORD.reveal(), "new_password": password}
    answer = client.put(f"{SESSION}/password", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "PASSWORD_UNUSABLE")
    assert answer.json()["error"]["details"][0]["path"] == "new_password"


def test_who_has_no_session_has_no_password_to_change(control: Control) -> None:
    client = control.token_client(control.person("lin", Role.MEMBER))
    body = {"current_password": PASSWORD.reveal(), "new_password": NEW}
    assert client.put(f"{SESSION}/password", json=body).json()["error"]["code"] == "NO_SESSION"
    assert client.delete(SESSION).json()["error"]["code"] == "NO_SESSION"


def test_a_weaker_hash_is_made_anew(control: Control, anonymous: TestClient) -> None:
    user = control.person("lin", Role.MEMBER)
    weaker = Secret(CHEAP_HASHER.hash(PASSWORD.reveal()).replace("m=8", "m=8"))
    with control.parts.store.write() as db:
        set_password_hash(db, user.id, weaker)
    stronger = Passwords(type(CHEAP_HASHER)(time_cost=2, memory_cost=16, parallelism=1))
    object.__setattr__(control.app.state.parts, "passwords", stronger)
    assert sign_in(anonymous, "lin")[0] == 200
    with control.parts.store.read() as db:
        kept = password_hash(db, user.id)
    assert kept is not None
    assert "m=16,t=2" in kept.reveal()
    assert sign_in(control.anonymous(), "lin")[0] == 200


def test_the_database_has_no_password_in_clear(control: Control) -> None:
    control.person("lin", Role.MEMBER)
    with control.parts.store.read() as db:
        user = find_by_username(db, "lin")
        assert user is not None
        kept = password_hash(db, user.id)
    assert kept is not None
    assert kept.reveal().startswith("$argon2id$")
    assert PASSWORD.reveal() not in repr((user, kept))


@pytest.mark.parametrize("body", [{}, {"username": "lin"}, {"username": "lin", "password": ""}, [], "x"])
def test_a_sign_in_that_is_none(anonymous: TestClient, body: object) -> None:
    assert anonymous.post(SESSION, json=body).status_code == 422


def address(number: int) -> dict[str, str]:
    """So that the account is locked before the address has to wait."""
    return {"x-forwarded-for": f"203.0.113.{number}"}


def disable_other_tenant(control: Control) -> None:
    with control.parts.store.write() as db:
        tenant = find_tenant(db, OTHER_TENANT)
        assert tenant is not None
        assert change_tenant(db, tenant, TenantTerms(name="x", status=TenantStatus.DISABLED), 0.0) is not None
