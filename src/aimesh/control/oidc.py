"""The identity provider: OpenID Connect by authorization code, PKCE, state and nonce.

1. What a sign-in needs to remember (state, nonce, verifier) is a ``Flow``; it travels sealed in the person's own
   browser, so any control process can finish what another began.
2. An ID token counts only if the provider's published key signed it (RS256 or ES256), for this client, by this
   issuer, for this flow's nonce, and now. Keys are fetched again for an unknown ``kid``, not more often than
   ``KEYS_PAUSE_S``.
3. Every failure is an ``OidcError`` with words that hold no token and nothing that the provider or the person wrote.
4. The issuer is https, or on this machine.
"""

import base64
import binascii
import hashlib
import ipaddress
import secrets
from collections.abc import Mapping
from threading import Lock
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

import httpx
import jwt
import msgspec
from msgspec import Struct

from aimesh.catalog.operator import OidcSettings, UpstreamSettings
from aimesh.core.clock import Clock
from aimesh.net.dial import is_bypassed

FLOW_S = 600.0
KEYS_PAUSE_S = 30.0
DISCOVERY_S = 3600.0
FAILED_S = 5.0
"""A provider that could not be asked is not asked again so soon: everybody waits for whoever asks it."""
LEEWAY_S = 60.0
_TIMEOUT_S = 5.0
_MOST_BYTES = 1 << 20
_ALGORITHMS = ["RS256", "ES256"]
_SCOPE = "openid email profile"

T = TypeVar("T")


class OidcError(Exception):
    """The provider could not be asked, or what it said does not count; safe to show."""


