"""Every row of the table of operations, asked by everybody who must not get anything from it.

1. ``SAMPLES`` has a call for every row; a row without one fails a test, so no new path is served unjudged.
2. Each sample is also made by a key that may, and works: what is refused below is refused because of who asks.
3. "Refused" means the documented code, in the family's shape, and not a byte at any provider.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec import Struct
from tests.support.chaos_admin import Admin, first_admin, request
from tests.support.chaos_calls import (
    ARK_EMBEDDINGS,
    CHAT,
    DASHSCOPE_EMBEDDINGS,
    EMBEDDINGS,
    IMAGE_WHOLE,
    MESSAGES,
    RESPONSES,
    TASK,
    VIDEO_TASK,
    read_error,
)
from tests.support.chaos_config import ALPHA_SECRET, BETA_SECRET, IMAGE, TEXT, Config, chaos_config, patient
from tests.support.chaos_http import Seen, until
from tests.support.chaos_process import GatewayProcess
from tests.support.chaos_simulator import SimulatorProcess

from aimesh.dataplane.operations import OPERATIONS, Action, Operation
from aimesh.wire.interface import Family

pytestmark = pytest.mark.chaos

EXPIRED = "ck-expired-0123456789abcdefghijklmnopqrstuvw"
OWN_SECRET, RIVAL_SECRET = "sk-own-4410f7c2aa93", "sk-rival-99c1d04be5"
BUILT_IN = {ALPHA_SECRET, BETA_SECRET}
NOBODY = "00000000-0000-0000-0000-000000000000"

SAMPLES: dict[str, dict[str, Any] | None] = {
    "POST /v1/chat/completions": CHAT.body,
    "POST /api/v3/chat/completions": CHAT.body,
    "POST /v1/messages": MESSAGES.body,
    "POST /v1/v1/messages": MESSAGES.body,
    "POST /v1/messages/count_tokens": {"model": TEXT, "messages": MESSAGES.body["messages"]},
    "POST /v1/v1/messages/count_tokens": {"model": TEXT, "messages": MESSAGES.body["messages"]},
    "POST /v1/responses": RESPONSES.body,
    "POST /api/v3/responses": RESPONSES.body,
    "POST /v1/embeddings": EMBEDDINGS.body,
    "POST /api/v3/embeddings": EMBEDDINGS.body,
    "POST /v1/images/generations": {"model": IMAGE, "prompt": "a harbour"},
    "POST /api/v3/images/generations": IMAGE_WHOLE.body,
    "POST /api/v3/embeddings/multimodal": ARK_EMBEDDINGS.body,
    DASHSCOPE_EMBEDDINGS.path.replace("/gateway", "POST ", 1): DASHSCOPE_EMBEDDINGS.body,
    "POST /api/v3/contents/generations/tasks": TASK.body,
    "GET /api/v3/contents/generations/tasks": None,
    "GET /api/v3/contents/generations/tasks/{id}": None,
    "DELETE /api/v3/contents/generations/tasks/{id}": None,
    VIDEO_TASK.path.replace("/gateway", "POST ", 1): VIDEO_TASK.body,
    "GET /api/v1/tasks": None,
    "GET /api/v1/tasks/{id}": None,
    "POST /api/v1/tasks/{id}/cancel": {},
    "GET /v1/models": None,
    "GET /v1/v1/models": None,
    "GET /api/v3/models": None,
    "GET /v1/models/{id}": None,
    "GET /v1/v1/models/{id}": None,
    "GET /api/v3/models/{id}": None,
}
"""What is sent to each operation; None: no body."""

REFUSALS = {
    "no key": (401, "GATEWAY_MISSING_VIRTUAL_KEY"),
    "an unknown key": (401, "GATEWAY_INVALID_VIRTUAL_KEY"),
    "a disabled key": (401, "GATEWAY_VIRTUAL_KEY_DISABLED"),
    "a deleted key": (401, "GATEWAY_INVALID_VIRTUAL_KEY"),
    "an expired key": (401, "GATEWAY_VIRTUAL_KEY_EXPIRED"),
    "a key of a suspended tenant": (403, "GATEWAY_TENANT_OVERDUE"),
    "a key of a disabled tenant": (401, "GATEWAY_VIRTUAL_KEY_DISABLED"),
    "a key that may call from elsewhere": (403, "GATEWAY_IP_NOT_ALLOWED"),
}
TASK_ACTIONS = (Action.GET_TASK, Action.CANCEL_TASK)
RELAYED = tuple(one for one in OPERATIONS if one.action in (Action.CALL, Action.CREATE_TASK))


def row_of(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def by_row(operations: tuple[Operation, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("operation", operations, ids=row_of)


class House(Struct, frozen=True):
    """A gateway with three tenants. Its keys, by what the tests call them."""

    gateway: GatewayProcess
    admin: Admin
    simulator: SimulatorProcess
    keys: dict[str, str]

    def ask(self, operation: Operation, who: str, **more: Any) -> Seen:
        """The operation's sample; ``more``: ``item`` for ``{id}``, ``headers``, ``change`` to the body."""
        body = SAMPLES[row_of(operation)]
        if body is not None:
            body = body | more.get("change", {})
        path = "/gateway" + operation.path.replace("{id}", more.get("item", TEXT))
        headers = dict(more.get("headers", {}))
        if who in self.keys:
            headers |= {"authorization": f"Bearer {self.keys[who]}"}
        elif who == "an unknown key":
            headers |= {"authorization": "Bearer ck-nobody-0123456789abcdefghijklmnopqrst"}
        return request(self.gateway.url, operation.method, path, body, headers)

    def item(self, operation: Operation, who: str = "mine") -> str:
        """What stands for ``{id}``: a task that ``who`` has just made, or the name of a model."""
        if operation.action not in TASK_ACTIONS:
            return TEXT
        made = self.ask(creator(operation), who)
        assert made.status == 200, made.body
        return task_id(made)

    def secrets(self) -> list[str]:
        """Which credentials the providers saw, call by call. The settler's questions about tasks are not counted."""
        return [
            str(one["headers"].get("authorization") or one["headers"].get("x-api-key")).removeprefix(
                "Bearer "
            )
            for one in self.simulator.requests()
            if one["method"] == "POST" and not str(one["path"]).endswith("/cancel")
        ]

    def touched(self, item: str) -> list[str]:
        """What reached a provider for this task, other than the settler's own questions."""
        return [
            f"{one['method']} {one['path']}"
            for one in self.simulator.requests()
            if item in str(one["path"]) and one["method"] != "GET"
        ]


