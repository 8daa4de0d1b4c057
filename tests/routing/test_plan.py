"""The order of attempts of single calls: equals, measurements, open circuits, the cap."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.routes import (
    CHAT,
    MODEL,
    NOBODY,
    US,
    catalog_of,
    ranking_of,
    route,
    supply_of,
    word,
    words,
)

from aimesh.core.ids import KeyId, TenantId
from aimesh.routing.breaker import Breakers
from aimesh.routing.candidate import Circuit
from aimesh.routing.draw import AFFINITY_BYTES
from aimesh.routing.measure import STALE_S, Measures
from aimesh.routing.plan import EQUAL, RANKED_S, Planner

KNOWN = catalog_of({"alpha": 1, "beta": 2, "gamma": 2, "delta": None, "omega": 4})
SUPPLY = supply_of(
    KNOWN, built_in="alpha beta beta#2 gamma delta", ours="beta+one beta+two omega+far alpha+mine"
)
LONG = b"p" * AFFINITY_BYTES


def circuit(name: str, tenant: TenantId = US) -> Circuit:
    provider, plus, own = name.partition("+")
    if plus:
        return f"{provider}@{MODEL}@{CHAT}", f"{tenant}:{own}"
    provider, _, number = name.partition("#")
    return f"{provider}@{MODEL}@{CHAT}", f"{provider}/{number or 'default'}"


class Desk:
    """A planner whose time and measurements the test sets."""

    def __init__(self, *, most: int = 20, seed: int = 1) -> None:
        self.breakers = Breakers()
        self.measures = Measures()
        self.planner = Planner(self.breakers, self.measures, random=Random(seed), most=most)
        self.now_s = 1000.0
        self.rankings: dict[str, Any] = {}

    def plan(
        self,
        *,
        tenant: TenantId = US,
        key: str = "k",
        body: bytes = b"",
        stream: bool = False,
        **members: Any,
    ) -> str:
        name = f"{tenant} {members}"
        if name not in self.rankings:
            self.rankings[name] = ranking_of(SUPPLY, KNOWN, route(**members), tenant=tenant)
        ranking = self.rankings[name]
        return words(self.planner.plan(ranking, key=KeyId(key), body=body, stream=stream, now_s=self.now_s))

    def opens(self, *names: str, for_s: float = 30.0) -> None:
        for name in names:
            self.breakers.of(circuit(name)).failed(self.now_s, for_s)

    def fed(self, stream: bool = False, **values: float) -> None:
        """Time to first byte; the pace is its inverse. ``beta__one`` is ``beta+one``, ``beta_2`` is ``beta#2``."""
        for name, value in values.items():
            self.measures.feed(
                circuit(name.replace("__", "+").replace("_", "#")),
                stream=stream,
                now_s=self.now_s,
                ttfb_s=value,
                tokens_per_s=100 / value,
            )
        self.now_s += RANKED_S


def test_equals_take_turns_and_the_rest_stays() -> None:
    desk = Desk()
    seen = Counter(desk.plan(tenant=NOBODY) for _ in range(400))
    assert set(seen) == {
        "alpha beta beta#2 gamma delta",
        "alpha beta#2 beta gamma delta",
        "alpha gamma beta beta#2 delta",
        "alpha gamma beta#2 beta delta",
    }
    assert min(seen.values()) > 60


def test_a_weight_is_a_share() -> None:
    desk = Desk()
    firsts = Counter(desk.plan(tenant=NOBODY, weights={"gamma": 3}).split()[1] for _ in range(1000))
    assert 700 < firsts["gamma"] < 800


def test_own_credentials_never_take_turns() -> None:
    desk = Desk()
    orders = {desk.plan(mode="provider", providers=["beta", "alpha"]) for _ in range(100)}
    rest = "alpha+mine alpha"
    assert orders == {
        f"beta+one beta+two beta beta#2 {rest}",
        f"beta+one beta+two beta#2 beta {rest}",
    }


def test_a_long_prompt_keeps_its_endpoint() -> None:
    desk = Desk()
    other = Desk(seed=99)
    for number in range(20):
        body = LONG + b"%d" % number
        assert desk.plan(tenant=NOBODY, body=body) == other.plan(tenant=NOBODY, body=LONG)
    ways = {desk.plan(tenant=NOBODY, body=b"%d" % number + LONG) for number in range(100)}
    assert len(ways) == 4
    keys = {desk.plan(tenant=NOBODY, body=LONG, key=f"key-{number}") for number in range(100)}
    assert len(keys) == 4


