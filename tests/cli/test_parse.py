from datetime import UTC, datetime
from typing import Any

import pytest

from aimesh.cli import parse
from aimesh.cli.faults import Misused
from aimesh.core.policy import RankBy, RouteMode

NOW_S = 1_750_000_000.0


def tokens(period: str, limit: int) -> dict[str, object]:
    return {"unit": "tokens", "period": period, "limit": limit}


@pytest.mark.parametrize(
    ("periods", "quotas", "budgets", "expected"),
    [
        ([], [], [], []),
        (["daily"], ["100"], [], [tokens("daily", 100)]),
        (["daily", "total"], ["100", "9_000"], [], [tokens("daily", 100), tokens("total", 9000)]),
        ([], ["weekly:1,000"], [], [tokens("weekly", 1000)]),
        (["monthly"], ["daily:5", "7"], [], [tokens("daily", 5), tokens("monthly", 7)]),
        ([], [], ["monthly:100CNY"], [{"unit": "CNY", "period": "monthly", "limit": "100"}]),
        ([], [], ["total:0.5 usd"], [{"unit": "USD", "period": "total", "limit": "0.5"}]),
    ],
)
def test_quotas_and_budgets(
    periods: list[str], quotas: list[str], budgets: list[str], expected: list[object]
) -> None:
    assert parse.read_quotas(periods, quotas, budgets) == expected


@pytest.mark.parametrize(
    ("periods", "quotas", "budgets", "says"),
    [
        ([], ["100"], [], "--quota daily:100"),
        (["daily"], [], [], "--quota daily:100000"),
        (["daily", "weekly"], ["1"], [], "--period weekly"),
        (["hourly"], ["1"], [], "daily, weekly, monthly, total"),
        ([], ["daily:0"], [], "no number"),
        ([], ["daily:-1"], [], "no number"),
        ([], ["daily:ten"], [], "no number"),
        ([], ["daily:1", "daily:2"], [], "at most one"),
        ([], [], ["100CNY"], "monthly:100CNY"),
        ([], [], ["monthly:100EUR"], "CNY, USD"),
        ([], [], ["monthly:CNY"], "monthly:100CNY"),
    ],
)
def test_a_quota_that_cannot_be_read_says_what_can(
    periods: list[str], quotas: list[str], budgets: list[str], says: str
) -> None:
    with pytest.raises(Misused) as caught:
        parse.read_quotas(periods, quotas, budgets)
    assert says in caught.value.message


def test_routes() -> None:
    def route(
        mode: RouteMode | None = None,
        providers: tuple[str, ...] = (),
        credentials: tuple[str, ...] = (),
        rank_by: RankBy | None = None,
    ) -> object:
        return parse.read_route(mode=mode, providers=providers, credentials=credentials, rank_by=rank_by)

    assert route() is None
    assert route(rank_by=RankBy.LATENCY) == {"mode": "default", "rank_by": "latency"}
    assert route(RouteMode.DEFAULT, providers=("a",)) == {"mode": "default", "providers": ["a"]}
    assert route(RouteMode.PROVIDER, providers=("b", "a")) == {"mode": "provider", "providers": ["b", "a"]}
    assert route(RouteMode.BYOK, credentials=("k",)) == {"mode": "byok", "credentials": ["k"]}
    wrongs: tuple[dict[str, Any], ...] = (
        {"mode": RouteMode.PROVIDER},
        {"mode": RouteMode.BYOK},
        {"mode": RouteMode.BYOK, "credentials": ("k",), "providers": ("a",)},
        {"credentials": ("k",)},
        {"mode": RouteMode.PROVIDER, "providers": ("a",), "rank_by": RankBy.PRICE},
    )
    for wrong in wrongs:
        with pytest.raises(Misused):
            route(**wrong)


def test_words_labels_and_lengths_of_time() -> None:
    assert parse.read_words(["a,b", " c "]) == ["a", "b", "c"]
    assert parse.read_words(None) == []
    assert parse.read_labels(["team=search", "note=a=b", "empty="]) == {
        "team": "search",
        "note": "a=b",
        "empty": "",
    }
    with pytest.raises(Misused, match="team=search"):
        parse.read_labels(["team"])
    assert [parse.read_duration(text) for text in ("0", "90s", "30m", "24h", "7d", "0.5h")] == [
        0,
        90,
        1800,
        86_400,
        604_800,
        1800,
    ]
    for text in ("", "24", "h", "-1h", "1w"):
        with pytest.raises(Misused, match="24h"):
            parse.read_duration(text)


def test_times_end_as_utc() -> None:
    assert parse.read_expiry("", None, NOW_S) is None
    assert parse.read_expiry("", 1, NOW_S) == "2025-06-16T15:06:40Z"
    assert parse.read_expiry("2027-12-31T18:00+08:00", None, NOW_S) == "2027-12-31T10:00:00Z"
    local = datetime(2027, 12, 31).astimezone(UTC)
    assert parse.read_expiry("2027-12-31", None, NOW_S) == local.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert parse.read_moment("24h", NOW_S) == "2025-06-14T15:06:40Z"
    assert parse.read_moment("2025-06-14T00:00:00Z", NOW_S) == "2025-06-14T00:00:00Z"
    with pytest.raises(Misused, match="one of them"):
        parse.read_expiry("2027-12-31", 3, NOW_S)
    with pytest.raises(Misused, match="2027-12-31"):
        parse.read_expiry("next year", None, NOW_S)
    with pytest.raises(Misused, match="seven days ago"):
        parse.read_moment("yesterday", NOW_S)
