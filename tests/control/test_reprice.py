"""Pricing usage again through the API."""

from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import func, select
from starlette.testclient import TestClient
from tests.support.control import API, OTHER_TENANT, Control
from tests.support.records import typical_record

import aimesh.control.reprice as room
from aimesh.catalog.snapshot import Endpoint
from aimesh.core.ids import EndpointName, ModelName, RequestId, TenantId, UserId
from aimesh.core.record import UsageRecord
from aimesh.store.prices import keep_versions, read_pricer
from aimesh.store.tables import USAGE_HOURLY, USAGE_RECORDS
from aimesh.store.usage_import import import_usage, prepared
from aimesh.store.usage_rows import Metered

URL = f"{API}/usage/reprice"
SPAN = {"since": "2025-06-15T00:00:00Z", "until": "2025-06-16T00:00:00Z"}
# JSON of requests and answers.
Json = dict[str, Any]


def priced_endpoint(control: Control) -> Endpoint:
    """One with a plain price per token."""
    return next(
        one
        for one in control.parts.settings.catalog.endpoints.values()
        if one.price is not None
        and len(one.price.tiers) == 1
        and not one.price.windows
        and one.kind == "chat"
    )


def imported(control: Control, count: int) -> EndpointName:
    """Records of two tenants, priced as the catalogue says."""
    endpoint = priced_endpoint(control)
    with control.parts.store.read() as db:
        pricer = read_pricer(db, control.parts.catalogs.of(control.parts.settings, db).shown)
    metered = []
    for number in range(count):
        record = numbered(number, endpoint)
        metered.append(Metered(record=record, user=UserId(""), kind="chat", priced=pricer.price(record)))
    import_usage(control.parts.store, prepared(metered))
    with control.parts.store.write() as db:
        keep_versions(db, pricer.used, 0.0)
    return endpoint.name


def numbered(number: int, endpoint: Endpoint) -> UsageRecord:
    return structs.replace(
        typical_record(),
        id=RequestId(f"r{number:04d}"),
        at=1_750_000_000.0 + number,
        tenant=TenantId("default" if number % 2 else OTHER_TENANT),
        endpoint=endpoint.name,
        provider=endpoint.provider,
        model=ModelName(endpoint.model),
    )


def change_price(platform: TestClient, endpoint: EndpointName) -> None:
    before = platform.get(f"{API}/endpoints/{endpoint}").json()
    answer = platform.patch(
        f"{API}/endpoints/{endpoint}",
        json={"price": {"currency": "CNY", "tiers": [{"input": "1000", "output": "1000"}]}},
        headers={"if-match": f'"{before["version"]}"'},
    )
    assert answer.status_code == 200, answer.text


def sums(control: Control) -> tuple[list[tuple[str | None, int]], list[tuple[str | None, int]]]:
    """Of the records and of the hours."""
    found = []
    with control.parts.store.read() as db:
        for table in (USAGE_RECORDS, USAGE_HOURLY):
            question = select(table.c.currency, func.sum(table.c.cost_nano)).group_by(table.c.currency)
            found.append(sorted((row[0], int(row[1])) for row in db.execute(question)))
    return found[0], found[1]


def test_a_dry_run_shows_what_the_run_then_does_once(control: Control, platform: TestClient) -> None:
    endpoint = imported(control, 6)
    change_price(platform, endpoint)
    body = {**SPAN, "dry_run": True}
    before = sums(control)
    dry = platform.post(URL, json=body).json()
    assert sums(control) == before
    assert (dry["examined"], dry["changed"], dry["kept"], dry["next_cursor"]) == (6, 6, 0, None)
    (told,) = dry["endpoints"]
    assert (told["endpoint"], told["records"]) == (endpoint, 6)
    # 1,200 tokens in and 345 out, six times.
    assert told["after"] == {"cost": {"CNY": "9.27"}, "list": {"CNY": "9.27"}, "unpriced": 0}
    assert told["before"]["unpriced"] == 0

    assert platform.post(URL, json=SPAN).json() == dry
    assert sums(control) == ([("CNY", 9_270_000_000)], [("CNY", 9_270_000_000)])
    again = platform.post(URL, json=SPAN).json()
    assert (again["examined"], again["changed"], again["endpoints"]) == (6, 0, [])
    (line,) = platform.get(f"{API}/audit?action=usage.reprice").json()["data"]
    assert line["changes"]["records"] == 6
    assert line["changes"]["cost"]["to"] == {"CNY": "9.27"}
    assert line["changes"]["cost"]["from"] == told["before"]["cost"]


