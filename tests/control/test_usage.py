"""Usage through the API: what is shown is what was imported, to the nano-unit, and only to whom it belongs."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs
from starlette.testclient import TestClient
from tests.support.control import API, OTHER_TENANT, Control
from tests.support.control_answers import code
from tests.support.records import typical_record
from tests.support.usage import BEGIN_S, calls_of, varied

from aimesh.core.ids import KeyId, RequestId, TenantId, UserId
from aimesh.core.money import Currency
from aimesh.core.outcome import Outcome
from aimesh.core.priced import Priced
from aimesh.core.record import AttemptRecord
from aimesh.store.people import Role
from aimesh.store.usage_import import Beside, Progress, import_usage, prepared
from aimesh.store.usage_rows import Metered

# JSON of answers.
Json = dict[str, Any]

URL = f"{API}/usage"
DAYS = {"since": "2025-06-14", "until": "2025-06-19"}
"""All of the days of ``varied``."""


def some(control: Control, count: int = 120) -> list[Metered]:
    """Of two tenants, every third over a credential of the tenant's own."""
    several = []
    for number in range(count):
        one = varied(number, tenant="default" if number % 4 else OTHER_TENANT)
        if number % 3 == 0:
            one = structs.replace(one, record=structs.replace(one.record, credential="byok:1"))
        several.append(one)
    import_usage(control.parts.store, prepared(several, beside=Beside(users={"usr-1": "ann"})))
    return several


def nano(amount: str) -> int:
    return int(Decimal(amount).scaleb(9))


def cost(several: list[Metered], currency: Currency) -> int:
    return sum(one.priced.cost_nano for one in several if one.priced and one.priced.currency is currency)


def tokens(several: list[Metered]) -> int:
    return sum(one.record.usage.input_tokens + one.record.usage.output_tokens for one in several)


def get(client: TestClient, path: str, query: dict[str, str | int] | None = None) -> Json:
    answer = client.get(f"{URL}/{path}", params={**DAYS, **(query or {})})
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def test_the_cards_add_up(control: Control, platform: TestClient) -> None:
    several = some(control)
    byok = [one for one in several if one.record.credential == "byok:1"]
    told = get(platform, "summary")
    assert told["tokens"]["total"] == tokens(several)
    assert told["tokens"]["byok"] == tokens(byok)
    assert told["tokens"]["system"] == tokens(several) - tokens(byok)
    calls = calls_of(several)
    assert told["requests"]["total"] == len(calls)
    failed = sum(one.record.outcome is Outcome.UPSTREAM_FAILED for one in calls)
    assert told["requests"]["failed"] == failed
    assert told["requests"]["failure_rate"] == round(100 * failed / len(calls), 2)
    for currency in Currency:
        assert nano(told["cost"]["total"][currency]) == cost(several, currency)
        assert nano(told["cost"]["byok"][currency]) == cost(byok, currency)
    assert told["tokens"]["change"] is None
    assert told["requests"]["success_rate_change"] is None
    assert told["cost"]["change"] == {"CNY": None, "USD": None}
    priced = [one for one in several if one.priced and one.priced.currency is Currency.CNY]
    assert nano(told["average"]["total"]["CNY"]) == round(
        cost(several, Currency.CNY) * 1_000_000 / tokens(priced)
    )


def test_changes_are_against_the_same_length_before(control: Control, platform: TestClient) -> None:
    once = [structs.replace(varied(number), priced=None) for number in range(30)]
    shifted = [
        structs.replace(
            one,
            record=structs.replace(
                one.record, id=f"{one.record.id}-later-{place}", at=one.record.at + 10 * 86_400
            ),
        )
        for one in once
        for place in range(3)
    ]
    import_usage(control.parts.store, prepared([*once, *shifted]))
    span = {"since": "2025-06-24", "until": "2025-07-03"}
    told = platform.get(f"{URL}/summary", params=span).json()
    assert told["before"] == "2025-06-13T16:00:00Z"
    assert told["requests"]["total"] == 3 * len(calls_of(once))
    assert told["requests"]["change"] == 200.0
    assert told["tokens"]["change"] == 200.0
    assert told["requests"]["success_rate_change"] == 0.0


def test_days_are_those_of_the_time_zone_and_none_is_left_out(control: Control, platform: TestClient) -> None:
    several = some(control)
    told = get(platform, "trend", {"metric": "requests"})
    assert told["starts"][0] == "2025-06-13T16:00:00Z"
    assert len(told["starts"]) == 6
    assert [one["name"] for one in told["series"]] == ["system", "byok"]
    shown = [sum(values) for values in zip(*(one["values"] for one in told["series"]), strict=True)]
    begin_s = 1_749_830_400
    assert shown == [
        sum(
            begin_s + day * 86_400 <= one.record.at < begin_s + (day + 1) * 86_400
            for one in calls_of(several)
        )
        for day in range(6)
    ]


