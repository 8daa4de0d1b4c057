"""Rows of virtual keys: made, found, listed, changed, rotated and forgotten; every change leaves its number."""

import pytest
from sqlalchemy import select
from tests.support.stores import any_store

from aimesh.core.ids import KeyId, TenantId, UserId
from aimesh.core.policy import Limits, Period, Quota, RankBy, Route, RouteMode, Unit
from aimesh.core.secret import Secret
from aimesh.store import virtual_keys
from aimesh.store.changes import current
from aimesh.store.database import DuplicateError
from aimesh.store.engine import Store
from aimesh.store.key_text import digest, make_text
from aimesh.store.tables import KEY_TEXTS, VIRTUAL_KEYS
from aimesh.store.vault import Vault
from aimesh.store.virtual_keys import KeyFilter, KeyPage, KeyTerms, NewKey, StoredKey

__all__ = ["any_store"]

ACME, OTHER = TenantId("acme"), TenantId("other")
ANN, BOB = UserId("ann"), UserId("bob")
VAULT = Vault([Secret(b"m" * 32)])
NOW_S = 1_750_000_000.0


def add(
    store: Store,
    alias: str,
    *,
    tenant: TenantId = ACME,
    owner: UserId = ANN,
    at_s: float = NOW_S,
    terms: KeyTerms | None = None,
) -> tuple[StoredKey, Secret[str]]:
    text, key_id = make_text(), virtual_keys.make_id(at_s)
    new = NewKey(
        id=key_id,
        tenant=tenant,
        owner=owner,
        terms=terms or KeyTerms(alias=alias),
        text=text,
        envelope=virtual_keys.seal(VAULT, text, virtual_keys.place_of(tenant, key_id)),
        at_s=at_s,
    )
    with store.write() as db:
        return virtual_keys.insert_key(db, new), text


def found(store: Store, key_id: KeyId) -> StoredKey | None:
    with store.read() as db:
        return virtual_keys.find_key(db, key_id)


def page(store: Store, wanted: KeyFilter, limit: int = 10, after: tuple[float, str] | None = None) -> KeyPage:
    with store.read() as db:
        return virtual_keys.list_keys(db, wanted, limit=limit, after=after)


def aliases(store: Store, wanted: KeyFilter) -> list[str]:
    found = page(store, wanted)
    assert found.total == len(found.keys)
    return [key.terms.alias for key in found.keys]


def numbers(store: Store, key_id: KeyId) -> tuple[int, int]:
    """The number on the row, and the one of all keys."""
    with store.read() as db:
        changed = db.execute(select(VIRTUAL_KEYS.c.changed).where(VIRTUAL_KEYS.c.id == key_id)).scalar_one()
        return int(changed), current(db, "keys")


FULL = KeyTerms(
    alias="search",
    models=("qwen/*", "kimi"),
    networks=("10.0.0.0/8",),
    expires_at_s=2e9,
    labels={"team": "搜索"},
    route=Route(mode=RouteMode.BYOK, rank_by=RankBy.LATENCY, credentials=("mine",)),
    limits=Limits(quotas=(Quota(unit=Unit.TOKENS, period=Period.DAILY, limit=1000),), rpm=60),
)


def test_what_was_put_in_is_found(any_store: Store) -> None:
    key, text = add(any_store, "search", terms=FULL)
    assert found(any_store, key.id) == key
    assert (key.terms, key.tenant, key.owner, key.version) == (FULL, ACME, ANN, 1)
    assert key.masked == f"{text.reveal()[:4]}****{text.reveal()[-4:]}"
    with any_store.read() as db:
        assert virtual_keys.find_alias(db, ACME, "search") == key
        assert virtual_keys.find_alias(db, OTHER, "search") is None
        assert virtual_keys.find_text(db, text, NOW_S) == key
        assert virtual_keys.find_text(db, make_text(), NOW_S) is None
        assert virtual_keys.find_keys(db, ACME, [key.id, KeyId("none")]) == {key.id: key}
        assert virtual_keys.find_keys(db, OTHER, [key.id]) == {}


