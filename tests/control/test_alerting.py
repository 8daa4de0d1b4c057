"""From calls that fail to a webhook that is called, once; and what becomes of a delivery that is not taken."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import func, select
from starlette.testclient import TestClient
from tests.support.alert_sinks import Hook, running_hook
from tests.support.control import API, Control
from tests.support.records import typical_record

from aimesh.control.alerting import LOOK_EVERY_S, MOST_ATTEMPTS, Alerter
from aimesh.control.alerts import sender_of
from aimesh.core.ids import RequestId, UserId
from aimesh.core.outcome import Outcome
from aimesh.store.tables import ALERT_DELIVERIES
from aimesh.store.usage_import import import_usage, prepared
from aimesh.store.usage_rows import Metered

# JSON of requests and answers.
Json = dict[str, Any]


@pytest.fixture
def hook() -> Iterator[Hook]:
    with running_hook() as hook:
        yield hook


class Watch:
    def __init__(self, control: Control) -> None:
        self.alarms: list[tuple[str, str]] = []
        self.control = control
        self.alerter = Alerter(
            control.parts, sender_of(control.parts), lambda name, text: self.alarms.append((name, text))
        )

    def after(self, seconds: float) -> None:
        self.control.clock.advance(seconds)
        self.alerter.step()

    def waiting(self) -> int:
        with self.control.parts.store.read() as db:
            return db.execute(select(func.count()).select_from(ALERT_DELIVERIES)).scalar_one()


def made(client: TestClient, path: str, body: Json) -> Json:
    answer = client.post(f"{API}/{path}", json=body)
    assert answer.status_code == 201, answer.text
    told: Json = answer.json()
    return told


def watched(client: TestClient, hook: Hook, **rule: object) -> Json:
    channel = made(
        client,
        "alert-channels",
        {"name": "hook", "kind": "webhook", "url": hook.url, "secret": "s", "allow_private": True},
    )
    usual = {"name": "errors", "kind": "error_rate", "channels": [channel["id"]], "least": 3, "cooldown_s": 0}
    return made(client, "alert-rules", usual | rule)


def calls(control: Control, outcome: Outcome, count: int, name: str) -> None:
    several = [
        structs.replace(
            typical_record(), id=RequestId(f"{name}-{number}"), at=control.clock.wall_s(), outcome=outcome
        )
        for number in range(count)
    ]
    import_usage(
        control.parts.store,
        prepared([Metered(record=one, user=UserId(""), kind="chat", priced=None) for one in several]),
    )


def told(hook: Hook) -> list[str]:
    return [json.loads(body)["status"] for _, _, body in hook.came]


def test_errors_are_told_once_and_their_end_too(control: Control, platform: TestClient, hook: Hook) -> None:
    rule = watched(platform, hook)
    watch = Watch(control)
    watch.after(0.0)
    assert hook.came == []
    calls(control, Outcome.UPSTREAM_FAILED, 5, "bad")
    for _ in range(3):
        watch.after(LOOK_EVERY_S)
    # A second process sees the same.
    Watch(control).after(LOOK_EVERY_S)
    assert told(hook) == ["firing"]
    (one,) = platform.get(f"{API}/alerts").json()["data"]
    assert (one["rule"], one["rule_name"], one["status"], one["value"]) == (
        rule["id"],
        "errors",
        "firing",
        100.0,
    )
    assert json.loads(hook.came[0][2])["subject"] == one["subject"] == typical_record().endpoint
    watch.after(600.0)
    assert told(hook) == ["firing", "resolved"]
    assert platform.get(f"{API}/alerts").json()["data"][0]["status"] == "resolved"
    assert watch.waiting() == 0
    assert watch.alarms == []


def test_a_delivery_is_tried_again_later_and_later(
    control: Control, platform: TestClient, hook: Hook
) -> None:
    watched(platform, hook)
    watch = Watch(control)
    calls(control, Outcome.UPSTREAM_FAILED, 5, "bad")
    hook.status = 503
    watch.after(LOOK_EVERY_S)
    assert len(hook.came) == 1
    assert watch.alarms[0][1] == "it answered with HTTP 503"
    watch.after(20.0)
    assert len(hook.came) == 1
    watch.after(11.0)
    assert len(hook.came) == 2
    watch.after(40.0)
    assert len(hook.came) == 2
    hook.status = 204
    watch.after(21.0)
    assert len(hook.came) == 3
    assert len({json.loads(body)["id"] for _, _, body in hook.came}) == 1
    assert watch.waiting() == 0


def test_a_delivery_is_given_up(control: Control, platform: TestClient, hook: Hook) -> None:
    watched(platform, hook, minutes=1440)
    watch = Watch(control)
    calls(control, Outcome.UPSTREAM_FAILED, 5, "bad")
    hook.status = 500
    for _ in range(MOST_ATTEMPTS + 3):
        watch.after(3601.0)
    assert len(hook.came) == MOST_ATTEMPTS
    assert watch.waiting() == 0


def test_disabled_rules_and_channels_are_quiet(control: Control, platform: TestClient, hook: Hook) -> None:
    rule = watched(platform, hook)
    watch = Watch(control)
    calls(control, Outcome.UPSTREAM_FAILED, 5, "bad")
    watch.after(LOOK_EVERY_S)
    body = {"name": "errors", "kind": "error_rate", "channels": rule["channels"], "enabled": False}
    url = f"{API}/alert-rules/{rule['id']}"
    assert platform.put(url, json=body, headers={"if-match": '"1"'}).status_code == 200
    assert platform.get(f"{API}/alerts").json()["data"] == []
    watch.after(600.0)
    assert told(hook) == ["firing"]

    channel = {"name": "hook", "kind": "webhook", "enabled": False, "allow_private": True}
    url = f"{API}/alert-channels/{rule['channels'][0]}"
    assert platform.put(url, json=channel, headers={"if-match": "*"}).status_code == 200
    body = {**body, "enabled": True, "least": 1}
    assert (
        platform.put(f"{API}/alert-rules/{rule['id']}", json=body, headers={"if-match": "*"}).status_code
        == 200
    )
    calls(control, Outcome.UPSTREAM_FAILED, 5, "again")
    watch.after(LOOK_EVERY_S)
    assert platform.get(f"{API}/alerts").json()["data"][0]["status"] == "firing"
    assert told(hook) == ["firing"]
