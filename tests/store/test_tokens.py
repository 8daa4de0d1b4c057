"""Tokens of the admin API in the database, on both kinds."""

import pytest
from msgspec import structs
from tests.support.stores import any_store

from aimesh.core.ids import DEFAULT_TENANT, TenantId, UserId
from aimesh.core.secret import Secret
from aimesh.store.database import DuplicateError
from aimesh.store.engine import Store
from aimesh.store.people import Role
from aimesh.store.sessions import digest
from aimesh.store.tokens import (
    Token,
    TokenFilter,
    add_token,
    count_tokens,
    find_by_digest,
    find_token,
    list_tokens,
    make_token_text,
    remove_token,
    remove_tokens_of,
    touch_token,
)

__all__ = ["any_store"]

LIN = UserId("usr_lin")
OTHER = TenantId("other")


def token(name: str, user_id: UserId = LIN, tenant: TenantId = DEFAULT_TENANT) -> Token:
    return Token(
        id=f"tok_{tenant}_{name}",
        tenant=tenant,
        user_id=user_id,
        name=name,
        masked="at-X****abcd",
        role=Role.AI_GATEWAY_ADMIN,
        expires_at_s=None,
        last_used_at_s=None,
        created_at_s=100.0,
    )


def sha(one: Token) -> bytes:
    return digest(Secret(one.id))


def test_a_token_is_found_by_text_and_by_id(any_store: Store) -> None:
    added = token("a")
    with any_store.write() as db:
        add_token(db, added, sha(added))
    with any_store.read() as db:
        assert find_token(db, added.id) == added
        assert find_by_digest(db, sha(added)) == added
        assert find_token(db, "tok_x") is None
        assert find_by_digest(db, digest(Secret("x"))) is None


def test_names_are_unique_in_a_tenant(any_store: Store) -> None:
    with any_store.write() as db:
        add_token(db, token("a"), b"1")
        add_token(db, token("a", tenant=OTHER), b"2")
    with pytest.raises(DuplicateError), any_store.write() as db:
        add_token(db, structs.replace(token("a"), id="tok_2"), b"3")
    with pytest.raises(DuplicateError), any_store.write() as db:
        add_token(db, token("b"), b"1")


def test_the_list_is_by_name_and_filtered(any_store: Store) -> None:
    with any_store.write() as db:
        for one in (token("c"), token("a"), token("b", UserId("usr_x")), token("z", tenant=OTHER)):
            add_token(db, one, sha(one))
        mine, all_of_it = TokenFilter(DEFAULT_TENANT, LIN), TokenFilter(DEFAULT_TENANT)
        assert [one.name for one in list_tokens(db, all_of_it, after=None, limit=2)] == ["a", "b"]
        assert [one.name for one in list_tokens(db, all_of_it, after="b", limit=2)] == ["c"]
        assert [one.name for one in list_tokens(db, mine, after=None, limit=9)] == ["a", "c"]
        assert (count_tokens(db, all_of_it), count_tokens(db, mine)) == (3, 2)


def test_tokens_are_touched_and_removed(any_store: Store) -> None:
    with any_store.write() as db:
        for one in (token("a"), token("b"), token("c", UserId("usr_x"))):
            add_token(db, one, sha(one))
        touch_token(db, token("a").id, 150.0)
        touched = find_token(db, token("a").id)
        assert touched is not None
        assert touched.last_used_at_s == 150.0
        remove_token(db, token("a").id)
        assert find_token(db, token("a").id) is None
        assert remove_tokens_of(db, LIN) == 1
        assert remove_tokens_of(db, LIN) == 0
        assert find_token(db, token("c").id) is not None


def test_texts_are_random() -> None:
    texts = {make_token_text().reveal() for _ in range(100)}
    assert len(texts) == 100
    assert all(len(text) == 43 and text.startswith("at-") and text[3:].isalnum() for text in texts)
