"""Sessions and one-time links in the database, on both kinds."""

from tests.support.stores import any_store

from aimesh.core.ids import UserId
from aimesh.core.secret import Secret
from aimesh.store.engine import Store
from aimesh.store.sessions import (
    PasswordLink,
    Session,
    add_link,
    add_session,
    digest,
    end_session,
    end_sessions_of,
    find_link,
    find_session,
    forget_expired,
    forget_links,
    touch_session,
    use_link,
)

__all__ = ["any_store"]

LIN = UserId("usr_lin")


def session(name: str, user_id: UserId = LIN, expires_at_s: float = 1000.0) -> Session:
    return Session(
        sha256=digest(Secret(name)),
        user_id=user_id,
        csrf="csrf",
        created_at_s=100.0,
        seen_at_s=100.0,
        expires_at_s=expires_at_s,
        ip="203.0.113.7",
        agent="Browser/1.0",
    )


def test_a_session_is_found_and_touched(any_store: Store) -> None:
    with any_store.write() as db:
        add_session(db, session("a"))
        assert find_session(db, digest(Secret("a"))) == session("a")
        touch_session(db, digest(Secret("a")), 150.0)
    with any_store.read() as db:
        found = find_session(db, digest(Secret("a")))
        assert found is not None
        assert found.seen_at_s == 150.0
        assert find_session(db, digest(Secret("b"))) is None


def test_sessions_end_one_by_one_or_of_a_person(any_store: Store) -> None:
    with any_store.write() as db:
        for name in ("a", "b", "c"):
            add_session(db, session(name))
        add_session(db, session("other", UserId("usr_other")))
        end_session(db, digest(Secret("a")))
        assert [find_session(db, digest(Secret(name))) is None for name in ("a", "b")] == [True, False]
        end_sessions_of(db, LIN)
        assert find_session(db, digest(Secret("c"))) is None
        assert find_session(db, digest(Secret("other"))) is not None


def test_a_link_works_once(any_store: Store) -> None:
    sha256 = digest(Secret("token"))
    link = PasswordLink(user_id=LIN, expires_at_s=1000.0)
    with any_store.write() as db:
        add_link(db, sha256, link, 100.0)
        assert find_link(db, sha256, 100.0) == link
    with any_store.write() as db:
        assert use_link(db, sha256, 100.0) == link
        assert use_link(db, sha256, 100.0) is None
        assert find_link(db, sha256, 100.0) is None


def test_a_link_ends(any_store: Store) -> None:
    sha256 = digest(Secret("token"))
    with any_store.write() as db:
        add_link(db, sha256, PasswordLink(user_id=LIN, expires_at_s=1000.0), 100.0)
        assert find_link(db, sha256, 1000.0) is None
        assert use_link(db, sha256, 1000.0) is None


def test_a_new_link_takes_the_place_of_the_persons_others(any_store: Store) -> None:
    first, second, setup = (digest(Secret(name)) for name in ("first", "second", "setup"))
    with any_store.write() as db:
        add_link(db, setup, PasswordLink(user_id=None, expires_at_s=1000.0), 100.0)
        for sha256 in (first, second):
            add_link(db, sha256, PasswordLink(user_id=LIN, expires_at_s=1000.0), 100.0)
        assert find_link(db, first, 100.0) is None
        assert find_link(db, second, 100.0) is not None
        forget_links(db, None)
        assert find_link(db, setup, 100.0) is None
        assert find_link(db, second, 100.0) is not None
        forget_links(db, LIN)
        assert find_link(db, second, 100.0) is None


def test_what_is_over_is_forgotten(any_store: Store) -> None:
    with any_store.write() as db:
        add_session(db, session("old", expires_at_s=500.0))
        add_session(db, session("new"))
        for name, end_s in (("old", 500.0), ("new", 1000.0)):
            user_id = UserId(name)
            add_link(db, digest(Secret(f"link {name}")), PasswordLink(user_id, end_s), 100.0)
        forget_expired(db, 500.0)
        assert find_session(db, digest(Secret("old"))) is None
        assert find_session(db, digest(Secret("new"))) is not None
        # As it was before, had it not been forgotten:
        assert find_link(db, digest(Secret("link old")), 100.0) is None
        assert find_link(db, digest(Secret("link new")), 100.0) is not None


def test_a_session_does_not_show_what_opens_it() -> None:
    assert repr(session("a")) == "Session(user_id='usr_lin', created_at_s=100.0)"


def test_any_text_has_a_digest() -> None:
    assert len(digest(Secret("\ud800 half a pair"))) == 32