def test_a_trend_by_model_adds_up_for_each_currency(control: Control, platform: TestClient) -> None:
    several = some(control)
    told = get(platform, "trend", {"metric": "cost", "grain": "hour", "by": "model"})
    assert len(told["starts"]) == 6 * 24
    assert {one["name"] for one in told["series"]} == {one.record.model for one in several}
    for currency in Currency:
        amounts = [nano(amount) for one in told["series"] for amount in one["costs"].get(currency, [])]
        assert sum(amounts) == cost(several, currency)


def test_models_that_are_too_many_are_one_line_together(control: Control, platform: TestClient) -> None:
    several = [
        structs.replace(one, record=structs.replace(one.record, model=f"vendor/{place % 13:02d}"))
        for place, one in enumerate(map(varied, range(60)))
    ]
    import_usage(control.parts.store, prepared(several))
    told = get(platform, "trend", {"by": "model"})
    assert len(told["series"]) == 11
    assert told["series"][-1]["name"] == ""
    assert sum(sum(one["values"]) for one in told["series"]) == tokens(several)


@pytest.mark.parametrize("by", ["model", "key", "user", "provider", "tenant"])
@pytest.mark.parametrize("metric", ["tokens", "requests", "cost"])
def test_the_greatest_come_first_and_the_rest_is_told(
    control: Control, platform: TestClient, by: str, metric: str
) -> None:
    several = some(control)
    told = get(platform, "top", {"by": by, "metric": metric, "limit": 1})
    rows = get(platform, "top", {"by": by, "metric": metric})["data"]
    amounts = [
        nano(row["cost"].get(told["currency"], "0")) if metric == "cost" else row[metric] for row in rows
    ]
    assert amounts == sorted(amounts, reverse=True)
    assert told["data"] == rows[:1]
    assert told["data"][0]["requests"] + told["others"]["requests"] == len(calls_of(several))
    assert sum(row["share"] for row in rows) == pytest.approx(100, abs=0.1)


def test_things_are_shown_by_their_names(control: Control, platform: TestClient) -> None:
    several = some(control)
    users = {row["id"]: row["name"] for row in get(platform, "top", {"by": "user"})["data"]}
    assert users == {"": "", "usr-1": "ann"}
    keys = get(platform, "top", {"by": "key"})["data"]
    assert {row["name"] for row in keys} == {one.record.key_alias for one in several}
    rows = get(platform, "breakdown", {"by": "user"})["data"]
    assert {row["username"] for row in rows} == {"", "ann"}


@pytest.mark.parametrize("by", ["model", "tenant", "key", "user", "details"])
@pytest.mark.parametrize("grain", ["whole", "day", "hour"])
def test_pages_of_a_table_have_everything_once(
    control: Control, platform: TestClient, by: str, grain: str
) -> None:
    several = some(control)
    rows: list[Json] = []
    cursor: str | None = ""
    while cursor is not None:
        query: dict[str, str | int] = {"by": by, "grain": grain, "limit": 17}
        told = get(platform, "breakdown", query | ({"cursor": cursor} if cursor else {}))
        assert len(told["data"]) <= 17
        rows += told["data"]
        cursor = told["next_cursor"]
    assert sum(row["requests"] for row in rows) == len(calls_of(several))
    assert sum(row["tokens"] for row in rows) == tokens(several)
    for currency in Currency:
        assert sum(nano(row["cost"].get(currency, "0")) for row in rows) == cost(several, currency)
    starts = [row["start"] for row in rows]
    if grain == "whole":
        assert set(starts) == {None}
    else:
        assert starts == sorted(starts, reverse=True)
    names = [
        tuple(str(row[name]) for name in ("start", "tenant", "model", "endpoint", "key", "user", "source", "kind",
                                          "labels"))
        for row in rows
    ]  # fmt: skip
    assert len(set(names)) == len(names)


def test_filters_are_the_same_everywhere(control: Control, platform: TestClient) -> None:
    several = some(control)
    cases: list[tuple[dict[str, str | int], Callable[[Metered], bool]]] = [
        ({"tenant": OTHER_TENANT}, lambda one: one.record.tenant == OTHER_TENANT),
        ({"key": "default-key-1"}, lambda one: one.record.key_id == "default-key-1"),
        ({"key": "team-search"}, lambda one: one.record.key_alias == "team-search"),
        ({"user": "ann"}, lambda one: one.user == "usr-1"),
        ({"model": "default/model-1"}, lambda one: one.record.model == "default/model-1"),
        ({"label": "team=red"}, lambda one: one.record.labels.get("team") == "red"),
        ({"source": "byok"}, lambda one: one.record.credential == "byok:1"),
        ({"provider": "absent"}, lambda one: False),
    ]
    for query, fits in cases:
        fitting = [one for one in several if fits(one)]
        count = len(calls_of(fitting))
        assert get(platform, "summary", query)["requests"]["total"] == count, query
        trend = get(platform, "trend", {**query, "metric": "requests"})
        assert sum(sum(one["values"]) for one in trend["series"]) == count
        assert sum(row["requests"] for row in get(platform, "breakdown", query)["data"]) == count
        rows = get(platform, "calls", {**query, "limit": 200})["data"]
        assert len(rows) == len(fitting)
        assert sum(row["operation"] != "settle_task" for row in rows) == count


