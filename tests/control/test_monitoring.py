"""What is shown of models and endpoints is what was called, to whom it may be shown, in points that fit the time."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from msgspec import structs
from starlette.testclient import TestClient
from tests.support.control import API, Control
from tests.support.records import typical_record

from aimesh.core.ids import CredentialId, EndpointName, ModelName, RequestId, UserId
from aimesh.core.kind import Kind
from aimesh.core.outcome import Outcome
from aimesh.core.record import AttemptRecord, UsageRecord
from aimesh.core.usage import Usage
from aimesh.store.usage_import import import_usage, prepared
from aimesh.store.usage_rows import Metered

# JSON of answers.
Json = dict[str, Any]

COUNTS = (
    "requests",
    "succeeded",
    "failed",
    "abandoned",
    "failed_attempts",
    "output_tokens",
    "output_tokens_per_s",
)


def chat_endpoint(control: Control) -> tuple[EndpointName, ModelName]:
    endpoints = control.parts.settings.catalog.endpoints
    name = min(name for name, one in endpoints.items() if one.kind is Kind.CHAT)
    return name, endpoints[name].model


def call(control: Control, number: int, *, ago_s: float = 30.0, **changes: object) -> UsageRecord:
    endpoint, model = chat_endpoint(control)
    record = structs.replace(
        typical_record(),
        id=RequestId(f"r-{number}"),
        at=control.clock.wall_s() - ago_s,
        endpoint=endpoint,
        model=model,
        outcome=Outcome.OK,
        error_code="",
        duration_ms=2000.0,
        ttft_ms=500.0,
        usage=Usage(input_tokens=10, output_tokens=100),
    )
    # Fields of the record by their names.
    return structs.replace(record, **changes)


def failed(code: str, outcome: Outcome = Outcome.UPSTREAM_FAILED) -> Json:
    return {"outcome": outcome, "error_code": code, "ttft_ms": None, "usage": Usage()}


def imported(control: Control, records: Iterable[UsageRecord]) -> None:
    several = [Metered(record=one, user=UserId(""), kind="chat", priced=None) for one in records]
    import_usage(control.parts.store, prepared(several))


def asked(client: TestClient, path: str, **query: str) -> Json:
    answer = client.get(f"{API}/monitoring{path}", params=query)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def at(control: Control, ago_s: float) -> str:
    return datetime.fromtimestamp(control.clock.wall_s() - ago_s, UTC).isoformat()


def test_an_endpoint_from_calls_to_measures(control: Control, platform: TestClient) -> None:
    name, model = chat_endpoint(control)
    calls = [call(control, number) for number in range(6)]
    calls += [call(control, 6, duration_ms=8000.0), call(control, 7, outcome=Outcome.CLIENT_GONE)]
    calls += [call(control, 8, **failed("UPSTREAM_TIMEOUT")), call(control, 9, **failed("UPSTREAM_TIMEOUT"))]
    imported(control, calls)
    told = asked(platform, f"/endpoints/{name}", since=at(control, 600))
    total = told["total"]
    assert {field: total[field] for field in COUNTS[:6]} == {
        "requests": 10, "succeeded": 7, "failed": 2, "abandoned": 1, "failed_attempts": 0, "output_tokens": 800,
    }  # fmt: skip
    assert (total["success_rate"], total["error_rate"]) == (70.0, 20.0)
    assert total["latency"]["average_ms"] == 2600.0
    assert total["latency"]["p50_ms"] == pytest.approx(2000, rel=0.05)
    assert total["latency"]["p99_ms"] == pytest.approx(8000, rel=0.05)
    assert total["ttft"]["average_ms"] == 500.0
    assert total["speed"] == round(800 / 26, 3)
    assert told["errors"] == [
        {"outcome": "upstream_failed", "code": "UPSTREAM_TIMEOUT", "requests": 2, "share": 20.0}
    ]
    assert told["now"] == {"status": "degraded", "fault_rate": 20.0}
    assert told["point_s"] == 60
    busy = [point for point in told["points"] if point["requests"]]
    assert [point["requests"] for point in busy] == [10]
    assert {field: busy[0][field] for field in COUNTS[:6]} == {field: total[field] for field in COUNTS[:6]}
    idle = told["points"][0]
    assert (idle["requests"], idle["success_rate"], idle["speed"]) == (0, None, None)
    assert asked(platform, f"/models/{model}", since=at(control, 600))["total"] == total


def test_attempts_that_failed_are_the_endpoints_and_not_the_models(
    control: Control, platform: TestClient, admin: TestClient
) -> None:
    name, model = chat_endpoint(control)
    won = AttemptRecord(
        EndpointName("q@other@open_ai"), CredentialId("q/one"), started_ms=5.0, duration_ms=5.0, status=200
    )
    lost = structs.replace(won, endpoint=name, status=503, error="HTTP 503")
    imported(
        control,
        [call(control, number, endpoint=won.endpoint, attempts=(lost, won)) for number in range(6)]
        + [call(control, 6), call(control, 7)],
    )
    since = at(control, 600)
    told = asked(platform, f"/endpoints/{name}", since=since)
    rates = ("requests", "succeeded", "failed", "failed_attempts", "success_rate", "error_rate")
    assert [told["total"][each] for each in rates] == [2, 2, 0, 6, 25.0, 75.0]
    assert [point["failed_attempts"] for point in told["points"] if point["failed_attempts"]] == [6]
    assert told["now"] == {"status": "failing", "fault_rate": 75.0}
    listed = {one["name"]: one for one in asked(platform, "/overview", since=since)["endpoints"]}
    assert listed[name]["total"] == told["total"]
    assert listed[name]["now"] == told["now"]
    assert [listed[won.endpoint]["total"][each] for each in rates] == [6, 6, 0, 0, 100.0, 0.0]
    whole = asked(platform, f"/models/{model}", since=since)
    assert [whole["total"][each] for each in rates] == [8, 8, 0, 6, 100.0, 0.0]
    assert whole["now"] == {"status": "healthy", "fault_rate": 0.0}
    hidden = asked(admin, f"/endpoints/{name}", since=since)["total"]
    assert (hidden["failed_attempts"], hidden["success_rate"]) == (None, 25.0)


@pytest.mark.parametrize(
    ("since_s", "until_s", "point_s", "points"),
    [
        (60, 0, 60, (1, 2)),
        (3600, 0, 60, (60, 61)),
        (6 * 3600, 0, 60, (360, 361)),
        (12 * 3600, 0, 120, (360, 361)),
        (86_400, 0, 300, (288, 289)),
        (86_460, 0, 3600, (25, 26)),
        (60 * 86_400, 0, 3600, (1440, 1441)),
        (5 * 86_400, 5 * 86_400 - 600, 3600, (1, 2)),
    ],
)
def test_a_point_is_as_wide_as_the_time_wants(
    control: Control,
    platform: TestClient,
    since_s: int,
    until_s: int,
    *,
    point_s: int,
    points: tuple[int, int],
) -> None:
    name, _ = chat_endpoint(control)
    middle = (since_s + until_s) / 2
    imported(control, [call(control, 1, ago_s=middle)])
    told = asked(platform, f"/endpoints/{name}", since=at(control, since_s), until=at(control, until_s))
    assert told["point_s"] == point_s
    assert points[0] <= len(told["points"]) <= points[1]
    assert [point["requests"] for point in told["points"] if point["requests"]] == [1]
    starts = [datetime.fromisoformat(point["start"]).timestamp() for point in told["points"]]
    assert all(later - earlier == point_s for earlier, later in pairwise(starts))
    assert starts[0] == datetime.fromisoformat(told["since"]).timestamp()
    assert starts[-1] + point_s == datetime.fromisoformat(told["until"]).timestamp()


def test_tokens_per_second_are_over_what_has_passed(control: Control, platform: TestClient) -> None:
    name, _ = chat_endpoint(control)
    control.clock.advance(60 - control.clock.wall_s() % 60 + 20)
    imported(control, [call(control, 1, ago_s=5.0)])
    told = asked(platform, f"/endpoints/{name}", since=at(control, 80))
    assert [point["output_tokens_per_s"] for point in told["points"]] == [0.0, 5.0]
    assert told["total"]["output_tokens_per_s"] == round(100 / 80, 3)


@pytest.mark.parametrize(
    ("faults", "others", "status"),
    [(0, 0, "idle"), (0, 20, "healthy"), (1, 20, "healthy"), (1, 19, "degraded"), (2, 0, "degraded"),
     (3, 0, "failing"), (5, 5, "failing")],
)  # fmt: skip
def test_health_now(control: Control, platform: TestClient, faults: int, others: int, *, status: str) -> None:
    name, _ = chat_endpoint(control)
    calls = [call(control, number, **failed("E")) for number in range(faults)]
    # Blamed on the caller: no fault of the endpoint.
    refused = failed("UPSTREAM_REFUSED", Outcome.REFUSED_UPSTREAM)
    calls += [call(control, 100 + number, **refused) for number in range(others)]
    # Long ago.
    calls += [call(control, 200 + number, ago_s=900.0, **failed("E")) for number in range(9)]
    imported(control, calls)
    row = next(one for one in asked(platform, "/overview")["endpoints"] if one["name"] == name)
    assert row["now"]["status"] == status
    assert asked(platform, f"/endpoints/{name}")["now"] == row["now"]


def test_the_overview_has_every_endpoint(control: Control, platform: TestClient) -> None:
    name, model = chat_endpoint(control)
    catalog = control.parts.settings.catalog
    gone = call(control, 3, ago_s=7200.0, endpoint=EndpointName("old@gone@open_ai"), model=ModelName("gone"))
    planless = call(control, 4, **(failed("NO_ENDPOINT", Outcome.REFUSED) | {"endpoint": EndpointName("")}))
    imported(control, [call(control, 1), call(control, 2, **failed("E")), gone, planless])
    told = asked(platform, "/overview")
    assert {one["name"] for one in told["endpoints"]} == {*catalog.endpoints, "old@gone@open_ai"}
    rows = {one["name"]: one for one in told["endpoints"]}
    assert (rows[name]["provider"], rows[name]["model"]) == (catalog.endpoints[name].provider, model)
    assert rows[name]["total"]["requests"] == 2
    assert rows["old@gone@open_ai"]["total"]["requests"] == 1
    assert told["total"]["requests"] == 4
    assert {one["code"]: one["share"] for one in told["errors"]} == {"E": 25.0, "NO_ENDPOINT": 25.0}
    assert told["total"]["speed"] is None

    short = asked(platform, "/overview", since=at(control, 3600))
    assert short["total"]["requests"] == 3
    of_model = asked(platform, "/overview", model=model)
    assert {one["model"] for one in of_model["endpoints"]} == {model}
    assert of_model["total"]["speed"] is not None


def test_counts_are_for_who_runs_the_installation(
    control: Control, platform: TestClient, admin: TestClient, member: TestClient
) -> None:
    name, _ = chat_endpoint(control)
    imported(control, [call(control, 1), call(control, 2, **failed("E"))])
    path = f"/endpoints/{name}"
    whole = asked(platform, path)
    for client in (admin, member):
        told = asked(client, path)
        hidden = dict.fromkeys(COUNTS)
        assert told["total"] == {**whole["total"], **hidden}
        assert told["points"] == [{**point, **hidden} for point in whole["points"]]
        assert told["errors"] == [{**one, "requests": None} for one in whole["errors"]]
        overview = asked(client, "/overview")
        for measures in (overview["total"], *(one["total"] for one in overview["endpoints"])):
            assert {field: measures[field] for field in COUNTS} == hidden


def test_what_is_unknown_and_was_never_called_is_not_there(control: Control, platform: TestClient) -> None:
    for path, code in (("models/nothing", "MODEL_NOT_FOUND"), ("endpoints/a@b@c", "ENDPOINT_NOT_FOUND")):
        answer = platform.get(f"{API}/monitoring/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)
    imported(control, [call(control, 1, model=ModelName("nothing"), endpoint=EndpointName("a@b@c"))])
    for path in ("/models/nothing", "/endpoints/a@b@c"):
        told = asked(platform, path)
        assert told["total"]["requests"] == 1
        assert told["total"]["speed"] is None


@pytest.mark.parametrize(
    ("since_s", "until_s", "path"),
    [
        (30, 0, "until"),
        (600, 700, "until"),
        (-600, -1200, "until"),
        (61 * 86_400, 0, "since"),
        (63 * 86_400, 62 * 86_400, "since"),
    ],
)
def test_times_that_cannot_be_shown(
    control: Control, platform: TestClient, since_s: int, until_s: int, *, path: str
) -> None:
    query = {"since": at(control, since_s), "until": at(control, until_s)}
    answer = platform.get(f"{API}/monitoring/overview", params=query)
    assert answer.status_code == 422
    assert [one["path"] for one in answer.json()["error"]["details"]] == [path]
    assert (
        platform.get(f"{API}/monitoring/overview", params={"since": "0001-01-01T00:00:00+14:00"}).status_code
        == 422
    )
