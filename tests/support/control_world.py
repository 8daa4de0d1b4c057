"""The admin API with one of everything, that belongs to somebody: what isolation and fuzz tests work on."""

from collections.abc import Callable
from typing import Any

from fastapi.routing import APIRoute
from msgspec import Struct, structs
from starlette.testclient import TestClient
from tests.support.control import API, OTHER_TENANT, Control
from tests.support.records import typical_record
from tests.support.tasks import insert_task

from aimesh.catalog.price_record import Version
from aimesh.control.app import NOUNS
from aimesh.core.ids import KeyId, RequestId, UserId
from aimesh.store.people import Role
from aimesh.store.prices import keep_versions
from aimesh.store.usage_import import import_usage, prepared
from aimesh.store.usage_rows import Metered

# JSON of requests and answers.
Json = dict[str, Any]

SERVED = {
    str(route.operation_id): (min(route.methods or ()), route.path)
    for noun in NOUNS
    for route in noun.router.routes
    if isinstance(route, APIRoute)
}
"""Operation to method and path."""


class World(Struct, frozen=True):
    """Its things are the victim's, of the tenant ``default``, and are named after the victim."""

    control: Control
    owner: TestClient
    platform: TestClient
    user: Json
    key: Json
    token: Json
    byok: Json
    credential: Json
    discount: Json
    alert_channel: str
    alert_rule: str
    provider: str
    model: str
    endpoint: str
    price_version: str
    call: str
    task: str


Place = Callable[[World], str]
"""Path of a thing, behind the API's prefix."""


def populated(control: Control) -> World:
    owner = control.client(control.person("victim", Role.AI_GATEWAY_ADMIN, email="victim@example.com"))
    # A second one, so that the victim can be removed.
    control.person("colleague", Role.AI_GATEWAY_ADMIN)
    platform = control.client(control.person("platform", Role.PLATFORM_ADMIN, OTHER_TENANT))
    catalog = control.parts.settings.catalog
    name = sorted(catalog.providers)[0]
    user = owner.get(f"{API}/session").json()["user"]
    key = made(owner, "/keys", {"alias": "victim-key"})
    secret = {"provider": name, "secret": "sk-victims-secret"}
    # Leads nowhere: without leave, no address of this machine is called.
    hook = {"name": "hook", "kind": "webhook", "url": "http://127.0.0.1:9/"}
    channel = str(made(platform, "/alert-channels", hook)["id"])
    return World(
        control=control,
        owner=owner,
        platform=platform,
        user=user,
        key=key,
        token=made(owner, "/tokens", {"name": "victim-token"}),
        byok=made(owner, "/byok", {**secret, "name": "victim-byok"}),
        credential=made(platform, "/credentials", {**secret, "name": "victim-platform"}),
        discount=made(platform, "/discounts?tenant=default", {"scope": "all", "factor": "0.5"}),
        alert_channel=channel,
        alert_rule=made(
            platform, "/alert-rules", {"name": "rule", "kind": "import_lag", "channels": [channel]}
        )["id"],
        provider=name,
        model=sorted(catalog.models)[0],
        endpoint=sorted(catalog.endpoints)[0],
        price_version=used_price(control),
        call=called(control, user["id"], key["id"]),
        task=waiting_task(control, key["id"]),
    )


def called(control: Control, user: str, key: str) -> str:
    """The id of a call that was made with the key, and is in the sums."""
    name = RequestId("victim-call")
    record = structs.replace(
        typical_record(), id=name, at=control.clock.wall_s(), key_id=KeyId(key), key_alias="victim-key"
    )
    metered = Metered(record=record, user=UserId(user), kind="chat", priced=None)
    import_usage(control.parts.store, prepared([metered]))
    return name


def waiting_task(control: Control, key: str) -> str:
    """The name of a task that was made with the key, and has not begun."""
    endpoints = control.parts.settings.catalog.endpoints
    endpoint = next(
        one for _, one in sorted(endpoints.items()) if one.interface == "task" and one.is_callable
    )
    insert_task(
        control.parts.store,
        "cgt-victim",
        key_id=key,
        endpoint=endpoint.name,
        provider=endpoint.provider,
        model=endpoint.model,
        credential=f"{endpoint.provider}/simulated",
    )
    return "task:cgt-victim"