def test_people_see_what_is_theirs(control: Control, admin: TestClient, other_admin: TestClient) -> None:
    person = control.person("mine", Role.MEMBER)
    own = [structs.replace(varied(number), user=UserId(person.id)) for number in range(5)]
    others = [structs.replace(varied(number), user=UserId("usr-1")) for number in range(5, 20)]
    foreign = [varied(number, tenant=OTHER_TENANT) for number in range(7)]
    import_usage(control.parts.store, prepared([*own, *others, *foreign]))
    member = control.client(person)
    for client, theirs in ((member, own), (admin, [*own, *others]), (other_admin, foreign)):
        count = len(calls_of(theirs))
        assert get(client, "summary")["requests"]["total"] == count
        assert sum(row["requests"] for row in get(client, "breakdown", {"by": "key"})["data"]) == count
        assert len(get(client, "calls", {"limit": 200})["data"]) == len(theirs)
    assert get(member, "summary", {"user": "usr-1"})["requests"]["total"] == 0
    assert get(member, "summary", {"key": others[0].record.key_alias})["requests"]["total"] == len(
        calls_of(own)
    )
    for one, status in ((own[0], 200), (others[0], 404), (foreign[0], 404)):
        assert member.get(f"{URL}/calls/{one.record.id}").status_code == status
    assert admin.get(f"{URL}/calls/{others[0].record.id}").status_code == 200
    assert code(admin.get(f"{URL}/calls/{foreign[0].record.id}")) == (404, "CALL_NOT_FOUND")
    assert code(member.get(f"{URL}/summary", params={"tenant": OTHER_TENANT})) == (404, "TENANT_NOT_FOUND")


def test_how_far_the_numbers_are_is_told(control: Control, member: TestClient) -> None:
    assert member.get(f"{URL}/status").json()["updated_at"] is None
    now_s = control.clock.wall_s()
    for node, at_s in (("a", now_s - 5.0), ("b", now_s - 30.0), ("gone", now_s - 5 * 86_400)):
        import_usage(control.parts.store, prepared([]), Progress(node, done_at_s=at_s))
    told = member.get(f"{URL}/status").json()
    assert told["lag_s"] == 30.0
    assert [one["node"] for one in told["nodes"]] == ["a", "b", "gone"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("summary", {"since": "yesterday"}),
        ("summary", {"since": "2025-02-30"}),
        ("summary", {"since": "0001-01-01"}),
        ("summary", {"since": "2025-06-20", "until": "2025-06-19"}),
        ("summary", {"since": "2015-06-20", "until": "2025-06-19"}),
        ("trend", {"grain": "hour", "since": "2025-01-01", "until": "2025-12-31"}),
        ("breakdown", {"cursor": "WzFlOTksMF0"}),
        ("breakdown", {"cursor": "x"}),
        ("calls", {"cursor": "x"}),
        ("calls", {"label": "team"}),
        ("top", {"by": "outcome"}),
        ("export", {"view": "trend", "by": "key"}),
        ("export", {"view": "trend", "grain": "whole"}),
        ("export", {"view": "trend", "grain": "hour", "since": "2025-01-01", "until": "2025-12-31"}),
        ("export", {"view": "breakdown", "by": "source"}),
    ],
)
def test_what_cannot_be_answered_is_refused(admin: TestClient, path: str, query: dict[str, str]) -> None:
    assert code(admin.get(f"{URL}/{path}", params=query)) == (422, "INVALID_REQUEST")


def test_a_call_tells_every_attempt(control: Control, admin: TestClient) -> None:
    import_usage(control.parts.store, prepared([varied_with_attempts()]))
    told = admin.get(f"{URL}/calls/tried").json()
    assert [one["error"] for one in told["attempts"]] == ["connection refused", ""]
    assert told["ttft_ms"] == 412.25
    assert told["cost"] == "0.000000007"
    assert told["list"] == "0.000000009"
    (listed,) = admin.get(f"{URL}/calls", params={**DAYS, "request_id": "tried"}).json()["data"]
    assert listed == told


def varied_with_attempts() -> Metered:
    record = typical_record()
    first = AttemptRecord(record.endpoint, record.credential, 0.1, 3.5, 0, "connection refused")
    record = structs.replace(
        record, id=RequestId("tried"), at=BEGIN_S, key_id=KeyId("k"), tenant=TenantId("default"),
        attempts=(first, *record.attempts),
    )  # fmt: skip
    return Metered(record, UserId(""), "chat", Priced(7, 9, Currency.CNY, "0123456789ab"))
