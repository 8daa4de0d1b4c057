"""The admin API in the process of a test, with people to act as.

``tests/control/conftest.py`` makes fixtures of it::

    def test_x(control: Control, admin: TestClient) -> None:
        assert admin.get("/api/admin/v1/keys").status_code == 200

A client of a person has the person's session and CSRF token; ``control.token_client`` has a token instead, and
``control.local`` is the operator of the machine. Time stands still until ``control.clock.advance``.
"""

import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import argon2
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from aimesh.control.app import make_app
from aimesh.control.identity import COOKIE, CSRF_HEADER, as_local_operator
from aimesh.control.ids import new_id
from aimesh.control.parts import Parts
from aimesh.control.passwords import Passwords
from aimesh.core.clock import FixedClock
from aimesh.core.ids import DEFAULT_TENANT, TenantId, UserId
from aimesh.core.secret import Secret
from aimesh.settings import Settings, compile_settings
from aimesh.store.engine import Store
from aimesh.store.people import Role
from aimesh.store.sessions import Session, add_session, digest
from aimesh.store.tenants import TenantTerms, add_tenant
from aimesh.store.tokens import Token, add_token, make_token_text
from aimesh.store.users import NewUser, User, UserTerms, add_user, find_user, set_password_hash
from aimesh.store.vault import Vault
from aimesh.telemetry.logs import Level, Log

API = "/api/admin/v1"
OTHER_TENANT = TenantId("other")
PASSWORD = Secret("correct horse 4711")
CHEAP_HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_DAY_S = 86_400.0


class Control:
    def __init__(self, parts: Parts, clock: FixedClock) -> None:
        self.parts = parts
        self.clock = clock
        self.app: FastAPI = make_app(parts)
        self._hash = parts.passwords.hash(PASSWORD)
        with parts.store.write() as db:
            add_tenant(db, OTHER_TENANT, TenantTerms(name="Another company"), clock.wall_s())

    def person(self, username: str, role: Role, tenant: TenantId = DEFAULT_TENANT, email: str = "") -> User:
        """Somebody who can sign in: with ``PASSWORD``."""
        new = NewUser(
            id=UserId(new_id("usr", self.clock.wall_s())),
            tenant=tenant,
            username=username,
            terms=UserTerms(display_name=username.title(), email=email, role=role, enabled=True),
        )
        with self.parts.store.write() as db:
            add_user(db, new, self.clock.wall_s())
            set_password_hash(db, new.id, self._hash)
            user = find_user(db, new.id)
        assert user is not None
        return user

    def client(self, user: User) -> TestClient:
        """Somebody who is signed in."""
        text, now_s = Secret(secrets.token_urlsafe(32)), self.clock.wall_s()
        session = Session(
            sha256=digest(text),
            user_id=user.id,
            csrf=secrets.token_urlsafe(16),
            created_at_s=now_s,
            seen_at_s=now_s,
            expires_at_s=now_s + _DAY_S,
            ip="local",
            agent="test",
        )
        with self.parts.store.write() as db:
            add_session(db, session)
        client = self.anonymous()
        client.headers["cookie"] = f"{COOKIE}={text.reveal()}"
        client.headers[CSRF_HEADER] = session.csrf
        return client

    def token_client(self, user: User, role: Role | None = None) -> TestClient:
        return self.anonymous({"authorization": f"Bearer {self.token(user, role).reveal()}"})

    def token(self, user: User, role: Role | None = None) -> Secret[str]:
        text, now_s = make_token_text(), self.clock.wall_s()
        token = Token(
            id=new_id("tok", now_s),
            tenant=user.tenant,
            user_id=user.id,
            name=f"token {secrets.token_hex(4)}",
            masked="at-****",
            role=role or user.role,
            expires_at_s=None,
            last_used_at_s=None,
            created_at_s=now_s,
        )
        with self.parts.store.write() as db:
            add_token(db, token, digest(text))
        return text

    def local(self) -> TestClient:
        """The operator of this machine, as the command line is."""
        return _client(as_local_operator(self.app, "root"))

    def anonymous(self, headers: Mapping[str, str] | None = None) -> TestClient:
        client = _client(self.app)
        client.headers.update(headers or {})
        return client


def _client(app: ASGIApp) -> TestClient:
    return TestClient(app, base_url="http://aimesh.example", follow_redirects=False)


@contextmanager
def opened_control(store: Store, home: Path, yaml: str = "") -> Iterator[Control]:
    """``yaml``: the text of ``aimesh.yaml``."""
    clock = FixedClock()
    log = Log(clock, as_json=False, level=Level.INFO, access=False, write=_print)
    parts = Parts(
        store=store,
        settings=settings_of(home, yaml),
        clock=clock,
        vault=Vault([Secret(b"k" * 32)]),
        log=log,
        passwords=Passwords(CHEAP_HASHER),
        # Whether it was built here must change nothing.
        console=home / "no-console",
    )
    try:
        yield Control(parts, clock)
    finally:
        log.close()


def _print(lines: bytes) -> None:
    """What crashed is seen where a test fails."""
    sys.stderr.write(lines.decode())


def settings_of(home: Path, yaml: str = "") -> Settings:
    if yaml:
        (home / "aimesh.yaml").write_text(yaml, encoding="utf-8")
    return compile_settings(None, {"AIMESH_HOME": str(home)})
