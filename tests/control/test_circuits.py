"""Circuits as they are shown: to everybody that an endpoint is cooling, the rest to who runs the installation."""

import os
from typing import Any

from starlette.testclient import TestClient
from tests.support.control import API, Control

from aimesh.core.ids import CredentialId, EndpointName
from aimesh.store.circuit_notes import CircuitNote, WorkerCircuits, note_path, write_circuits

# JSON of answers.
Json = dict[str, Any]


def tell(control: Control, pid: int, slot: int, *circuits: tuple[str, str, float, float]) -> None:
    """Endpoint, credential, and since and until when, from now on."""
    now_s = control.clock.wall_s()
    notes = tuple(
        CircuitNote(
            EndpointName(endpoint), CredentialId(credential), now_s + since, now_s + until, failures=5
        )
        for endpoint, credential, since, until in circuits
    )
    path = note_path(control.parts.settings.home, pid)
    write_circuits(path, WorkerCircuits(slot=slot, at_s=now_s, circuits=notes))


def seen(client: TestClient, **query: Any) -> list[Json]:
    answer = client.get(f"{API}/circuits", params=query)
    assert answer.status_code == 200, answer.text
    told: list[Json] = answer.json()["data"]
    return told


def cooling(client: TestClient) -> set[str]:
    rows: list[Json] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "200", **({"cursor": cursor} if cursor else {})}
        answer = client.get(f"{API}/endpoints", params=query).json()
        rows += answer["data"]
        cursor = answer["next_cursor"]
    return {row["name"] for row in rows if row["cooling"]}


def test_workers_are_put_together(control: Control, platform: TestClient, member: TestClient) -> None:
    one, two, three, *_ = sorted(control.parts.settings.catalog.endpoints)
    tell(control, os.getpid(), 0, (one, "p/main", -10.0, 5.0), (two, "p/main", -3.0, -1.0))
    tell(
        control,
        os.getppid(),
        1,
        (one, "p/main", -2.0, 20.0),
        (three, "p/main", -1.0, 1.0),
        ("gone@m@x", "p", 0, 9),
    )
    rows = seen(platform)
    assert [(row["endpoint"], row["state"], row["cooling"]) for row in rows] == [
        (one, "open", True), (two, "half_open", False), (three, "open", True),
    ]  # fmt: skip
    first = rows[0]
    assert [(each["worker"], each["state"], each["failures"]) for each in first["workers"]] == [
        (0, "open", 5), (1, "open", 5),
    ]  # fmt: skip
    assert first["since"] == min(each["since"] for each in first["workers"])
    assert first["until"] == max(each["until"] for each in first["workers"])
    shown = seen(member)
    assert shown == [row | {"workers": None} for row in rows]
    assert cooling(member) == cooling(platform) == {one, three}
    page = platform.get(f"{API}/circuits", params={"limit": 2}).json()
    assert (len(page["data"]), page["total"]) == (2, 3)
    assert [row["endpoint"] for row in seen(platform, cursor=page["next_cursor"])] == [three]
    control.clock.advance(30.0)
    assert {row["state"] for row in seen(platform)} == {"half_open"}
    assert cooling(member) == set()


def test_another_tenants_credential_is_nobodys_business(
    control: Control, admin: TestClient, other_admin: TestClient, platform: TestClient
) -> None:
    one, *_ = sorted(control.parts.settings.catalog.endpoints)
    tell(control, os.getpid(), 0, (one, "byok:other/p/own", -1.0, 9.0))
    assert seen(admin) == []
    assert cooling(admin) == set()
    assert [row["endpoint"] for row in seen(other_admin)] == [one]
    assert cooling(other_admin) == {one}
    (row,) = seen(platform)
    assert row["workers"][0]["credential"] == "byok:other/p/own"


def test_while_all_are_closed_the_list_is_empty(platform: TestClient) -> None:
    assert seen(platform) == []
    assert cooling(platform) == set()
