"""Channels and rules from their making to their end; what is secret is never given back."""

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.support.alert_sinks import running_hook
from tests.support.control import API, Control

from aimesh.core.secret import Secret
from aimesh.store.reseal import reseal
from aimesh.store.vault import Vault

CHANNELS, RULES = f"{API}/alert-channels", f"{API}/alert-rules"
# JSON of requests and answers.
Json = dict[str, Any]
HOOK = {
    "name": "hook", "kind": "webhook", "url": "https://alerts.example.com/x?token=tokens-in-urls",
    "secret": "signing-secret",
}  # fmt: skip
MAIL = {
    "name": "mail", "kind": "smtp", "host": "mail.example.com", "username": "aimesh", "secret": "mail-secret",
    "sender": "aimesh@example.com", "recipients": ["ops@example.com"],
}  # fmt: skip


def made(client: TestClient, url: str, body: Json) -> Json:
    answer = client.post(url, json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"1"'
    told: Json = answer.json()
    return told


def test_a_channel_from_its_making_to_its_end(control: Control, platform: TestClient) -> None:
    channel = made(platform, CHANNELS, HOOK)
    control.clock.advance(1.0)
    mail = made(platform, CHANNELS, MAIL)
    assert (channel["host"], mail["host"], mail["port"]) == ("alerts.example.com", "mail.example.com", 587)
    url = f"{CHANNELS}/{channel['id']}"
    assert platform.get(url).json() == channel
    assert platform.get(CHANNELS).json()["data"] == [channel, mail]
    taken = platform.post(CHANNELS, json={**HOOK})
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "NAME_TAKEN")

    change = {"name": "renamed", "kind": "webhook"}
    assert platform.put(url, json=change).status_code == 428
    changed = platform.put(url, json=change, headers={"if-match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    # The address was left out and stays.
    assert (changed.json()["name"], changed.json()["host"]) == ("renamed", "alerts.example.com")
    assert platform.put(url, json=change, headers={"if-match": '"1"'}).status_code == 412

    assert platform.delete(url).status_code == 204
    assert platform.get(url).json()["error"]["code"] == "ALERT_CHANNEL_NOT_FOUND"
    lines = platform.get(f"{API}/audit?action=alert_channel&tenant=default").text
    every = platform.get(CHANNELS).text + lines
    for secret in ("tokens-in-urls", "signing-secret", "mail-secret"):
        assert secret not in every


def test_secrets_stay_where_they_lead_to_the_same(control: Control, platform: TestClient) -> None:
    with running_hook() as hook:
        channel = made(platform, CHANNELS, {**HOOK, "url": hook.url, "allow_private": True})
        url = f"{CHANNELS}/{channel['id']}"
        kept = {"name": "hook", "kind": "webhook", "allow_private": True}
        assert platform.put(url, json=kept, headers={"if-match": "*"}).status_code == 200
        assert platform.post(f"{url}/test").json() == {"ok": True, "message": ""}
        assert hook.came[0][1]["x-aimesh-signature"]
    robot = {"name": "hook", "kind": "wecom"}
    refused = platform.put(url, json=robot, headers={"if-match": "*"})
    assert refused.json()["error"]["details"][0]["path"] == "url"


def test_a_test_says_why_it_was_not_taken(platform: TestClient) -> None:
    with running_hook() as hook:
        channel = made(platform, CHANNELS, {**HOOK, "url": hook.url})
        told = platform.post(f"{CHANNELS}/{channel['id']}/test").json()
        assert told["ok"] is False
        assert "cannot be reached" in told["message"]
        assert hook.came == []
        hook.status = 418
        channel = made(platform, CHANNELS, {**HOOK, "name": "2", "url": hook.url, "allow_private": True})
        told = platform.post(f"{CHANNELS}/{channel['id']}/test").json()
        assert told == {"ok": False, "message": "it answered with HTTP 418"}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "kind": "webhook"},
        {"name": "x", "kind": "webhook", "url": "ftp://example.com/"},
        {"name": "x", "kind": "webhook", "url": "https:///nowhere"},
        {"name": "x", "kind": "webhook", "url": "https://user:pw@example.com/"},
        {"name": "x", "kind": "webhook", "url": "https://example.com:99999/"},
        {"name": "x", "kind": "webhook", "url": "https://example.com/\r\nx: y"},
        {"name": "x", "kind": "smtp"},
        {**MAIL, "security": "none"},
        {**MAIL, "recipients": ["a@b, c@d"]},
        {**MAIL, "sender": "a@b\r\nBcc: x@y"},
    ],
)
def test_channels_that_lead_nowhere_are_refused(platform: TestClient, body: Json) -> None:
    answer = platform.post(CHANNELS, json=body)
    assert answer.status_code == 422
    assert "pw@" not in answer.text


def test_a_rule_from_its_making_to_its_end(platform: TestClient) -> None:
    channel = made(platform, CHANNELS, HOOK)
    body = {"name": "budget", "kind": "budget_used", "channels": [channel["id"]]}
    rule = made(platform, RULES, body)
    assert rule["percents"] == [80.0, 100.0]
    url = f"{RULES}/{rule['id']}"
    assert platform.get(url).json() == rule
    assert platform.get(RULES).json()["data"] == [rule]
    assert platform.post(RULES, json=body).json()["error"]["code"] == "NAME_TAKEN"
    unknown = platform.post(RULES, json={**body, "name": "2", "channels": ["ach_none"]})
    assert unknown.json()["error"]["details"][0]["path"] == "channels.0"

    changed = platform.put(url, json={**body, "percents": [90, 50]}, headers={"if-match": '"1"'})
    assert (changed.status_code, changed.json()["percents"]) == (200, [50.0, 90.0])
    assert platform.put(url, json=body, headers={"if-match": '"1"'}).status_code == 412

    used = platform.delete(f"{CHANNELS}/{channel['id']}")
    assert (used.status_code, used.json()["error"]["code"]) == (409, "CHANNEL_IN_USE")
    assert platform.delete(url).status_code == 204
    assert platform.get(url).json()["error"]["code"] == "ALERT_RULE_NOT_FOUND"
    assert platform.delete(f"{CHANNELS}/{channel['id']}").status_code == 204


def test_a_new_master_key_takes_channels_over(control: Control, platform: TestClient) -> None:
    made(platform, CHANNELS, HOOK)
    done = reseal(control.parts.store, Vault([Secret(b"n" * 32), Secret(b"k" * 32)]))
    assert (done.resealed, done.unreadable) == (1, ())
    again = reseal(control.parts.store, Vault([Secret(b"n" * 32)]))
    assert (again.current, again.resealed, again.unreadable) == (1, 0, ())
