"""What each mode makes of one model at five providers, as a table; and what holds for every route."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.routes import (
    MESSAGES,
    MODEL,
    NOBODY,
    THEM,
    US,
    catalog_of,
    model_yaml,
    ranking_of,
    route,
    shape,
    supply_of,
    word,
    words,
)

from aimesh.core.ids import EndpointName
from aimesh.core.policy import RouteMode
from aimesh.routing.rank import reachable

KNOWN = catalog_of(
    {"alpha": 1, "beta": 2, "gamma": 2, "delta": None, "omega": 4},
    more=model_yaml(
        "test/off",
        "provider: alpha, interfaces: [open_ai], as: up, enabled: false",
        "provider: beta, interfaces: [open_ai]",
    ),
)
BUILT_IN = "alpha beta beta#2 gamma delta"
OURS = "beta+two beta+one omega+far alpha+mine delta+last"
"""Declared in no order; ``omega`` has no built-in credential."""
THEIRS = "alpha+mine gamma+theirs"
SUPPLY = supply_of(KNOWN, built_in=BUILT_IN, ours=OURS, theirs=THEIRS)

TABLE = [
    # Default: price, then the tenant's own before the built-in ones of the same provider.
    (NOBODY, {}, "alpha < [beta|beta#2, gamma] < delta"),
    (
        US,
        {},
        "alpha+mine alpha < [beta+one beta+two beta|beta#2, gamma] < omega+far < delta+last delta",
    ),
    (THEM, {}, "alpha+mine alpha < [beta|beta#2, gamma+theirs gamma] < delta"),
    (NOBODY, {"providers": ["delta", "alpha"]}, "alpha delta"),
    (US, {"providers": ["delta", "alpha"]}, "alpha+mine alpha delta+last delta"),
    (US, {"providers": ["nowhere"]}, ""),
    (NOBODY, {"tiers": {"alpha": 1, "delta": -1}}, "delta / [beta|beta#2, gamma] / alpha"),
    (NOBODY, {"tiers": {"gamma": 1}}, "alpha < beta|beta#2 < delta / gamma"),
    # Ranked by measurements: the same groups to begin with, kept because only a call knows the order.
    (NOBODY, {"rank_by": "latency", "providers": ["alpha", "delta"]}, "alpha < delta"),
    (NOBODY, {"rank_by": "throughput", "providers": ["alpha"]}, "alpha"),
    # Specified providers: the list is the order, prices and tiers say nothing.
    (NOBODY, {"mode": "provider", "providers": ["gamma", "alpha"]}, "gamma alpha"),
    (
        US,
        {"mode": "provider", "providers": ["omega", "beta", "alpha"], "tiers": {"omega": 9}},
        "omega+far < beta+one beta+two beta|beta#2 < alpha+mine alpha",
    ),
    (US, {"mode": "provider", "providers": ["alpha", "alpha"], "rank_by": "latency"}, "alpha+mine alpha"),
    (NOBODY, {"mode": "provider", "providers": ["omega", "nowhere"]}, ""),
    (NOBODY, {"mode": "provider"}, ""),
    # BYOK only: the list is the order, whatever their providers.
    (US, {"mode": "byok", "credentials": ["last", "mine", "two"]}, "delta+last alpha+mine beta+two"),
    (US, {"mode": "byok", "credentials": ["two", "gone", "two", "one"]}, "beta+two beta+one"),
    (US, {"mode": "byok"}, "alpha+mine beta+one beta+two omega+far delta+last"),
    (US, {"mode": "byok", "tiers": {"alpha": 1}}, "beta+one beta+two omega+far delta+last alpha+mine"),
    (US, {"mode": "byok", "credentials": ["gone"]}, ""),
    (US, {"mode": "byok", "credentials": ["theirs"]}, ""),
    (THEM, {"mode": "byok", "credentials": ["theirs", "mine", "one"]}, "gamma+theirs alpha+mine"),
    (NOBODY, {"mode": "byok"}, ""),
    (NOBODY, {"mode": "byok", "credentials": ["mine"]}, ""),
]


@pytest.mark.parametrize(("tenant", "members", "expected"), TABLE)
def test_the_order_of_a_route(tenant: Any, members: dict[str, Any], expected: str) -> None:
    ranking = ranking_of(SUPPLY, KNOWN, route(**members), tenant=tenant)
    assert shape(ranking) == expected


@pytest.mark.parametrize(
    ("tenant", "members", "expected"),
    [
        (NOBODY, {}, "beta|beta#2"),
        (US, {}, "beta+one beta+two beta|beta#2"),
        (US, {"mode": "byok"}, "beta+one beta+two"),
        (US, {"mode": "byok", "credentials": ["two", "mine"]}, "beta+two"),
        (US, {"mode": "provider", "providers": ["beta", "alpha"]}, "beta+one beta+two beta|beta#2"),
        (US, {"mode": "provider", "providers": ["alpha"]}, ""),
        (US, {"providers": ["alpha"]}, ""),
    ],
)
def test_a_pinned_endpoint_is_the_only_one_and_the_route_still_holds(
    tenant: Any, members: dict[str, Any], expected: str
) -> None:
    asked = f"beta@{MODEL}@open_ai"
    assert shape(ranking_of(SUPPLY, KNOWN, route(**members), tenant=tenant, asked=asked)) == expected


def test_a_pinned_endpoint_does_not_answer_over_another_interface() -> None:
    ranking = ranking_of(SUPPLY, KNOWN, route(), asked=f"beta@{MODEL}@open_ai", interface=MESSAGES)
    assert ranking.candidates == ()


def test_an_endpoint_that_cannot_be_called_is_in_no_ranking() -> None:
    for members in ({}, {"mode": "provider", "providers": ["alpha", "beta"]}, {"mode": "byok"}):
        for asked in ("test/off", "alpha@test/off@open_ai", "beta@test/off@open_ai"):
            assert ranking_of(SUPPLY, KNOWN, route(**members), asked=asked).candidates == ()
    listed = route(mode="byok", credentials=["mine", "one"])
    assert ranking_of(SUPPLY, KNOWN, listed, asked="alpha@test/off@open_ai").candidates == ()


def test_only_the_usual_mode_is_capped() -> None:
    modes = {mode: ranking_of(SUPPLY, KNOWN, _any_of(mode)).is_capped for mode in RouteMode}
    assert modes == {RouteMode.DEFAULT: True, RouteMode.PROVIDER: False, RouteMode.BYOK: False}


def _any_of(mode: RouteMode) -> Any:
    return route(mode=mode, providers=["alpha", "beta"] if mode is RouteMode.PROVIDER else [])


def test_weights_stand_at_their_stops() -> None:
    ranking = ranking_of(SUPPLY, KNOWN, route(weights={"gamma": 5}))
    (tier,) = ranking.tiers
    assert [group.weights for group in tier] == [(), (1, 5), (), ()]


PROVIDERS = ["alpha", "beta", "gamma", "delta", "omega", "nowhere"]
NAMES = ["mine", "one", "two", "far", "last", "theirs", "gone"]
ROUTES = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["default", "provider", "byok"]),
        "rank_by": st.sampled_from(["price", "latency", "throughput"]),
        "providers": st.lists(st.sampled_from(PROVIDERS), max_size=6),
        "credentials": st.lists(st.sampled_from(NAMES), max_size=6),
        "tiers": st.dictionaries(st.sampled_from(PROVIDERS), st.integers(-2, 2)),
        "weights": st.dictionaries(st.sampled_from(PROVIDERS), st.integers(1, 9)),
        "affinity": st.booleans(),
    }
)
CREDENTIALS = st.lists(st.sampled_from(BUILT_IN.split() + OURS.split()), unique=True)


def _may(members: dict[str, Any], word: str) -> bool:
    """Section by section of the rules, for one credential alone."""
    provider, plus, name = word.partition("+")
    provider = provider.partition("#")[0]
    match members["mode"]:
        case "byok":
            return bool(plus) and (not members["credentials"] or name in members["credentials"])
        case "provider":
            return provider in members["providers"]
        case _:
            return not members["providers"] or provider in members["providers"]


@given(ROUTES, CREDENTIALS)
def test_every_permitted_candidate_is_there_once_and_no_other(
    members: dict[str, Any], held: list[str]
) -> None:
    built_in, ours = (" ".join(w for w in held if ("+" in w) is own) for own in (False, True))
    supply = supply_of(KNOWN, built_in=built_in, ours=ours, theirs=THEIRS)
    given_route = route(**members)
    ranking = ranking_of(supply, KNOWN, given_route)
    assert sorted(map(word, ranking.candidates)) == sorted(w for w in held if _may(members, w))
    assert {candidate.tenant for candidate in ranking.candidates} <= {None, US}
    ranked = [one for tier in ranking.tiers for group in tier for stop in group.items for one in stop.whole]
    assert words(ranked) == (words(ranking.candidates) if ranking.tiers else "")
    providers = {candidate.endpoint.provider for candidate in ranking.candidates}
    assert reachable(given_route, supply.of(US).held) == providers


@given(ROUTES)
def test_a_tenants_own_credentials_are_for_nobody_else(members: dict[str, Any]) -> None:
    for tenant in (NOBODY, THEM):
        for candidate in ranking_of(SUPPLY, KNOWN, route(**members), tenant=tenant).candidates:
            assert candidate.tenant in (None, tenant)
            assert b"of us" not in candidate.head.reveal()
    for credential in SUPPLY.of(US).held.named.values():
        endpoint = EndpointName(f"{credential.provider}@{MODEL}@open_ai")
        assert SUPPLY.candidate(endpoint, credential.id, US) is not None
        assert SUPPLY.candidate(endpoint, credential.id, THEM) is None