def test_a_discount_for_the_past(control: Control, platform: TestClient) -> None:
    endpoint = imported(control, 6)
    discount = {"factor": "0.5", "since": "2025-01-01T00:00:00Z"}
    assert platform.post(f"{API}/discounts?tenant={OTHER_TENANT}", json=discount).status_code == 201
    answer = platform.post(f"{URL}?tenant={OTHER_TENANT}", json=SPAN).json()
    assert (answer["examined"], answer["changed"]) == (3, 3)
    (told,) = answer["endpoints"]
    assert told["endpoint"] == endpoint
    assert told["before"]["list"] == told["after"]["list"] == told["before"]["cost"]
    (currency,) = told["before"]["cost"]
    assert float(told["after"]["cost"][currency]) == pytest.approx(
        float(told["before"]["cost"][currency]) / 2
    )
    assert platform.post(URL, json=SPAN).json()["changed"] == 0


def test_the_cursor_leads_through_all_of_them(
    control: Control, platform: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "BATCH", 2)
    monkeypatch.setattr(room, "_MOST_BATCHES", 2)
    change_price(platform, imported(control, 11))
    body: Json = dict(SPAN)
    examined: list[int] = []
    while True:
        answer = platform.post(URL, json=body).json()
        examined.append(answer["examined"])
        body["cursor"] = answer["next_cursor"]
        if answer["next_cursor"] is None:
            break
    assert examined == [4, 4, 3]
    records, hours = sums(control)
    assert records == hours == [("CNY", 11 * 1_545_000_000)]
    assert platform.get(f"{API}/audit?action=usage.reprice").json()["total"] == 6


def test_back_to_a_version_that_was_before(control: Control, platform: TestClient) -> None:
    endpoint = imported(control, 4)
    (version,) = platform.get(f"{API}/price-versions").json()["data"]
    before = sums(control)
    change_price(platform, endpoint)
    platform.post(URL, json=SPAN)
    assert sums(control) != before
    body = {**SPAN, "version": version["version"], "endpoint": endpoint}
    answer = platform.post(URL, json=body).json()
    assert answer["changed"] == 4
    assert sums(control) == before


@pytest.mark.parametrize(
    ("tenant", "body", "status", "code"),
    [
        ("", {**SPAN, "version": "none", "endpoint": "a"}, 404, "PRICE_VERSION_NOT_FOUND"),
        ("?tenant=nobody", SPAN, 404, "TENANT_NOT_FOUND"),
        ("", {"since": "yesterday"}, 422, "INVALID_REQUEST"),
        ("", {**SPAN, "cursor": "x"}, 422, "INVALID_REQUEST"),
        ("", {}, 422, "INVALID_REQUEST"),
        ("", {"since": "0001-01-01T00:00:00+14:00"}, 422, "INVALID_REQUEST"),
        ("", {**SPAN, "until": "9999-12-31T23:59:59-14:00"}, 422, "INVALID_REQUEST"),
    ],
)
def test_what_cannot_be_done_is_refused(
    platform: TestClient, tenant: str, body: Json, status: int, code: str
) -> None:
    answer = platform.post(f"{URL}{tenant}", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_version_needs_its_endpoint(control: Control, platform: TestClient) -> None:
    imported(control, 1)
    (version,) = platform.get(f"{API}/price-versions").json()["data"]
    answer = platform.post(URL, json={**SPAN, "version": version["version"]})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"][0]["path"] == "endpoint"


def test_without_an_end_it_is_about_calls_until_now(control: Control, platform: TestClient) -> None:
    imported(control, 3)
    body = {"since": SPAN["since"]}
    control.clock.advance(1_750_000_001.5 - control.clock.wall_s())
    assert platform.post(URL, json=body).json()["examined"] == 2


def test_only_who_runs_the_installation_may(admin: TestClient, member: TestClient) -> None:
    assert admin.post(URL, json=SPAN).status_code == 403
    assert member.post(URL, json=SPAN).status_code == 403
