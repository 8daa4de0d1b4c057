"""From rows to records, on both databases."""

from pathlib import Path

import pytest
from msgspec import structs
from sqlalchemy import update
from tests.support.publishing import Press, text_of
from tests.support.stores import any_store

from aimesh.core.ids import CredentialId, ProviderId, TenantId
from aimesh.core.policy import (
    CredentialPolicy,
    KeyPolicy,
    Limits,
    Period,
    Quota,
    Route,
    RouteMode,
    TenantPolicy,
    TenantStatus,
    Unit,
)
from aimesh.core.secret import Secret
from aimesh.store import credentials, key_text, tenants, virtual_keys
from aimesh.store.engine import Store
from aimesh.store.key_table import GONE, decode_policy
from aimesh.store.overlays import OverlayKind
from aimesh.store.published_rows import changed_keys, every_key, read_numbers, read_world
from aimesh.store.tables import CREDENTIALS, TENANTS, VIRTUAL_KEYS
from aimesh.store.virtual_keys import KeyTerms, StoredKey

__all__ = ["any_store"]

ALL = KeyTerms(
    alias="all",
    models=("qwen/*",),
    networks=("10.0.0.0/8",),
    expires_at_s=1_900_000_000.25,
    labels={"队": "搜索"},
    route=Route(mode=RouteMode.PROVIDER, providers=(ProviderId("p"),)),
    limits=Limits(quotas=(Quota(unit=Unit.CNY, period=Period.DAILY, limit=1 << 40),), tpm=5),
)


@pytest.fixture
def press(any_store: Store, tmp_path: Path) -> Press:
    return Press(any_store, tmp_path)


def every(press: Press) -> dict[bytes, bytes]:
    with press.store.read() as db:
        return dict(every_key(db, press.clock.wall_s()))


def changed(press: Press, since: int) -> dict[bytes, bytes]:
    with press.store.read() as db:
        return changed_keys(db, since, press.clock.wall_s())


def number(press: Press) -> int:
    with press.store.read() as db:
        return read_numbers(db).keys


def rotate(press: Press, key: StoredKey, text: str, *, grace_s: float) -> StoredKey:
    at_s = press.clock.wall_s()
    rotated = press.write(
        lambda db: virtual_keys.rotate_key(db, key, text_of(text), envelope=None, grace_s=grace_s, at_s=at_s)
    )
    assert rotated is not None
    return rotated


def digest(text: str) -> bytes:
    return key_text.digest(text_of(text))


def test_a_key_is_published_with_everything(press: Press) -> None:
    key = press.make_key("all", terms=ALL)
    expected = KeyPolicy(
        id=key.id,
        alias="all",
        tenant=key.tenant,
        expires_at_s=1_900_000_000.25,
        models=ALL.models,
        networks=ALL.networks,
        labels=ALL.labels,
        route=ALL.route,
        limits=ALL.limits,
    )
    assert {at: decode_policy(record) for at, record in every(press).items()} == {digest("all"): expected}
    assert changed(press, 0) == every(press)
    assert changed(press, number(press)) == {}


def test_what_changed_since_a_number(press: Press) -> None:
    first, second = press.make_key("first"), press.make_key("second")
    press.make_key("third")
    since = number(press)
    at_s = press.clock.wall_s()
    press.write(lambda db: virtual_keys.set_enabled(db, first, False, at_s))
    press.write(lambda db: virtual_keys.delete_key(db, second, at_s))
    found = changed(press, since)
    assert found.keys() == {digest("first"), digest("second")}
    assert not decode_policy(found[digest("first")]).enabled
    assert found[digest("second")] == GONE
    assert every(press).keys() == {digest("first"), digest("third")}


def test_a_rotated_text_opens_its_key_until_its_grace_ends(press: Press) -> None:
    key = press.make_key("old", terms=KeyTerms(alias="old"))
    since = number(press)
    ends_at_s = press.clock.wall_s() + 60
    rotate(press, key, "new", grace_s=60)
    for found in (changed(press, since), every(press)):
        old, new = decode_policy(found[digest("old")]), decode_policy(found[digest("new")])
        assert structs.replace(old, expires_at_s=0.0) == new
        assert old.expires_at_s == ends_at_s
        assert len(found) == 2
    press.clock.advance(60)
    assert every(press).keys() == {digest("new")}
    assert changed(press, since)[digest("old")] == GONE


