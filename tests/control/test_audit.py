"""The audit log: who may read it, what a line holds, filters and pages."""

import msgspec
from starlette.testclient import TestClient
from tests.support.control import API, OTHER_TENANT, Control

from aimesh.control.audit import Target, audited, difference
from aimesh.control.source import Source
from aimesh.core.ids import DEFAULT_TENANT, TenantId
from aimesh.core.policy import Limits, TenantStatus
from aimesh.store.tenants import TenantTerms


def write(control: Control, action: str, tenant: TenantId = DEFAULT_TENANT, name: str = "thing") -> None:
    source = Source(ip="203.0.113.7", request_id="r1", at_s=control.clock.wall_s())
    with control.parts.store.write() as db:
        audited(db, source, action, Target("key", f"id-{name}", name, tenant), {"enabled": True})
    control.clock.advance(1)


def actions(client: TestClient, **query: str) -> list[str]:
    answer = client.get(f"{API}/audit", params=query)
    assert answer.status_code == 200, answer.text
    return [line["action"] for line in answer.json()["data"]]


def test_a_line_holds_who_what_when_and_where(control: Control, admin: TestClient) -> None:
    write(control, "key.create")
    (line,) = admin.get(f"{API}/audit").json()["data"]
    assert line.pop("id")
    assert line == {
        "at": "2025-06-15T15:06:40Z",
        "tenant": "default",
        "actor": {"kind": "system", "id": "", "name": "system"},
        "ip": "203.0.113.7",
        "action": "key.create",
        "target": {"kind": "key", "id": "id-thing", "name": "thing"},
        "changes": {"enabled": True},
        "request_id": "r1",
    }


def test_an_administrator_sees_the_own_tenant(
    control: Control, admin: TestClient, other_admin: TestClient
) -> None:
    write(control, "key.create")
    write(control, "key.delete", OTHER_TENANT)
    write(control, "provider.change", TenantId(""))
    assert actions(admin) == ["key.create"]
    assert actions(other_admin) == ["key.delete"]


def test_who_runs_the_installation_sees_all_or_one_tenant(control: Control, platform: TestClient) -> None:
    write(control, "key.create")
    write(control, "key.delete", OTHER_TENANT)
    write(control, "provider.change", TenantId(""))
    assert actions(platform) == ["provider.change", "key.delete", "key.create"]
    assert actions(platform, tenant="other") == ["key.delete"]
    assert platform.get(f"{API}/audit?tenant=nobody").status_code == 404


def test_members_do_not_read_it(member: TestClient, anonymous: TestClient) -> None:
    assert member.get(f"{API}/audit").status_code == 403
    assert anonymous.get(f"{API}/audit").status_code == 401


def test_filters(control: Control, admin: TestClient) -> None:
    write(control, "key.create", name="a")
    write(control, "key.delete", name="b")
    write(control, "keyring.turn", name="a")
    assert actions(admin, action="key") == ["key.delete", "key.create"]
    assert actions(admin, action="key.create") == ["key.create"]
    assert actions(admin, target="a") == ["keyring.turn", "key.create"]
    assert actions(admin, target="id-b") == ["key.delete"]
    assert actions(admin, actor="system") == ["keyring.turn", "key.delete", "key.create"]
    assert actions(admin, actor="somebody") == []
    assert actions(admin, since="2025-06-15T15:06:41Z") == ["keyring.turn", "key.delete"]
    assert actions(admin, until="2025-06-15T23:06:41+08:00") == ["key.create"]
    assert actions(admin, action="%") == []


def test_a_time_without_a_zone_is_refused(admin: TestClient) -> None:
    answer = admin.get(f"{API}/audit?since=2025-06-15T15:06:41")
    assert answer.status_code == 422
    assert answer.json()["error"]["details"][0]["path"] == "since"


def test_pages_follow_one_another_without_gap_or_repetition(control: Control, admin: TestClient) -> None:
    for number in range(7):
        write(control, f"key.act{number}")
    seen: list[str] = []
    query = {"limit": "3"}
    for _ in range(3):
        page = admin.get(f"{API}/audit", params=query).json()
        assert page["total"] == 7
        seen += [line["action"] for line in page["data"]]
        query["cursor"] = page["next_cursor"]
        # What comes while somebody reads does not move the pages.
        if page["next_cursor"] is None:
            break
    assert seen == [f"key.act{number}" for number in reversed(range(7))]
    assert page["next_cursor"] is None


def test_a_difference_names_what_changed() -> None:
    before = TenantTerms(name="A", limits=Limits(rpm=5))
    after = TenantTerms(name="A", status=TenantStatus.OVERDUE, limits=Limits(rpm=6))
    assert difference(before, after) == {
        "status": {"from": "active", "to": "overdue"},
        "limits": {"from": {"rpm": 5}, "to": {"rpm": 6}},
    }
    assert msgspec.json.encode(difference(before, before)) == b"{}"
