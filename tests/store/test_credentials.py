"""Rows of credentials: sealed, found, listed, changed; a test's result belongs to the secret that was tested."""

import pytest
from sqlalchemy import select
from tests.support.stores import any_store

from aimesh.core.ids import CredentialId, ProviderId, TenantId
from aimesh.core.secret import Secret
from aimesh.store import credentials
from aimesh.store.changes import current
from aimesh.store.credentials import PLATFORM, CredentialEdit, CredentialTest, NewCredential, StoredCredential
from aimesh.store.database import DuplicateError
from aimesh.store.engine import Store
from aimesh.store.tables import CREDENTIALS
from aimesh.store.vault import Vault

__all__ = ["any_store"]

ACME = TenantId("acme")
PROVIDER = ProviderId("cloud_north")
SECRET = Secret("sk-0123456789abcdef")
VAULT = Vault([Secret(b"m" * 32)])
NOW_S = 1_750_000_000.0


def add(store: Store, name: str, tenant: TenantId = ACME) -> StoredCredential:
    credential = credentials.make_id(tenant, PROVIDER, name)
    envelope = VAULT.encrypt(SECRET, credentials.place_of(tenant, credential))
    new = NewCredential(
        id=credential,
        tenant=tenant,
        provider=PROVIDER,
        name=name,
        secret=SECRET,
        envelope=envelope,
        enabled=True,
        at_s=NOW_S,
    )
    with store.write() as db:
        return credentials.insert_credential(db, new)


def found(store: Store, credential: CredentialId) -> StoredCredential | None:
    with store.read() as db:
        return credentials.find_credential(db, credential)


def world(store: Store) -> int:
    with store.read() as db:
        return current(db, "world")


def test_ids_say_whose_and_what() -> None:
    assert credentials.make_id(PLATFORM, PROVIDER, "main") == "db:cloud_north/main"
    assert credentials.make_id(ACME, PROVIDER, "main") == "byok:acme/cloud_north/main"
    assert credentials.make_id(ACME, PROVIDER, "main", number=2) == "byok:acme/cloud_north/main~2"


def test_what_was_put_in_is_found_and_opens(any_store: Store) -> None:
    made = add(any_store, "main")
    assert found(any_store, made.id) == made
    assert (made.masked, made.enabled, made.test, made.version) == ("sk-0****cdef", True, None, 1)
    assert found(any_store, CredentialId("none")) is None
    with any_store.read() as db:
        envelope = credentials.envelope_of(db, made.id)
        assert credentials.envelope_of(db, CredentialId("none")) is None
    assert envelope is not None
    assert SECRET.reveal().encode() not in envelope
    assert VAULT.decrypt(envelope, credentials.place_of(ACME, made.id)) == SECRET
    assert world(any_store) == 1


def test_a_name_is_unique_within_its_owner(any_store: Store) -> None:
    add(any_store, "main")
    add(any_store, "main", PLATFORM)
    with pytest.raises(DuplicateError):
        add(any_store, "main")


def test_a_list_is_one_owners_by_name(any_store: Store) -> None:
    for name in ("b", "a"):
        add(any_store, name)
    add(any_store, "c", PLATFORM)
    with any_store.read() as db:
        assert [one.name for one in credentials.list_credentials(db, ACME)] == ["a", "b"]
        assert [one.name for one in credentials.list_credentials(db, PLATFORM)] == ["c"]


def test_an_edit_changes_what_it_names_and_moves_the_world(any_store: Store) -> None:
    made = add(any_store, "main")
    with any_store.write() as db:
        off = credentials.update_credential(db, made, CredentialEdit(name="spare", enabled=False), NOW_S + 1)
    assert off is not None
    assert (off.id, off.name, off.enabled, off.masked, off.version) == (
        made.id,
        "spare",
        False,
        made.masked,
        2,
    )
    assert found(any_store, made.id) == off
    assert world(any_store) == 2
    with any_store.write() as db:
        assert credentials.update_credential(db, made, CredentialEdit(enabled=True), NOW_S) is None
    assert found(any_store, made.id) == off


def test_a_test_is_kept_until_the_secret_changes_and_does_not_move_the_world(any_store: Store) -> None:
    made = add(any_store, "main")
    result = CredentialTest(ok=True, at_s=NOW_S, latency_ms=120, message="")
    with any_store.write() as db:
        credentials.note_test(db, made, result)
    tested = found(any_store, made.id)
    assert tested is not None
    assert (tested.test, tested.version) == (result, 1)
    assert world(any_store) == 1
    with any_store.write() as db:
        renamed = credentials.update_credential(db, tested, CredentialEdit(name="other"), NOW_S)
    assert renamed is not None
    assert renamed.test == result
    edit = CredentialEdit(secret=Secret("sk-another-secret-9999"), envelope=b"sealed")
    with any_store.write() as db:
        changed = credentials.update_credential(db, renamed, edit, NOW_S)
    assert changed is not None
    assert (changed.test, changed.masked) == (None, "sk-a****9999")
    assert found(any_store, made.id) == changed
    with any_store.write() as db:
        # A test of the old secret that ended late says nothing about the new one.
        credentials.note_test(db, tested, result)
        assert db.execute(select(CREDENTIALS.c.envelope)).scalar_one() == b"sealed"
    assert found(any_store, made.id) == changed


def test_a_deleted_one_is_gone(any_store: Store) -> None:
    made = add(any_store, "main")
    with any_store.write() as db:
        credentials.delete_credential(db, made.id)
    assert found(any_store, made.id) is None
    assert world(any_store) == 2
