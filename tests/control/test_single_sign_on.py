"""Signing in through a real identity provider on loopback, and everything that must not let anybody in."""

import base64
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.testclient import TestClient
from tests.support.control import API, OTHER_TENANT, Control, opened_control
from tests.support.oidc import (
    CLIENT_SECRET,
    Json,
    Provider,
    SigningKey,
    ec_key,
    rsa_key,
    running_provider,
)
from tests.support.stores import opened_store

from aimesh.core.clock import FixedClock
from aimesh.store.database import default_url
from aimesh.store.engine import Store
from aimesh.store.people import Role
from aimesh.store.users import UserTerms, change_user, find_by_username

START = f"{API}/session/oidc"
KEY = rsa_key("first")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider(FixedClock(), KEY) as provider:
        yield provider


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """SQLite alone: what differs between databases is not asked here."""
    with opened_store(default_url(tmp_path)) as store:
        yield store


@pytest.fixture
def control(store: Store, tmp_path: Path, provider: Provider) -> Iterator[Control]:
    with opened_control(store, tmp_path, yaml_of(provider)) as control:
        yield control


@pytest.fixture
def browser(control: Control) -> TestClient:
    return control.anonymous()


def yaml_of(provider: Provider, tenant: str = "default") -> str:
    secret = "" if provider.client_secret is None else f"client_secret: '{provider.client_secret}', "
    return (
        f"admin: {{oidc: {{issuer: '{provider.issuer}', client_id: aimesh, {secret}"
        f"tenant: {tenant}, admins: [Boss@Example.com]}}}}\n"
    )


def visited(browser: TestClient, back: str = "/") -> str:
    """Where the provider sends the browser back to."""
    begun = browser.get(START, params={"back": back})
    assert begun.status_code == 302, begun.text
    with httpx.Client(trust_env=False, verify=False) as client:
        sent = client.get(begun.headers["location"])
    assert sent.status_code == 302
    return sent.headers["location"]


def signed_in(browser: TestClient) -> Json:
    done = browser.get(visited(browser))
    assert done.status_code == 302, done.text
    told: Json = browser.get(f"{API}/session").json()
    return told


def refusal(browser: TestClient) -> tuple[int, str]:
    done = browser.get(visited(browser))
    assert "aimesh_session" not in browser.cookies
    return done.status_code, done.json()["error"]["code"]


FAILED = (502, "IDENTITY_PROVIDER_FAILED")


def test_somebody_new_becomes_a_member(browser: TestClient, provider: Provider, control: Control) -> None:
    provider.person |= {"preferred_username": "Lin", "name": "Lin Ming", "email_verified": True}
    done = browser.get(visited(browser, back="/console/keys?x=1"))
    assert (done.status_code, done.headers["location"]) == (302, "/console/keys?x=1")
    cookie = done.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    told = browser.get(f"{API}/session").json()
    assert told["role"] == "MEMBER"
    assert told["tenant"]["id"] == "default"
    assert told["user"]["username"] == "lin"
    assert told["user"]["display_name"] == "Lin Ming"
    actions = [line["action"] for line in control.local().get(f"{API}/audit").json()["data"]]
    assert actions == ["session.begin", "user.create"]


def test_the_same_person_comes_back_under_a_new_address(browser: TestClient, provider: Provider) -> None:
    first = signed_in(browser)
    provider.person = {"sub": "person-1", "email": "renamed@example.com"}
    second = signed_in(browser)
    assert first["user"] == second["user"]


def test_another_person_with_the_same_name_gets_another_one(browser: TestClient, provider: Provider) -> None:
    provider.person |= {"preferred_username": "lin"}
    signed_in(browser)
    provider.person |= {"sub": "person-2"}
    told = signed_in(browser)
    assert told["name"] == "lin-2"


def test_a_verified_address_binds_to_the_one_who_has_it(
    browser: TestClient, provider: Provider, control: Control
) -> None:
    control.person("lin", Role.AI_GATEWAY_ADMIN, OTHER_TENANT, email="Lin@example.com")
    provider.person |= {"email_verified": True}
    told = signed_in(browser)
    assert (told["name"], told["role"], told["tenant"]) == (
        "lin",
        "AI_GATEWAY_ADMIN",
        {"id": "other", "name": "Another company", "status": "active"},
    )


def test_an_unverified_address_binds_to_nobody(
    browser: TestClient, provider: Provider, control: Control
) -> None:
    control.person("lin", Role.PLATFORM_ADMIN, email="lin@example.com")
    told = signed_in(browser)
    assert (told["name"], told["role"]) == ("lin@example.com", "MEMBER")


def test_an_address_that_two_have_binds_to_neither(
    browser: TestClient, provider: Provider, control: Control
) -> None:
    for name in ("lin", "lina"):
        control.person(name, Role.PLATFORM_ADMIN, email="lin@example.com")
    provider.person |= {"email_verified": True}
    assert signed_in(browser)["role"] == "MEMBER"


