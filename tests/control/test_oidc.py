"""The client towards the identity provider; what a real one does to it is in test_single_sign_on.py."""

from pathlib import Path

import httpx
import pytest
from tests.support.oidc import Json, ec_key, rsa_key

from aimesh.catalog.operator import OidcSettings, UpstreamSettings
from aimesh.control.oidc import (
    Flow,
    IdentityProvider,
    OidcError,
    challenge_of,
    check_url,
    make_client,
    unsealed,
)
from aimesh.core.clock import FixedClock

ISSUER = "https://login.example.com"


@pytest.mark.parametrize(
    "url", ["https://login.example.com/x", "http://127.0.0.1:80/x", "http://[::1]/x", "http://localhost:1/"]
)
def test_addresses_that_do(url: str) -> None:
    check_url(url, "it")


@pytest.mark.parametrize(
    "url",
    ["http://login.example.com", "http://10.0.0.1", "https://", "ftp://127.0.0.1", "", "javascript:alert(1)"],
)
def test_addresses_that_do_not(url: str) -> None:
    with pytest.raises(OidcError, match="it is not https"):
        check_url(url, "it")


def test_the_challenge_is_rfc_7636s() -> None:
    assert (
        challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_an_insecure_issuer_is_not_asked() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(500)

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        provider = IdentityProvider(OidcSettings(issuer="http://login.example.com"), FixedClock(), client)
        with pytest.raises(OidcError):
            provider.begin("http://localhost/callback", "/")
    assert asked == []


DISCOVERY: Json = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
}


@pytest.mark.parametrize("keys", [1, 2])
def test_a_token_without_the_name_of_its_key(keys: int) -> None:
    """Counts only where there is no choice."""
    key, other = rsa_key(""), ec_key("other")
    clock = FixedClock()
    claims = {
        "iss": ISSUER,
        "aud": "aimesh",
        "sub": "person-1",
        "nonce": "n",
        "iat": int(clock.wall_s()),
        "exp": int(clock.wall_s()) + 60,
    }
    published = [key.public_jwk(), other.public_jwk()][:keys]
    for one in published:
        one.pop("kid")
    answers = {
        "/.well-known/openid-configuration": DISCOVERY,
        "/jwks": {"keys": [*published, {"kty": "unknown", "kid": "x"}]},
        "/token": {"id_token": key.signed_without_name(claims)},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=answers[request.url.path])

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        settings = OidcSettings(issuer=ISSUER, client_id="aimesh")
        provider = IdentityProvider(settings, clock, client)
        flow = Flow("s", "n", "v", "http://localhost/callback", "/", clock.wall_s())
        if keys == 1:
            assert provider.finish(flow, "code").sub == "person-1"
        else:
            with pytest.raises(OidcError, match="unknown key"):
                provider.finish(flow, "code")


def test_an_answer_that_is_too_long() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b" " * (1 << 21))

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        provider = IdentityProvider(OidcSettings(issuer=ISSUER), FixedClock(), client)
        with pytest.raises(OidcError, match="too long"):
            provider.begin("http://localhost/callback", "/")


def test_the_client_goes_the_way_of_the_settings(tmp_path: Path) -> None:
    upstream = UpstreamSettings(proxy="http://127.0.0.1:9", no_proxy=("login.example.com",))
    for issuer, is_proxied in ((ISSUER, False), ("https://elsewhere.example", True)):
        with make_client(upstream, issuer) as client:
            # The library has no other way of telling.
            proxied = client._transport_for_url(httpx.URL(issuer)) is not client._transport
            assert proxied is is_proxied
            assert client.follow_redirects is False
    with pytest.raises(OSError, match="No such file"):
        make_client(UpstreamSettings(ca_file=str(tmp_path / "missing.pem")), ISSUER)


@pytest.mark.parametrize("text", ["!", "a", "\u00e9"])
def test_a_cookie_that_is_no_seal(text: str) -> None:
    with pytest.raises(OidcError):
        unsealed(text)
