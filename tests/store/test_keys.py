"""Keys are made, found by digest, switched, deleted and, where allowed, shown again; other processes see it."""

import asyncio
import hashlib
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.database import opened_database

from aimesh.core.clock import FixedClock, SystemClock
from aimesh.core.ids import KeyId, TenantId
from aimesh.core.secret import Secret
from aimesh.store.database import Database, DuplicateError
from aimesh.store.keys import KeyDraft, KeyStore, digest, make_text
from aimesh.store.vault import Vault, VaultError

VAULT = Vault([Secret(b"m" * 32)])
ACME = TenantId("acme")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with opened_database(tmp_path) as database:
        yield database


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def keys(database: Database, clock: FixedClock) -> KeyStore:
    return KeyStore(database, clock, VAULT)


def test_a_made_key_is_found_by_the_digest_of_its_text(keys: KeyStore, clock: FixedClock) -> None:
    draft = KeyDraft(
        alias="search", tenant=ACME, allowed_models=("qwen/*",), allowed_cidrs=("10.0.0.0/8",),
        expires_at_s=2e9, labels={"team": "搜索"},
    )  # fmt: skip
    made = asyncio.run(keys.create_key(draft))
    text = made.text.reveal()
    assert re.fullmatch(r"ck-[0-9A-Za-z]{40}", text)
    assert made.key.sha256 == hashlib.sha256(text.encode()).digest()
    assert made.key.masked == f"{text[:4]}****{text[-4:]}"
    assert text not in repr(made)
    loaded = asyncio.run(keys.load_keys())
    assert loaded.keys == (made.key,)
    assert (made.key.alias, made.key.tenant, made.key.enabled) == ("search", ACME, True)
    assert (made.key.allowed_models, made.key.allowed_cidrs) == (("qwen/*",), ("10.0.0.0/8",))
    assert (made.key.expires_at_s, made.key.labels) == (2e9, {"team": "搜索"})
    assert made.key.created_at_s == made.key.updated_at_s == clock.wall_s()


def test_the_text_is_nowhere_in_the_files(tmp_path: Path, keys: KeyStore, database: Database) -> None:
    made = asyncio.run(keys.create_key(KeyDraft(alias="a")))
    database.close()
    secret = made.text.reveal().encode()
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert files
    for path in files:
        assert secret not in path.read_bytes()
        assert secret[3:] not in path.read_bytes()


def test_no_two_texts_are_alike() -> None:
    texts = {make_text().reveal() for _ in range(200)}
    assert len(texts) == 200
    assert len({digest(Secret(text)) for text in texts}) == 200
    assert len(set("".join(text[3:] for text in texts))) == 62


def test_an_alias_is_unique_within_its_tenant_and_free_after_deletion(keys: KeyStore) -> None:
    async def scenario() -> None:
        first = await keys.create_key(KeyDraft(alias="a"))
        await keys.create_key(KeyDraft(alias="a", tenant=ACME))
        with pytest.raises(DuplicateError):
            await keys.create_key(KeyDraft(alias="a"))
        assert await keys.delete(first.key.id)
        second = await keys.create_key(KeyDraft(alias="a"))
        found = await keys.find_alias("a")
        assert found == second.key
        assert [key.id for key in await keys.list_keys(ACME)] != [second.key.id]
        assert len(await keys.list_keys()) == 2

    asyncio.run(scenario())


def test_a_refused_key_moves_no_version(keys: KeyStore) -> None:
    async def scenario() -> None:
        await keys.create_key(KeyDraft(alias="a"))
        before = await keys.version()
        with pytest.raises(DuplicateError):
            await keys.create_key(KeyDraft(alias="a"))
        assert not await keys.set_enabled(KeyId("absent"), False)
        assert not await keys.delete(KeyId("absent"))
        assert await keys.version() == before

    asyncio.run(scenario())


def test_switching_off_and_deleting_move_the_version(keys: KeyStore, clock: FixedClock) -> None:
    async def scenario() -> None:
        assert await keys.version() == 0
        made = await keys.create_key(KeyDraft(alias="a"))
        seen = [await keys.version()]
        clock.advance(5)
        assert await keys.set_enabled(made.key.id, False)
        seen.append(await keys.version())
        loaded = await keys.load_keys()
        assert loaded.version == seen[-1]
        assert not loaded.keys[0].enabled
        assert loaded.keys[0].updated_at_s == made.key.updated_at_s + 5
        assert await keys.delete(made.key.id)
        seen.append(await keys.version())
        assert (await keys.load_keys()).keys == ()
        assert await keys.find(made.key.id) is None
        assert not await keys.set_enabled(made.key.id, True)
        assert seen == sorted(set(seen))

    asyncio.run(scenario())