@pytest.mark.parametrize(
    ("is_verified", "role"), [(True, "AI_GATEWAY_ADMIN"), (False, "MEMBER"), ("no", "MEMBER")]
)
def test_the_setting_names_administrators_by_verified_address(
    browser: TestClient, provider: Provider, is_verified: bool | str, role: str
) -> None:
    provider.person |= {"email": "boss@example.com", "email_verified": is_verified}
    if is_verified == "no":
        del provider.person["email_verified"]
    assert signed_in(browser)["role"] == role


def test_an_address_is_asked_for_when_the_token_has_none(browser: TestClient, provider: Provider) -> None:
    provider.person = {"sub": "person-1"}
    provider.userinfo = {"email": "boss@example.com", "email_verified": True, "name": "Boss"}
    told = signed_in(browser)
    assert told["role"] == "AI_GATEWAY_ADMIN"


def test_what_is_told_of_somebody_else_does_not_count(browser: TestClient, provider: Provider) -> None:
    provider.person = {"sub": "person-1"}
    provider.userinfo = {"sub": "person-2", "email": "boss@example.com", "email_verified": True}
    assert refusal(browser) == FAILED


def test_names_are_cleaned(browser: TestClient, provider: Provider) -> None:
    provider.person |= {"preferred_username": "  Lin\nMing <b>", "name": "x\u0000y" + "z" * 500}
    told = signed_in(browser)
    assert told["name"] == "linmingb"
    assert provider.person["name"] != told


def test_a_disabled_person_stays_out(browser: TestClient, provider: Provider, control: Control) -> None:
    name = str(signed_in(browser)["name"])
    set_terms(control, name, enabled=False)
    browser.cookies.clear()
    assert refusal(browser) == (401, "SIGN_IN_REFUSED")


def test_wrong_passwords_keep_nobody_from_single_sign_on(browser: TestClient, control: Control) -> None:
    name = str(signed_in(browser)["name"])
    for number in range(10):
        guesser = control.anonymous({"x-forwarded-for": f"203.0.113.{number}"})
        guesser.post(f"{API}/session", json={"username": name, "password": "wrong"})
    with control.parts.store.read() as db:
        user = find_by_username(db, name)
    assert user is not None
    assert user.locked_until_s is not None
    browser.cookies.clear()
    assert signed_in(browser)["name"] == name


def test_es256_and_new_keys(browser: TestClient, provider: Provider, control: Control) -> None:
    signed_in(browser)
    provider.key = ec_key("second")
    # Keys are not asked for again at once, whoever invents a name for one.
    assert refusal(control.anonymous()) == FAILED
    control.clock.advance(31)
    provider.clock.advance(31)
    assert signed_in(browser)["name"] == "lin@example.com"
    assert provider.requests.count("/jwks") == 2
    assert provider.requests.count("/.well-known/openid-configuration") == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": ["aimesh", "another"]},
        {"aud": ["aimesh", "another"], "azp": "another"},
        {"azp": "another"},
        {"iss": "https://elsewhere.example"},
        {"exp": 1},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"nbf": 4_000_000_000},
        {"sub": None},
        {"sub": ["a"]},
    ],
    ids=json.dumps,
)
def test_a_token_that_is_not_for_this_sign_in(browser: TestClient, provider: Provider, claims: Json) -> None:
    provider.claims = claims
    assert refusal(browser) == FAILED


def test_a_shared_token_for_this_client_is_good(browser: TestClient, provider: Provider) -> None:
    provider.claims = {"aud": ["aimesh", "another"], "azp": "aimesh"}
    assert signed_in(browser)["role"] == "MEMBER"


def test_a_signature_of_somebody_else(browser: TestClient, provider: Provider) -> None:
    provider.key, provider.published = SigningKey("first", "RS256", rsa_key("x").private), [KEY]
    provider.is_key_published = False
    assert refusal(browser) == FAILED


def test_a_token_without_a_signature(browser: TestClient, provider: Provider) -> None:
    provider.id_token = f"{part({'alg': 'none', 'kid': 'first'})}.{part(provider.told('x'))}."
    assert refusal(browser) == FAILED


def test_a_token_signed_with_the_public_key_as_a_password(browser: TestClient, provider: Provider) -> None:
    public = KEY.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{part({'alg': 'HS256', 'kid': 'first'})}.{part(provider.told('x'))}"
    provider.id_token = f"{signed}.{in_base64(hmac.digest(public, signed.encode(), 'sha256'))}"
    assert refusal(browser) == FAILED


def part(value: Json) -> str:
    return in_base64(json.dumps(value).encode())


def in_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\u0000"])
def test_what_is_no_token(browser: TestClient, provider: Provider, token: str) -> None:
    provider.id_token = token or " "
    assert refusal(browser) == FAILED


@pytest.mark.parametrize("path", ["/jwks", "/token"])
def test_a_provider_that_fails(browser: TestClient, provider: Provider, path: str) -> None:
    provider.statuses[path] = 500
    assert refusal(browser) == FAILED


