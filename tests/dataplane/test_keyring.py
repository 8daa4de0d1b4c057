import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.catalogs import catalog

from aimesh.core.ids import KeyId, ModelName, TenantId
from aimesh.core.policy import KeyPolicy, Limits, Route, TenantPolicy
from aimesh.dataplane.hold import Account
from aimesh.dataplane.keyring import KeyCompiler, Keyring, no_account
from aimesh.store.key_table import GONE, KeyTable, TableFile, encode_policy, encode_table

CATALOG = catalog(
    {
        "providers/p.yaml": "base_url: https://p.example\nspeaks: {open_ai: {}}\n",
        "models/v.yaml": "vendor: v\nmodels:\n"
        + "".join(
            f"  - {{name: {name}, kind: chat, endpoints: [{{provider: p, interfaces: [open_ai], as: {name}}}]}}\n"
            for name in ("a/one", "a/two", "b/one")
        ),
    }
)
ACME = TenantId("acme")


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def policy(
    name: str,
    *,
    enabled: bool = True,
    models: tuple[str, ...] = (),
    networks: tuple[str, ...] = (),
    limits: Limits | None = None,
) -> KeyPolicy:
    return KeyPolicy(
        id=KeyId(name),
        alias=name,
        tenant=ACME,
        enabled=enabled,
        models=models,
        networks=networks,
        limits=limits or Limits(),
    )