def creator(operation: Operation) -> Operation:
    """Makes the tasks that this one is about."""
    (found,) = (
        one for one in OPERATIONS if one.action is Action.CREATE_TASK and one.interface == operation.interface
    )
    return found


def task_id(made: Seen) -> str:
    return str(made.json.get("id") or made.json["output"]["task_id"])


def code_of(operation: Operation, seen: Seen) -> str | None:
    family = {Family.OPENAI: "openai", Family.ANTHROPIC: "anthropic", Family.ARK: "ark"}
    return read_error(family.get(operation.family, "dashscope"), seen.body).code  # type: ignore[arg-type]  # the four words


def house_config(url: str) -> Config:
    config = patient(chaos_config(url))
    for provider in config["providers"].values():
        provider["speaks"]["open_ai_image"] = {}
    for model in config["models"]:
        if model["name"] == IMAGE:
            for endpoint in model["endpoints"]:
                endpoint["interfaces"] = [*endpoint["interfaces"], "open_ai_image"]
    config["virtual_keys"].append({"alias": "expired", "key": EXPIRED, "expires_at": "2020-01-01"})
    return config


@pytest.fixture(scope="module")
def house_made(
    tmp_path_factory: pytest.TempPathFactory, simulator_process: SimulatorProcess
) -> Iterator[House]:
    gateway = GatewayProcess(tmp_path_factory.mktemp("isolation"), house_config(simulator_process.url))
    gateway.start()
    try:
        admin = first_admin(gateway)
        house = House(gateway, admin, simulator_process, furnish(admin))
        for who in ("mine", "rival"):
            until(_answers(house, who, 200), f"the key {who} is not there")
        for who in REFUSALS:
            until(_answers(house, who, REFUSALS[who][0]), f"{who} is not refused")
        yield house
    finally:
        gateway.end()


