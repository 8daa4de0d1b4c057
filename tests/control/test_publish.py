"""From the database to what a worker reads."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.publishing import Press, text_of
from tests.support.stores import any_store

from aimesh.control.publish import PATIENCE_S, RETRY_S
from aimesh.core.ids import ModelName, ProviderId, TenantId
from aimesh.core.policy import TenantStatus
from aimesh.core.secret import Secret
from aimesh.store import credentials, tenants, virtual_keys
from aimesh.store.changes import bump
from aimesh.store.engine import Connection, Store
from aimesh.store.overlays import OverlayKind
from aimesh.store.session import StoreError
from aimesh.store.tables import VERSIONS, VIRTUAL_KEYS
from aimesh.store.vault import open_vault

__all__ = ["any_store"]

GOOD = json.dumps(
    {"name": "v/m", "kind": "chat", "endpoints": [{"provider": "p", "interfaces": ["open_ai"], "as": "m"}]}
)
FILE = 'providers: {p: {base_url: "https://p.example", speaks: {open_ai: {}}}}\n'
V_M = ModelName("v/m")


@pytest.fixture
def press(any_store: Store, tmp_path: Path) -> Iterator[Press]:
    press = Press(any_store, tmp_path, FILE)
    yield press
    press.close()


def put_model(press: Press, document: str) -> None:
    press.put_overlay(OverlayKind.MODEL, "v/m", document.encode())


def test_an_empty_database_is_published(press: Press) -> None:
    assert press.publisher.step()
    assert press.published.world.tenants[0].id == "default"
    assert press.find("anything") is None
    assert not press.publisher.step()
    assert press.alarms == []


def test_changes_of_keys_come_one_by_one(press: Press) -> None:
    first, second = press.make_key("first"), press.make_key("second")
    press.publisher.step()
    table = press.published.keys.table
    assert press.find("first") is not None
    at_s = press.clock.wall_s()
    off = press.write(lambda db: virtual_keys.set_enabled(db, first, False, at_s))
    assert press.publisher.step()
    found = press.find("first")
    assert found is not None
    assert not found.enabled
    press.write(lambda db: virtual_keys.delete_key(db, second, at_s))
    press.make_key("third")
    press.publisher.step()
    assert press.find("second") is None
    assert press.find("third") is not None
    assert press.find("first") == found
    assert off is not None
    press.write(lambda db: virtual_keys.set_enabled(db, off, True, at_s))
    press.publisher.step()
    found = press.find("first")
    assert found is not None
    assert found.enabled
    # The large file was written once.
    assert press.published.keys.table is table


def test_many_changes_are_folded_into_the_table(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aimesh.control.publish.FOLD_AT", 20)
    old = press.make_key("old")
    press.make_key("stays")
    press.publisher.step()
    assert press.published.keys.table.count == 2
    press.write(lambda db: virtual_keys.delete_key(db, old, press.clock.wall_s()))
    for number in range(20):
        press.make_key(f"many {number}")
    press.publisher.step()
    assert press.published.keys.changes is None
    assert press.published.keys.table.count == 21
    assert press.find("old") is None
    assert press.find("stays") is not None
    assert press.find("many 7") is not None
    press.make_key("late")
    press.publisher.step()
    assert press.find("late") is not None
    assert press.published.keys.table.count == 21


def test_a_tenant_is_published_without_its_keys(press: Press) -> None:
    press.publisher.step()
    before = press.published
    tenant = TenantId("acme")
    terms = tenants.TenantTerms(name="Acme", status=TenantStatus.DISABLED)
    press.write(lambda db: tenants.add_tenant(db, tenant, terms, press.clock.wall_s()))
    press.publisher.step()
    after = press.published
    assert [one.status for one in after.world.tenants if one.id == tenant] == [TenantStatus.DISABLED]
    assert after.keys.table is before.keys.table


def test_entries_that_do_not_fit_leave_the_last_that_did(press: Press) -> None:
    put_model(press, GOOD)
    press.publisher.step()
    assert press.published.world.models == {V_M: GOOD.encode()}
    put_model(press, GOOD.replace('"p"', '"q"'))
    press.make_key("goes on")
    press.publisher.step()
    assert press.published.world.models == {V_M: GOOD.encode()}
    assert press.find("goes on") is not None
    assert press.alarms == [
        ("entries", "not published: models.v/m.endpoints.0.provider: unknown provider 'q'")
    ]
    # Once, however often the rest of the world moves, and well when it is.
    press.write(lambda db: bump(db, "world"))
    press.publisher.step()
    assert len(press.alarms) == 1
    better = GOOD.replace('"m"', '"n"')
    put_model(press, better)
    press.publisher.step()
    assert press.published.world.models == {V_M: better.encode()}
    assert press.alarms[1:] == [("entries", "")]


def test_entries_that_never_fitted_are_left_out(press: Press) -> None:
    put_model(press, "no JSON")
    press.make_key("goes on")
    press.publisher.step()
    assert press.published.world.models == {}
    assert press.published.world.tenants
    assert press.find("goes on") is not None
    assert len(press.alarms) == 1


def test_what_fitted_is_remembered_by_the_next_publisher(press: Press) -> None:
    put_model(press, GOOD)
    press.publisher.step()
    put_model(press, "no JSON")
    press.publisher.close()
    press.publisher = press.new_publisher()
    press.publisher.step()
    assert press.published.world.models == {V_M: GOOD.encode()}


def test_a_restart_without_changes_changes_no_part(press: Press) -> None:
    press.make_key("a")
    put_model(press, GOOD)
    press.publisher.step()
    before = press.published
    press.publisher.close()
    press.publisher = press.new_publisher()
    assert press.publisher.step()
    assert press.published.keys.table is before.keys.table
    assert press.published.world is before.world
    assert press.published.version == before.version + 1


def test_only_one_process_publishes(press: Press) -> None:
    press.publisher.step()
    other = press.new_publisher()
    press.make_key("a")
    assert not other.step()
    assert press.alarms == []
    press.clock.advance(PATIENCE_S + 1)
    other.step()
    other.step()
    assert press.alarms == [("publisher", "another process publishes into this directory")]
    press.publisher.close()
    assert other.step()
    assert press.alarms[1:] == [("publisher", "")]
    assert press.find("a") is not None
    press.publisher = other


@contextmanager
def no_database() -> Iterator[Connection]:
    raise StoreError("the database is away")
    yield


def test_a_database_that_is_away(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    press.publisher.step()
    with monkeypatch.context() as patch:
        patch.setattr(press.store, "read", no_database)
        for _ in range(3):
            assert not press.publisher.step()
            press.clock.advance(RETRY_S)
    assert press.alarms == [("database", "the database is away")]
    press.make_key("a")
    assert press.publisher.step()
    assert press.find("a") is not None
    assert press.alarms[1:] == [("database", "")]


def test_a_directory_that_cannot_be_written(press: Press) -> None:
    press.publisher.step()
    press.make_key("a")
    shutil.move(press.directory, press.home / "aside")
    press.directory.write_bytes(b"")
    assert not press.publisher.step()
    assert not press.publisher.step()
    assert [name for name, _ in press.alarms] == ["publication"]
    press.directory.unlink()
    shutil.move(press.home / "aside", press.directory)
    press.clock.advance(RETRY_S)
    assert press.publisher.step()
    assert press.find("a") is not None


@pytest.mark.parametrize("name", ["keys-*", "world-*", "current.json"])
def test_what_somebody_damaged_is_published_again(press: Press, name: str) -> None:
    press.make_key("a")
    press.publisher.step()
    assert press.find("a") is not None
    (path,) = press.directory.glob(name)
    path.write_bytes(b"")
    assert press.publisher.step()
    assert press.find("a") is not None
    (path,) = press.directory.glob(name)
    assert path.stat().st_size > 0


def test_a_number_without_rows_and_numbers_that_run_backwards(press: Press) -> None:
    """A writer that does not stamp its rows; a database that was restored from a copy."""
    press.make_key("a")
    press.publisher.step()
    press.write(lambda db: bump(db, "keys"))
    press.make_key("b")
    press.write(lambda db: db.execute(VIRTUAL_KEYS.update().values(changed=0)))
    press.publisher.step()
    assert press.find("b") is not None
    press.write(lambda db: db.execute(VERSIONS.update().values(number=0)))
    press.write(lambda db: db.execute(VIRTUAL_KEYS.delete()))
    press.publisher.step()
    assert press.find("b") is None
    assert press.published.keys.table.count == 0


def test_no_secret_is_in_the_files_or_alarms(press: Press) -> None:
    press.make_key("a", terms=virtual_keys.KeyTerms(alias="a"))
    put_model(press, GOOD.replace('"p"', '"sk-secret-in-the-wrong-place"'))
    press.publisher.step()
    for path in press.directory.iterdir():
        assert text_of("a").reveal().encode() not in path.read_bytes()
    assert "wrong-place" not in str(press.alarms)


def test_credentials_are_published_sealed(press: Press) -> None:
    vault = open_vault(press.home, None)
    provider, owner = ProviderId("p"), TenantId("acme")
    name = credentials.make_id(owner, provider, "mine")
    secret = Secret("sk-kept-from-everybody")
    new = credentials.NewCredential(
        id=name,
        tenant=owner,
        provider=provider,
        name="mine",
        secret=secret,
        envelope=vault.encrypt(secret, credentials.place_of(owner, name)),
        enabled=True,
        at_s=1.0,
    )
    press.write(lambda db: credentials.insert_credential(db, new))
    press.publisher.step()
    (policy,) = press.published.world.credentials
    assert policy.tenant == owner
    assert vault.decrypt(policy.envelope, credentials.place_of(owner, policy.id)) == secret
    for path in press.directory.iterdir():
        assert secret.reveal().encode() not in path.read_bytes()
