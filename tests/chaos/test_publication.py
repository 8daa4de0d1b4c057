"""What an administrator changes reaches every worker, breaks nothing that runs, and outlives the control plane."""

import base64
import http.client
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from msgspec import structs
from tests.chaos.conftest import Begin
from tests.support.chaos_calls import CHAT, CHAT_STREAM
from tests.support.chaos_config import ALPHA_SECRET, TEXT, chaos_config, patient
from tests.support.chaos_http import call, headers_with, opened, until
from tests.support.chaos_process import GatewayProcess
from tests.support.chaos_simulator import SimulatorProcess
from tests.support.chaos_worker import InnerGateway, LoopThread
from tests.support.publishing import text_of
from tests.support.stores import opened_store

from aimesh.core.clock import SystemClock
from aimesh.core.ids import DEFAULT_TENANT, ProviderId, TenantId, UserId
from aimesh.core.policy import TenantStatus
from aimesh.core.secret import Secret
from aimesh.store import credentials, tenants, virtual_keys
from aimesh.store.database import default_url
from aimesh.store.engine import Store
from aimesh.store.overlays import OverlayKind, put_overlay
from aimesh.store.publication import published_directory
from aimesh.store.vault import open_vault
from aimesh.store.virtual_keys import KeyTerms, NewKey, StoredKey

pytestmark = pytest.mark.chaos

WORKERS = 3
BAR_S = 1.0
MODELS = "/gateway/v1/models"


class Office:
    """An administrator at the database of a gateway."""

    def __init__(self, store: Store, home: Path) -> None:
        self._store = store
        self._home = home
        self._now_s = SystemClock().wall_s

    def make_key(self, alias: str, tenant: TenantId = DEFAULT_TENANT) -> StoredKey:
        """Its text is ``text_of(alias)``."""
        now_s = self._now_s()
        new = NewKey(
            id=virtual_keys.make_id(now_s),
            tenant=tenant,
            owner=UserId(""),
            terms=KeyTerms(alias=alias),
            text=text_of(alias),
            envelope=None,
            at_s=now_s,
        )
        with self._store.write() as db:
            return virtual_keys.insert_key(db, new)

    def switch(self, key: StoredKey, on: bool) -> StoredKey:
        with self._store.write() as db:
            changed = virtual_keys.set_enabled(db, key, on, self._now_s())
        assert changed is not None
        return changed

    def delete(self, key: StoredKey) -> None:
        with self._store.write() as db:
            assert virtual_keys.delete_key(db, key, self._now_s())

    def rotate(self, key: StoredKey, alias: str) -> None:
        with self._store.write() as db:
            assert virtual_keys.rotate_key(
                db, key, text_of(alias), envelope=None, grace_s=0.0, at_s=self._now_s()
            )

    def set_status(self, status: TenantStatus) -> None:
        with self._store.write() as db:
            tenant = tenants.find_tenant(db, DEFAULT_TENANT)
            assert tenant is not None
            terms = structs.replace(tenant.terms, status=status)
            assert tenants.change_tenant(db, tenant, terms, self._now_s())

    def put_model(self, name: str, document: dict[str, object]) -> None:
        with self._store.write() as db:
            content = json.dumps({"name": name} | document).encode()
            assert put_overlay(db, OverlayKind.MODEL, name, document=content, before=0, at_s=self._now_s())

    def put_credential(self, provider: str, name: str, secret: str, tenant: str = "") -> None:
        owner = TenantId(tenant)
        credential = credentials.make_id(owner, ProviderId(provider), name)
        place = credentials.place_of(owner, credential)
        new = credentials.NewCredential(
            id=credential,
            tenant=owner,
            provider=ProviderId(provider),
            name=name,
            secret=Secret(secret),
            envelope=open_vault(self._home, None).encrypt(Secret(secret), place),
            enabled=True,
            at_s=self._now_s(),
        )
        with self._store.write() as db:
            credentials.insert_credential(db, new)