def furnish(admin: Admin) -> dict[str, str]:
    """Tenants, credentials and keys, made as an administrator makes them."""
    for tenant in ("rivals", "suspended", "closed"):
        admin.done("POST", "/tenants", {"id": tenant, "name": tenant.title()})

    def key(alias: str, tenant: str = "default", **terms: object) -> tuple[str, str]:
        made = admin.done("POST", "/keys", {"alias": alias, **terms}, query={"tenant": tenant})
        return str(made["id"]), str(made["text"])

    def own(provider: str, name: str, secret: str, tenant: str) -> None:
        body = {"provider": provider, "name": name, "secret": secret}
        admin.done("POST", "/byok", body, query={"tenant": tenant})

    own("alpha", "rivals-own", RIVAL_SECRET, "rivals")
    off, off_text = key("off")
    gone, gone_text = key("gone")
    keys = {
        "mine": key("mine")[1],
        "another of mine": key("another")[1],
        "rival": key("rival", "rivals")[1],
        "a disabled key": off_text,
        "a deleted key": gone_text,
        "an expired key": EXPIRED,
        "a key of a suspended tenant": key("late", "suspended")[1],
        "a key of a disabled tenant": key("shut", "closed")[1],
        "a key that may call from elsewhere": key("elsewhere", networks=["192.0.2.0/24"])[1],
    }
    admin.done("POST", f"/keys/{off}/disable")
    admin.done("DELETE", f"/keys/{gone}")
    for tenant, status in (("suspended", "overdue"), ("closed", "disabled")):
        admin.done("PATCH", f"/tenants/{tenant}", {"status": status}, version=1)
    return keys


@pytest.fixture
def house(house_made: House, simulator: SimulatorProcess) -> House:
    # Tasks stay unfinished: what is refused is not refused because it has ended.
    simulator.fault("task_seconds", None, n=300)
    return house_made


def test_every_operation_has_its_sample() -> None:
    assert sorted(map(row_of, OPERATIONS)) == sorted(SAMPLES)


@by_row(OPERATIONS)
def test_a_key_that_may_is_served(house: House, operation: Operation) -> None:
    seen = house.ask(operation, "mine", item=house.item(operation))
    assert seen.status == 200, seen.body
    assert '"error":{' not in seen.body.decode()


@pytest.mark.parametrize("who", REFUSALS)
@by_row(OPERATIONS)
def test_who_may_not_call_gets_nothing(house: House, operation: Operation, who: str) -> None:
    item = house.item(operation)
    before = house.secrets()
    seen = house.ask(operation, who, item=item)
    assert (seen.status, code_of(operation, seen)) == REFUSALS[who]
    assert house.secrets() == before
    assert house.touched(item) == []
    assert ALPHA_SECRET not in seen.body.decode()


@pytest.mark.parametrize("who", ["another of mine", "rival"])
@by_row(tuple(one for one in OPERATIONS if one.action in TASK_ACTIONS))
def test_a_task_is_nobody_elses(house: House, operation: Operation, who: str) -> None:
    item = house.item(operation)
    seen, made_up = (house.ask(operation, who, item=one) for one in (item, NOBODY))
    if operation.family is Family.ARK:
        assert (seen.status, code_of(operation, seen)) == (404, "GATEWAY_TASK_NOT_FOUND")
    else:
        assert seen.status == 200
        assert seen.json["output"] == {"task_id": item, "task_status": "UNKNOWN"}
    # Not even that it exists is told.
    assert _plain(seen, item) == _plain(made_up, NOBODY)
    assert house.touched(item) == []
    get = next(
        one for one in OPERATIONS if one.action is Action.GET_TASK and one.interface == operation.interface
    )
    state = house.ask(get, "mine", item=item).body.decode()
    assert "UNKNOWN" not in state
    assert "ancel" not in state


def _plain(seen: Seen, item: str) -> tuple[int, str]:
    """Without what differs from call to call."""
    return seen.status, seen.body.decode().replace(seen.request_id, "-").replace(item, "-")


@by_row(tuple(one for one in OPERATIONS if one.action is Action.LIST_TASKS))
def test_a_list_of_tasks_has_the_keys_own(house: House, operation: Operation) -> None:
    made = {who: task_id(house.ask(creator(operation), who)) for who in ("mine", "another of mine", "rival")}
    for who, own in made.items():
        body = house.ask(operation, who).body.decode()
        assert own in body
        assert not any(other in body for name, other in made.items() if name != who)


