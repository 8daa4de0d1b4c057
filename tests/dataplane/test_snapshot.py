from typing import Any

import pytest
from tests.support.admitted import Caller, snapshot_with
from tests.support.routes import MODEL, NOBODY, THEM, catalog_of, credential, model_yaml, route

from aimesh.core.ids import ModelName
from aimesh.core.policy import Route
from aimesh.dataplane.snapshot import callable_models, mark_of

CATALOG = catalog_of(
    {"alpha": 1, "beta": 2},
    more=model_yaml("test/talk", "provider: beta, interfaces: [anthropic], as: up")
    + model_yaml("test/a", "provider: alpha, interfaces: [anthropic], as: up"),
)


def test_equal_routes_have_equal_marks_and_others_do_not() -> None:
    assert mark_of(Route()) == mark_of(route()) == Caller().key().route_mark == ""
    one = route(tiers={"alpha": 1, "beta": 2}, providers=["alpha", "beta"])
    same = route(tiers={"beta": 2, "alpha": 1}, providers=["alpha", "beta"])
    assert mark_of(one) == mark_of(same)
    others: list[dict[str, Any]] = [
        {"mode": "byok"},
        {"mode": "provider"},
        {"rank_by": "latency"},
        {"rank_by": "throughput"},
        {"providers": ["alpha", "beta"]},
        {"providers": ["beta", "alpha"]},
        {"credentials": ["one"]},
        {"tiers": {"alpha": 1}},
        {"weights": {"alpha": 1}},
        {"affinity": False},
    ]
    marks = {mark_of(route(**members)) for members in others}
    assert len(marks) == len(others)
    assert "" not in marks
    assert Caller(route={"mode": "byok"}).key().route_mark == mark_of(route(mode="byok"))


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        (Caller(), ["test/a", MODEL, "test/talk"]),
        (Caller(tenant=NOBODY), ["test/a", MODEL]),
        (Caller(tenant=THEM), ["test/a", MODEL]),
        (Caller(route={"mode": "byok"}), [MODEL, "test/talk"]),
        (Caller(tenant=THEM, route={"mode": "byok"}), ["test/a", MODEL]),
        (Caller(tenant=NOBODY, route={"mode": "byok"}), []),
        (Caller(route={"mode": "provider", "providers": ["beta"]}), [MODEL, "test/talk"]),
        (Caller(route={"providers": ["alpha"]}), ["test/a", MODEL]),
        (Caller(models=frozenset({ModelName("test/talk"), ModelName("test/gone")})), ["test/talk"]),
        (Caller(tenant=NOBODY, models=frozenset({ModelName("test/talk")})), []),
    ],
)
def test_a_key_sees_the_models_that_its_route_can_reach(caller: Caller, expected: list[Any]) -> None:
    credentials = [credential("alpha"), credential("beta+mine"), credential("alpha+theirs", THEM)]
    snapshot = snapshot_with(CATALOG, credentials, caller)
    for _ in range(2):
        assert [model.name for model in callable_models(snapshot, caller.key())] == expected
