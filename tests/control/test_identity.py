"""Who a request is from: sessions with CSRF, tokens, the local operator; and what cannot pass for them."""

from collections.abc import Mapping

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.support.control import API, OTHER_TENANT, Control

from aimesh.core.ids import DEFAULT_TENANT, TenantId
from aimesh.core.secret import Secret
from aimesh.store.people import Role
from aimesh.store.sessions import digest, find_session
from aimesh.store.tokens import NOBODY, Token, add_token, find_by_digest, make_token_text
from aimesh.store.users import User, UserTerms, change_user, find_user

SESSION = f"{API}/session"
MEMBERS = f"{API}/members"
NEW_MEMBER = {"username": "newcomer"}


def code(
    client: TestClient,
    method: str = "GET",
    path: str = SESSION,
    *,
    json: object = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    answer = client.request(method, path, json=json, headers=headers)
    told = answer.json() if answer.content else {}
    return answer.status_code, told.get("error", {}).get("code", "")


def test_nobody(anonymous: TestClient) -> None:
    answer = anonymous.get(SESSION)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("value", ["", "x", "a" * 5000, "at-" + "0" * 40])
def test_a_cookie_that_opens_nothing(control: Control, value: str) -> None:
    client = control.anonymous({"cookie": f"aimesh_session={value}"})
    assert client.get(SESSION).status_code == 401


@pytest.mark.parametrize(
    "value", ["Basic eDp5", "Bearer", "Bearer ", "Bearer ck-abc", "at-x", "bearer \u00e9"]
)
def test_an_authorization_that_opens_nothing(control: Control, admin: TestClient, value: str) -> None:
    # Even with a good cookie beside it: who sends a token means the token.
    assert admin.get(SESSION, headers={b"authorization": value.encode("latin-1")}).status_code == 401


def test_unsafe_methods_need_the_csrf_token(admin: TestClient) -> None:
    good = admin.headers.pop("x-csrf-token")
    assert code(admin) == (200, "")
    assert code(admin, "POST", MEMBERS, json=NEW_MEMBER) == (403, "CSRF_TOKEN_REQUIRED")
    for value in ("", "x", good[:-1], good + "x"):
        headers = {"x-csrf-token": value}
        assert code(admin, "POST", MEMBERS, json=NEW_MEMBER, headers=headers)[1] == "CSRF_TOKEN_REQUIRED"
    assert code(admin, "DELETE", SESSION) == (403, "CSRF_TOKEN_REQUIRED")
    assert code(admin, "POST", MEMBERS, json=NEW_MEMBER, headers={"x-csrf-token": good}) == (201, "")


def test_the_csrf_token_of_another_session_does_not_do(control: Control, admin: TestClient) -> None:
    other = control.client(control.person("second", Role.AI_GATEWAY_ADMIN))
    headers = {"x-csrf-token": other.headers["x-csrf-token"]}
    assert code(admin, "POST", MEMBERS, json=NEW_MEMBER, headers=headers)[1] == "CSRF_TOKEN_REQUIRED"


@pytest.mark.parametrize(
    ("origin", "host", "is_ours"),
    [
        ("http://aimesh.example", "aimesh.example", True),
        ("https://aimesh.example", "aimesh.example:443", True),
        ("https://AIMESH.example:8443", "aimesh.example:8443", True),
        ("https://evil.example", "aimesh.example", False),
        ("https://aimesh.example.evil.example", "aimesh.example", False),
        ("https://aimesh.example:8443", "aimesh.example", False),
        ("null", "aimesh.example", False),
        ("", "aimesh.example", False),
        ("http://[", "aimesh.example", False),
    ],
)
def test_a_page_of_another_site_changes_nothing(
    admin: TestClient, origin: str, host: str, is_ours: bool
) -> None:
    headers = {"origin": origin, "x-forwarded-host": host}
    expected = (201, "") if is_ours else (403, "FOREIGN_ORIGIN")
    assert code(admin, "POST", MEMBERS, json=NEW_MEMBER, headers=headers) == expected
    # Reading is not a change, and the browser keeps the answer from the page.
    assert code(admin, headers=headers) == (200, "")


def test_a_page_of_another_site_cannot_sign_in(anonymous: TestClient) -> None:
    body = {"username": "lin", "password": "x"}
    headers = {"origin": "https://evil.example"}
    assert code(anonymous, "POST", SESSION, json=body, headers=headers) == (403, "FOREIGN_ORIGIN")


def test_a_token_needs_neither_cookie_nor_csrf(control: Control) -> None:
    client = control.token_client(control.person("lin", Role.AI_GATEWAY_ADMIN))
    assert code(client, "POST", MEMBERS, json=NEW_MEMBER, headers={"origin": "https://ci.example"}) == (
        201,
        "",
    )
    told = client.get(SESSION).json()
    assert (told["kind"], told["csrf_token"], told["user"]["username"]) == ("token", None, "lin")


def test_a_token_does_no_more_than_its_role(control: Control) -> None:
    user = control.person("lin", Role.AI_GATEWAY_ADMIN)
    client = control.token_client(user, Role.MEMBER)
    assert client.get(SESSION).json()["role"] == "MEMBER"
    assert code(client, "POST", MEMBERS, json=NEW_MEMBER) == (403, "FORBIDDEN")


def test_a_token_falls_with_its_maker(control: Control) -> None:
    user = control.person("lin", Role.AI_GATEWAY_ADMIN)
    client = control.token_client(user)
    demoted = changed(control, user, role=Role.MEMBER)
    assert client.get(SESSION).json()["role"] == "MEMBER"
    changed(control, demoted, enabled=False)
    assert code(client) == (401, "TOKEN_NOT_VALID")


def test_a_token_expires(control: Control) -> None:
    user = control.person("lin", Role.MEMBER)
    text = stored_token(control, user, expires_at_s=control.clock.wall_s() + 60)
    client = control.anonymous({"authorization": f"Bearer {text.reveal()}"})
    assert code(client) == (200, "")
    control.clock.advance(60)
    assert code(client) == (401, "TOKEN_NOT_VALID")


def test_a_token_for_another_tenant_needs_who_may_go_there(control: Control) -> None:
    user = control.person("root", Role.PLATFORM_ADMIN)
    text = stored_token(control, user, tenant=OTHER_TENANT, role=Role.AI_GATEWAY_ADMIN)
    client = control.anonymous({"authorization": f"Bearer {text.reveal()}"})
    assert client.get(SESSION).json()["tenant"]["id"] == "other"
    changed(control, user, role=Role.AI_GATEWAY_ADMIN)
    assert code(client) == (401, "TOKEN_NOT_VALID")


def test_when_a_token_was_last_used_is_kept_to_the_minute(control: Control) -> None:
    user = control.person("lin", Role.MEMBER)
    text = stored_token(control, user)
    client = control.anonymous({"authorization": f"Bearer {text.reveal()}"})
    begun_s = control.clock.wall_s()
    seen = []
    for _ in range(3):
        client.get(SESSION)
        with control.parts.store.read() as db:
            token = find_by_digest(db, digest(text))
        assert token is not None
        seen.append(token.last_used_at_s)
        control.clock.advance(31)
    assert seen == [begun_s, begun_s, begun_s + 62]


def test_the_local_operator(control: Control) -> None:
    told = control.local().get(SESSION).json()
    assert (told["kind"], told["name"], told["role"], told["user"]) == (
        "local",
        "root",
        "PLATFORM_ADMIN",
        None,
    )
    assert code(control.local(), "POST", MEMBERS, json=NEW_MEMBER) == (201, "")


@pytest.mark.parametrize("name", ["aimesh.local", "x-aimesh-local", "local", "x-local-operator"])
def test_nobody_is_the_local_operator_over_http(control: Control, name: str) -> None:
    for value in ("1", "true", "root", "<Operator>"):
        client = control.anonymous({name: value, "x-forwarded-for": "127.0.0.1", "host": "localhost"})
        assert code(client)[0] == 401
        assert code(client, path=f"{SESSION}?{name}={value}")[0] == 401
    # What a scope could be given by a server is no object of ours.
    fake = TestClient(forged(control, name, "root"))
    assert code(fake)[0] == 401


def forged(control: Control, name: str, value: object) -> ASGIApp:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await control.app({**scope, name: value, "state": {name: value}}, receive, send)

    return serve


def test_another_tenant_is_reached_by_who_may(
    control: Control, member: TestClient, admin: TestClient, platform: TestClient
) -> None:
    for client in (member, admin):
        assert code(client, path=f"{MEMBERS}?tenant=other") == (404, "TENANT_NOT_FOUND")
        assert code(client, path=f"{MEMBERS}?tenant=nowhere") == (404, "TENANT_NOT_FOUND")
        assert code(client, path=f"{MEMBERS}?tenant=default") == (200, "")
    assert code(platform, path=f"{MEMBERS}?tenant=other") == (200, "")
    assert code(platform, path=f"{MEMBERS}?tenant=nowhere") == (404, "TENANT_NOT_FOUND")


def test_a_caller_shows_no_secret(control: Control) -> None:
    text = Secret("session-secret")
    assert digest(text).hex() not in repr(text)
    client = control.client(control.person("lin", Role.MEMBER))
    cookie = str(client.headers["cookie"]).partition("=")[2]
    with control.parts.store.read() as db:
        session = find_session(db, digest(Secret(cookie)))
    assert session is not None
    assert session.csrf not in repr(session)
    assert cookie not in repr(session)


def changed(control: Control, user: User, *, role: Role | None = None, enabled: bool = True) -> User:
    with control.parts.store.write() as db:
        now = find_user(db, user.id)
        assert now is not None
        terms = UserTerms(display_name="", email="", role=role or now.role, enabled=enabled)
        after = change_user(db, now, terms, 0.0)
    assert after is not None
    return after


def stored_token(
    control: Control,
    user: User,
    *,
    tenant: TenantId = DEFAULT_TENANT,
    role: Role | None = None,
    expires_at_s: float | None = None,
) -> Secret[str]:
    text = make_token_text()
    token = Token(
        id=f"tok_{user.username}",
        tenant=tenant,
        user_id=user.id,
        name="stored",
        masked="",
        role=role or user.role,
        expires_at_s=expires_at_s,
        last_used_at_s=None,
        created_at_s=control.clock.wall_s(),
    )
    with control.parts.store.write() as db:
        add_token(db, token, digest(text))
    return text


def test_a_token_of_nobody_acts_for_its_tenant(control: Control) -> None:
    text = make_token_text()
    token = Token(
        id="tok_local",
        tenant=OTHER_TENANT,
        user_id=NOBODY,
        name="local",
        masked="",
        role=Role.AI_GATEWAY_ADMIN,
        expires_at_s=None,
        last_used_at_s=None,
        created_at_s=0.0,
    )
    with control.parts.store.write() as db:
        add_token(db, token, digest(text))
    told = control.anonymous({"authorization": f"Bearer {text.reveal()}"}).get(SESSION).json()
    assert (told["user"], told["tenant"]["id"], told["role"]) == (None, "other", "AI_GATEWAY_ADMIN")
