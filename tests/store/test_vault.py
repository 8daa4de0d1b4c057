"""An envelope opens under its own master key, in its own place, undamaged, and in no other way."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.core.ids import TenantId
from aimesh.core.secret import Secret
from aimesh.store.vault import Place, Vault, VaultError, add_file_key, forget_old_file_keys, open_vault

FIRST, SECOND = Secret(b"1" * 32), Secret(b"2" * 32)
PLACE = Place("virtual_key", TenantId("acme"), "key-1")
TEXT = Secret("ck-" + "a" * 40)


@given(st.text())
def test_what_goes_in_comes_out(text: str) -> None:
    vault = Vault([FIRST])
    assert vault.decrypt(vault.encrypt(Secret(text), PLACE), PLACE) == Secret(text)


def test_the_secret_is_not_in_the_envelope_and_no_two_are_alike() -> None:
    vault = Vault([FIRST])
    envelopes = {vault.encrypt(TEXT, PLACE) for _ in range(50)}
    assert len(envelopes) == 50
    assert all(b"aaaa" not in envelope for envelope in envelopes)


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place("virtual_key", TenantId("acme"), "key-2"),
        Place("virtual_key", TenantId("other"), "key-1"),
        Place("credential", TenantId("acme"), "key-1"),
        Place("virtual_key", TenantId("acmek"), "ey-1"),
        Place("virtual_key", TenantId(""), "acmekey-1"),
    ],
)
def test_an_envelope_copied_to_another_place_does_not_open(elsewhere: Place) -> None:
    vault = Vault([FIRST])
    with pytest.raises(VaultError, match="elsewhere"):
        vault.decrypt(vault.encrypt(TEXT, PLACE), elsewhere)


def test_every_damaged_byte_and_every_cut_is_noticed() -> None:
    vault = Vault([FIRST])
    envelope = vault.encrypt(TEXT, PLACE)
    for at in range(len(envelope)):
        damaged = bytearray(envelope)
        damaged[at] ^= 1
        with pytest.raises(VaultError):
            vault.decrypt(bytes(damaged), PLACE)
        with pytest.raises(VaultError):
            vault.decrypt(envelope[:at], PLACE)


def test_a_new_master_key_takes_over_while_the_old_one_still_reads() -> None:
    old = Vault([FIRST]).encrypt(TEXT, PLACE)
    rotating = Vault([SECOND, FIRST])
    assert rotating.decrypt(old, PLACE) == TEXT
    assert rotating.is_stale(old)
    new = rotating.encrypt(TEXT, PLACE)
    assert not rotating.is_stale(new)
    assert Vault([SECOND]).decrypt(new, PLACE) == TEXT
    with pytest.raises(VaultError, match="another master key"):
        Vault([SECOND]).decrypt(old, PLACE)


def test_an_envelope_of_a_later_release_says_so() -> None:
    vault = Vault([FIRST])
    with pytest.raises(VaultError, match="later release"):
        vault.decrypt(b"\x02" + vault.encrypt(TEXT, PLACE)[1:], PLACE)


def test_a_setting_gives_one_key_or_several(tmp_path: Path) -> None:
    envelope = Vault([FIRST]).encrypt(TEXT, PLACE)
    in_hex, in_base64 = FIRST.reveal().hex(), base64.b64encode(FIRST.reveal()).decode()
    for setting in (in_hex, in_base64, f" {in_hex}\n", f"{SECOND.reveal().hex()}, {in_base64}"):
        assert open_vault(tmp_path, Secret(setting)).decrypt(envelope, PLACE) == TEXT
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("setting", ["", "correct horse battery staple", "ab" * 31, "zz" * 32, "AAAA", ","])
def test_a_setting_that_is_no_key_is_refused_without_showing_it(tmp_path: Path, setting: str) -> None:
    with pytest.raises(VaultError) as caught:
        open_vault(tmp_path, Secret(setting))
    assert not setting.strip(",") or setting not in str(caught.value)


def test_the_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    envelope = open_vault(home, None).encrypt(TEXT, PLACE)
    (path,) = home.iterdir()
    assert path.name == "master.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert open_vault(home, None).decrypt(envelope, PLACE) == TEXT


def test_processes_that_start_together_use_one_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from aimesh.core.secret import Secret\n"
        "from aimesh.store.vault import Place, open_vault\n"
        "envelope = open_vault(Path(sys.argv[1]), None).encrypt(Secret('x'), Place('k', 't', 'i'))\n"
        "print(envelope.hex())"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            env={"PYTHONPATH": os.pathsep.join(sys.path)}, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(5)
    ]  # fmt: skip
    envelopes = [bytes.fromhex(process.communicate(timeout=30)[0]) for process in started]
    vault = open_vault(tmp_path, None)
    place = Place("k", TenantId("t"), "i")
    assert {vault.decrypt(envelope, place).reveal() for envelope in envelopes} == {"x"}


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    open_vault(tmp_path, None)
    (tmp_path / "master.key").chmod(0o640)
    with pytest.raises(VaultError, match="chmod 600"):
        open_vault(tmp_path, None)


def test_a_damaged_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_text("short")
    path.chmod(0o600)
    with pytest.raises(VaultError, match="32 random bytes"):
        open_vault(tmp_path, None)
    assert path.read_text() == "short"


def test_a_vault_needs_keys_of_the_right_size() -> None:
    with pytest.raises(VaultError):
        Vault([])
    with pytest.raises(VaultError):
        Vault([Secret(b"short")])


def test_a_file_with_several_keys_writes_under_the_first_and_reads_under_all(tmp_path: Path) -> None:
    old = open_vault(tmp_path, None)
    envelope = old.encrypt(TEXT, PLACE)
    add_file_key(tmp_path)
    new = open_vault(tmp_path, None)
    assert new.is_stale(envelope)
    assert new.decrypt(envelope, PLACE) == TEXT
    path = tmp_path / "master.key"
    assert (path.stat().st_mode & 0o777, len(path.read_text().splitlines())) == (0o600, 2)
    assert list(tmp_path.iterdir()) == [path]
    # The one that was opened before takes the new key over by itself.
    fresh = new.encrypt(TEXT, PLACE)
    assert old.decrypt(fresh, PLACE) == TEXT
    assert not new.is_stale(old.encrypt(TEXT, PLACE))


def test_a_file_that_goes_away_leaves_what_is_open(tmp_path: Path) -> None:
    vault = open_vault(tmp_path, None)
    (tmp_path / "master.key").unlink()
    assert vault.decrypt(vault.encrypt(TEXT, PLACE), PLACE) == TEXT
    assert not (tmp_path / "master.key").exists()


@pytest.mark.parametrize("text", ["", "\n\n", "not a key\n", "ab" * 32 + "\nshort\n"])
def test_a_file_without_keys_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "master.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(VaultError, match="32 random bytes"):
        open_vault(tmp_path, None)


def test_forgetting_leaves_the_current_key(tmp_path: Path) -> None:
    open_vault(tmp_path, None)
    assert forget_old_file_keys(tmp_path) == 0
    add_file_key(tmp_path)
    add_file_key(tmp_path)
    current = open_vault(tmp_path, None).encrypt(TEXT, PLACE)
    assert forget_old_file_keys(tmp_path) == 2
    assert open_vault(tmp_path, None).decrypt(current, PLACE) == TEXT
