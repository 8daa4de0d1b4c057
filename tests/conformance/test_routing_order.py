"""The exact order of attempts of every routing mode, as the providers see it.

The tables were written from the product's rules, not from the code: default ranks by price (or by what was measured),
specified providers and BYOK go by their lists, BYOK comes before the built-in credential of the same provider, and a
failure leads to the next in that order. Prices and credentials are in ``tests/support/routing_orders.py``; ``alpha`` is
a built-in credential, ``beta+b-one`` the BYOK credential of that name.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from tests.support.chaos_http import get, until
from tests.support.chaos_simulator import SimulatorProcess, running_simulator
from tests.support.chaos_worker import LoopThread
from tests.support.routes import NOBODY, THEM, US
from tests.support.routing_orders import Network, provider_of, running_network

from aimesh.core.ids import TenantId
from aimesh.routing.draw import AFFINITY_BYTES

pytestmark = pytest.mark.conformance

DEFAULT: dict[str, Any] = {}
LATENCY = {"rank_by": "latency"}
THROUGHPUT = {"rank_by": "throughput"}


def providers(*names: str) -> dict[str, Any]:
    return {"mode": "provider", "providers": list(names)}


def byok(*names: str) -> dict[str, Any]:
    return {"mode": "byok", "credentials": list(names)}


class Case(Struct, frozen=True):
    tenant: TenantId
    route: dict[str, Any]
    fails: str
    """Credentials that answer with a failure."""
    expected: str
    """Attempts in order; the call succeeds with the last one, unless that one fails, too."""
    kind: str = "500"
    way: str = "chat"
    opened: str = ""
    """Circuits that are open before the call."""
    measured: str = ""
    """``alpha=0.2``: time to first byte in seconds; tokens per second are 100 through it."""
    pinned: str = ""
    """Provider of the endpoint that is asked for by name."""


ALL_OF_US = "alpha beta+b-one beta+b-two beta gamma+g-one gamma far+f-one delta"
ALL_OF_THEM = "alpha+a-one alpha beta+b-one beta+b-three beta gamma far+f-one far+f-two delta+d-one delta"
SLOW_FIRST = "alpha=0.9 beta=0.5 gamma=0.1 delta=0.3"

PRICE_CASES = [
    # No BYOK: by price, an unknown price last; what has no credential is no candidate.
    Case(NOBODY, DEFAULT, "", "alpha"),
    Case(NOBODY, DEFAULT, "alpha", "alpha beta"),
    Case(NOBODY, DEFAULT, "alpha beta", "alpha beta gamma"),
    Case(NOBODY, DEFAULT, "alpha beta gamma", "alpha beta gamma delta"),
    Case(NOBODY, DEFAULT, "alpha beta gamma delta", "alpha beta gamma delta"),
    Case(NOBODY, DEFAULT, "beta gamma", "alpha"),
    Case(NOBODY, DEFAULT, "alpha", "alpha beta", kind="429"),
    Case(NOBODY, DEFAULT, "alpha", "alpha beta", kind="401"),
    Case(NOBODY, DEFAULT, "alpha", "alpha beta", kind="404"),
    Case(NOBODY, DEFAULT, "alpha", "alpha beta", kind="503", way="stream"),
    Case(NOBODY, DEFAULT, "alpha beta", "alpha beta gamma", kind="error_event_first", way="stream"),
    Case(NOBODY, DEFAULT, "alpha", "alpha beta", kind="empty_200", way="messages"),
    # BYOK: before the built-in one of its provider, by name, wherever its price stands.
    Case(US, DEFAULT, "", "alpha"),
    Case(US, DEFAULT, "alpha", "alpha beta+b-one"),
    Case(US, DEFAULT, "alpha beta+b-one", "alpha beta+b-one beta+b-two"),
    Case(US, DEFAULT, "alpha beta+b-one beta+b-two", "alpha beta+b-one beta+b-two beta"),
    Case(US, DEFAULT, ALL_OF_US, "alpha beta+b-one beta+b-two beta"),
    Case(THEM, DEFAULT, "", "alpha+a-one"),
    Case(THEM, DEFAULT, "alpha+a-one", "alpha+a-one alpha"),
    Case(THEM, DEFAULT, "alpha+a-one", "alpha+a-one alpha", kind="401"),
    Case(THEM, DEFAULT, "alpha+a-one alpha", "alpha+a-one alpha beta+b-one", way="responses"),
    Case(THEM, DEFAULT, ALL_OF_THEM, "alpha+a-one alpha beta+b-one beta+b-three", kind="429"),
    # A subset of providers.
    Case(NOBODY, {"providers": ["delta", "gamma"]}, "gamma", "gamma delta"),
    Case(US, {"providers": ["far", "gamma"]}, "gamma+g-one gamma", "gamma+g-one gamma far+f-one"),
    Case(US, {"providers": ["far"]}, "far+f-one", "far+f-one"),
    # Tiers stand above prices.
    Case(NOBODY, {"tiers": {"alpha": 1}}, "beta gamma", "beta gamma delta"),
    Case(NOBODY, {"tiers": {"delta": -1}}, "delta", "delta alpha"),
    Case(US, {"tiers": {"far": -1, "alpha": 2}}, "far+f-one", "far+f-one beta+b-one"),
    # Open circuits go to the end.
    Case(NOBODY, DEFAULT, "", "beta", opened="alpha"),
    Case(NOBODY, DEFAULT, "beta gamma delta", "beta gamma delta alpha", opened="alpha"),
    Case(US, DEFAULT, "alpha", "alpha beta", opened="beta+b-one beta+b-two"),
    Case(THEM, DEFAULT, "", "alpha", opened="alpha+a-one"),
    # A failure that blames the caller is no failure of the provider.
    Case(US, DEFAULT, "alpha", "alpha", kind="400"),
    # What may cost twice goes on only after a certain refusal.
    Case(US, DEFAULT, "alpha", "alpha beta+b-one", kind="429", way="image"),
    Case(US, DEFAULT, "alpha", "alpha", kind="500", way="image"),
    Case(THEM, DEFAULT, "alpha+a-one", "alpha+a-one alpha", kind="401", way="image"),
]
MEASURED_CASES = [
    # The lowest time to first byte, the highest output: not the price.
    Case(NOBODY, LATENCY, "", "gamma", measured=SLOW_FIRST),
    Case(NOBODY, LATENCY, "gamma", "gamma delta", measured=SLOW_FIRST),
    Case(NOBODY, LATENCY, "gamma delta beta", "gamma delta beta alpha", measured=SLOW_FIRST),
    Case(NOBODY, LATENCY, "gamma", "gamma delta", way="stream", measured=SLOW_FIRST),
    Case(NOBODY, THROUGHPUT, "gamma delta", "gamma delta beta", measured=SLOW_FIRST),
    Case(NOBODY, THROUGHPUT, "gamma", "gamma delta", way="stream", measured=SLOW_FIRST, kind="429"),
    # Never measured: first, in order of price.
    Case(NOBODY, LATENCY, "alpha beta gamma", "alpha beta gamma delta"),
    Case(NOBODY, LATENCY, "beta delta", "beta delta gamma", measured="alpha=0.1 gamma=0.05"),
    Case(NOBODY, THROUGHPUT, "alpha delta", "alpha delta gamma", measured="beta=0.2 gamma=0.1"),
    # BYOK is measured on its own, and stands before the built-in one of its provider.
    Case(
        US,
        LATENCY,
        "beta+b-one beta+b-two beta",
        "beta+b-one beta+b-two beta gamma+g-one",
        measured="alpha=0.9 beta+b-one=0.1 beta=5 gamma+g-one=0.5 far+f-one=0.7 delta=0.8",
    ),
    Case(
        THEM,
        THROUGHPUT,
        "delta+d-one delta",
        "delta+d-one delta alpha+a-one",
        measured="alpha+a-one=0.5 alpha=0.01 beta+b-one=0.6 gamma=0.7 far+f-one=0.8 delta+d-one=0.1 delta=9",
    ),
    Case(
        US,
        LATENCY | {"providers": ["far", "gamma"]},
        "far+f-one",
        "far+f-one gamma+g-one",
        measured="far+f-one=0.1 gamma+g-one=0.4",
    ),
    Case(
        NOBODY,
        LATENCY | {"tiers": {"gamma": 1}},
        "delta beta alpha",
        "delta beta alpha gamma",
        measured=SLOW_FIRST,
    ),
    Case(NOBODY, LATENCY, "delta", "delta beta", measured=SLOW_FIRST, opened="gamma"),
]
PROVIDER_CASES = [
    # The list is the order; inside a provider BYOK first.
    Case(NOBODY, providers("gamma", "alpha"), "", "gamma"),
    Case(NOBODY, providers("gamma", "alpha"), "gamma", "gamma alpha"),
    Case(NOBODY, providers("gamma", "alpha"), "gamma alpha", "gamma alpha"),
    Case(NOBODY, providers("delta", "far", "beta"), "delta", "delta beta"),
    Case(NOBODY, providers("beta", "alpha", "beta"), "beta alpha", "beta alpha"),
    Case(US, providers("gamma", "alpha"), "gamma+g-one", "gamma+g-one gamma"),
    Case(US, providers("gamma", "alpha"), "gamma+g-one gamma", "gamma+g-one gamma alpha", kind="401"),
    Case(US, providers("far", "beta"), "far+f-one", "far+f-one beta+b-one", way="stream"),
    Case(US, providers("far", "beta"), "far+f-one beta+b-one", "far+f-one beta+b-one beta+b-two"),
    Case(US, providers("beta"), "beta+b-one beta+b-two", "beta+b-one beta+b-two beta", way="messages"),
    Case(US, providers("beta"), "beta+b-one beta+b-two beta", "beta+b-one beta+b-two beta"),
    Case(THEM, providers("delta", "alpha"), "delta+d-one delta", "delta+d-one delta alpha+a-one"),
    # All are tried, however many: the cap is for the default mode.
    Case(
        US,
        providers("delta", "far", "gamma", "beta", "alpha"),
        ALL_OF_US,
        "delta far+f-one gamma+g-one gamma beta+b-one beta+b-two beta alpha",
    ),
    # Neither prices nor measurements nor tiers say anything here.
    Case(NOBODY, providers("delta", "alpha") | LATENCY, "", "delta", measured="alpha=0.01 delta=9"),
    Case(NOBODY, providers("delta", "alpha") | {"tiers": {"delta": 9}}, "delta", "delta alpha"),
    Case(US, providers("gamma", "alpha"), "", "gamma", opened="gamma+g-one"),
    Case(US, providers("gamma", "alpha"), "alpha", "alpha gamma+g-one", opened="gamma+g-one gamma"),
    Case(US, providers("gamma", "alpha"), "gamma+g-one", "gamma+g-one", kind="500", way="image"),
    Case(US, providers("gamma", "alpha"), "gamma+g-one", "gamma+g-one gamma", kind="429", way="image"),
]
BYOK_CASES = [
    # The list is the order, whatever the providers; never a built-in one.
    Case(US, byok("g-one", "b-two"), "", "gamma+g-one"),
    Case(US, byok("g-one", "b-two"), "gamma+g-one", "gamma+g-one beta+b-two"),
    Case(US, byok("g-one", "b-two"), "gamma+g-one beta+b-two", "gamma+g-one beta+b-two"),
    Case(US, byok("b-two", "b-one"), "beta+b-two", "beta+b-two beta+b-one", way="stream"),
    Case(US, byok("b-two", "f-one", "b-one"), "beta+b-two far+f-one", "beta+b-two far+f-one beta+b-one"),
    Case(US, byok("gone", "b-one"), "beta+b-one", "beta+b-one"),
    Case(US, byok("d-one", "g-one"), "gamma+g-one", "gamma+g-one"),
    Case(THEM, byok("b-three", "b-one"), "beta+b-three", "beta+b-three beta+b-one", way="messages"),
    # None listed: all of them, ranked like default.
    Case(US, byok(), "", "beta+b-one"),
    Case(US, byok(), "beta+b-one beta+b-two", "beta+b-one beta+b-two gamma+g-one"),
    Case(
        US,
        byok(),
        "beta+b-one beta+b-two gamma+g-one far+f-one",
        "beta+b-one beta+b-two gamma+g-one far+f-one",
    ),
    Case(US, byok() | {"tiers": {"far": -1}}, "far+f-one", "far+f-one beta+b-one"),
    Case(
        US,
        byok() | LATENCY,
        "far+f-one",
        "far+f-one gamma+g-one",
        measured="beta+b-one=0.9 gamma+g-one=0.5 far+f-one=0.1",
    ),
    # An error only when all of them failed: six of six are tried.
    Case(
        THEM,
        byok(),
        ALL_OF_THEM,
        "alpha+a-one beta+b-one beta+b-three far+f-one far+f-two delta+d-one",
        kind="503",
    ),
    Case(
        THEM,
        byok("f-two", "d-one", "a-one", "b-three", "f-one", "b-one"),
        "far+f-two delta+d-one alpha+a-one beta+b-three far+f-one",
        "far+f-two delta+d-one alpha+a-one beta+b-three far+f-one beta+b-one",
        kind="401",
    ),
    Case(US, byok("g-one", "b-two"), "", "beta+b-two", opened="gamma+g-one"),
    Case(US, byok("g-one", "b-two"), "beta+b-two", "beta+b-two gamma+g-one", opened="gamma+g-one"),
    Case(US, byok("g-one", "b-two"), "gamma+g-one", "gamma+g-one beta+b-two", kind="503", way="image"),
    Case(US, byok("g-one", "b-two"), "gamma+g-one", "gamma+g-one", kind="500", way="image"),
]
PINNED_CASES = [
    # Only that endpoint, still BYOK first, still within the route.
    Case(NOBODY, DEFAULT, "gamma", "gamma", pinned="gamma"),
    Case(US, DEFAULT, "beta+b-one", "beta+b-one beta+b-two", pinned="beta"),
    Case(US, DEFAULT, "beta+b-one beta+b-two beta", "beta+b-one beta+b-two beta", pinned="beta"),
    Case(US, providers("alpha", "gamma"), "gamma+g-one gamma", "gamma+g-one gamma", pinned="gamma"),
    Case(US, byok(), "beta+b-one beta+b-two", "beta+b-one beta+b-two", pinned="beta"),
    Case(US, byok("g-one", "b-two"), "beta+b-two", "beta+b-two", pinned="beta"),
    Case(US, LATENCY, "gamma+g-one", "gamma+g-one gamma", pinned="gamma", measured="gamma+g-one=9 gamma=0.1"),
]
CASES = PRICE_CASES + MEASURED_CASES + PROVIDER_CASES + BYOK_CASES + PINNED_CASES


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 60
    failing = [case for case in CASES if case.fails]
    for mode in (None, "provider", "byok"):
        of_mode = [case for case in failing if case.route.get("mode") == mode]
        assert {bool(case.tenant is not NOBODY) for case in of_mode} >= (
            {True} if mode == "byok" else {True, False}
        )


REFUSED = {
    "none": (NOBODY, byok()),
    "gone": (US, byok("d-one")),
    "not-theirs": (NOBODY, byok("b-one", "a-one")),
    "elsewhere": (NOBODY, providers("far")),
    "no-provider": (US, {"mode": "provider"}),
}
KEYS: dict[str, tuple[TenantId, dict[str, Any]]] = {
    **{f"ck-case-{number:03}": (case.tenant, case.route) for number, case in enumerate(CASES)},
    **{f"ck-refused-{name}": refused for name, refused in REFUSED.items()},
    "ck-equals": (NOBODY, {"providers": ["gamma", "twin"]}),
    "ck-equals-2": (NOBODY, {"providers": ["gamma", "twin"]}),
    "ck-weights": (NOBODY, {"providers": ["gamma", "twin"], "weights": {"twin": 4}}),
    "ck-dice": (NOBODY, {"providers": ["gamma", "twin"], "affinity": False}),
    "ck-pair": (NOBODY, providers("pair")),
    "ck-latency": (NOBODY, LATENCY),
    "ck-throughput": (NOBODY, THROUGHPUT),
    "ck-ours": (US, DEFAULT),
    "ck-theirs": (THEM, DEFAULT),
}
MODELS = {
    **{f"case/{number:03}": "image" if case.way == "image" else "chat" for number, case in enumerate(CASES)},
    "test/chat": "chat",
    **{
        f"test/{name}": "chat"
        for name in ("latency-chat", "latency-stream", "throughput-chat", "throughput-stream")
    },
    "test/equals": "equals",
    "test/equals-failing": "equals",
}
Start = Callable[[], Network]


@pytest.fixture(scope="module")
def simulator_process() -> Iterator[SimulatorProcess]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def loop_thread() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.stop()


@pytest.fixture(scope="module")
def running(
    simulator_process: SimulatorProcess, loop_thread: LoopThread, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    home = tmp_path_factory.mktemp("routing")
    with running_network(loop_thread, simulator_process, home, models=MODELS, keys=KEYS) as network:
        yield network


@pytest.fixture
def network(running: Network) -> Network:
    running.simulator.reset()
    return running


def _id(numbered: tuple[int, Case]) -> str:
    number, case = numbered
    mode = case.route.get("mode", "default")
    return f"{number:03}-{mode}-{case.tenant}-{case.way}-{case.kind if case.fails else 'good'}"


@pytest.mark.parametrize("numbered", list(enumerate(CASES)), ids=_id)
def test_the_order_of_attempts(numbered: tuple[int, Case], network: Network) -> None:
    number, case = numbered
    model = f"case/{number:03}"
    for pair in case.measured.split():
        word, _, value = pair.partition("=")
        network.measured(
            network.circuit(word, model, case.tenant),
            stream=case.way == "stream",
            ttfb_s=float(value),
            tokens_per_s=100 / float(value),
        )
    network.opens(*(network.circuit(word, model, case.tenant, case.way) for word in case.opened.split()))
    network.fails(case.kind, *case.fails.split(), tenant=case.tenant)

    asked = f"{case.pinned}@{model}@open_ai" if case.pinned else model
    seen = network.call(f"ck-case-{number:03}", asked, way=case.way)

    assert network.attempts() == case.expected
    assert network.tenants() <= {None, case.tenant}
    attempts = case.expected.split()
    if attempts[-1] not in case.fails.split():
        assert seen.status == 200, seen.body
        return
    if case.kind == "400":
        assert seen.status == 400
        return
    assert seen.status == (429 if case.kind == "429" else 502), seen.body
    history = seen.json["error"]["retry_history"]
    assert [line["provider"] for line in history] == [provider_of(word) for word in attempts]


@pytest.mark.parametrize("name", REFUSED)
def test_a_route_that_leaves_nothing_is_refused_and_lists_nothing(name: str, network: Network) -> None:
    key = f"ck-refused-{name}"
    seen = network.call(key, "test/chat")
    assert (seen.status, seen.json["error"]["code"]) == (400, "GATEWAY_NO_UPSTREAM_CANDIDATES")
    assert "this key's route" in seen.json["error"]["message"]
    assert network.attempts() == ""
    listed = get(network.gateway.url, "/gateway/v1/models", key=key).json["data"]
    assert listed == []


def test_the_list_shows_what_the_route_can_reach(network: Network) -> None:
    def listed(key: str) -> set[str]:
        return {model["id"] for model in get(network.gateway.url, "/gateway/v1/models", key=key).json["data"]}

    assert listed("ck-ours") == set(MODELS)
    assert listed("ck-pair") == {"test/equals", "test/equals-failing"}
    assert listed("ck-equals") == set(MODELS)


def test_a_tenant_never_meets_anothers_credentials(network: Network) -> None:
    """``b-one`` is a name that both tenants use, ``a-one`` and ``g-one`` are one tenant's."""
    network.fails("503", *ALL_OF_US.split(), tenant=US)
    network.call("ck-ours", "test/chat")
    assert network.tenants() == {None, US}
    network.simulator.reset()
    network.fails("503", *ALL_OF_THEM.split(), tenant=THEM)
    network.call("ck-theirs", "test/chat")
    assert network.tenants() == {None, THEM}