def test_the_sooner_end_holds(press: Press) -> None:
    soon = press.clock.wall_s() + 10
    key = press.make_key("old", terms=KeyTerms(alias="old", expires_at_s=soon))
    rotate(press, key, "new", grace_s=60)
    assert {decode_policy(record).expires_at_s for record in every(press).values()} == {soon}


def test_a_rotation_without_grace_ends_the_old_text(press: Press) -> None:
    key = press.make_key("old")
    since = number(press)
    rotate(press, key, "new", grace_s=0)
    assert changed(press, since)[digest("old")] == GONE
    assert every(press).keys() == {digest("new")}


def test_deleting_ends_old_texts(press: Press) -> None:
    key = rotate(press, press.make_key("a"), "b", grace_s=60)
    since, at_s = number(press), press.clock.wall_s()
    assert press.write(lambda db: virtual_keys.delete_key(db, key, at_s))
    assert changed(press, since) == {digest("a"): GONE, digest("b"): GONE}
    assert every(press) == {}


@pytest.mark.parametrize("column", ["allowed_models", "allowed_cidrs", "labels", "route", "limits"])
def test_a_row_nobody_understands_lets_nobody_in(press: Press, column: str) -> None:
    press.make_key("odd")
    press.write(lambda db: db.execute(update(VIRTUAL_KEYS).values({column: '{"mode": 7'})))
    (record,) = every(press).values()
    assert not decode_policy(record).enabled


def test_the_world(press: Press) -> None:
    at_s = press.clock.wall_s()
    provider = ProviderId("p")

    def fill(tenant: str, name: str) -> CredentialId:
        owner = TenantId(tenant)
        new = credentials.NewCredential(
            id=credentials.make_id(owner, provider, name),
            tenant=owner,
            provider=provider,
            name=name,
            secret=Secret("sk-secret"),
            envelope=b"\x01sealed",
            enabled=True,
            at_s=at_s,
        )
        return press.write(lambda db: credentials.insert_credential(db, new)).id

    shared, mine, off = fill("", "shared"), fill("acme", "mine"), fill("acme", "off")
    press.write(
        lambda db: db.execute(update(CREDENTIALS).where(CREDENTIALS.c.id == off).values(enabled=False))
    )
    terms = tenants.TenantTerms(name="Acme", status=TenantStatus.OVERDUE, limits=Limits(rpm=9))
    press.write(lambda db: tenants.add_tenant(db, TenantId("acme"), terms, at_s))
    press.put_overlay(OverlayKind.PROVIDER, "p", b'{"a": "\xc3\xa4"}')
    press.put_overlay(OverlayKind.MODEL, "v/m", b'{"a": "\xc3\xa4"}')
    with press.store.read() as db:
        world = read_world(db)
    assert world.tenants == (
        TenantPolicy(id=TenantId("acme"), status=TenantStatus.OVERDUE, limits=Limits(rpm=9)),
        TenantPolicy(id=TenantId("default")),
    )
    sealed = CredentialPolicy(id=shared, provider=provider, name="shared", envelope=b"\x01sealed")
    assert world.credentials == (
        sealed,
        structs.replace(sealed, id=mine, name="mine", tenant=TenantId("acme")),
    )
    assert world.providers == {"p": b'{"a": "\xc3\xa4"}'}
    assert world.models == {"v/m": b'{"a": "\xc3\xa4"}'}


@pytest.mark.parametrize("change", [{"status": "from the future"}, {"limits": "[]"}])
def test_a_tenant_nobody_understands_is_not_served(press: Press, change: dict[str, str]) -> None:
    press.write(lambda db: db.execute(update(TENANTS).values(change)))
    with press.store.read() as db:
        assert read_world(db).tenants == (TenantPolicy(id=TenantId("default"), status=TenantStatus.DISABLED),)