@by_row(RELAYED)
def test_a_tenants_credential_serves_that_tenant_only(house: House, operation: Operation) -> None:
    for who, allowed in (("rival", {RIVAL_SECRET}), ("mine", {ALPHA_SECRET})):
        house.simulator.reset()
        assert house.ask(operation, who).status == 200
        assert set(house.secrets()) == allowed
    # Also when everything else fails.
    house.simulator.reset()
    house.simulator.fault("status", None, status=503)
    assert house.ask(operation, "mine").status >= 500
    assert set(house.secrets()) <= BUILT_IN
    assert house.secrets()


GREEDY = ("byok by name", "byok, all")


@pytest.fixture(scope="module")
def greedy(house_made: House) -> None:
    """Keys of a tenant without a credential of its own, whose routes want one: the first names what only another
    tenant has any more."""
    house, ask = house_made, house_made.admin.done
    house.simulator.reset()
    own = ask("POST", "/byok", {"provider": "alpha", "name": "rivals-own", "secret": OWN_SECRET})
    for name in GREEDY:
        route = {"mode": "byok"} | ({"credentials": ["rivals-own"]} if name == "byok by name" else {})
        house.keys[name] = ask("POST", "/keys", {"alias": f"greedy: {name}", "route": route})["text"]
    for name in GREEDY:
        until(_answers(house, name, 200), "the greedy key is not there")
        house.simulator.reset()
        assert house.ask(OPERATIONS[0], name).status == 200
        assert house.secrets() == [OWN_SECRET], "two tenants have a credential with this name"
    ask("DELETE", f"/byok/{own['id']}", query={"force": "true"})
    for name in GREEDY:
        until(_answers(house, name, 400), "the credential is still used")


def _answers(house: House, who: str, status: int) -> Callable[[], bool]:
    return lambda: house.ask(OPERATIONS[0], who).status == status


@pytest.mark.usefixtures("greedy")
@pytest.mark.parametrize("name", GREEDY)
@by_row(RELAYED)
def test_a_route_that_names_anothers_credential_reaches_nothing(
    house: House, operation: Operation, name: str
) -> None:
    plain = SAMPLES[row_of(operation)]
    assert plain is not None
    for model in (plain["model"], f"alpha@{plain['model']}@{operation.interface}"):
        seen = house.ask(operation, name, change={"model": model})
        assert (seen.status, code_of(operation, seen)) == (400, "GATEWAY_NO_UPSTREAM_CANDIDATES")
    assert house.secrets() == []


@pytest.mark.usefixtures("greedy")
@pytest.mark.parametrize("name", GREEDY)
@by_row(tuple(one for one in OPERATIONS if one.action in (Action.LIST_MODELS, Action.GET_MODEL)))
def test_a_route_that_reaches_nothing_lists_nothing(house: House, operation: Operation, name: str) -> None:
    seen = house.ask(operation, name)
    if operation.action is Action.LIST_MODELS:
        assert seen.json["data"] == []
    else:
        assert seen.status == 404


@by_row(tuple(one for one in OPERATIONS if one.action is Action.CREATE_TASK))
def test_an_idempotency_key_is_its_callers(house: House, operation: Operation) -> None:
    headers = {"idempotency-key": str(uuid.uuid4())}
    made = [
        task_id(house.ask(operation, who, headers=headers)) for who in ("mine", "rival", "another of mine")
    ]
    assert len(set(made)) == 3
    assert task_id(house.ask(operation, "mine", headers=headers)) == made[0]
    assert len(house.secrets()) == 3


def test_the_history_of_a_call_names_no_other_tenants_credential(house: House) -> None:
    house.simulator.fault("status", None, status=503)
    seen = {who: house.ask(OPERATIONS[0], who).json["error"]["retry_history"] for who in ("mine", "rival")}
    assert {one["provider"] for one in seen["mine"]} == {"alpha", "beta"}
    assert "rivals-own" not in json.dumps(seen["mine"])
    assert "rivals-own" in {one["api_key_alias"] for one in seen["rival"]}
