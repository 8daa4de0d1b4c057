import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.core.ids import KeyId, TenantId
from aimesh.core.policy import KeyPolicy, Limits, Period, Quota, Route, RouteMode, Unit
from aimesh.store.key_table import (
    GONE,
    Entry,
    KeyTable,
    TableError,
    TableFile,
    decode_policy,
    encode_policy,
    encode_table,
)

DIGEST = st.binary(min_size=32, max_size=32)
NEAR = st.builds(lambda end: bytes(30) + end, st.binary(min_size=2, max_size=2))
"""Digests that fall into one bucket."""


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def policy(name: str) -> KeyPolicy:
    return KeyPolicy(id=KeyId(f"key-{name}"), alias=name, tenant=TenantId("default"))


def table(directory: Path, name: str, entries: Iterable[Entry]) -> TableFile:
    path = directory / name
    path.write_bytes(b"".join(encode_table(entries)))
    return TableFile.open(path)


def test_a_policy_survives() -> None:
    given = KeyPolicy(
        id=KeyId("key-1"),
        alias="一号",
        tenant=TenantId("t"),
        enabled=False,
        expires_at_s=1_800_000_000.5,
        models=("qwen/*",),
        networks=("10.0.0.0/8",),
        labels={"team": "search"},
        route=Route(mode=RouteMode.BYOK, credentials=("mine",)),
        limits=Limits(quotas=(Quota(unit=Unit.TOKENS, period=Period.TOTAL, limit=10**12),), rpm=60),
    )
    assert decode_policy(encode_policy(given)) == given
    assert decode_policy(encode_policy(policy("a"))) == policy("a")


@given(st.dictionaries(DIGEST | NEAR, st.binary(max_size=300), max_size=200), st.lists(DIGEST | NEAR))
def test_every_key_is_found_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, entries: dict[bytes, bytes], strangers: list[bytes]
) -> None:
    file = table(tmp_path_factory.mktemp("table"), "t", entries.items())
    assert {digest: file.find(digest) for digest in entries} == entries
    assert dict(file) == entries
    assert list(file) == sorted(entries.items())
    assert file.count == len(entries)
    for stranger in strangers:
        assert file.find(stranger) == entries.get(stranger)


def test_a_digest_is_not_found_across_two_entries(tmp_path: Path) -> None:
    entries = {digest("a")[:1] + bytes([number]) * 31: b"record" for number in range(8)}
    file = table(tmp_path, "t", entries.items())
    whole = (tmp_path / "t").read_bytes()
    start = whole.index(min(entries))
    for shift in range(1, 44):
        seen = whole[start + shift : start + shift + 32]
        if seen not in entries:
            assert file.find(seen) is None


def test_changes_speak_before_the_table(tmp_path: Path) -> None:
    entries = [(digest(name), encode_policy(policy(name))) for name in "abc"]
    main = table(tmp_path, "t", entries)
    before = KeyTable(main, None)
    now = KeyTable(
        main,
        table(
            tmp_path,
            "c",
            [
                (digest("a"), GONE),
                (digest("b"), encode_policy(policy("b2"))),
                (digest("d"), encode_policy(policy("d"))),
            ],
        ),
    )
    assert before.find(digest("a")) == policy("a")
    assert now.find(digest("a")) is None
    assert now.find(digest("b")) == policy("b2")
    assert now.find(digest("c")) == policy("c")
    assert now.find(digest("d")) == policy("d")
    assert now.find(digest("e")) is None
    assert now.changed_since(before) == {digest("a"), digest("b"), digest("d")}
    assert now.changed_since(now) == set()
    assert KeyTable(table(tmp_path, "t2", entries), None).changed_since(now) is None
    assert {decode_policy(record).alias for _, record in now.entries()} == {"b2", "c", "d"}


def test_a_cut_file_finds_nothing_and_does_not_end_the_process(tmp_path: Path) -> None:
    names = [f"key {number}" for number in range(5_000)]
    file = table(tmp_path, "t", [(digest(name), encode_policy(policy(name))) for name in names])
    assert file.is_whole()
    os.truncate(tmp_path / "t", 20_000)
    assert not file.is_whole()
    # Some entries are still there, their records are not.
    assert {file.find(digest(name)) for name in names} == {None}
    with pytest.raises(TableError):
        list(file)
    with pytest.raises(TableError):
        TableFile.open(tmp_path / "t")


@pytest.mark.parametrize("content", [b"", b"aimkeys1", b"aimkeys1" + bytes(8), b"other" * 20])
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(TableError):
        TableFile.open(tmp_path / "t")


def test_a_record_of_another_shape_is_refused() -> None:
    with pytest.raises(TableError):
        decode_policy(b"\xc3")


def test_the_descriptor_goes_with_the_table(tmp_path: Path) -> None:
    before = open_files()
    file = table(tmp_path, "t", [(digest("a"), b"record")])
    assert open_files() == before + 1
    del file
    assert open_files() == before