@pytest.mark.parametrize("rank_by", ["latency", "throughput"])
@pytest.mark.parametrize("way", ["chat", "stream"])
def test_calls_teach_the_ranking(rank_by: str, way: str, network: Network) -> None:
    """Nothing is measured: each endpoint is tried, the cheapest first. Then the fastest is known."""
    network.simulator.fault("chunks", provider=None, n=100)
    for word, delay_ms in (("alpha", 300), ("beta", 200), ("delta", 250)):
        network.simulator.fault("latency_ms", provider=word, n=delay_ms)

    def is_known() -> bool:
        assert network.call(f"ck-{rank_by}", f"test/{rank_by}-{way}", way=way).status == 200
        attempts = network.attempts()
        return "delta" in attempts and attempts.endswith("gamma gamma gamma gamma")

    until(is_known, "the fastest endpoint is not preferred")
    tried = list(dict.fromkeys(network.attempts().split()))
    assert tried == ["alpha", "beta", "gamma", "delta"]


def _firsts(network: Network, key: str, count: int, prompt: Callable[[int], str]) -> list[str]:
    for number in range(count):
        assert network.call(key, "test/equals", prompt=prompt(number)).status == 200
    attempts = network.attempts().split()
    assert len(attempts) == count
    return attempts


def _short(number: int) -> str:
    return f"short {number}"


