from random import Random
from typing import Any

from tests.support.admitted import Caller, authenticated, snapshot_with
from tests.support.routes import MODEL, catalog_of, credential, words

from aimesh.core.ids import KeyId
from aimesh.dataplane.admit import admit
from aimesh.dataplane.plan import plan
from aimesh.dataplane.snapshot import Snapshot
from aimesh.routing.breaker import Breakers
from aimesh.routing.draw import AFFINITY_BYTES
from aimesh.routing.measure import Measures
from aimesh.routing.plan import Planner

CATALOG = catalog_of({"alpha": 1, "beta": 1, "gamma": 2})
CREDENTIALS = [credential(word) for word in ("alpha", "beta", "gamma", "gamma+mine")]
FAST = {"rank_by": "latency"}


def _snapshot(**route: Any) -> Snapshot:
    callers = [Caller(route=route), *(Caller(f"key-{number}", route=route) for number in range(40))]
    return snapshot_with(CATALOG, CREDENTIALS, *callers)


def _planner(measures: Measures | None = None) -> Planner:
    return Planner(Breakers(), measures or Measures(), random=Random(1), most=3)


def _body(text: str, **members: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], **members}


def test_a_plan_is_flat_and_in_the_order_of_the_attempts() -> None:
    caller = authenticated(_snapshot(), _body("hello", stream=True))
    planned = plan(admit(caller), _planner())
    assert words(planned.attempts) in ("alpha beta gamma+mine", "beta alpha gamma+mine")
    assert planned.arrival is caller.recognised.arrival
    assert planned.key.id == KeyId("id-ours")
    assert planned.interface is caller.recognised.interface
    assert planned.operation is caller.recognised.match.operation
    assert planned.model.name == MODEL
    assert planned.peek.stream


def test_a_single_candidate_is_the_plan() -> None:
    caller = authenticated(_snapshot(mode="byok"), _body("hello"))
    assert words(plan(admit(caller), _planner()).attempts) == "gamma+mine"


def test_the_key_and_the_body_decide_where_a_long_prompt_goes() -> None:
    snapshot, planner = _snapshot(), _planner()
    long = "p" * AFFINITY_BYTES

    def first(text: str, alias: str = "ours") -> str:
        caller = authenticated(snapshot, _body(text), alias=alias)
        return words(plan(admit(caller), planner).attempts[:1])

    assert len({first(long + str(turn)) for turn in range(20)}) == 1
    assert {first(str(other) + long) for other in range(40)} == {"alpha", "beta"}
    assert {first(long, f"key-{number}") for number in range(40)} == {"alpha", "beta"}
    assert {first("short") for _ in range(40)} == {"alpha", "beta"}


def test_streamed_and_whole_calls_are_ranked_apart() -> None:
    snapshot, measures = _snapshot(**FAST), Measures()
    for number, candidate in enumerate(admit(authenticated(snapshot, _body("x"))).ranking.candidates):
        measures.feed(
            candidate.circuit, stream=True, now_s=999.0, ttfb_s=1.0 / (1 + number), tokens_per_s=None
        )
    planner = _planner(measures)
    streamed = plan(admit(authenticated(snapshot, _body("x", stream=True))), planner).attempts
    whole = plan(admit(authenticated(snapshot, _body("x"))), planner).attempts
    assert words(streamed) == "gamma+mine gamma beta"
    assert words(whole) in ("alpha beta gamma+mine", "beta alpha gamma+mine")