def test_a_short_prompt_or_a_route_without_affinity_is_diced() -> None:
    desk = Desk()
    assert len({desk.plan(tenant=NOBODY, body=LONG[1:]) for _ in range(100)}) == 4
    assert len({desk.plan(tenant=NOBODY, body=LONG, affinity=False) for _ in range(100)}) == 4


def test_the_cap_is_for_the_usual_mode() -> None:
    desk = Desk(most=2)
    assert desk.plan() == "alpha+mine alpha"
    assert (
        desk.plan(mode="provider", providers=["alpha", "omega", "delta"])
        == "alpha+mine alpha omega+far delta"
    )
    assert desk.plan(mode="byok") == "alpha+mine beta+one beta+two omega+far"
    listed = ["far", "two", "mine"]
    assert desk.plan(mode="byok", credentials=listed) == "omega+far beta+two alpha+mine"


def test_open_circuits_go_to_the_end_before_the_cap() -> None:
    desk = Desk(most=2)
    desk.opens("alpha+mine")
    assert desk.plan(providers=["alpha", "omega"]) == "alpha omega+far"
    desk.opens("alpha", "omega+far")
    assert desk.plan(providers=["alpha", "omega"]) == "alpha+mine alpha"


@pytest.mark.parametrize(
    ("members", "closed", "opened"),
    [
        ({"providers": ["alpha", "delta"]}, "alpha+mine alpha delta", "alpha delta alpha+mine"),
        (
            {"mode": "provider", "providers": ["omega", "alpha"]},
            "omega+far alpha+mine alpha",
            "alpha omega+far alpha+mine",
        ),
        (
            {"mode": "byok", "credentials": ["far", "mine", "one"]},
            "omega+far alpha+mine beta+one",
            "beta+one omega+far alpha+mine",
        ),
        (
            {"mode": "byok", "providers": []},
            *["alpha+mine beta+one beta+two omega+far"] * 1,
            "beta+one beta+two alpha+mine omega+far",
        ),
        (
            {"rank_by": "latency", "providers": ["alpha", "delta"]},
            "alpha+mine alpha delta",
            "alpha delta alpha+mine",
        ),
    ],
)
def test_open_circuits_go_to_the_end_in_every_mode_and_come_back(
    members: dict[str, Any], closed: str, opened: str
) -> None:
    desk = Desk()
    assert desk.plan(**members) == closed
    desk.opens("alpha+mine", "omega+far")
    assert desk.plan(**members) == opened
    desk.now_s += 31
    assert desk.plan(**members) == closed


THREE: dict[str, Any] = {"providers": ["alpha", "gamma", "delta"]}


def test_what_was_never_measured_is_tried_first_in_order_of_price() -> None:
    desk = Desk()
    fast: dict[str, Any] = {"rank_by": "latency", "tenant": NOBODY, **THREE}
    assert desk.plan(**fast) == "alpha gamma delta"
    desk.fed(alpha=0.1)
    assert desk.plan(**fast) == "gamma delta alpha"
    desk.fed(gamma=0.05)
    assert desk.plan(**fast) == "delta gamma alpha"
    desk.fed(delta=0.01)
    assert desk.plan(**fast) == "delta gamma alpha"
    desk.now_s += STALE_S
    desk.fed(delta=0.01)
    assert desk.plan(**fast) == "alpha gamma delta"


def test_latency_and_throughput_rank_by_their_own() -> None:
    desk = Desk()
    for name, ttfb_s, pace in (("alpha", 0.1, 10), ("gamma", 0.2, 30), ("delta", 0.3, 20)):
        desk.measures.feed(circuit(name), stream=True, now_s=desk.now_s, ttfb_s=ttfb_s, tokens_per_s=pace)
    assert desk.plan(rank_by="latency", tenant=NOBODY, stream=True, **THREE) == "alpha gamma delta"
    assert desk.plan(rank_by="throughput", tenant=NOBODY, stream=True, **THREE) == "gamma delta alpha"
    # Whole calls were not measured: the order of price.
    assert desk.plan(rank_by="throughput", tenant=NOBODY, **THREE) == "alpha gamma delta"