def test_a_key_is_shown_again_only_under_its_master_key(database: Database, keys: KeyStore) -> None:
    async def scenario() -> None:
        made = await keys.create_key(KeyDraft(alias="a"))
        assert await keys.reveal(made.key.id) == made.text
        assert await keys.reveal(KeyId("absent")) is None
        other = KeyStore(database, SystemClock(), Vault([Secret(b"o" * 32)]))
        with pytest.raises(VaultError):
            await other.reveal(made.key.id)

    asyncio.run(scenario())


def test_without_a_vault_only_the_hash_is_stored(tmp_path: Path, database: Database) -> None:
    keys = KeyStore(database, SystemClock(), None)
    made = asyncio.run(keys.create_key(KeyDraft(alias="a")))
    assert asyncio.run(keys.reveal(made.key.id)) is None
    with closing(sqlite3.connect(tmp_path / "aimesh.db")) as connection:
        assert connection.execute("SELECT ciphertext FROM virtual_keys").fetchall() == [(None,)]


def test_deleting_forgets_the_ciphertext_and_keeps_the_row(tmp_path: Path, keys: KeyStore) -> None:
    made = asyncio.run(keys.create_key(KeyDraft(alias="a")))
    asyncio.run(keys.delete(made.key.id))
    assert asyncio.run(keys.reveal(made.key.id)) is None
    with closing(sqlite3.connect(tmp_path / "aimesh.db")) as connection:
        rows = connection.execute("SELECT id, ciphertext, enabled FROM virtual_keys").fetchall()
    assert rows == [(made.key.id, None, 0)]


def test_envelopes_that_were_swapped_between_rows_do_not_open(tmp_path: Path, keys: KeyStore) -> None:
    one = asyncio.run(keys.create_key(KeyDraft(alias="one")))
    two = asyncio.run(keys.create_key(KeyDraft(alias="two")))
    with closing(sqlite3.connect(tmp_path / "aimesh.db")) as connection:
        (stolen,) = connection.execute(
            "SELECT ciphertext FROM virtual_keys WHERE id = ?", [one.key.id]
        ).fetchone()
        connection.execute("UPDATE virtual_keys SET ciphertext = ? WHERE id = ?", [stolen, two.key.id])
        connection.commit()
    with pytest.raises(VaultError):
        asyncio.run(keys.reveal(two.key.id))


_MAKER = """
import asyncio, sys
from pathlib import Path
from aimesh.core.clock import SystemClock
from aimesh.store.database import default_url, open_database
from aimesh.store.keys import KeyDraft, KeyStore
database = open_database(default_url(Path(sys.argv[1])))
made = asyncio.run(KeyStore(database, SystemClock(), None).create_key(KeyDraft(alias=sys.argv[2])))
print(made.text.reveal())
database.close()
"""


def test_a_key_made_by_another_process_is_seen_within_a_second(tmp_path: Path, keys: KeyStore) -> None:
    async def watch(before: int) -> float:
        begin_s = time.monotonic()
        while await keys.version() == before:
            assert time.monotonic() < begin_s + 1.0
            await asyncio.sleep(0.01)
        return time.monotonic()

    before = asyncio.run(keys.version())
    command = [sys.executable, "-c", _MAKER, str(tmp_path), "elsewhere"]
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as maker:
        assert maker.stdout is not None
        text = maker.stdout.readline().strip()
        asyncio.run(watch(before))
    loaded = asyncio.run(keys.load_keys())
    assert [key.sha256 for key in loaded.keys] == [digest(Secret(text))]


def test_two_processes_make_keys_at_once(tmp_path: Path, keys: KeyStore) -> None:
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _MAKER, str(tmp_path), f"other-{number}"],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        for number in range(2)
    ]

    async def make() -> None:
        for number in range(40):
            await keys.create_key(KeyDraft(alias=f"mine-{number}"))

    asyncio.run(make())
    assert [process.wait(30) for process in started] == [0, 0]
    loaded = asyncio.run(keys.load_keys())
    assert len(loaded.keys) == 42
    assert loaded.version == 42
