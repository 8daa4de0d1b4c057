"""Nobody reaches what is somebody else's: every operation of the document, as everybody who must not.

``CASES`` has a row for each operation, with a request for things of one person (the victim); an operation without a row
fails, and so does a row without an operation. What the strangers may expect follows from the table of access and from
the row's kind, and whatever they do, the victim's rows stay as they are.
"""

from collections.abc import Iterator
from enum import Enum, auto
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from sqlalchemy import select
from starlette.testclient import TestClient
from tests.support.control import API, OTHER_TENANT, Control, opened_control
from tests.support.control_world import SERVED, World, place_of, populated
from tests.support.stores import opened_store

from aimesh.control.access import GRANTS, OPERATIONS, Permission
from aimesh.control.document import operations_of
from aimesh.store.database import default_url
from aimesh.store.people import Role
from aimesh.store.tables import METADATA


class Kind(Enum):
    PUBLIC = auto()
    """For everybody; without what proves a right, refused."""
    STATE = auto()
    """For everybody, and tells nothing of anybody."""
    ITEM = auto()
    """One thing of the victim: not there for others."""
    LIST = auto()
    """The victim's things are not in it."""
    MAKE = auto()
    """Makes something of one's own; a second time the name is taken."""
    TAKEN = auto()
    """Names a thing of the victim by what the victim called it."""
    BATCH = auto()
    """Names the victim's things one by one: each is refused."""
    SELF = auto()
    """About whoever asks."""
    SHARED = auto()
    """The same for all who are signed in."""
    INSTALLATION = auto()
    """Only for who runs it."""


class Case(Struct, frozen=True):
    kind: Kind
    body: object = None
    """JSON, or a function of the world that gives it."""


