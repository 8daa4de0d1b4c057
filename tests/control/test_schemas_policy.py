"""Routes and limits: what is given is taken again, and amounts are exact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aimesh.control.schemas_policy import (
    LimitsBody,
    QuotaBody,
    RouteBody,
    shown_amount,
    shown_limits,
    shown_quota,
    shown_route,
)
from aimesh.core.ids import ProviderId
from aimesh.core.policy import Limits, Period, Quota, RankBy, Route, RouteMode, Unit

AMOUNTS = st.integers(1, 1 << 62)
QUOTAS = st.builds(Quota, unit=st.sampled_from(Unit), period=st.sampled_from(Period), limit=AMOUNTS)


@given(QUOTAS)
def test_a_quota_comes_back_as_it_was(quota: Quota) -> None:
    body = QuotaBody.model_validate_json(shown_quota(quota).model_dump_json())
    assert body.value() == quota


@given(st.lists(QUOTAS, max_size=12, unique_by=lambda quota: (quota.unit, quota.period)), st.none() | AMOUNTS)
def test_limits_come_back_as_they_were(quotas: list[Quota], count: int | None) -> None:
    limits = Limits(quotas=tuple(quotas), rpm=count, tpm=count, concurrency=count)
    body = LimitsBody.model_validate_json(shown_limits(limits).model_dump_json())
    assert body.value() == limits


def test_a_route_comes_back_as_it_was() -> None:
    route = Route(
        mode=RouteMode.PROVIDER,
        rank_by=RankBy.LATENCY,
        providers=(ProviderId("b"), ProviderId("a")),
        credentials=("two", "one"),
        tiers={ProviderId("a"): -3},
        weights={ProviderId("b"): 7},
        affinity=False,
    )
    assert RouteBody.model_validate_json(shown_route(route).model_dump_json()).value() == route
    assert RouteBody().value() == Route()


@pytest.mark.parametrize(
    ("unit", "amount", "shown"),
    [
        (Unit.TOKENS, 5, 5),
        (Unit.CNY, 100_500_000_000, "100.5"),
        (Unit.USD, 1, "0.000000001"),
        (Unit.CNY, 0, "0"),
    ],
)
def test_amounts_as_people_read_them(unit: Unit, amount: int, shown: int | str) -> None:
    assert shown_amount(unit, amount) == shown


@pytest.mark.parametrize(("unit", "limit", "amount"), [("tokens", "12", 12), ("CNY", 3, 3_000_000_000)])
def test_amounts_in_the_other_spelling(unit: str, limit: str | int, amount: int) -> None:
    body = QuotaBody.model_validate({"unit": unit, "period": "daily", "limit": limit})
    assert body.value().limit == amount


@pytest.mark.parametrize(
    "limit", ["0", "0.0", "4611686018.427387905", "9" * 30, "-1", "1,5", "", "٣", -1, 0, 1.5, True, None]
)
def test_amounts_that_are_refused(limit: object) -> None:
    with pytest.raises(ValidationError):
        QuotaBody.model_validate({"unit": "CNY", "period": "daily", "limit": limit})


@pytest.mark.parametrize(
    "route",
    [
        {"mode": "provider"},
        {"mode": "provider", "providers": ["a", "a"]},
        {"mode": "byok", "credentials": ["a", "a"]},
        {"providers": ["a\x00"]},
        {"weights": {"a": 0}},
        {"tiers": {"a": 1001}},
        {"mode": "any"},
        {"rank_by": "luck"},
        {"provider": ["a"]},
    ],
)
def test_routes_that_are_refused(route: object) -> None:
    with pytest.raises(ValidationError):
        RouteBody.model_validate(route)
