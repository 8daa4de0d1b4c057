"""People in the database, on both kinds."""

import pytest
from tests.support.stores import any_store

from aimesh.core.ids import DEFAULT_TENANT, KeyId, TenantId, UserId
from aimesh.core.secret import Secret
from aimesh.store.database import DuplicateError
from aimesh.store.engine import Connection, Store
from aimesh.store.key_text import make_text
from aimesh.store.people import Role
from aimesh.store.users import (
    NewUser,
    User,
    UserFilter,
    UserTerms,
    add_user,
    bind_subject,
    change_user,
    count_able,
    count_users,
    find_by_email,
    find_by_subject,
    find_by_username,
    find_user,
    fold,
    keys_of,
    list_users,
    note_failure,
    note_login,
    password_hash,
    remove_user,
    set_password_hash,
)
from aimesh.store.virtual_keys import KeyTerms, NewKey, insert_key

__all__ = ["any_store"]

OTHER = TenantId("other")
MINE = UserFilter(tenant=DEFAULT_TENANT)


def add(
    db: Connection,
    username: str,
    role: Role = Role.MEMBER,
    tenant: TenantId = DEFAULT_TENANT,
    *,
    email: str = "",
    subject: str | None = None,
) -> User:
    terms = UserTerms(display_name=username.title(), email=email, role=role, enabled=True)
    new = NewUser(UserId(f"usr_{fold(username)}"), tenant, username, terms, subject)
    return add_user(db, new, 100.0)


def names(users: list[User]) -> list[str]:
    return [user.username for user in users]


def test_somebody_added_is_found(any_store: Store) -> None:
    with any_store.write() as db:
        added = add(db, " Straße ", Role.AI_GATEWAY_ADMIN, email="Lin@Example.com", subject="issuer#1")
    with any_store.read() as db:
        assert find_user(db, added.id) == added
        assert find_by_username(db, "STRASSE") == added
        assert find_by_subject(db, "issuer#1") == added
        assert find_by_email(db, "lin@example.COM") == [added]
        assert find_user(db, UserId("nobody")) is None
        assert find_by_username(db, "") is None
        assert find_by_subject(db, "") is None
    assert added == User(
        id=UserId("usr_strasse"),
        tenant=DEFAULT_TENANT,
        username="strasse",
        display_name=" Straße ".title(),
        email="Lin@Example.com",
        role=Role.AI_GATEWAY_ADMIN,
        enabled=True,
        has_password=False,
        oidc_subject="issuer#1",
        failed_logins=0,
        locked_until_s=None,
        last_login_at_s=None,
        created_at_s=100.0,
        updated_at_s=100.0,
        version=1,
    )


def test_names_and_subjects_are_unique(any_store: Store) -> None:
    with any_store.write() as db:
        add(db, "lin", subject="issuer#1")
    second = NewUser(UserId("usr_2"), OTHER, "LIN", UserTerms("", "", Role.MEMBER, enabled=True))
    with pytest.raises(DuplicateError), any_store.write() as db:
        add_user(db, second, 0.0)
    with pytest.raises(DuplicateError), any_store.write() as db:
        add(db, "second", subject="issuer#1")
    with any_store.write() as db:
        add(db, "third")
        add(db, "fourth")


def test_the_list_is_by_name_and_filtered(any_store: Store) -> None:
    with any_store.write() as db:
        for name in ("b_b", "a%a", "c"):
            add(db, name)
        add(db, "d", Role.AI_GATEWAY_ADMIN, email="X@example.com")
        add(db, "stranger", tenant=OTHER)
        off = add(db, "off")
        assert change_user(db, off, UserTerms("", "", Role.MEMBER, enabled=False), 1.0) is not None
    with any_store.read() as db:
        assert names(list_users(db, MINE, after=None, limit=2)) == ["a%a", "b_b"]
        assert names(list_users(db, MINE, after="b_b", limit=9)) == ["c", "d", "off"]
        assert count_users(db, MINE) == 5
        for search, expected in (
            ("%", ["a%a"]),
            ("_", ["b_b"]),
            ("x@EX", ["d"]),
            ("A%A", ["a%a"]),
            ("zz", []),
        ):
            wanted = UserFilter(tenant=DEFAULT_TENANT, search=search)
            assert names(list_users(db, wanted, after=None, limit=9)) == expected
            assert count_users(db, wanted) == len(expected)
        wanted = UserFilter(tenant=DEFAULT_TENANT, role=Role.AI_GATEWAY_ADMIN)
        assert names(list_users(db, wanted, after=None, limit=9)) == ["d"]
        wanted = UserFilter(tenant=DEFAULT_TENANT, enabled=False)
        assert names(list_users(db, wanted, after=None, limit=9)) == ["off"]
        wanted = UserFilter(tenant=DEFAULT_TENANT, id=UserId("usr_c"))
        assert names(list_users(db, wanted, after=None, limit=9)) == ["c"]