def test_values_near_the_best_are_equal_and_those_of_the_next_are_near_the_next() -> None:
    desk = Desk()
    fast: dict[str, Any] = {"rank_by": "latency", "tenant": NOBODY, **THREE}
    desk.fed(alpha=0.1 * EQUAL * EQUAL * 0.999, gamma=0.1 * EQUAL * 0.999, delta=0.1)
    # alpha is near gamma, and not near the best.
    assert {desk.plan(**fast) for _ in range(60)} == {"delta gamma alpha", "gamma delta alpha"}
    desk = Desk()
    desk.fed(alpha=0.1 * EQUAL * EQUAL, gamma=0.1 * EQUAL * 1.001, delta=0.1)
    assert {desk.plan(**fast) for _ in range(60)} == {"delta gamma alpha", "delta alpha gamma"}


def test_tiers_stand_above_measurements() -> None:
    desk = Desk()
    desk.fed(alpha=0.1, gamma=0.2, delta=0.3)
    assert (
        desk.plan(rank_by="latency", tenant=NOBODY, tiers={"alpha": 2, "gamma": 1}, **THREE)
        == "delta gamma alpha"
    )


def test_an_endpoint_is_worth_what_would_be_tried_there_first() -> None:
    desk = Desk()
    two: dict[str, Any] = {"rank_by": "latency", "providers": ["alpha", "beta"]}
    desk.fed(alpha__mine=0.5, alpha=0.01, beta__one=0.2, beta__two=0.9, beta=0.9, beta_2=0.9)
    assert desk.plan(**two).startswith("beta+one beta+two")
    desk.opens("beta+one")
    desk.now_s += RANKED_S
    assert desk.plan(**two).startswith("alpha+mine alpha beta+two")
    desk.opens("alpha+mine", "beta+two")
    desk.now_s += RANKED_S
    assert desk.plan(**two).startswith("alpha ")
    # Of built-in ones, which share the load, the best known.
    desk.fed(beta_2=0.0001)
    assert desk.plan(**two, tenant=NOBODY).startswith("alpha beta")


def test_a_ranking_by_measurement_holds_for_a_moment() -> None:
    desk = Desk()
    fast: dict[str, Any] = {"rank_by": "latency", "tenant": NOBODY, **THREE}
    desk.fed(alpha=0.1, gamma=0.2, delta=0.3)
    assert desk.plan(**fast) == "alpha gamma delta"
    for _ in range(50):
        desk.measures.feed(circuit("delta"), stream=False, now_s=desk.now_s, ttfb_s=0.001, tokens_per_s=None)
    assert desk.plan(**fast) == "alpha gamma delta"
    desk.now_s += RANKED_S
    assert desk.plan(**fast) == "delta alpha gamma"


def test_equals_by_measurement_are_shared_by_weight_and_kept_by_prompt() -> None:
    desk = Desk()
    fast: dict[str, Any] = {"rank_by": "latency", "tenant": NOBODY, "weights": {"gamma": 9}, **THREE}
    desk.fed(alpha=0.1, gamma=0.1, delta=0.1)
    firsts = Counter(desk.plan(**fast).split()[0] for _ in range(1000))
    assert 750 < firsts["gamma"] < 880
    assert len({desk.plan(**fast, body=LONG) for _ in range(30)}) == 1


WORDS = ["alpha", "beta", "beta#2", "gamma", "delta", "alpha+mine", "beta+one", "beta+two", "omega+far"]


@given(
    st.sampled_from(["price", "latency", "throughput"]),
    st.sampled_from(["default", "byok"]),
    st.dictionaries(st.sampled_from(WORDS), st.floats(0.001, 10)),
    st.sets(st.sampled_from(WORDS)),
    st.binary(max_size=8),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_a_plan_is_an_order_of_the_ranking_and_determined(
    rank_by: str,
    mode: str,
    paces: dict[str, float],
    opened: set[str],
    start: bytes,
    is_long: bool,
    seed: int,
) -> None:
    def planned() -> str:
        desk = Desk(seed=seed)
        for name, value in paces.items():
            desk.measures.feed(circuit(name), stream=False, now_s=900, ttfb_s=value, tokens_per_s=1 / value)
        desk.opens(*opened)
        return desk.plan(mode=mode, rank_by=rank_by, body=start + LONG if is_long else start)

    found = planned()
    assert planned() == found
    order = found.split()
    whole = ranking_of(SUPPLY, KNOWN, route(mode=mode, rank_by=rank_by)).candidates
    assert sorted(order) == sorted(map(word, whole))
    ready = [name for name in order if name not in opened]
    assert order[: len(ready)] == ready
    for part in (ready, order[len(ready) :]):
        # Inside one endpoint: own before built-in, own by name.
        beta = [name for name in part if name.startswith("beta")]
        own = [name for name in beta if "+" in name]
        assert beta[: len(own)] == sorted(own)