def _long(number: int) -> str:
    return "p" * AFFINITY_BYTES + str(number)


def test_equal_prices_are_chosen_at_random(network: Network) -> None:
    seen = Counter(_firsts(network, "ck-equals", 60, _short))
    # Fewer than ten of sixty come once in ten million runs.
    assert min(seen["gamma"], seen["twin"]) >= 10


def test_an_equal_that_fails_leads_to_the_other(network: Network) -> None:
    network.fails("429", "gamma", tenant=NOBODY)
    for number in range(30):
        assert network.call("ck-equals", "test/equals-failing", prompt=_short(number)).status == 200
    attempts = network.attempts()
    assert attempts.count("twin") == 30
    assert "gamma twin" in attempts
    assert "gamma gamma" not in attempts


def test_weights_are_shares(network: Network) -> None:
    seen = Counter(_firsts(network, "ck-weights", 120, _short))
    # 96 to 24 is to be expected; 72 to 48 comes once in ten million runs.
    assert seen["twin"] > 1.5 * seen["gamma"] > 0


def test_built_in_credentials_of_an_endpoint_share_the_load(network: Network) -> None:
    seen = Counter(_firsts(network, "ck-pair", 60, _short))
    assert min(seen["pair"], seen["pair#second"]) >= 10


def test_a_long_prompt_keeps_its_endpoint_unless_the_route_says_no(network: Network) -> None:
    assert len(set(_firsts(network, "ck-equals", 12, _long))) == 1
    network.simulator.reset()
    assert len(set(_firsts(network, "ck-dice", 40, _long))) == 2


def test_other_prompts_go_other_ways(network: Network) -> None:
    seen = set(_firsts(network, "ck-equals", 40, lambda number: str(number) + _long(0)))
    assert seen == {"gamma", "twin"}


def test_a_long_prompt_goes_the_same_way_in_another_worker(
    network: Network, loop_thread: LoopThread, tmp_path: Path
) -> None:
    def prompt(number: int) -> str:
        return str(number) + _long(0)

    here = _firsts(network, "ck-equals-2", 12, prompt)
    network.simulator.reset()
    with running_network(loop_thread, network.simulator, tmp_path, models=MODELS, keys=KEYS) as other:
        assert _firsts(other, "ck-equals-2", 12, prompt) == here
