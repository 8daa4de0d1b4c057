"""Every row of the reference's tables has a test that drives it through HTTP or the command line.

``reference_rows.toml`` says which; rows without a better home are driven here.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.support.chaos_admin import first_admin, request
from tests.support.chaos_calls import CHAT
from tests.support.chaos_config import chaos_config, patient
from tests.support.chaos_http import until
from tests.support.chaos_process import GatewayProcess
from tests.support.chaos_simulator import running_simulator
from tests.support.control import API, Control, opened_control
from tests.support.limits import CHAT as CHAT_ENDPOINT
from tests.support.limits import ZONE, Node, admit, usage
from tests.support.live import clean_environment
from tests.support.parity import PAGES, ROOT, page, read_tables
from tests.support.shell import Shell
from tests.support.stores import opened_store

from aimesh.catalog.load import load_built_in
from aimesh.core.ids import KeyId
from aimesh.store import virtual_keys
from aimesh.store.database import default_url
from aimesh.store.ledger import LedgerView
from aimesh.store.people import Role

pytestmark = pytest.mark.conformance

KEYS, BYOK = f"{API}/keys", f"{API}/byok"
HOUR_S = 3600.0
BEFORE = ("key create team", "key upsert team", "key get team")
REQUIRED = {
    "keys": (
        "column-name column-key column-status column-quota column-route filter-status filter-operator "
        "action-route action-edit action-edit-at-once action-copy action-disable action-delete action-usage "
        "new-name new-period new-quota new-shown period-day period-week period-month period-total"
    ),
    "routing": (
        "mode-default mode-provider mode-byok rank-price rank-price-equal rank-throughput rank-latency "
        "byok-first scope-subset scope-byok scope-models stored-shape"
    ),
    "byok": (
        "list-provider list-status list-edit list-search list-refresh edit-name edit-key edit-enabled "
        "edit-test-model edit-test edit-save with-default with-provider with-byok named-providers billing advice"
    ),
    "commands": (
        "envelope exit-codes formats key-list key-create key-create-checks key-upsert key-get key-set-quota "
        "key-set-quota-refuses key-enable key-delete key-ref model-list quota quota-errors agent"
    ),
}
"""Rows of sections 2.2, 2.3, 2.5 and 2.10 of the description of the reference product."""


def test_every_row_is_there_and_has_tests() -> None:
    tables = read_tables()
    assert {table.id: " ".join(row.id for row in table.row) for table in tables} == REQUIRED
    assert [row.id for table in tables for row in table.row if not row.tests] == []
    assert [
        row.id for table in tables for row in table.row if bool(row.differs) != bool(row.differs_zh)
    ] == []


def test_every_test_that_is_named_is_collected() -> None:
    named = {test for table in read_tables() for row in table.row for test in row.tests}
    files = sorted({test.partition("::")[0] for test in named})
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-n", "0", *files],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=clean_environment(),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    collected = {line.partition("[")[0] for line in done.stdout.splitlines() if "::" in line}
    assert named - collected == set()


@pytest.mark.parametrize("language", PAGES)
def test_the_page_is_what_the_rows_say(language: str) -> None:
    written = PAGES[language].read_text(encoding="utf-8")
    assert written == page(read_tables(), language), "run: python -m tests.support.parity"


# Rows that are driven here.


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    with opened_store(default_url(tmp_path)) as store, opened_control(store, tmp_path) as control:
        yield control


@pytest.fixture
def admin(control: Control) -> TestClient:
    return control.client(control.person("admin", Role.AI_GATEWAY_ADMIN))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (tmp_path / "aimesh.yaml").write_text("simulator: http://127.0.0.1:1\n", encoding="utf-8")
    return Shell(tmp_path)


def quota(period: str, limit: int = 1000) -> dict[str, Any]:
    return {"unit": "tokens", "period": period, "limit": limit}


def test_an_edit_changes_name_period_and_quota(admin: TestClient) -> None:
    made = admin.post(KEYS, json={"alias": "old", "limits": {"quotas": [quota("daily")]}}).json()
    change = {"alias": "new", "limits": {"quotas": [quota("weekly", 2000)]}}
    answer = admin.patch(f"{KEYS}/{made['id']}", json=change, headers={"if-match": f'"{made["version"]}"'})
    assert answer.status_code == 200, answer.text
    (row,) = admin.get(KEYS).json()["data"]
    assert (row["alias"], row["key"]) == ("new", made["key"])
    assert [(one["period"], one["limit"]) for one in row["limits"]["quotas"]] == [("weekly", 2000)]


def test_a_quota_of_each_period_begins_again_when_the_reference_says(
    control: Control, admin: TestClient, tmp_path: Path
) -> None:
    """It is Tuesday, 17 June 2025, 23:06 in the zone of the ledger."""
    control.clock.advance(48 * HOUR_S)
    node = Node(tmp_path, control.clock)
    control.app.state.parts = replace(control.parts, ledger=lambda: LedgerView(node.path, ZONE))
    periods = ("daily", "weekly", "monthly", "total")
    # The session is of the day before yesterday.
    admin = control.client(control.person("boss", Role.AI_GATEWAY_ADMIN))
    made = admin.post(KEYS, json={"alias": "a", "limits": {"quotas": [quota(one) for one in periods]}}).json()
    with control.parts.store.read() as db:
        stored = virtual_keys.find_key(db, KeyId(made["id"]))
    assert stored is not None
    account = node.account(stored.terms.limits, name=made["id"])
    admit(account, 300).settle(usage(400), CHAT_ENDPOINT)

    def seen() -> dict[str, tuple[object, object]]:
        found = admin.get(f"{KEYS}/{made['id']}/quota").json()["quotas"]
        return {one["period"]: (one["used"], one["resets_at"]) for one in found}

    assert seen() == {
        "daily": (400, "2025-06-17T16:00:00Z"),
        "weekly": (400, "2025-06-22T16:00:00Z"),
        "monthly": (400, "2025-06-30T16:00:00Z"),
        "total": (400, None),
    }
    control.clock.advance(HOUR_S)
    assert seen()["daily"] == (0, "2025-06-18T16:00:00Z")
    assert seen()["weekly"][0] == 400
    node.close()


def test_the_list_of_providers_follows_what_is_saved_switched_and_deleted(admin: TestClient) -> None:
    provider = admin.get(f"{BYOK}/providers").json()["data"][0]["id"]

    def counts() -> tuple[int, int]:
        rows = admin.get(f"{BYOK}/providers").json()["data"]
        return next((row["configured"], row["enabled"]) for row in rows if row["id"] == provider)

    assert counts() == (0, 0)
    made = admin.post(
        BYOK, json={"provider": provider, "name": "mine", "secret": "sk-mine-471108154711"}
    ).json()
    assert counts() == (1, 1)
    path, match = f"{BYOK}/{made['id']}", {"if-match": f'"{made["version"]}"'}
    assert admin.patch(path, json={"enabled": False}, headers=match).status_code == 200
    assert counts() == (1, 0)
    assert admin.delete(path).status_code == 204
    assert counts() == (0, 0)


def test_every_provider_that_takes_a_credential_can_have_ones_own(admin: TestClient) -> None:
    listed = {
        row["id"]: row["title"]
        for row in admin.get(f"{BYOK}/providers", params={"limit": 200}).json()["data"]
    }
    wanted = {name for name, entry in load_built_in().providers.items() if entry.auth != "none"}
    assert set(listed) == wanted
    assert "Bailian" in listed["aliyun_bailian_bj"]
    for name in listed:
        body = {"provider": name, "name": f"own of {name}", "secret": "sk-mine-471108154711"}
        assert admin.post(BYOK, json=body).status_code == 201


def test_records_of_use_name_the_key(tmp_path: Path) -> None:
    """And the credential that served: the tenant's own, or the platform's."""
    with running_simulator() as simulator:
        gateway = GatewayProcess(tmp_path, patient(chaos_config(simulator.url)))
        gateway.start()
        try:
            admin = first_admin(gateway)
            admin.done(
                "POST", "/byok", {"provider": "beta", "name": "ours", "secret": "sk-ours-471108154711"}
            )
            texts = {
                "own": {"mode": "byok"},
                "platform": {"mode": "provider", "providers": ["alpha"]},
            }
            for alias, route in texts.items():
                key = admin.done("POST", "/keys", {"alias": alias, "route": route, "labels": {"team": alias}})
                headers = {"authorization": f"Bearer {key['text']}"}
                until(
                    lambda headers=headers: (  # type: ignore[misc]  # a default binds it
                        request(gateway.url, "POST", CHAT.path, CHAT.body, headers).status == 200
                    ),
                    "the key is not there",
                )
            until(lambda: len(gateway.records()) >= 2, "the calls are not recorded")
            served = {record.key_alias: record for record in gateway.records()}
            assert {alias: record.provider for alias, record in served.items()} == {
                "own": "beta",
                "platform": "alpha",
            }
            assert served["own"].credential.startswith("byok:")
            assert not served["platform"].credential.startswith("byok:")
            assert all(record.labels == {"team": alias} for alias, record in served.items())
        finally:
            gateway.end()


def test_a_route_by_own_keys_is_made_by_command(shell: Shell) -> None:
    provider = shell.data("byok", "providers")[0]["id"]
    for name in ("first", "second"):
        shell.done("byok", "add", provider, name, text=f"sk-{name}-471108154711\n")
    shell.done("key", "create", "team", "--route-type", "byok", "--private-keys", "second", "first")
    route = shell.data("key", "show", "team")["route"]
    assert (route["mode"], route["credentials"]) == ("byok", ["second", "first"])


@pytest.mark.parametrize("command", [*BEFORE, "key delete team -y"])
def test_what_is_of_the_vendors_agent_is_refused(shell: Shell, command: str) -> None:
    shell.done("key", "create", "team")
    for flag in ("--add-to-llm", "--use", "--remove-from-llm"):
        assert "No such option" in shell.misused(*command.split(), flag)
    shell.misused("agent", "llm", "show")
    assert [row["alias"] for row in shell.data("key", "list")] == ["team"]