class Crowd:
    """Callers with connections that stay open: with three times ten, every worker has some for certain enough."""

    def __init__(self, url: str, alias: str) -> None:
        self._connections = [
            http.client.HTTPConnection(urlsplit(url).netloc, timeout=20) for _ in range(10 * WORKERS)
        ]
        self._headers = headers_with(key=text_of(alias).reveal())

    def ask(self) -> Counter[int]:
        """Everybody once."""
        found: Counter[int] = Counter()
        for connection in self._connections:
            connection.request("GET", MODELS, headers=self._headers)
            answer = connection.getresponse()
            answer.read()
            found[answer.status] += 1
        return found

    def all_get(self, status: int) -> Callable[[], bool]:
        return lambda: set(self.ask()) == {status}

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


@contextmanager
def crowd(url: str, alias: str) -> Iterator[Crowd]:
    callers = Crowd(url, alias)
    try:
        yield callers
    finally:
        callers.close()


@pytest.fixture
def process(tmp_path: Path, simulator: SimulatorProcess) -> Iterator[GatewayProcess]:
    gateway = GatewayProcess(tmp_path, patient(chaos_config(simulator.url)) | {"workers": WORKERS})
    gateway.start()
    yield gateway
    gateway.end()


@pytest.fixture
def office(process: GatewayProcess) -> Iterator[Office]:
    with opened_store(default_url(process.home)) as store:
        yield Office(store, process.home)


def chat(url: str, alias: str, body: dict[str, object] | None = None) -> int:
    return call(url, CHAT.path, body or CHAT.body, key=text_of(alias).reveal()).status


def everywhere(process: GatewayProcess, alias: str) -> None:
    """Waits until every worker knows the key."""
    with crowd(process.url, alias) as callers:
        until(callers.all_get(200), f"not every worker knows {alias}")


