"""Tasks through the admin API, over a provider that really makes, cancels and forgets them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from msgspec import structs
from starlette.testclient import TestClient
from tests.support.chaos_config import ALPHA_SECRET
from tests.support.control import API, OTHER_TENANT, Control
from tests.support.control_answers import code
from tests.support.control_upstreams import opened_upstreams
from tests.support.simulation import LiveSimulator, live_simulator, wait_for
from tests.support.tasks import insert_task
from tests.support.usage import varied, with_id

from aimesh.control.tasks_turns import AT_ONCE
from aimesh.core.money import Currency
from aimesh.core.priced import Priced
from aimesh.core.usage import Usage
from aimesh.store.engine import Store
from aimesh.store.people import Role
from aimesh.store.usage_import import import_usage, prepared

# JSON of answers.
Json = dict[str, Any]

TASKS = f"{API}/tasks"
ARK, DASHSCOPE = "task", "dashscope_video"
PATHS = {
    ARK: "/alpha/api/v3/contents/generations/tasks",
    DASHSCOPE: "/alpha/api/v1/services/aigc/video-generation/video-synthesis",
}
QUEUED_S, RUNNING_S = 4_000.0, 40.0
"""How long a task takes; it waits for a quarter of it."""


@pytest.fixture(scope="module")
def simulator() -> Iterator[LiveSimulator]:
    with live_simulator() as simulator:
        yield simulator


@pytest.fixture
def control(any_store: Store, tmp_path: Path, simulator: LiveSimulator) -> Iterator[Control]:
    with opened_upstreams(any_store, tmp_path, simulator) as control:
        yield control


def make(
    control: Control, simulator: LiveSimulator, interface: str = ARK, *, takes_s: float = QUEUED_S, **row: Any
) -> str:
    """A task that the provider knows, and its row; gives its name in the API."""
    body = (
        {"model": "alpha-t2v", "content": [{"type": "text", "text": "a cube --rs 720p --dur 5"}]}
        if interface == ARK
        else {"model": "alpha-t2v", "input": {"prompt": "a cube"}}
    )
    simulator.control("POST", "/_sim/settings", {"task_s": takes_s})
    status, _, answer = simulator.post(
        PATHS[interface], body, authorization=f"Bearer {ALPHA_SECRET}", x_dashscope_async="enable"
    )
    assert status == 200, answer
    told = json.loads(answer)
    task_id = told["id"] if interface == ARK else told["output"]["task_id"]
    fields = {
        "interface": interface,
        "endpoint": f"alpha@chaos/video@{interface}",
        "status": "queued" if interface == ARK else "PENDING",
        "created_at_s": control.clock.wall_s(),
        "updated_at_s": control.clock.wall_s(),
    }
    insert_task(control.parts.store, task_id, **(fields | row))
    return f"{interface}:{task_id}"


def view(client: TestClient, name: str, **query: str) -> Json:
    answer = client.get(f"{TASKS}/{name}", params=query)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def listed(client: TestClient, **query: Any) -> list[Json]:
    found: list[Json] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = client.get(TASKS, params={"limit": 3, **query, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        found += answer.json()["data"]
        cursor = answer.json()["next_cursor"]
    return found


def ask_provider(simulator: LiveSimulator, name: str) -> Json:
    """As the provider tells it."""
    interface, _, task_id = name.partition(":")
    path = f"{PATHS[ARK]}/{task_id}" if interface == ARK else f"/alpha/api/v1/tasks/{task_id}"
    request = Request(simulator.url + path, headers={"authorization": f"Bearer {ALPHA_SECRET}"})
    with urlopen(request, timeout=10) as answer:
        told: Json = json.loads(answer.read())
    return told


def sent(simulator: LiveSimulator) -> list[Json]:
    """What the provider was asked."""
    told: list[Json] = simulator.control("GET", "/_sim/requests")["requests"]
    return told


def phase_of(simulator: LiveSimulator, name: str) -> str:
    told = ask_provider(simulator, name)
    return str(told["status"] if "status" in told else told["output"]["task_status"]).lower()


def test_a_task_is_shown_with_what_was_asked_for(control: Control, admin: TestClient) -> None:
    insert_task(
        control.parts.store, "cgt-1", request_id="call-1", created_at_s=1_750_000_000.0,
        summary={"video_seconds": 5, "video_resolution": "720p", "video_audio": True, "key_alias": "films",
                 "labels": "{}", "reported": False},
    )  # fmt: skip
    told = view(admin, "task:cgt-1")
    assert told["asked"] == {
        "video_seconds": 5, "resolution": "720p", "ratio": "", "audio": True, "from_video": False, "variant": "",
    }  # fmt: skip
    assert (told["state"], told["status"], told["can_cancel"]) == ("queued", "queued", True)
    assert (told["key_alias"], told["kind"], told["call"], told["source"]) == (
        "films",
        "video",
        "call-1",
        "system",
    )
    assert told["created_at"] == "2025-06-15T15:06:40Z"
    assert (told["usage"], told["cost"], told["error"], told["files"]) == (None, None, None, None)
    assert listed(admin) == [{name: value for name, value in told.items() if name != "files"}]


def test_the_list_is_filtered_and_cut_into_pages(control: Control, admin: TestClient) -> None:
    key = admin.post(f"{API}/keys", json={"alias": "films"}).json()
    for number in range(10):
        insert_task(
            control.parts.store, f"cgt-{number}", created_at_s=1_750_000_000.0 + number,
            key_id=key["id"] if number % 2 else "other-key", provider="beta" if number == 3 else "alpha",
            model="gone/model" if number == 4 else "chaos/video", finished=number < 5, succeeded=number < 4,
            status="succeeded" if number < 4 else "failed" if number < 5 else "running",
        )  # fmt: skip

    def numbers(**query: Any) -> list[int]:
        return [int(one["task_id"].removeprefix("cgt-")) for one in listed(admin, **query)]

    assert numbers() == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert numbers(state="succeeded") == [3, 2, 1, 0]
    assert numbers(state=["succeeded", "failed"]) == [4, 3, 2, 1, 0]
    assert numbers(state="queued") == []
    assert numbers(key="films") == numbers(key=key["id"]) == [9, 7, 5, 3, 1]
    assert numbers(provider="beta") == [3]
    assert numbers(model="gone/model") == [4]
    assert numbers(kind="video") == [9, 8, 7, 6, 5, 3, 2, 1, 0]
    assert numbers(kind="3d") == numbers(kind="video", model="gone/model") == []
    assert numbers(since="2025-06-15T15:06:42Z", until="2025-06-15T15:06:45Z") == [4, 3, 2]
    assert code(admin.get(TASKS, params={"state": "lost"})) == (422, "INVALID_REQUEST")
    assert code(admin.get(TASKS, params={"cursor": "x"})) == (422, "INVALID_REQUEST")


def test_people_see_the_tasks_that_are_theirs(
    control: Control, admin: TestClient, other_admin: TestClient, platform: TestClient
) -> None:
    mine = control.client(control.person("mine", Role.MEMBER))
    key = mine.post(f"{API}/keys", json={"alias": "mine"}).json()
    insert_task(control.parts.store, "own", key_id=key["id"])
    insert_task(control.parts.store, "colleagues")
    insert_task(control.parts.store, "foreign", tenant=OTHER_TENANT)
    for client, seen in (
        (mine, {"own"}),
        (admin, {"own", "colleagues"}),
        (other_admin, {"foreign"}),
        (platform, {"own", "colleagues", "foreign"}),
    ):
        assert {one["task_id"] for one in listed(client)} == seen
        for name in ("own", "colleagues", "foreign"):
            answer = client.get(f"{TASKS}/task:{name}")
            assert answer.status_code == (200 if name in seen else 404)
            if name not in seen:
                assert code(client.post(f"{TASKS}/task:{name}/cancel")) == (404, "TASK_NOT_FOUND")
    assert {one["task_id"] for one in listed(platform, tenant=OTHER_TENANT)} == {"foreign"}


def test_what_it_used_and_cost_is_there_once_it_is_settled(control: Control, admin: TestClient) -> None:
    done: Json = {"status": "succeeded", "finished": True, "succeeded": True}
    insert_task(control.parts.store, "cgt-1", settled=True, **done)
    assert view(admin, "task:cgt-1", files="false")["cost"] is None
    one = with_id(varied(1), "task:task:cgt-1")
    record = structs.replace(
        one.record, usage=Usage(output_tokens=99, video_seconds=5.0, video_resolution="720p")
    )
    priced = Priced(1_500_000_000, 2_000_000_000, Currency.CNY, "0123456789ab")
    import_usage(control.parts.store, prepared([structs.replace(one, record=record, priced=priced)]))
    told = view(admin, "task:cgt-1", files="false")
    assert (told["cost"], told["list"], told["currency"]) == ("1.5", "2", "CNY")
    assert told["usage"] == {
        "output_tokens": 99, "video_seconds": 5.0, "video_resolution": "720p", "assets": 0, "estimated": False,
    }  # fmt: skip
    assert told["files"] is None


def test_why_a_task_failed_is_told(control: Control, admin: TestClient) -> None:
    failed: Json = {"status": "failed", "finished": True}
    document = b'{"id": "a", "error": {"code": "OutputVideoSensitiveContentDetected", "message": "no"}}'
    insert_task(control.parts.store, "a", document=document, **failed)
    assert view(admin, "task:a")["error"] == {"code": "OutputVideoSensitiveContentDetected", "message": "no"}
    insert_task(control.parts.store, "b", status="expired", finished=True, settled=True)
    assert view(admin, "task:b")["error"] is None
    one = with_id(varied(1), "task:task:b")
    record = structs.replace(one.record, error_code="TASK_FORGOTTEN")
    import_usage(control.parts.store, prepared([structs.replace(one, record=record)]))
    told = view(admin, "task:b")
    assert (told["state"], told["error"]) == ("expired", {"code": "TASK_FORGOTTEN", "message": ""})


# Files


@pytest.mark.parametrize("interface", [ARK, DASHSCOPE])
def test_files_are_asked_for_at_the_provider(
    control: Control, admin: TestClient, simulator: LiveSimulator, interface: str
) -> None:
    done = {"status": "succeeded", "finished": True, "succeeded": True}
    name = make(control, simulator, interface, takes_s=0.0, **done)
    wait_for(lambda: phase_of(simulator, name) == "succeeded")
    files = view(admin, name)["files"]
    assert (files["asked_provider"], files["problem"]) == (True, "")
    (film,) = files["data"]
    assert (film["kind"], film["expired"]) == ("video", False)
    assert simulator.get(urlsplit(film["url"]).path).startswith(b"\0\0\0")
    assert sent(simulator)[-1]["headers"]["authorization"] == f"Bearer {ALPHA_SECRET}"
    assert ALPHA_SECRET not in admin.get(f"{TASKS}/{name}").text


def test_where_the_provider_does_not_say_the_last_addresses_are_shown(control: Control) -> None:
    # No session lasts as long.
    admin = control.local()
    made_s = control.clock.wall_s()
    signed = int(made_s) + 3600
    still = f"http://files.example/a.png?Expires={signed}"
    document = {"id": "gone", "content": {"video_url": "http://files.example/a.mp4", "last_frame_url": still}}
    insert_task(
        control.parts.store, "gone", status="succeeded", finished=True, succeeded=True, updated_at_s=made_s,
        document=json.dumps(document).encode(),
    )  # fmt: skip
    files = view(admin, "task:gone")["files"]
    assert files["asked_provider"] is False
    assert files["problem"]
    assert [one["expired"] for one in files["data"]] == [False, False]
    control.clock.advance(3600.0)
    assert [one["expired"] for one in view(admin, "task:gone")["files"]["data"]] == [False, True]
    control.clock.advance(23 * 3600.0)
    assert [one["expired"] for one in view(admin, "task:gone")["files"]["data"]] == [True, True]


def test_a_task_whose_credential_is_gone_still_shows_what_is_known(
    control: Control, admin: TestClient
) -> None:
    done = {"status": "succeeded", "finished": True, "succeeded": True}
    insert_task(control.parts.store, "a", credential="db:alpha/removed", **done)
    told = view(admin, "task:a")
    assert told["files"]["data"] == []
    assert "no longer configured" in told["files"]["problem"]
    insert_task(control.parts.store, "b", credential="db:alpha/removed")
    assert code(admin.post(f"{TASKS}/task:b/cancel")) == (409, "TASK_OUT_OF_REACH")


def test_a_credential_of_another_tenant_is_never_used(
    control: Control, admin: TestClient, other_admin: TestClient, simulator: LiveSimulator
) -> None:
    body = {"provider": "alpha", "name": "theirs", "secret": "sk-of-another-company"}
    theirs = other_admin.post(f"{API}/byok", json=body).json()["id"]
    insert_task(control.parts.store, "a", credential=theirs)
    assert code(admin.post(f"{TASKS}/task:a/cancel")) == (409, "TASK_OUT_OF_REACH")
    assert "another-company" not in str(sent(simulator))


# Cancelling


@pytest.mark.parametrize("interface", [ARK, DASHSCOPE])
def test_a_task_that_waits_is_cancelled_at_its_provider(
    control: Control, admin: TestClient, simulator: LiveSimulator, interface: str
) -> None:
    name = make(control, simulator, interface)
    answer = admin.post(f"{TASKS}/{name}/cancel")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["settled"]) == ("cancelled", True)
    assert phase_of(simulator, name) in ("cancelled", "canceled")
    assert view(admin, name)["state"] == "cancelled"
    assert code(admin.post(f"{TASKS}/{name}/cancel")) == (409, "TASK_ENDED")
    (line,) = admin.get(f"{API}/audit", params={"action": "task.cancel"}).json()["data"]
    assert (line["target"]["kind"], line["target"]["id"]) == ("task", name)


@pytest.mark.parametrize("interface", [ARK, DASHSCOPE])
def test_a_task_with_ones_own_key_is_cancelled_with_it(
    control: Control, admin: TestClient, simulator: LiveSimulator, interface: str
) -> None:
    body = {"provider": "alpha", "name": "own", "secret": "sk-a-secret-of-ones-own"}
    own = admin.post(f"{API}/byok", json=body).json()["id"]
    name = make(control, simulator, interface, credential=own)
    assert admin.post(f"{TASKS}/{name}/cancel").json()["source"] == "byok"
    assert sent(simulator)[-1]["headers"]["authorization"] == "Bearer sk-a-secret-of-ones-own"


@pytest.mark.parametrize("interface", [ARK, DASHSCOPE])
def test_a_task_that_runs_goes_on(
    control: Control, admin: TestClient, simulator: LiveSimulator, interface: str
) -> None:
    name = make(control, simulator, interface, takes_s=RUNNING_S / 50)
    wait_for(lambda: phase_of(simulator, name) == "running")
    assert code(admin.post(f"{TASKS}/{name}/cancel"))[0] == 409
    assert phase_of(simulator, name) in ("running", "succeeded")


@pytest.mark.parametrize("interface", [ARK, DASHSCOPE])
def test_one_that_ended_meanwhile_is_not_deleted_before_it_is_paid(
    control: Control, admin: TestClient, simulator: LiveSimulator, interface: str
) -> None:
    """Ark deletes a task that has ended when it is asked to cancel it."""
    name = make(control, simulator, interface, takes_s=0.0)
    wait_for(lambda: phase_of(simulator, name) == "succeeded")
    assert code(admin.post(f"{TASKS}/{name}/cancel")) == (409, "TASK_ENDED")
    assert phase_of(simulator, name) == "succeeded"
    told = view(admin, name)
    assert (told["state"], told["settled"]) == ("succeeded", False)


@pytest.mark.parametrize("interface", [ARK, DASHSCOPE])
def test_one_that_its_provider_does_not_know_stays_as_it_is(
    control: Control, admin: TestClient, interface: str
) -> None:
    insert_task(control.parts.store, "cgt-x", interface=interface, endpoint=f"alpha@chaos/video@{interface}")
    assert code(admin.post(f"{TASKS}/{interface}:cgt-x/cancel")) == (409, "TASK_FORGOTTEN")
    assert view(admin, f"{interface}:cgt-x")["state"] == "queued"


def test_a_provider_that_fails_is_told(control: Control, admin: TestClient, simulator: LiveSimulator) -> None:
    name = make(control, simulator)
    simulator.fault("status", status=500)
    status, told = code(admin.post(f"{TASKS}/{name}/cancel"))
    assert (status, told) == (409, "PROVIDER_FAILED")
    simulator.clear()
    assert view(admin, name)["state"] == "queued"


def test_only_some_wait_for_providers_at_a_time(control: Control, admin: TestClient) -> None:
    insert_task(control.parts.store, "a")
    done = {"status": "succeeded", "finished": True, "succeeded": True}
    insert_task(control.parts.store, "b", **done)
    turns = [control.parts.questions.turn() for _ in range(AT_ONCE)]
    for turn in turns:
        turn.__enter__()
    try:
        assert code(admin.post(f"{TASKS}/task:a/cancel")) == (429, "SLOW_DOWN")
        assert view(admin, "task:b")["files"]["asked_provider"] is False
    finally:
        for turn in turns:
            turn.__exit__(None, None, None)
    assert code(admin.post(f"{TASKS}/task:a/cancel")) == (409, "TASK_FORGOTTEN")
