from tests.support.stores import any_store
from tests.support.usage import varied

from aimesh.core.ids import DEFAULT_TENANT, UserId
from aimesh.store.engine import Store
from aimesh.store.people import Role
from aimesh.store.usage_import import Beside, import_usage, prepared
from aimesh.store.usage_names import key_names, keys_named, user_names, users_named
from aimesh.store.users import NewUser, UserTerms, add_user

__all__ = ["any_store"]


def test_what_is_gone_has_its_last_name_and_what_is_there_its_present_one(any_store: Store) -> None:
    one = varied(1)
    import_usage(any_store, prepared([one], beside=Beside(users={"usr-1": "ann", "usr-2": "bob"})))
    terms = UserTerms(display_name="", email="", role=Role.MEMBER, enabled=True)
    with any_store.write() as db:
        add_user(db, NewUser(UserId("usr-2"), DEFAULT_TENANT, "robert", terms), 0.0)
    with any_store.read() as db:
        assert user_names(db, ["usr-1", "usr-2", "usr-3", ""]) == {"usr-1": "ann", "usr-2": "robert"}
        assert key_names(db, [one.record.key_id]) == {one.record.key_id: one.record.key_alias}
        assert users_named(db, "robert") == {"robert", "usr-2"}
        assert users_named(db, "bob") == {"bob", "usr-2"}
        assert keys_named(db, one.record.key_alias) == {one.record.key_alias, one.record.key_id}
        assert keys_named(db, "absent") == {"absent"}