def test_a_change_is_live_in_every_worker_within_a_second(process: GatewayProcess, office: Office) -> None:
    key = office.make_key("team")
    took_s: list[float] = []

    def live(callers: Crowd, status: int) -> None:
        began_s = time.monotonic()
        until(callers.all_get(status), f"not everybody gets {status}")
        took_s.append(time.monotonic() - began_s)

    with crowd(process.url, "team") as callers, crowd(process.url, "new") as later:
        live(callers, 200)
        for _ in range(3):
            key = office.switch(key, False)
            live(callers, 401)
            key = office.switch(key, True)
            live(callers, 200)
        office.set_status(TenantStatus.OVERDUE)
        live(callers, 403)
        office.set_status(TenantStatus.ACTIVE)
        live(callers, 200)
        office.rotate(key, "new")
        live(callers, 401)
        live(later, 200)
    # A busy machine may hold up one or two; a design that takes longer holds up all.
    assert sorted(took_s)[len(took_s) // 2] <= BAR_S, took_s


def test_a_deleted_key_is_refused_and_its_open_stream_goes_on(
    process: GatewayProcess, office: Office, simulator: SimulatorProcess
) -> None:
    key = office.make_key("team")
    everywhere(process, "team")
    simulator.fault("chunks", n=40)
    simulator.fault("slow_chunks_ms", n=50)
    with (
        opened(process.url, CHAT_STREAM.path, CHAT_STREAM.body, key=text_of("team").reveal()) as stream,
        crowd(process.url, "team") as callers,
    ):
        stream.read_frames(3)
        office.delete(key)
        until(callers.all_get(401), "the deleted key is still let in")
        assert b"[DONE]" not in stream.received
        assert b"[DONE]" in stream.read_to_end()
    until(
        lambda: [one.outcome for one in process.records() if one.stream and one.key_id == key.id] == ["ok"],
        "the stream is not recorded",
    )


def test_models_and_credentials_of_the_database_serve(
    process: GatewayProcess, office: Office, simulator: SimulatorProcess
) -> None:
    office.make_key("team")
    endpoint = {"provider": "alpha", "interfaces": ["open_ai"], "as": "from-the-database"}
    office.put_model("db/model", {"kind": "chat", "endpoints": [endpoint]})
    body = CHAT.body | {"model": "db/model"}
    everywhere(process, "team")
    until(lambda: chat(process.url, "team", body) == 200, "the model is not there")
    seen = simulator.requests("alpha")[-1]
    assert b'"from-the-database"' in base64.b64decode(seen["body_base64"])
    secret = "sk-of-the-tenant-5512"
    office.put_credential("alpha", "mine", secret, DEFAULT_TENANT)

    def is_used() -> bool:
        assert chat(process.url, "team") == 200
        return str(simulator.requests("alpha")[-1]["headers"]["authorization"]) == f"Bearer {secret}"

    until(is_used, "the tenant's credential is not used first")
    # Of the file's key too: its tenant is the same one. Nobody else's would.
    assert secret not in process.log
    assert ALPHA_SECRET not in process.log
    for path in published_directory(process.home).iterdir():
        assert secret.encode() not in path.read_bytes()


def test_entries_that_do_not_fit_break_nothing(process: GatewayProcess, office: Office) -> None:
    office.make_key("team")
    until(lambda: chat(process.url, "team") == 200, "the key is not there")
    office.put_model(
        "db/bad", {"kind": "chat", "endpoints": [{"provider": "nobody", "interfaces": ["open_ai"]}]}
    )
    office.make_key("second")
    until(lambda: chat(process.url, "second") == 200, "the bad entry holds up a key")
    until(lambda: "nobody" in process.log, "nothing is said")
    assert chat(process.url, "team") == 200


def overwrite(path: Path) -> None:
    path.write_bytes(b"\xff" * path.stat().st_size)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
    "empty": lambda path: os.truncate(path, 0),
    "overwritten": overwrite,
    "missing": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_ignored_and_mended(process: GatewayProcess, office: Office, damage: str) -> None:
    office.make_key("team")
    with crowd(process.url, "team") as callers:
        until(callers.all_get(200), "the key is not there")
        (control,) = process.children("control")
        workers = process.children("worker")
        os.kill(control, signal.SIGSTOP)
        try:
            for path in published_directory(process.home).glob("[ckw]*"):
                DAMAGES[damage](path)
            until_s = time.monotonic() + 1.0
            while time.monotonic() < until_s:
                assert set(callers.ask()) == {200}
            assert call(process.url, CHAT.path, CHAT.body).status == 200, "the file's key"
        finally:
            os.kill(control, signal.SIGCONT)
        office.make_key("later")
        everywhere(process, "later")
        assert set(callers.ask()) == {200}
        assert process.children("worker") == workers


def test_a_worker_without_a_control_plane_starts_from_what_was_published(
    process: GatewayProcess, office: Office, begin: Begin, loop_thread: LoopThread
) -> None:
    office.make_key("team")
    endpoint = {"provider": "alpha", "interfaces": ["open_ai"], "as": "from-the-database"}
    office.put_model("db/model", {"kind": "chat", "endpoints": [endpoint]})
    on = office.make_key("off")
    everywhere(process, "off")
    off = office.switch(on, False)
    body = CHAT.body | {"model": "db/model"}
    until(lambda: chat(process.url, "team", body) == 200, "the model is not there")
    with crowd(process.url, "off") as callers:
        until(callers.all_get(401), "still on")
    process.kill()
    # Nobody is there to see this.
    office.switch(off, True)
    alone = InnerGateway(loop_thread, process.config | {"listen": ["127.0.0.1:0"]}, process.home)
    try:
        assert chat(alone.url, "team", body) == 200
        assert chat(alone.url, "off") == 401
        assert call(alone.url, CHAT.path, CHAT.body | {"model": TEXT}).status == 200
    finally:
        alone.stop()
    process.start()
    until(lambda: chat(process.url, "off") == 200, "the change while nobody was there is lost")