class Flow(Struct, frozen=True):
    """One sign-in on its way."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    back: str
    """Where the person wanted to go."""
    begun_at_s: float


class Claims(Struct, frozen=True):
    """Who the provider says it is."""

    sub: str
    email: str = ""
    email_verified: bool = False
    preferred_username: str = ""
    name: str = ""


class _Discovery(Struct, frozen=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Tokens(Struct, frozen=True):
    id_token: str
    access_token: str = ""


class _Claims(Struct, frozen=True):
    """What is checked of an ID token beyond its signature, issuer and audience."""

    exp: float
    aud: str | list[str]
    iat: float | None = None
    nbf: float | None = None
    nonce: str = ""
    azp: str = ""


class IdentityProvider:
    """Any thread may use it."""

    def __init__(self, settings: OidcSettings, clock: Clock, client: httpx.Client) -> None:
        self._settings = settings
        self._clock = clock
        self._client = client
        self._lock = Lock()
        self._discovery: tuple[float, _Discovery] | None = None
        self._failure: tuple[float, OidcError] | None = None
        self._keys: tuple[float, dict[str, jwt.PyJWK]] | None = None

    @property
    def issuer(self) -> str:
        return self._settings.issuer.rstrip("/")

    def begin(self, redirect_uri: str, back: str) -> tuple[Flow, str]:
        """A new flow, and the address to send the person to."""
        flow = Flow(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=redirect_uri,
            back=back,
            begun_at_s=self._clock.wall_s(),
        )
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": _SCOPE,
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": challenge_of(flow.verifier),
            "code_challenge_method": "S256",
        }
        endpoint = self._discovered().authorization_endpoint
        return flow, f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    def finish(self, flow: Flow, code: str) -> Claims:
        """Exchanges the code and believes what is signed."""
        tokens = self._exchanged(flow, code)
        claims = self._verified(tokens.id_token, flow.nonce)
        if not claims.email and tokens.access_token:
            claims = self._completed(claims, tokens.access_token)
        return claims

    def _discovered(self) -> _Discovery:
        with self._lock:
            now_s = self._clock.monotonic_s()
            if self._discovery is not None and now_s - self._discovery[0] < DISCOVERY_S:
                return self._discovery[1]
            if self._failure is not None and now_s - self._failure[0] < FAILED_S:
                raise OidcError(str(self._failure[1]))
            try:
                found = self._discover()
            except OidcError as error:
                self._failure = (self._clock.monotonic_s(), error)
                raise
            self._discovery = (now_s, found)
            return found

    def _discover(self) -> _Discovery:
        check_url(self.issuer, "the setting admin.oidc.issuer")
        found = self._read(f"{self.issuer}/.well-known/openid-configuration", _Discovery)
        if found.issuer.rstrip("/") != self.issuer:
            raise OidcError("the identity provider calls itself another issuer than the setting says")
        for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            check_url(url, "an address that the identity provider names")
        return found

    def _exchanged(self, flow: Flow, code: str) -> _Tokens:
        discovery = self._discovered()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": flow.redirect_uri,
            "code_verifier": flow.verifier,
        }
        headers: dict[str, str] = {}
        secret = self._settings.client_secret
        if secret is None:
            form["client_id"] = self._settings.client_id
        elif "client_secret_basic" in discovery.token_endpoint_auth_methods_supported:
            headers["authorization"] = _basic(self._settings.client_id, secret.reveal())
        else:
            form |= {"client_id": self._settings.client_id, "client_secret": secret.reveal()}
        request = self._client.build_request("POST", discovery.token_endpoint, data=form, headers=headers)
        return self._sent(request, _Tokens)

    def _verified(self, token: str, nonce: str) -> Claims:
        key = self._key_of(token)
        try:
            # Times are checked below, against our own clock.
            told = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=self._settings.client_id,
                issuer=self._discovered().issuer,
                options={
                    "require": ["exp", "iat", "aud", "iss", "sub"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            claims = msgspec.convert(told, _Claims, strict=False)
            found = msgspec.convert(told, Claims, strict=False)
        except (jwt.PyJWTError, msgspec.ValidationError) as error:
            raise OidcError("the identity provider's ID token is not valid") from error
        self._check(claims, nonce)
        return found

    def _check(self, claims: _Claims, nonce: str) -> None:
        now_s = self._clock.wall_s()
        if now_s >= claims.exp + LEEWAY_S:
            raise OidcError("the identity provider's ID token has expired")
        if max(claims.iat or 0.0, claims.nbf or 0.0) > now_s + LEEWAY_S:
            raise OidcError("the identity provider's ID token is from the future; compare the clocks")
        if not secrets.compare_digest(claims.nonce.encode("utf-8", "replace"), nonce.encode()):
            raise OidcError("the identity provider's ID token is for another sign-in")
        is_shared = isinstance(claims.aud, list) and len(claims.aud) > 1
        if (is_shared or claims.azp) and claims.azp != self._settings.client_id:
            raise OidcError("the identity provider's ID token is for another client")

    def _completed(self, claims: Claims, access_token: str) -> Claims:
        """With what the provider tells of the person beside the token."""
        endpoint = self._discovered().userinfo_endpoint
        if not endpoint:
            return claims
        check_url(endpoint, "an address that the identity provider names")
        headers = {"authorization": f"Bearer {access_token}"}
        told = self._sent(self._client.build_request("GET", endpoint, headers=headers), Claims)
        if told.sub != claims.sub:
            raise OidcError("the identity provider tells of somebody else")
        return told

    def _key_of(self, token: str) -> jwt.PyJWK:
        try:
            kid = str(jwt.get_unverified_header(token).get("kid", ""))
        except jwt.PyJWTError as error:
            raise OidcError("the identity provider's ID token is not valid") from error
        with self._lock:
            known = self._keys
        now_s = self._clock.monotonic_s()
        if known is None or (_chosen(known[1], kid) is None and now_s - known[0] >= KEYS_PAUSE_S):
            known = (now_s, self._fetched_keys())
            with self._lock:
                self._keys = known
        key = _chosen(known[1], kid)
        if key is None:
            raise OidcError("the identity provider's ID token is signed with an unknown key")
        return key

    def _fetched_keys(self) -> dict[str, jwt.PyJWK]:
        told = self._read(self._discovered().jwks_uri, dict[str, list[dict[str, object]]])
        found: dict[str, jwt.PyJWK] = {}
        for number, key in enumerate(told.get("keys", [])):
            if key.get("use", "sig") != "sig":
                continue
            try:
                found[str(key.get("kid", f"#{number}"))] = jwt.PyJWK(key)
            except jwt.PyJWTError:
                # A kind of key that is not known here; another one may fit.
                continue
        return found

    def _read(self, url: str, shape: type[T]) -> T:
        return self._sent(self._client.build_request("GET", url), shape)

    def _sent(self, request: httpx.Request, shape: type[T]) -> T:
        try:
            answer = self._client.send(request)
        except httpx.HTTPError as error:
            raise OidcError(f"the identity provider cannot be reached: {type(error).__name__}") from error
        if answer.status_code != 200:
            raise OidcError(f"the identity provider answered {answer.status_code} for {request.url.path}")
        if len(answer.content) > _MOST_BYTES:
            raise OidcError("the identity provider's answer is too long")
        try:
            return msgspec.json.decode(answer.content, type=shape, strict=False)
        except msgspec.DecodeError as error:
            raise OidcError(
                f"the identity provider's answer for {request.url.path} is not as expected"
            ) from error


def make_client(upstream: UpstreamSettings, issuer: str) -> httpx.Client:
    """Trusts and goes the way that the settings say for providers."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    if upstream.ca_file:
        context.load_verify_locations(upstream.ca_file)
    host = urlsplit(issuer).hostname or ""
    proxy = upstream.proxy if upstream.proxy and not is_bypassed(host, upstream.no_proxy) else None
    return httpx.Client(
        verify=context,
        proxy=proxy,
        timeout=_TIMEOUT_S,
        trust_env=False,
        follow_redirects=False,
        headers={"accept": "application/json"},
    )


def check_url(url: str, what: str) -> None:
    """Raises ``OidcError`` unless what is sent there can be read by nobody else."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and _is_here(parts.hostname or ""):
        return
    raise OidcError(f"{what} is not https")


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _basic(name: str, secret: str) -> str:
    pair = f"{_form(name)}:{_form(secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _form(text: str) -> str:
    """RFC 6749 2.3.1: both parts are form-encoded first."""
    return urlencode({"": text})[1:]


def _chosen(keys: Mapping[str, jwt.PyJWK], kid: str) -> jwt.PyJWK | None:
    """Without a name there must be only one."""
    if kid:
        return keys.get(kid)
    return next(iter(keys.values())) if len(keys) == 1 else None


def sealed(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode()


def unsealed(text: str) -> bytes:
    """Raises ``OidcError``."""
    try:
        return base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise OidcError("the sign-in was not begun in this browser; begin again") from error
