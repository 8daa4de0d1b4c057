"""What is told of the installation, to whom, and that no secret is among it."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, Control, opened_control
from tests.support.control_answers import code
from tests.support.stores import any_store

from aimesh import __version__
from aimesh.control.schemas_platform import shown_database, shown_place
from aimesh.store.engine import Store
from aimesh.store.import_note import ImportNote, write_note
from aimesh.store.people import Role
from aimesh.store.usage_import import Progress, import_usage, prepared

__all__ = ["any_store"]

SECRETS = {
    "database": "database-secret-4711",
    "proxy": "proxy-secret-4711",
    "client": "client-secret-4711",
    "credential": "sk-credential-4711",
    "key": "ck-key-0123456789abcdef-4711",
}
FILE = f"""
regions: [{{id: cn, base_url: "https://ai.example.com/gateway", name: China}}]
workers: 3
database: "postgresql://aimesh:{SECRETS["database"]}@db.example:6432/gateway?sslmode=require"
trusted_proxies: ["10.0.0.0/8"]
admin_listen: ["unix:/run/aimesh/admin.sock"]
upstream: {{proxy: "http://someone:{SECRETS["proxy"]}@proxy.example:3128", no_proxy: [".example.com"]}}
usage: {{keep_days: 31}}
limits: {{max_body_bytes: 4711}}
credentials: {{deepseek_cn: {{main: {SECRETS["credential"]}}}}}
virtual_keys: [{{alias: declared, key: {SECRETS["key"]}}}]
admin:
  idle_minutes: 45
  oidc: {{issuer: "https://id.example", client_id: aimesh, client_secret: {SECRETS["client"]}, admins: [a@b.example]}}
"""


def test_everybody_who_is_signed_in_learns_what_pages_need(
    member: TestClient, anonymous: TestClient, control: Control
) -> None:
    told = member.get(f"{API}/installation", headers={"accept-language": "zh-CN,en;q=0.5"}).json()
    assert told == {
        "version": __version__,
        "regions": [{"id": "here", "name": "", "base_url": "http://aimesh.example/gateway"}],
        "simulator": False,
        "single_sign_on": False,
        "language": "zh-CN",
        "timezone": control.parts.settings.timezone,
    }
    assert anonymous.get(f"{API}/installation").status_code == 401


def test_settings_are_for_who_runs_the_installation(member: TestClient, admin: TestClient) -> None:
    for client in (member, admin):
        assert code(client.get(f"{API}/settings")) == (403, "FORBIDDEN")


def test_the_settings_in_force_are_shown_without_any_secret(any_store: Store, tmp_path: Path) -> None:
    with opened_control(any_store, tmp_path, FILE) as control:
        platform = control.client(control.person("platform", Role.PLATFORM_ADMIN))
        answer = platform.get(f"{API}/settings")
        seen = platform.get(f"{API}/installation").json()
    assert answer.status_code == 200, answer.text
    for name, secret in SECRETS.items():
        assert secret not in answer.text, name
    told = answer.json()
    assert told["database"] == {
        "kind": "postgresql", "host": "db.example", "port": 6432, "name": "gateway", "user": "aimesh",
    }  # fmt: skip
    assert told["providers_reached"] == {
        "proxy": "proxy.example:3128",
        "no_proxy": [".example.com"],
        "ca_file": "",
    }
    assert told["file"] == {
        "path": str(tmp_path / "aimesh.yaml"), "virtual_keys": 1, "credentials": 1, "environment_credentials": 0,
        "providers": 0, "models": 0,
    }  # fmt: skip
    assert told["single_sign_on"] == {
        "issuer": "https://id.example", "client_id": "aimesh", "has_secret": True, "tenant": "default",
        "admins": ["a@b.example"],
    }  # fmt: skip
    assert told["retention"] == {"calls": 31, "journal": 90, "monitoring_minutes": 3, "monitoring_hours": 62}
    assert (told["workers"], told["vault"], told["simulator"]) == (3, True, "")
    assert told["listen"] == ["127.0.0.1:8600"]
    assert told["admin_listen"] == ["unix:/run/aimesh/admin.sock"]
    assert told["trusted_proxies"] == ["10.0.0.0/8"]
    assert told["sections"]["limits"]["max_body_bytes"] == 4711
    assert told["sections"]["admin"]["idle_minutes"] == 45
    assert "oidc" not in told["sections"]["admin"]
    assert told["sections"]["usage"] == {"import": True, "keep_days": 31}
    assert told["regions"] == seen["regions"]
    assert seen["regions"] == [{"id": "cn", "name": "China", "base_url": "https://ai.example.com/gateway"}]
    assert seen["single_sign_on"] is True


def test_how_far_the_import_is_is_told(control: Control, platform: TestClient) -> None:
    now_s = control.clock.wall_s()
    import_usage(control.parts.store, prepared([]), Progress("a", done_at_s=now_s - 12.5))
    directory = control.parts.settings.journal_directory
    directory.mkdir(parents=True, exist_ok=True)
    write_note(directory, ImportNote(node="a", positions={}, at_s=now_s, rejected=2, problem="away"))
    told = platform.get(f"{API}/settings").json()["importer"]
    assert [(one["node"], one["lag_s"]) for one in told["nodes"]] == [("a", 12.5)]
    assert (told["on"], told["rejected"], told["problem"]) == (True, 2, "away")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////var/lib/aimesh.db", ("sqlite", "", None, "/var/lib/aimesh.db", "")),
        ("postgresql://u:p@h/d", ("postgresql", "h", None, "d", "u")),
        ("postgresql://u:p@/d?host=/run/pg&port=5433&password=p2", ("postgresql", "/run/pg", 5433, "d", "u")),
        ("postgresql:///?host=h&user=u&dbname=d&password=p", ("postgresql", "h", None, "d", "u")),
    ],
)
def test_where_the_database_is_is_shown_and_no_password(
    url: str, shown: tuple[str, str, int | None, str, str]
) -> None:
    place = shown_database(url)
    assert (place.kind, place.host, place.port, place.name, place.user) == shown


def test_of_an_address_only_host_and_port_are_shown() -> None:
    assert shown_place("http://name:password@host:80/token?secret=1") == "host:80"
    assert shown_place("") == ""
