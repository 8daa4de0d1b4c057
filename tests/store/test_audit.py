"""The audit log in the database, on both kinds."""

from tests.support.stores import any_store

from aimesh.core.ids import DEFAULT_TENANT, TenantId
from aimesh.store.audit import AuditFilter, AuditLine, add_line, count_lines, list_lines
from aimesh.store.engine import Store

__all__ = ["any_store"]


def line(number: int, action: str = "key.create", tenant: str = "default", name: str = "lin") -> AuditLine:
    return AuditLine(
        id=f"{number:012x}",
        at_s=float(number),
        tenant=TenantId(tenant),
        actor_kind="user",
        actor_id=f"usr_{name}",
        actor_name=name,
        ip="203.0.113.7",
        action=action,
        target_kind="key",
        target_id=f"key_{number}",
        target_name=f"alias {number}",
        changes='{"enabled":true}',
        request_id="r",
    )


def test_lines_are_kept_whole_and_listed_newest_first(any_store: Store) -> None:
    lines = [line(number) for number in range(1, 6)]
    with any_store.write() as db:
        for one in lines:
            add_line(db, one)
    with any_store.read() as db:
        assert list_lines(db, AuditFilter(), before=None, limit=2) == [lines[4], lines[3]]
        assert list_lines(db, AuditFilter(), before=lines[3].id, limit=9) == [lines[2], lines[1], lines[0]]
        assert count_lines(db, AuditFilter()) == 5


def test_filters(any_store: Store) -> None:
    with any_store.write() as db:
        for one in (
            line(1),
            line(2, "key.delete"),
            line(3, "key_x.create"),
            line(4, tenant="other", name="ming"),
            line(5, "provider.change", tenant=""),
        ):
            add_line(db, one)

        def found(wanted: AuditFilter) -> list[int]:
            lines = list_lines(db, wanted, before=None, limit=9)
            assert count_lines(db, wanted) == len(lines)
            return [int(one.id, 16) for one in lines]

        assert found(AuditFilter()) == [5, 4, 3, 2, 1]
        assert found(AuditFilter(tenant=DEFAULT_TENANT)) == [3, 2, 1]
        assert found(AuditFilter(tenant=TenantId(""))) == [5]
        assert found(AuditFilter(actor="ming")) == [4]
        assert found(AuditFilter(actor="usr_lin")) == [5, 3, 2, 1]
        assert found(AuditFilter(action="key")) == [4, 2, 1]
        assert found(AuditFilter(action="key.delete")) == [2]
        assert found(AuditFilter(action="key_")) == []
        assert found(AuditFilter(action="%")) == []
        assert found(AuditFilter(target="key_3")) == [3]
        assert found(AuditFilter(target="alias 1")) == [1]
        assert found(AuditFilter(since_s=2.0, until_s=4.0)) == [3, 2]
        assert found(AuditFilter(tenant=DEFAULT_TENANT, action="key", since_s=2.0)) == [2]
