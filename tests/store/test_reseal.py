"""A new master key takes over: every envelope is closed under it, and nothing is lost on the way."""

from pathlib import Path

import pytest
from sqlalchemy import select, update
from tests.support.stores import any_store

from aimesh.core.ids import CredentialId, ProviderId, TenantId, UserId
from aimesh.core.secret import Secret
from aimesh.store import credentials, virtual_keys
from aimesh.store.changes import current
from aimesh.store.credentials import NewCredential
from aimesh.store.engine import Store
from aimesh.store.key_text import make_text
from aimesh.store.reseal import reseal
from aimesh.store.tables import CREDENTIALS, VIRTUAL_KEYS
from aimesh.store.vault import Vault, VaultError, add_file_key, forget_old_file_keys, open_vault
from aimesh.store.virtual_keys import KeyTerms, NewKey

__all__ = ["any_store"]

ACME = TenantId("acme")
OLD, NEW = Secret(b"o" * 32), Secret(b"n" * 32)


def fill(store: Store, vault: Vault, count: int) -> dict[str, Secret[str]]:
    """So many keys and credentials; their secrets by id."""
    held: dict[str, Secret[str]] = {}
    with store.write() as db:
        for index in range(count):
            text, key_id = make_text(), virtual_keys.make_id(float(index))
            envelope = virtual_keys.seal(vault, text, virtual_keys.place_of(ACME, key_id))
            virtual_keys.insert_key(
                db,
                NewKey(
                    id=key_id,
                    tenant=ACME,
                    owner=UserId(""),
                    terms=KeyTerms(alias=f"k{index}"),
                    text=text,
                    envelope=envelope,
                    at_s=1.0,
                ),
            )
            held[key_id] = text
            secret = Secret(f"sk-{index:020}")
            name = credentials.make_id(ACME, ProviderId("cloud"), f"c{index}")
            credentials.insert_credential(
                db,
                NewCredential(
                    id=name,
                    tenant=ACME,
                    provider=ProviderId("cloud"),
                    name=f"c{index}",
                    secret=secret,
                    envelope=vault.encrypt(secret, credentials.place_of(ACME, name)),
                    enabled=True,
                    at_s=1.0,
                ),
            )
            held[name] = secret
    return held


def opened(store: Store, vault: Vault) -> dict[str, Secret[str]]:
    found: dict[str, Secret[str]] = {}
    with store.read() as db:
        for key in db.execute(select(VIRTUAL_KEYS.c.id, VIRTUAL_KEYS.c.ciphertext)):
            found[key.id] = vault.decrypt(key.ciphertext, virtual_keys.place_of(ACME, key.id))
        for row in db.execute(select(CREDENTIALS.c.id, CREDENTIALS.c.envelope)):
            found[row.id] = vault.decrypt(row.envelope, credentials.place_of(ACME, row.id))
    return found


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_afterwards_the_new_master_key_alone_opens_everything(any_store: Store, batch: int) -> None:
    held = fill(any_store, Vault([OLD]), 7)
    done = reseal(any_store, Vault([NEW, OLD]), batch)
    assert (done.current, done.resealed, done.unreadable, done.is_complete) == (0, 14, (), True)
    assert opened(any_store, Vault([NEW])) == held
    again = reseal(any_store, Vault([NEW, OLD]), batch)
    assert (again.current, again.resealed) == (14, 0)


def test_workers_hear_of_new_envelopes_of_credentials(any_store: Store) -> None:
    fill(any_store, Vault([OLD]), 2)
    with any_store.read() as db:
        before = current(db, "world"), current(db, "keys")
    reseal(any_store, Vault([NEW, OLD]))
    with any_store.read() as db:
        assert (current(db, "world") > before[0], current(db, "keys")) == (True, before[1])


def test_what_does_not_open_stays_as_it_is_and_is_reported(any_store: Store) -> None:
    fill(any_store, Vault([OLD]), 1)
    lost = fill_one_more(any_store)
    done = reseal(any_store, Vault([NEW, OLD]))
    assert done.resealed == 2
    assert [line.partition(": ")[0] for line in done.unreadable] == [lost]
    assert not done.is_complete
    with any_store.read() as db:
        assert credentials.envelope_of(db, CredentialId(lost)) is not None


def fill_one_more(store: Store) -> str:
    """A credential under a master key that nobody has any more."""
    gone = Vault([Secret(b"g" * 32)])
    name = credentials.make_id(ACME, ProviderId("cloud"), "lost")
    new = NewCredential(
        id=name,
        tenant=ACME,
        provider=ProviderId("cloud"),
        name="lost",
        secret=Secret("x"),
        envelope=gone.encrypt(Secret("x"), credentials.place_of(ACME, name)),
        enabled=True,
        at_s=1.0,
    )
    with store.write() as db:
        credentials.insert_credential(db, new)
    return name


def test_keys_without_an_envelope_are_passed_over(any_store: Store) -> None:
    fill(any_store, Vault([OLD]), 1)
    with any_store.write() as db:
        db.execute(update(VIRTUAL_KEYS).values(ciphertext=None))
    assert reseal(any_store, Vault([NEW, OLD])).resealed == 1


def test_with_a_file_the_whole_change_is_live(any_store: Store, tmp_path: Path) -> None:
    home = tmp_path / "home"
    running = open_vault(home, None)
    held = fill(any_store, running, 3)
    add_file_key(home)
    done = reseal(any_store, open_vault(home, None))
    assert (done.resealed, done.is_complete) == (6, True)
    # A process that runs on opens the new envelopes, and writes under the new key.
    assert opened(any_store, running) == held
    place = credentials.place_of(ACME, CredentialId("c"))
    envelope = running.encrypt(Secret("later"), place)
    assert forget_old_file_keys(home) == 1
    assert opened(any_store, open_vault(home, None)) == held
    assert open_vault(home, None).decrypt(envelope, place) == Secret("later")


def test_an_envelope_of_the_forgotten_key_opens_no_more(tmp_path: Path) -> None:
    place = credentials.place_of(ACME, CredentialId("c"))
    envelope = open_vault(tmp_path, None).encrypt(Secret("old"), place)
    add_file_key(tmp_path)
    assert open_vault(tmp_path, None).decrypt(envelope, place) == Secret("old")
    forget_old_file_keys(tmp_path)
    with pytest.raises(VaultError, match="another master key"):
        open_vault(tmp_path, None).decrypt(envelope, place)