def test_an_alias_is_unique_within_its_tenant_and_free_again_after_deletion(any_store: Store) -> None:
    key, _ = add(any_store, "a")
    add(any_store, "a", tenant=OTHER)
    with pytest.raises(DuplicateError):
        add(any_store, "a")
    with any_store.write() as db:
        assert virtual_keys.delete_key(db, key, NOW_S)
    add(any_store, "a")


def test_the_text_opens_from_its_envelope_until_the_key_is_deleted(any_store: Store) -> None:
    key, text = add(any_store, "a")
    place = virtual_keys.place_of(ACME, key.id)
    with any_store.read() as db:
        envelope = virtual_keys.envelope_of(db, key.id)
    assert envelope is not None
    assert VAULT.decrypt(envelope, place) == text
    with any_store.write() as db:
        virtual_keys.delete_key(db, key, NOW_S)
    with any_store.read() as db:
        assert virtual_keys.envelope_of(db, key.id) is None
        assert db.execute(select(VIRTUAL_KEYS.c.deleted)).scalar_one()
        assert virtual_keys.find_text(db, text, NOW_S) is None
    assert found(any_store, key.id) is None


def test_without_a_vault_only_the_hash_is_kept() -> None:
    assert virtual_keys.seal(None, Secret("x"), virtual_keys.place_of(ACME, KeyId("k"))) is None


def test_every_change_moves_the_number_and_the_version(any_store: Store) -> None:
    key, _ = add(any_store, "a")
    assert numbers(any_store, key.id) == (1, 1)
    with any_store.write() as db:
        edited = virtual_keys.update_key(db, key, FULL, NOW_S + 1)
    assert edited is not None
    assert (edited.version, edited.terms, edited.updated_at_s) == (2, FULL, NOW_S + 1)
    assert found(any_store, key.id) == edited
    assert numbers(any_store, key.id) == (2, 2)
    with any_store.write() as db:
        disabled = virtual_keys.set_enabled(db, edited, False, NOW_S + 2)
    assert disabled is not None
    assert not disabled.enabled
    assert found(any_store, key.id) == disabled
    add(any_store, "b")
    assert numbers(any_store, key.id) == (3, 4)


def test_a_change_to_a_version_that_is_gone_does_nothing(any_store: Store) -> None:
    key, _ = add(any_store, "a")
    with any_store.write() as db:
        newer = virtual_keys.set_enabled(db, key, False, NOW_S)
    with any_store.write() as db:
        assert virtual_keys.update_key(db, key, FULL, NOW_S) is None
        assert virtual_keys.set_enabled(db, key, True, NOW_S) is None
        assert not virtual_keys.delete_key(db, key, NOW_S)
        text = make_text()
        assert virtual_keys.rotate_key(db, key, text, envelope=None, grace_s=9, at_s=NOW_S) is None
    assert found(any_store, key.id) == newer


def test_a_rotated_key_opens_with_both_texts_until_the_end_of_the_grace(any_store: Store) -> None:
    key, old = add(any_store, "a")
    new = make_text()
    with any_store.write() as db:
        rotated = virtual_keys.rotate_key(db, key, new, envelope=b"sealed", grace_s=60, at_s=NOW_S)
    assert rotated is not None
    assert (rotated.id, rotated.version, rotated.terms) == (key.id, 2, key.terms)
    assert rotated.masked == f"ck-{new.reveal()[3]}****{new.reveal()[-4:]}"
    with any_store.read() as db:
        assert virtual_keys.envelope_of(db, key.id) == b"sealed"
        assert virtual_keys.find_text(db, new, NOW_S) == rotated
        assert virtual_keys.find_text(db, old, NOW_S + 59) == rotated
        assert virtual_keys.find_text(db, old, NOW_S + 60) is None
        assert virtual_keys.graces(db, [key.id, KeyId("none")], NOW_S) == {key.id: NOW_S + 60}
        assert virtual_keys.graces(db, [key.id], NOW_S + 60) == {}
    assert text_rows(any_store) == [(NOW_S + 60, 2)]