PASSWORD = {"password": "a long password"}
CHANNEL = {"name": "own", "kind": "webhook", "url": "http://127.0.0.1:9/"}
RULE = {"name": "own", "kind": "import_lag", "channels": ["ach_1"]}
CASES: dict[str, Case] = {
    "get_setup": Case(Kind.STATE),
    "finish_setup": Case(Kind.PUBLIC, body={"token": "guessed", "username": "intruder", **PASSWORD}),
    "use_password_link": Case(Kind.PUBLIC, body=PASSWORD),
    "sign_in": Case(Kind.PUBLIC, body={"username": "victim", **PASSWORD}),
    "start_oidc": Case(Kind.PUBLIC),
    "finish_oidc": Case(Kind.PUBLIC),
    "get_session": Case(Kind.SELF),
    "sign_out": Case(Kind.SELF),
    "change_password": Case(
        Kind.SELF, body={"current_password": "correct horse 4711", "new_password": "another 4712"}
    ),
    "list_members": Case(Kind.LIST),
    "get_member": Case(Kind.ITEM),
    "add_member": Case(Kind.MAKE, body={"username": "newcomer"}),
    "upsert_member": Case(Kind.TAKEN, body={"role": "MEMBER"}),
    "change_member": Case(Kind.ITEM, body={"display_name": "Changed"}),
    "remove_member": Case(Kind.ITEM),
    "make_password_link": Case(Kind.ITEM),
    "list_tenants": Case(Kind.INSTALLATION),
    "get_tenant": Case(Kind.INSTALLATION),
    "add_tenant": Case(Kind.INSTALLATION, body={"id": "new", "name": "New"}),
    "change_tenant": Case(Kind.INSTALLATION, body={"name": "Changed"}),
    "list_tokens": Case(Kind.LIST),
    "get_token": Case(Kind.ITEM),
    "make_token": Case(Kind.MAKE, body={"name": "own"}),
    "remove_token": Case(Kind.ITEM),
    "list_audit": Case(Kind.LIST),
    "list_keys": Case(Kind.LIST),
    "get_key": Case(Kind.ITEM),
    "get_key_route": Case(Kind.ITEM),
    "get_key_quotas": Case(Kind.ITEM),
    "get_key_quota": Case(Kind.ITEM),
    "create_key": Case(Kind.MAKE, body={"alias": "own"}),
    "upsert_key": Case(Kind.TAKEN, body={"models": ["qwen/*"]}),
    "change_key": Case(Kind.ITEM, body={"alias": "changed"}),
    "delete_key": Case(Kind.ITEM),
    "copy_key": Case(Kind.ITEM, body={"alias": "copied"}),
    "enable_key": Case(Kind.ITEM),
    "disable_key": Case(Kind.ITEM),
    "reveal_key": Case(Kind.ITEM),
    "rotate_key": Case(Kind.ITEM),
    "set_key_route": Case(Kind.ITEM, body={"mode": "default"}),
    "set_key_quotas": Case(Kind.ITEM, body={"rpm": 1}),
    "batch_keys": Case(Kind.BATCH, body=lambda world: {"action": "disable", "ids": [world.key["id"]]}),
    "list_byok": Case(Kind.LIST),
    "get_byok": Case(Kind.ITEM),
    "list_byok_providers": Case(Kind.LIST),
    "add_byok": Case(
        Kind.MAKE, body=lambda world: {"provider": world.provider, "name": "own", "secret": "sk-own-secret"}
    ),
    "change_byok": Case(Kind.ITEM, body={"enabled": False}),
    "delete_byok": Case(Kind.ITEM),
    "test_byok": Case(Kind.ITEM),
    "test_new_byok": Case(Kind.MAKE, body={"provider": "nowhere", "secret": "sk-own-secret"}),
    "list_credentials": Case(Kind.INSTALLATION),
    "get_credential": Case(Kind.INSTALLATION),
    "add_credential": Case(
        Kind.INSTALLATION, body=lambda world: {"provider": world.provider, "name": "own", "secret": "sk-own"}
    ),
    "change_credential": Case(Kind.INSTALLATION, body={"enabled": False}),
    "delete_credential": Case(Kind.INSTALLATION),
    "test_credential": Case(Kind.INSTALLATION),
    "test_new_credential": Case(Kind.INSTALLATION, body={"provider": "nowhere", "secret": "sk-own"}),
    "list_providers": Case(Kind.SHARED),
    "get_provider": Case(Kind.SHARED),
    "set_provider": Case(Kind.INSTALLATION, body={"title_en": "Changed"}),
    "reset_provider": Case(Kind.INSTALLATION),
    "list_models": Case(Kind.SHARED),
    "get_model": Case(Kind.SHARED),
    "set_model": Case(Kind.INSTALLATION, body={"title_en": "Changed"}),
    "reset_model": Case(Kind.INSTALLATION),
    "list_price_versions": Case(Kind.SHARED),
    "get_price_version": Case(Kind.SHARED),
    "list_discounts": Case(Kind.INSTALLATION),
    "add_discount": Case(Kind.INSTALLATION, body={"scope": "all", "factor": "0.1"}),
    "get_discount": Case(Kind.INSTALLATION),
    "change_discount": Case(Kind.INSTALLATION, body={"factor": "0.1"}),
    "delete_discount": Case(Kind.INSTALLATION),
    "list_tasks": Case(Kind.LIST),
    "get_task": Case(Kind.ITEM),
    "get_task_file": Case(Kind.ITEM),
    "cancel_task": Case(Kind.ITEM),
    "list_circuits": Case(Kind.SHARED),
    "get_installation": Case(Kind.SHARED),
    "get_settings": Case(Kind.INSTALLATION),
    "get_usage_summary": Case(Kind.LIST),
    "get_usage_trend": Case(Kind.LIST),
    "get_usage_top": Case(Kind.LIST),
    "list_usage_breakdown": Case(Kind.LIST),
    "list_usage_calls": Case(Kind.LIST),
    "get_usage_call": Case(Kind.ITEM),
    "export_usage": Case(Kind.LIST),
    "get_usage_status": Case(Kind.SHARED),
    "get_monitoring_overview": Case(Kind.SHARED),
    "monitor_model": Case(Kind.SHARED),
    "monitor_endpoint": Case(Kind.SHARED),
    "list_alerts": Case(Kind.INSTALLATION),
    "list_alert_channels": Case(Kind.INSTALLATION),
    "get_alert_channel": Case(Kind.INSTALLATION),
    "delete_alert_channel": Case(Kind.INSTALLATION),
    "test_alert_channel": Case(Kind.INSTALLATION),
    "list_alert_rules": Case(Kind.INSTALLATION),
    "get_alert_rule": Case(Kind.INSTALLATION),
    "delete_alert_rule": Case(Kind.INSTALLATION),
    "add_alert_channel": Case(Kind.INSTALLATION, body=CHANNEL),
    "set_alert_channel": Case(Kind.INSTALLATION, body=CHANNEL),
    "add_alert_rule": Case(Kind.INSTALLATION, body=RULE),
    "set_alert_rule": Case(Kind.INSTALLATION, body=RULE),
    "reprice_usage": Case(Kind.INSTALLATION, body={"since": "2026-01-31T00:00:00Z"}),
    "list_endpoints": Case(Kind.SHARED),
    "get_endpoint": Case(Kind.SHARED),
    "change_endpoint": Case(Kind.INSTALLATION, body={"enabled": False}),
}