def test_a_provider_that_is_away_is_not_asked_by_everybody(
    browser: TestClient, control: Control, provider: Provider
) -> None:
    path = "/.well-known/openid-configuration"
    provider.statuses[path] = 503
    for _ in range(5):
        answer = browser.get(START)
        assert (answer.status_code, answer.json()["error"]["code"]) == FAILED
    assert provider.requests == [path]
    del provider.statuses[path]
    control.clock.advance(5)
    assert browser.get(START).status_code == 302
    assert provider.requests == [path, path]


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": "ftp://127.0.0.1/jwks"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": None},
    ],
    ids=json.dumps,
)
def test_a_provider_that_is_not_to_be_trusted(
    browser: TestClient, provider: Provider, discovery: Json
) -> None:
    provider.discovery = discovery
    answer = browser.get(START)
    assert (answer.status_code, answer.json()["error"]["code"]) == FAILED


def test_a_code_works_once(browser: TestClient) -> None:
    address = visited(browser)
    kept = dict(browser.cookies)
    assert browser.get(address).status_code == 302
    browser.cookies.clear()
    browser.cookies.update(kept)
    assert browser.get(address).json()["error"]["code"] == "IDENTITY_PROVIDER_FAILED"


def test_a_sign_in_is_finished_in_the_browser_that_began_it(browser: TestClient, control: Control) -> None:
    address = visited(browser)
    stranger = control.anonymous()
    answer = stranger.get(address)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "SIGN_IN_LOST")
    visited(stranger)
    assert stranger.get(address).json()["error"]["code"] == "SIGN_IN_LOST"
    stranger.headers["cookie"] = "aimesh_oidc=bm90IHNlYWxlZCBieSB1cw=="
    assert stranger.get(address).json()["error"]["code"] == "SIGN_IN_LOST"


def test_a_sign_in_is_begun_again_after_ten_minutes(browser: TestClient, control: Control) -> None:
    address = visited(browser)
    control.clock.advance(601)
    assert browser.get(address).json()["error"]["code"] == "SIGN_IN_LOST"


def test_the_provider_refuses(browser: TestClient) -> None:
    state = parse_qs(urlsplit(visited(browser)).query)["state"][0]
    answer = browser.get(f"{START}/callback", params={"error": "access_denied", "state": state})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "SIGN_IN_REFUSED")


def test_a_browser_gets_a_page_and_a_program_gets_json(browser: TestClient) -> None:
    page = browser.get(f"{START}/callback", headers={"accept": "text/html", "accept-language": "zh"})
    assert page.status_code == 401
    assert "登录失败" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert browser.get(f"{START}/callback").json()["error"]["code"] == "SIGN_IN_LOST"


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/a\n"]
)
def test_people_are_not_sent_elsewhere(browser: TestClient, back: str) -> None:
    assert browser.get(START, params={"back": back}).status_code == 422


@pytest.mark.parametrize("secret", [None, CLIENT_SECRET])
def test_ways_of_naming_the_client(
    store: Store, tmp_path: Path, provider: Provider, secret: str | None
) -> None:
    provider.client_secret, provider.auth_methods = secret, ["client_secret_post"]
    with opened_control(store, tmp_path, yaml_of(provider)) as control:
        assert signed_in(control.anonymous())["role"] == "MEMBER"


def test_a_tenant_that_does_not_exist(store: Store, tmp_path: Path, provider: Provider) -> None:
    with opened_control(store, tmp_path, yaml_of(provider, tenant="nowhere")) as control:
        assert refusal(control.anonymous()) == (409, "TENANT_NOT_FOUND")


def test_a_provider_that_is_away(store: Store, tmp_path: Path) -> None:
    with running_provider(FixedClock(), KEY) as provider:
        yaml = yaml_of(provider)
    with opened_control(store, tmp_path, yaml) as control:
        answer = control.anonymous().get(START)
    assert (answer.status_code, answer.json()["error"]["code"]) == FAILED


def test_single_sign_on_that_is_not_configured(store: Store, tmp_path: Path) -> None:
    with opened_control(store, tmp_path) as control:
        browser = control.anonymous()
        assert browser.get(START).json()["error"]["code"] == "NO_SINGLE_SIGN_ON"
        assert browser.get(f"{API}/setup").json()["single_sign_on"] is False


def test_the_cookie_of_a_flow_tells_nothing(browser: TestClient) -> None:
    visited(browser)
    sealed = base64.urlsafe_b64decode(browser.cookies["aimesh_oidc"])
    assert b"verifier" not in sealed
    assert b"nonce" not in sealed


def set_terms(control: Control, username: str, *, enabled: bool) -> None:
    with control.parts.store.write() as db:
        user = find_by_username(db, username)
        assert user is not None
        terms = UserTerms(display_name="", email="", role=user.role, enabled=enabled)
        assert change_user(db, user, terms, 0.0) is not None