def test_without_grace_the_old_text_is_void_at_once_and_leaves_its_mark(any_store: Store) -> None:
    key, old = add(any_store, "a")
    with any_store.write() as db:
        virtual_keys.rotate_key(db, key, make_text(), envelope=None, grace_s=0, at_s=NOW_S)
    with any_store.read() as db:
        assert virtual_keys.find_text(db, old, NOW_S) is None
    assert text_rows(any_store) == [(NOW_S, 2)]


def test_a_change_marks_the_texts_in_their_grace_and_deleting_voids_them(any_store: Store) -> None:
    key, old = add(any_store, "a")
    with any_store.write() as db:
        rotated = virtual_keys.rotate_key(db, key, make_text(), envelope=None, grace_s=60, at_s=NOW_S)
        assert rotated is not None
        disabled = virtual_keys.set_enabled(db, rotated, False, NOW_S + 1)
        assert disabled is not None
    assert text_rows(any_store) == [(NOW_S + 60, 3)]
    with any_store.write() as db:
        virtual_keys.delete_key(db, disabled, NOW_S + 2)
    assert text_rows(any_store) == [(NOW_S + 2, 4)]
    with any_store.read() as db:
        assert virtual_keys.find_text(db, old, NOW_S + 1) is None


def test_another_rotation_gives_no_older_text_a_longer_life_than_its_own_grace(any_store: Store) -> None:
    key, _ = add(any_store, "a")

    def rotate(before: StoredKey, grace_s: float) -> StoredKey:
        with any_store.write() as db:
            after = virtual_keys.rotate_key(
                db, before, make_text(), envelope=None, grace_s=grace_s, at_s=NOW_S
            )
        assert after is not None
        return after

    second = rotate(key, 60)
    third = rotate(second, 600)
    assert text_rows(any_store) == [(NOW_S + 60, 3), (NOW_S + 600, 3)]
    # Leaked: nothing but the newest text works from now on.
    rotate(third, 0)
    assert {row[0] for row in text_rows(any_store)} == {NOW_S}
    assert {row[1] for row in text_rows(any_store)} == {4}


def text_rows(store: Store) -> list[tuple[float, int]]:
    with store.read() as db:
        rows = db.execute(
            select(KEY_TEXTS.c.expires_at_s, KEY_TEXTS.c.changed).order_by(
                KEY_TEXTS.c.changed, KEY_TEXTS.c.expires_at_s
            )
        )
        return [(row[0], row[1]) for row in rows]