CALLS_OUT = {"test_byok", "test_credential", "cancel_task", "get_task_file"}
"""Would ask a provider when somebody does it who may."""

NAMED = [
    ("another tenant's member", "default"),
    ("another tenant's administrator", "default"),
    ("a token of another tenant", "default"),
    ("a member of the tenant", "other"),
]
"""Who names which tenant that is not the own one."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """On SQLite alone: the rules are the same code on both databases."""
    with opened_store(default_url(tmp_path)) as store, opened_control(store, tmp_path) as control:
        yield populated(control)


def strangers(control: Control) -> dict[str, tuple[TestClient, Role | None]]:
    member = control.person("member", Role.MEMBER)
    other_member = control.person("other-member", Role.MEMBER, OTHER_TENANT)
    other_admin = control.person("other-admin", Role.AI_GATEWAY_ADMIN, OTHER_TENANT)
    return {
        "anonymous": (control.anonymous(), None),
        "a member of the tenant": (control.client(member), Role.MEMBER),
        "a member's token": (control.token_client(member), Role.MEMBER),
        "another tenant's member": (control.client(other_member), Role.MEMBER),
        "another tenant's administrator": (control.client(other_admin), Role.AI_GATEWAY_ADMIN),
        "a token of another tenant": (control.token_client(other_admin), Role.AI_GATEWAY_ADMIN),
    }


def marks(world: World) -> list[str]:
    """What only things of the victim have."""
    return [
        "victim",
        *(str(one["id"]) for one in (world.user, world.key, world.token, world.byok, world.discount)),
    ]


def rows_of(world: World) -> list[str]:
    """The victim's rows, but for the log of what was tried, and for sign-ins that failed."""
    found: list[str] = []
    with world.control.parts.store.read() as db:
        for name, table in METADATA.tables.items():
            if name == "audit":
                continue
            for row in db.execute(select(table)):
                shown = {**row._asdict(), "failed_logins": None}
                if shown.get("tenant") != OTHER_TENANT and any(mark in str(shown) for mark in marks(world)):
                    found.append(f"{name}: {shown}")
    return sorted(found)


def send(client: TestClient, world: World, operation: str, query: str = "") -> Any:
    method, _ = SERVED[operation]
    body = CASES[operation].body
    url = f"{place_of(world, operation)}{query}"
    return client.request(
        method, url, json=body(world) if callable(body) else body, headers={"if-match": "*"}
    )


def expected(operation: str, who: str, role: Role | None) -> set[int]:
    kind, permission = CASES[operation].kind, OPERATIONS[operation]
    if kind is Kind.STATE:
        return {200}
    if kind is Kind.PUBLIC:
        return {401, 404}
    if role is None:
        return {401}
    if role not in GRANTS[permission]:
        return {403}
    is_of_tenant = who.startswith("a member")
    match kind:
        case Kind.ITEM:
            return {404}
        case Kind.LIST | Kind.SHARED | Kind.BATCH:
            return {200}
        case Kind.MAKE:
            return {201, 409} if operation != "test_new_byok" else {404, 422}
        case Kind.TAKEN:
            return {404, 409} if is_of_tenant or operation == "upsert_member" else {200, 201}
        case Kind.SELF:
            return {200, 204, 409}
        case _:
            raise AssertionError(f"{role} has the permission {permission}, which {kind} is not for")


