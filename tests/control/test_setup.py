"""The first administrator, and one-time links."""

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, PASSWORD, Control

from aimesh.control.setup import LIFE_S, first_link
from aimesh.control.throttle import FREE_FAILURES
from aimesh.store.people import Role
from aimesh.store.users import UserTerms, change_user, find_by_username

SETUP = f"{API}/setup"
GOOD = "a long password"


def link(control: Control) -> str:
    path = first_link(control.parts.store, control.clock)
    assert path is not None
    head, _, token = path.partition("=")
    assert head == "/setup#setup"
    return token


def finish(client: TestClient, token: str, username: str = "root", password: str = GOOD) -> tuple[int, str]:
    answer = client.post(SETUP, json={"token": token, "username": username, "password": password})
    told = answer.json()
    return answer.status_code, told["name"] if answer.status_code == 201 else told["error"]["code"]


def test_the_first_administrator(control: Control, anonymous: TestClient) -> None:
    assert anonymous.get(SETUP).json() == {"needed": True, "single_sign_on": False}
    assert finish(anonymous, link(control), "Root") == (201, "root")
    told = anonymous.get(f"{API}/session").json()
    assert (told["role"], told["tenant"]["id"]) == ("PLATFORM_ADMIN", "default")
    assert anonymous.get(SETUP).json()["needed"] is False
    assert first_link(control.parts.store, control.clock) is None
    signed = control.anonymous().post(f"{API}/session", json={"username": "root", "password": GOOD})
    assert signed.status_code == 200
    actions = [line["action"] for line in control.local().get(f"{API}/audit").json()["data"]]
    assert actions == ["session.begin", "session.begin", "user.create"]


def test_a_link_works_once(control: Control, anonymous: TestClient) -> None:
    token = link(control)
    assert finish(anonymous, token)[0] == 201
    assert finish(control.anonymous(), token, "second") == (404, "LINK_NOT_VALID")


def test_only_the_newest_link_works(control: Control, anonymous: TestClient) -> None:
    first, second = link(control), link(control)
    assert finish(anonymous, first) == (404, "LINK_NOT_VALID")
    assert finish(anonymous, second)[0] == 201


def test_a_link_ends_after_a_day(control: Control, anonymous: TestClient) -> None:
    token = link(control)
    control.clock.advance(LIFE_S)
    assert finish(anonymous, token) == (404, "LINK_NOT_VALID")


def test_a_link_is_not_used_up_by_a_mistake(control: Control, anonymous: TestClient) -> None:
    control.person("taken", Role.MEMBER)
    token = link(control)
    assert finish(anonymous, token, password="short") == (422, "PASSWORD_UNUSABLE")
    assert finish(anonymous, token, "taken") == (409, "USERNAME_TAKEN")
    assert finish(anonymous, token, "not a name") == (422, "INVALID_REQUEST")
    assert finish(anonymous, token)[0] == 201


def test_a_link_of_before_does_not_make_a_second_one(control: Control, anonymous: TestClient) -> None:
    token = link(control)
    control.person("root", Role.PLATFORM_ADMIN)
    assert finish(anonymous, token, "second") == (409, "SETUP_DONE")


def test_an_administrator_who_cannot_sign_in_does_not_count(control: Control) -> None:
    answer = control.local().post(f"{API}/members", json={"username": "invited", "role": "PLATFORM_ADMIN"})
    assert answer.status_code == 201
    assert first_link(control.parts.store, control.clock) is not None
    control.person("root", Role.PLATFORM_ADMIN)
    assert first_link(control.parts.store, control.clock) is None


@pytest.mark.parametrize("token", ["", "x", "a" * 3000, "' OR 1=1 --"])
def test_tokens_that_open_nothing(control: Control, anonymous: TestClient, token: str) -> None:
    link(control)
    assert finish(anonymous, token)[0] in (404, 422)


def test_guessing_tokens_has_to_wait(control: Control) -> None:
    token = link(control)
    guesser = control.anonymous({"x-forwarded-for": "203.0.113.7"})
    for number in range(FREE_FAILURES):
        assert finish(guesser, f"guess-{number}") == (404, "LINK_NOT_VALID")
    assert finish(guesser, token) == (429, "SLOW_DOWN")
    assert guesser.post(f"{API}/password-links/x", json={"password": GOOD}).status_code == 429
    assert finish(control.anonymous(), token)[0] == 201