def test_a_list_shows_the_newest_first_in_pages_that_nothing_slips_through(any_store: Store) -> None:
    made = [add(any_store, f"k{index}", at_s=NOW_S + index // 2)[0] for index in range(7)]
    add(any_store, "foreign", tenant=OTHER)
    wanted = KeyFilter(tenant=ACME, now_s=NOW_S)
    seen: list[StoredKey] = []
    after = None
    while True:
        part = page(any_store, wanted, 3, after)
        assert part.total == 7
        seen += part.keys
        after = part.next
        if after is None:
            break
        # New ones come first and disturb no page that follows.
        add(any_store, f"late {len(seen)}", at_s=NOW_S + 100, tenant=OTHER)
    assert seen == sorted(made, key=lambda key: (key.created_at_s, key.id), reverse=True)


def test_a_list_is_filtered_by_owner_status_and_label(any_store: Store) -> None:
    add(any_store, "one", terms=KeyTerms(alias="one", labels={"team": "a", "env": "prod"}))
    two, _ = add(
        any_store, "two", owner=BOB, terms=KeyTerms(alias="two", labels={"team": "A"}), at_s=NOW_S + 1
    )
    add(any_store, "three", terms=KeyTerms(alias="three", expires_at_s=NOW_S + 5), at_s=NOW_S + 2)
    four, _ = add(any_store, "four", at_s=NOW_S + 3)
    with any_store.write() as db:
        virtual_keys.set_enabled(db, four, False, NOW_S)

    def wanted(**fields: object) -> KeyFilter:
        return KeyFilter(**({"tenant": ACME, "now_s": NOW_S + 5} | fields))  # type: ignore[arg-type]  # by name

    assert aliases(any_store, wanted()) == ["four", "three", "two", "one"]
    assert aliases(any_store, wanted(owner=BOB)) == ["two"]
    assert aliases(any_store, wanted(status="active")) == ["two", "one"]
    assert aliases(any_store, wanted(status="disabled")) == ["four"]
    assert aliases(any_store, wanted(status="expired")) == ["three"]
    assert aliases(any_store, wanted(status="active", now_s=NOW_S)) == ["three", "two", "one"]
    assert aliases(any_store, wanted(label="team")) == ["two", "one"]
    assert aliases(any_store, wanted(label="team=a")) == ["one"]
    assert aliases(any_store, wanted(label="env=prod")) == ["one"]
    assert aliases(any_store, wanted(label="prod")) == []
    assert aliases(any_store, wanted(label="tea")) == []
    assert [found.status(NOW_S + 5) for found in page(any_store, wanted()).keys] == [
        "disabled", "expired", "active", "active",
    ]  # fmt: skip
    assert two.status(NOW_S) == "active"


def test_an_alias_is_found_by_a_part_of_it_whatever_the_case_and_without_wildcards(any_store: Store) -> None:
    for index, alias in enumerate(["Search-Prod", "search_test", "50% off", "搜索-生产"]):
        add(any_store, alias, at_s=NOW_S + index)

    def like(part: str) -> list[str]:
        return aliases(any_store, KeyFilter(tenant=ACME, now_s=NOW_S, alias=part))

    assert like("SEARCH") == ["search_test", "Search-Prod"]
    assert like("h_t") == ["search_test"]
    assert like("%") == ["50% off"]
    assert like("搜索") == ["搜索-生产"]
    assert like("none") == []


def test_a_key_is_found_by_its_text_in_full_or_masked(any_store: Store) -> None:
    key, text = add(any_store, "a")
    add(any_store, "b")

    def with_text(given: str, now_s: float = NOW_S) -> list[str]:
        return aliases(any_store, KeyFilter(tenant=ACME, now_s=now_s, text=Secret(given)))

    assert with_text(text.reveal()) == ["a"]
    assert with_text(key.masked) == ["a"]
    assert with_text("ck-nobody's") == []
    with any_store.write() as db:
        virtual_keys.rotate_key(db, key, make_text(), envelope=None, grace_s=60, at_s=NOW_S)
    assert with_text(text.reveal()) == ["a"]
    assert with_text(text.reveal(), NOW_S + 60) == []


def test_a_key_is_found_by_the_digest_of_its_text(any_store: Store) -> None:
    key, text = add(any_store, "a")
    add(any_store, "b")

    def with_digest(sha256: bytes, now_s: float = NOW_S) -> list[str]:
        return aliases(any_store, KeyFilter(tenant=ACME, now_s=now_s, sha256=sha256))

    assert with_digest(digest(text)) == ["a"]
    assert with_digest(bytes(32)) == []
    fresh = make_text()
    with any_store.write() as db:
        virtual_keys.rotate_key(db, key, fresh, envelope=None, grace_s=60, at_s=NOW_S)
    assert with_digest(digest(text)) == with_digest(digest(fresh)) == ["a"]
    assert with_digest(digest(text), NOW_S + 60) == []


def test_the_keys_whose_route_names_a_credential(any_store: Store) -> None:
    def route(alias: str, *names: str, mode: RouteMode = RouteMode.BYOK, tenant: TenantId = ACME) -> None:
        add(
            any_store,
            alias,
            tenant=tenant,
            terms=KeyTerms(alias=alias, route=Route(mode=mode, credentials=names)),
        )

    route("all")
    route("first", "mine", "spare")
    route("second", "spare", "mine")
    route("longer", "mine too")
    route("not in use", "mine", mode=RouteMode.DEFAULT)
    route("foreign", "mine", tenant=OTHER)
    with any_store.read() as db:
        named = virtual_keys.keys_naming(db, ACME, "mine")
    assert [key.terms.alias for key in named] == ["first", "second"]
