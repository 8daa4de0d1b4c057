"""A small OpenID Connect provider on loopback: real HTTP, real keys, real checks of codes, clients and PKCE.

``running_provider`` gives one whose person signs in without being asked. What a hostile or broken provider does is a
field to set.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from aimesh.core.clock import FixedClock

CLIENT = "aimesh"
CLIENT_SECRET = "client secret: 4711/+"
Json = dict[str, object]


@dataclass
class SigningKey:
    kid: str
    algorithm: str
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    def public_jwk(self) -> Json:
        if isinstance(self.private, rsa.RSAPrivateKey):
            jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key()))
        else:
            jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key()))
        return {**jwk, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    def signed_without_name(self, claims: Json) -> str:
        return jwt.encode(claims, self.private, algorithm=self.algorithm)


def rsa_key(kid: str) -> SigningKey:
    return SigningKey(kid, "RS256", rsa.generate_private_key(public_exponent=65537, key_size=2048))


def ec_key(kid: str) -> SigningKey:
    return SigningKey(kid, "ES256", ec.generate_private_key(ec.SECP256R1()))


@dataclass
class Provider:
    """What it is now; tests change it while it runs."""

    clock: FixedClock
    issuer: str
    key: SigningKey
    person: Json = field(default_factory=lambda: {"sub": "person-1", "email": "lin@example.com"})
    claims: Json = field(default_factory=dict)
    """Put over those of the next ID tokens; None takes one out."""
    userinfo: Json = field(default_factory=dict)
    published: list[SigningKey] = field(default_factory=list)
    """Besides ``key``."""
    is_key_published: bool = True
    id_token: str = ""
    """Handed out instead of a good one."""
    discovery: Json = field(default_factory=dict)
    client_secret: str | None = CLIENT_SECRET
    auth_methods: list[str] = field(default_factory=lambda: ["client_secret_basic"])
    statuses: dict[str, int] = field(default_factory=dict)
    """Path to a status to fail with."""
    requests: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def answer(self, path: str, query: dict[str, str], authorization: str) -> tuple[int, Json]:
        self.requests.append(path)
        if path in self.statuses:
            return self.statuses[path], {"error": "server_error"}
        match path:
            case "/.well-known/openid-configuration":
                return 200, self._discovery()
            case "/jwks":
                keys = [*self.published, *([self.key] if self.is_key_published else [])]
                encryption = {"kty": "oct", "kid": "enc", "use": "enc", "k": "AAAA"}
                return 200, {"keys": [encryption, *(key.public_jwk() for key in keys)]}
            case "/token":
                return self._token(query, authorization)
            case "/userinfo":
                return 200, {"sub": self.person["sub"], **self.userinfo}
            case _:
                return 404, {}

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def _discovery(self) -> Json:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?prompt=none",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "token_endpoint_auth_methods_supported": self.auth_methods,
            **self.discovery,
        }

    def _token(self, form: dict[str, str], authorization: str) -> tuple[int, Json]:
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or not self._is_client(form, authorization):
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        token = self.id_token or self.signed(self.told(asked["nonce"]))
        return 200, {"id_token": token, "access_token": "opaque", "token_type": "Bearer"}

    def _is_client(self, form: dict[str, str], authorization: str) -> bool:
        if self.client_secret is None:
            return form.get("client_id") == CLIENT and not authorization
        if self.auth_methods == ["client_secret_post"]:
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT, self.client_secret)
        pair = f"{CLIENT}:{urlencode({'': self.client_secret})[1:]}"
        return authorization == f"Basic {base64.b64encode(pair.encode()).decode()}"

    def told(self, nonce: str) -> Json:
        now_s = int(self.clock.wall_s())
        good: Json = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now_s,
            "exp": now_s + 300,
            "nonce": nonce,
            **self.person,
            **self.claims,
        }
        return {name: value for name, value in good.items() if value is not None}

    def signed(self, claims: Json) -> str:
        return jwt.encode(
            claims, self.key.private, algorithm=self.key.algorithm, headers={"kid": self.key.kid}
        )


def _handler_of(provider: Provider) -> type[BaseHTTPRequestHandler]:
    """The standard library makes a handler per connection and gives it nothing but the server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            if parts.path == "/authorize":
                self.send_response(302)
                self.send_header("location", provider.authorize(query))
                self.send_header("content-length", "0")
                self.end_headers()
                return
            self._reply(parts.path, query)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
            self._reply(
                urlsplit(self.path).path, {name: values[0] for name, values in parse_qs(body).items()}
            )

        def _reply(self, path: str, query: dict[str, str]) -> None:
            status, told = provider.answer(path, query, self.headers.get("authorization", ""))
            data = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            pass

    return Handler


@contextmanager
def running_provider(clock: FixedClock, key: SigningKey) -> Iterator[Provider]:
    provider = Provider(clock=clock, issuer="", key=key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(provider))
    server.daemon_threads = True
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="oidc")
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