def invited(control: Control, by: TestClient, username: str) -> str:
    """The token of a fresh link."""
    with control.parts.store.read() as db:
        user = find_by_username(db, username)
    assert user is not None
    answer = by.post(f"{API}/members/{user.id}/password-link")
    assert answer.status_code == 201, answer.text
    url = answer.json()["url"]
    assert url.startswith("http://aimesh.example/setup#link=")
    return str(url.partition("#link=")[2])


def use(client: TestClient, token: str, password: str = GOOD) -> tuple[int, str]:
    answer = client.post(f"{API}/password-links/{token}", json={"password": password})
    told = answer.json()
    return answer.status_code, told["name"] if answer.status_code == 200 else told["error"]["code"]


def test_a_member_comes_in_by_a_link(control: Control, admin: TestClient, anonymous: TestClient) -> None:
    admin.post(f"{API}/members", json={"username": "lin"})
    token = invited(control, admin, "lin")
    assert use(anonymous, token) == (200, "lin")
    assert anonymous.get(f"{API}/session").json()["role"] == "MEMBER"
    assert use(control.anonymous(), token) == (404, "LINK_NOT_VALID")


def test_a_new_password_ends_the_old_one_and_every_session(control: Control, admin: TestClient) -> None:
    session = control.client(control.person("lin", Role.MEMBER))
    token = invited(control, admin, "lin")
    # Until it is used, nothing changed.
    assert session.get(f"{API}/session").status_code == 200
    assert use(control.anonymous(), token) == (200, "lin")
    assert session.get(f"{API}/session").status_code == 401
    body = {"username": "lin", "password": PASSWORD.reveal()}
    assert control.anonymous().post(f"{API}/session", json=body).status_code == 401


def test_a_link_lets_a_locked_account_in(control: Control, admin: TestClient) -> None:
    control.person("lin", Role.MEMBER)
    for number in range(10):
        stranger = control.anonymous({"x-forwarded-for": f"203.0.113.{number}"})
        stranger.post(f"{API}/session", json={"username": "lin", "password": "x"})
    assert use(control.anonymous(), invited(control, admin, "lin")) == (200, "lin")


def test_a_new_link_takes_the_place_of_the_one_before(control: Control, admin: TestClient) -> None:
    control.person("lin", Role.MEMBER)
    first, second = invited(control, admin, "lin"), invited(control, admin, "lin")
    assert use(control.anonymous(), first) == (404, "LINK_NOT_VALID")
    assert use(control.anonymous(), second) == (200, "lin")


def test_a_link_and_the_password_that_it_refuses(control: Control, admin: TestClient) -> None:
    control.person("a-long-name", Role.MEMBER)
    token = invited(control, admin, "a-long-name")
    assert use(control.anonymous(), token, "A-LONG-NAME") == (422, "PASSWORD_UNUSABLE")
    assert use(control.anonymous(), token) == (200, "a-long-name")


def test_the_two_kinds_of_link_are_not_mixed_up(control: Control, admin: TestClient) -> None:
    control.person("lin", Role.MEMBER)
    assert finish(control.anonymous(), invited(control, admin, "lin")) == (404, "LINK_NOT_VALID")
    assert use(control.anonymous(), link(control)) == (404, "LINK_NOT_VALID")


def test_a_disabled_account_is_not_let_in_by_a_link(control: Control, admin: TestClient) -> None:
    user = control.person("lin", Role.MEMBER)
    token = invited(control, admin, "lin")
    with control.parts.store.write() as db:
        terms = UserTerms(display_name="", email="", role=Role.MEMBER, enabled=False)
        assert change_user(db, user, terms, 0.0) is not None
    assert use(control.anonymous(), token) == (409, "ACCOUNT_DISABLED")


def test_a_page_of_another_site_uses_no_link(control: Control) -> None:
    stranger = control.anonymous({"origin": "https://evil.example"})
    assert finish(stranger, link(control)) == (403, "FOREIGN_ORIGIN")