def test_a_change_is_made_to_the_version_that_was_read(any_store: Store) -> None:
    terms = UserTerms("New", "new@example.com", Role.AI_GATEWAY_ADMIN, enabled=False)
    with any_store.write() as db:
        user = add(db, "lin")
        changed = change_user(db, user, terms, 200.0)
        assert changed is not None
        assert (changed.terms, changed.version, changed.updated_at_s) == (terms, 2, 200.0)
        assert change_user(db, user, user.terms, 300.0) is None
        assert find_user(db, user.id) == changed


def test_signing_in_is_no_change(any_store: Store) -> None:
    with any_store.write() as db:
        user = add(db, "lin")
        set_password_hash(db, user.id, Secret("$hash"))
        note_login(db, user.id, 150.0)
        bind_subject(db, user.id, "issuer#1")
        now = find_user(db, user.id)
    assert now is not None
    assert (now.version, now.updated_at_s) == (1, 100.0)
    assert (now.has_password, now.last_login_at_s, now.oidc_subject) == (True, 150.0, "issuer#1")
    assert "$hash" not in repr(now)


def test_the_hash_leaves_as_a_secret(any_store: Store) -> None:
    with any_store.write() as db:
        user = add(db, "lin")
        assert password_hash(db, user.id) is None
        assert password_hash(db, UserId("nobody")) is None
        set_password_hash(db, user.id, Secret("$hash"))
        assert password_hash(db, user.id) == Secret("$hash")


def test_failures_in_a_row_lock(any_store: Store) -> None:
    def fail(db: Connection, user: User) -> bool:
        return note_failure(db, user.id, lock_after=3, locked_until_s=999.0)

    with any_store.write() as db:
        user = add(db, "lin")
        assert [fail(db, user) for _ in range(2)] == [False, False]
        note_login(db, user.id, 150.0)
        assert [fail(db, user) for _ in range(3)] == [False, False, True]
        locked = find_user(db, user.id)
        assert locked is not None
        assert (locked.locked_until_s, locked.failed_logins) == (999.0, 0)
        set_password_hash(db, user.id, Secret("$hash"))
        unlocked = find_user(db, user.id)
        assert unlocked is not None
        assert unlocked.locked_until_s is None
        assert note_failure(db, UserId("nobody"), lock_after=1, locked_until_s=1.0) is False


def test_who_can_sign_in_is_counted(any_store: Store) -> None:
    with any_store.write() as db:
        add(db, "invited", Role.PLATFORM_ADMIN)
        assert count_able(db, Role.PLATFORM_ADMIN) == 0
        set_password_hash(db, UserId("usr_invited"), Secret("$hash"))
        add(db, "bound", Role.PLATFORM_ADMIN, OTHER, subject="issuer#1")
        off = add(db, "off", Role.PLATFORM_ADMIN, subject="issuer#2")
        change_user(db, off, UserTerms("", "", Role.PLATFORM_ADMIN, enabled=False), 1.0)
        add(db, "member", subject="issuer#3")
        assert count_able(db, Role.PLATFORM_ADMIN) == 2
        assert count_able(db, Role.PLATFORM_ADMIN, DEFAULT_TENANT) == 1


def test_somebody_removed_is_gone_and_keys_stay(any_store: Store) -> None:
    with any_store.write() as db:
        user = add(db, "lin")
        for alias in ("b", "a"):
            new = NewKey(
                id=KeyId(f"key_{alias}"),
                tenant=DEFAULT_TENANT,
                owner=user.id,
                terms=KeyTerms(alias=alias),
                text=make_text(),
                envelope=None,
                at_s=100.0,
            )
            insert_key(db, new)
        remove_user(db, user.id)
        assert find_user(db, user.id) is None
        assert [key.alias for key in keys_of(db, user, limit=9)] == ["a", "b"]
        assert [key.id for key in keys_of(db, user, limit=1)] == ["key_a"]