def test_every_operation_has_a_row(world: World) -> None:
    document = world.control.app.openapi()
    ids = {operation["operationId"] for _, _, operation in operations_of(document)}
    assert ids == set(CASES)
    assert ids == set(OPERATIONS)
    assert {operation["operationId"]: method for method, _, operation in operations_of(document)} == {
        operation: method for operation, (method, _) in SERVED.items()
    }


@pytest.mark.parametrize("operation", sorted(CASES))
def test_strangers(world: World, operation: str) -> None:
    before = rows_of(world)
    assert len(before) >= 5
    for who, (client, role) in strangers(world.control).items():
        answer = send(client, world, operation)
        assert answer.status_code in expected(operation, who, role), (who, answer.status_code, answer.text)
        assert_nothing_shown(answer, world, operation, who)
        assert rows_of(world) == before, who


def assert_nothing_shown(answer: Any, world: World, operation: str, who: str) -> None:
    text = answer.text
    if CASES[operation].kind is Kind.BATCH and answer.status_code == 200:
        assert [one["ok"] for one in answer.json()["data"]] == [False]
        text = text.replace(world.key["id"], "")
    if CASES[operation].kind is Kind.TAKEN:
        # The caller knew the name; it is not the victim's thing that answers.
        assert answer.json().get("id", "") != world.key["id"]
        text = text.replace("victim-key", "")
    assert not [mark for mark in marks(world) if mark in text], (who, text)
    assert "sk-victims-secret" not in text


def test_another_tenant_is_not_reached_by_naming_it(world: World) -> None:
    before = rows_of(world)
    people = strangers(world.control)
    asked = [
        told["operationId"]
        for _, _, told in operations_of(world.control.app.openapi())
        if any(one["name"] == "tenant" for one in told.get("parameters", []))
    ]
    assert len(asked) > 40
    for operation, (who, tenant) in product(asked, NAMED):
        client, role = people[who]
        assert role is not None
        answer = send(client, world, operation, f"?tenant={tenant}")
        may = role in GRANTS[OPERATIONS[operation]]
        told = (answer.status_code, answer.json()["error"]["code"])
        assert told == ((404, "TENANT_NOT_FOUND") if may else (403, "FORBIDDEN")), (operation, who)
    assert rows_of(world) == before


@pytest.mark.parametrize(
    "operation",
    sorted(name for name, case in CASES.items() if case.kind is Kind.ITEM and name not in CALLS_OUT),
)
def test_the_same_request_is_good_for_its_owner(world: World, operation: str) -> None:
    """Otherwise a 404 above could come from a request that nobody could make."""
    if operation == "remove_member":
        # Nobody removes oneself.
        colleague = world.control.person("second", Role.AI_GATEWAY_ADMIN)
        answer = send(world.control.client(colleague), world, operation)
    else:
        answer = send(world.owner, world, operation)
    assert answer.status_code < 300, answer.text


def test_who_runs_the_installation_is_let_through(world: World) -> None:
    """Past the guard; whether the request is good is for other tests."""
    for operation, case in CASES.items():
        if case.kind is Kind.INSTALLATION and operation not in CALLS_OUT:
            answer = send(world.platform, world, operation)
            assert answer.status_code not in (401, 403), (operation, answer.text)


def test_models_are_not_asked_about_with_somebody_elses_key(world: World) -> None:
    for who, (client, role) in strangers(world.control).items():
        answer = client.get(f"{API}/models", params={"key": world.key["id"]})
        assert answer.status_code == (401 if role is None else 404), who


def test_every_permission_is_used_and_granted() -> None:
    assert set(OPERATIONS.values()) | {Permission.ANY_TENANT} == set(GRANTS)
    assert all(Role.PLATFORM_ADMIN in roles for roles in GRANTS.values())