def used_price(control: Control) -> str:
    """The version of some price that a record was priced with."""
    endpoints = control.parts.settings.catalog.endpoints
    name, price = next((name, one.price) for name, one in endpoints.items() if one.price is not None)
    with control.parts.store.write() as db:
        keep_versions(db, {"6d35bb5d9db2": Version(name, price)}, 100.0)
    return "6d35bb5d9db2"


def made(client: TestClient, path: str, body: Json) -> Json:
    answer = client.post(f"{API}{path}", json=body)
    assert answer.status_code == 201, answer.text
    told: Json = answer.json()
    return told


def key(tail: str = "") -> Place:
    return lambda world: f"/keys/{world.key['id']}{tail}"


def user(tail: str = "") -> Place:
    return lambda world: f"/members/{world.user['id']}{tail}"


def byok(tail: str = "") -> Place:
    return lambda world: f"/byok/{world.byok['id']}{tail}"


def credential(tail: str = "") -> Place:
    return lambda world: f"/credentials/{world.credential['id']}{tail}"


def alert_channel(tail: str = "") -> Place:
    return lambda world: f"/alert-channels/{world.alert_channel}{tail}"


def alert_rule(world: World) -> str:
    return f"/alert-rules/{world.alert_rule}"


def discount(world: World) -> str:
    return f"/discounts/{world.discount['id']}"


def token(world: World) -> str:
    return f"/tokens/{world.token['id']}"


def provider(world: World) -> str:
    return f"/providers/{world.provider}"


def model(world: World) -> str:
    return f"/models/{world.model}"


def endpoint(world: World) -> str:
    return f"/endpoints/{world.endpoint}"


PLACES: dict[str, Place] = {
    "use_password_link": lambda _: "/password-links/guessed",
    "get_member": user(),
    "upsert_member": lambda _: "/members/by-username/victim",
    "change_member": user(),
    "remove_member": user(),
    "make_password_link": user("/password-link"),
    "get_tenant": lambda _: "/tenants/default",
    "change_tenant": lambda _: "/tenants/default",
    "get_token": token,
    "remove_token": token,
    "get_key": key(),
    "get_key_route": key("/route"),
    "get_key_quotas": key("/quotas"),
    "get_key_quota": key("/quota"),
    "upsert_key": lambda _: "/keys/by-alias/victim-key",
    "change_key": key(),
    "delete_key": key(),
    "copy_key": key("/copy"),
    "enable_key": key("/enable"),
    "disable_key": key("/disable"),
    "reveal_key": key("/reveal"),
    "rotate_key": key("/rotate"),
    "set_key_route": key("/route"),
    "set_key_quotas": key("/quotas"),
    "get_byok": byok(),
    "change_byok": byok(),
    "delete_byok": byok(),
    "test_byok": byok("/test"),
    "get_credential": credential(),
    "change_credential": credential(),
    "delete_credential": credential(),
    "test_credential": credential("/test"),
    "get_provider": provider,
    "set_provider": provider,
    "reset_provider": provider,
    "get_model": model,
    "set_model": model,
    "reset_model": model,
    "get_price_version": lambda world: f"/price-versions/{world.price_version}",
    "get_discount": discount,
    "change_discount": discount,
    "delete_discount": discount,
    "get_task": lambda world: f"/tasks/{world.task}",
    "get_task_file": lambda world: f"/tasks/{world.task}/files/1",
    "cancel_task": lambda world: f"/tasks/{world.task}/cancel",
    "get_usage_call": lambda world: f"/usage/calls/{world.call}",
    "monitor_model": lambda world: f"/monitoring{model(world)}",
    "monitor_endpoint": lambda world: f"/monitoring{endpoint(world)}",
    "get_alert_channel": alert_channel(),
    "set_alert_channel": alert_channel(),
    "delete_alert_channel": alert_channel(),
    "test_alert_channel": alert_channel("/test"),
    "get_alert_rule": alert_rule,
    "set_alert_rule": alert_rule,
    "delete_alert_rule": alert_rule,
    "get_endpoint": endpoint,
    "change_endpoint": endpoint,
}
"""Operations on one thing: where the victim's is."""


def place_of(world: World, operation: str) -> str:
    """The path to send an operation to."""
    _, path = SERVED[operation]
    if operation in PLACES:
        return API + PLACES[operation](world)
    assert "{" not in path, f"{operation} has no place"
    return path