class Desk:
    """Makes keyrings over files, and remembers what they complained of."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files = 0
        self.complaints: list[str] = []

    def file(self, entries: Mapping[str, KeyPolicy | bytes]) -> TableFile:
        self._files += 1
        path = self._directory / str(self._files)
        records = (
            (digest(text), entry if isinstance(entry, bytes) else encode_policy(entry))
            for text, entry in entries.items()
        )
        path.write_bytes(b"".join(encode_table(records)))
        return TableFile.open(path)

    def keyring(
        self,
        table: TableFile | None,
        *,
        changes: TableFile | None = None,
        file: Mapping[str, KeyPolicy] | None = None,
        compiler: KeyCompiler | None = None,
    ) -> Keyring:
        return Keyring(
            {digest(text): given for text, given in (file or {}).items()},
            None if table is None else KeyTable(table, changes),
            compiler or KeyCompiler(CATALOG, {}, no_account),
            self.complaints.append,
        )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_file_comes_before_the_table(desk: Desk) -> None:
    keys = desk.keyring(
        desk.file({"both": policy("published"), "table": policy("table")}),
        file={"both": policy("of the file"), "file": policy("file")},
    )
    for text, alias in (("both", "of the file"), ("table", "table"), ("file", "file")):
        key = keys.get(digest(text))
        assert key is not None
        assert key.alias == alias
        assert keys.get(digest(text)) is key
    assert keys.get(digest("nobody's")) is None


def test_without_a_publication_the_file_serves(desk: Desk) -> None:
    keys = desk.keyring(None, file={"file": policy("file")})
    assert keys.get(digest("file")) is not None
    assert keys.get(digest("other")) is None


def test_a_policy_is_compiled_whole(desk: Desk) -> None:
    given = KeyPolicy(
        id=KeyId("k"),
        alias="alias",
        tenant=ACME,
        expires_at_s=5.0,
        models=("a/*",),
        networks=("10.0.0.0/8", "::1/128"),
        labels={"x": "y"},
        route=Route(affinity=False),
        limits=Limits(rpm=1),
    )
    tenant = TenantPolicy(id=ACME, limits=Limits(rpm=2))
    asked: list[tuple[KeyPolicy, TenantPolicy | None]] = []

    def account_of(key: KeyPolicy, of: TenantPolicy | None) -> Account | None:
        asked.append((key, of))
        return None

    compiler = KeyCompiler(CATALOG, {ACME: tenant}, account_of)
    key = desk.keyring(desk.file({"k": given}), compiler=compiler).get(digest("k"))
    assert key is not None
    assert (key.id, key.alias, key.tenant, key.enabled, key.expires_at_s) == ("k", "alias", ACME, True, 5.0)
    assert key.models == frozenset({ModelName("a/one"), ModelName("a/two")})
    assert list(map(str, key.networks)) == ["10.0.0.0/8", "::1/128"]
    assert key.labels == {"x": "y"}
    assert key.route == given.route
    assert key.route_mark
    assert asked == [(given, tenant)]


@pytest.mark.parametrize(
    ("models", "allowed"),
    [
        ((), None),
        (("*",), None),
        (("b/*", "*"), None),
        (("b/*",), {ModelName("b/one")}),
        (("gone/model",), set()),
    ],
)
def test_what_patterns_allow(desk: Desk, models: tuple[str, ...], allowed: set[ModelName] | None) -> None:
    key = desk.keyring(desk.file({"k": policy("k", models=models)})).get(digest("k"))
    assert key is not None
    assert key.models == allowed


def test_equal_patterns_are_expanded_once(desk: Desk) -> None:
    keys = desk.keyring(desk.file({"k": policy("k", models=("a/*",)), "l": policy("l", models=("a/*",))}))
    one, two = keys.get(digest("k")), keys.get(digest("l"))
    assert one is not None
    assert two is not None
    assert one.models is two.models


def test_a_key_nobody_understands_lets_nobody_in(desk: Desk) -> None:
    keys = desk.keyring(
        desk.file({"k": policy("k", networks=("10.0.0.1/8",)), "l": b"\xc3", "m": policy("m")})
    )
    key = keys.get(digest("k"))
    assert key is not None
    assert not key.enabled
    assert keys.get(digest("l")) is None
    assert keys.get(digest("m")) is not None
    assert len(desk.complaints) == 1


def test_a_newer_keyring_keeps_what_did_not_change(desk: Desk) -> None:
    table = desk.file({name: policy(name) for name in ("stays", "changes", "goes", "of the file")})
    file = {"of the file": policy("file")}
    before = desk.keyring(table, file=file)
    texts = ("stays", "changes", "goes", "of the file")
    old = {text: before.get(digest(text)) for text in texts}
    changes = desk.file(
        {
            "changes": policy("changed", enabled=False),
            "goes": GONE,
            "comes": policy("comes"),
            "of the file": GONE,
        }
    )
    newer = KeyTable(table, changes)
    assert before.table is not None
    changed = newer.changed_since(before.table)
    assert changed is not None
    after = before.after(newer, changed)
    assert after.get(digest("stays")) is old["stays"]
    assert after.get(digest("of the file")) is old["of the file"]
    key = after.get(digest("changes"))
    assert key is not None
    assert not key.enabled
    assert after.get(digest("goes")) is None
    assert after.get(digest("comes")) is not None
    # A call that began before the change goes on with what was then.
    assert before.get(digest("goes")) is old["goes"]


def test_memory_is_bounded_and_strangers_leave_none(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aimesh.dataplane.keyring.MOST_RECENT", 10)
    names = [str(number) for number in range(100)]
    keys = desk.keyring(desk.file({name: policy(name) for name in names}))
    for number in range(1_000):
        assert keys.get(digest(f"stranger {number}")) is None
    assert not keys.forget(1)
    favourite = keys.get(digest("0"))
    for name in names:
        key = keys.get(digest(name))
        assert key is not None
        assert key.alias == name
        # Whoever calls often is not forgotten.
        assert keys.get(digest("0")) is favourite
    known = 1
    while keys.forget(1):
        known += 1
    assert 10 <= known <= 30
    # It was only memory.
    assert {keys.get(digest(name)) is not None for name in names} == {True}


def test_patterns_in_memory_are_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aimesh.dataplane.keyring.MOST_PATTERNS", 4)
    compiler = KeyCompiler(CATALOG, {}, no_account)
    for number in range(50):
        compiler.compile(policy("k", models=(f"{number}/*",)))
    assert len(compiler._allowed) <= 4
