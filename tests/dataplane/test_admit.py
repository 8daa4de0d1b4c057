from typing import Any

import pytest
from tests.support.admitted import Caller, authenticated, snapshot_with
from tests.support.routes import MODEL, NOBODY, THEM, catalog_of, credential, model_yaml, words

from aimesh.core.errors import Fault, ModelNotPermitted, ModelNotResolved, NoCandidates, Unsupported
from aimesh.core.ids import ModelName
from aimesh.dataplane.admit import LONGEST_NAME, admit
from aimesh.dataplane.snapshot import Snapshot

CATALOG = catalog_of(
    {"alpha": 1, "beta": 2},
    more=model_yaml("test/talk", "provider: beta, interfaces: [anthropic], as: up")
    + model_yaml(
        "test/answer", *(f"provider: {name}, interfaces: [responses], as: up" for name in ("alpha", "beta"))
    ),
)
PINNED = f"beta@{MODEL}@open_ai"


@pytest.fixture
def snapshot() -> Snapshot:
    return snapshot_with(
        CATALOG,
        [credential("alpha"), credential("beta"), credential("beta+mine"), credential("alpha+theirs", THEM)],
        Caller(),
        Caller("nobody", NOBODY),
        Caller("narrow", models=frozenset({ModelName("test/talk")})),
        Caller("byok", route={"mode": "byok"}),
        Caller("beta", route={"mode": "provider", "providers": ["beta"]}),
        Caller("theirs", THEM, route={"mode": "byok", "credentials": ["theirs"]}),
        Caller("lost", route={"mode": "byok", "credentials": ["theirs"]}),
    )


def _ask(model: str, **members: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "hello"}], **members}


@pytest.mark.parametrize(
    ("alias", "model", "expected"),
    [
        ("ours", MODEL, "alpha beta+mine beta"),
        ("nobody", MODEL, "alpha beta"),
        ("byok", MODEL, "beta+mine"),
        ("beta", MODEL, "beta+mine beta"),
        ("theirs", MODEL, "alpha+theirs"),
        ("ours", PINNED, "beta+mine beta"),
        ("byok", PINNED, "beta+mine"),
        ("nobody", PINNED, "beta"),
    ],
)
def test_a_keys_route_says_who_could_answer(
    snapshot: Snapshot, alias: str, model: str, expected: str
) -> None:
    for _ in range(2):
        # The second time from memory.
        admitted = admit(authenticated(snapshot, _ask(model), alias=alias))
        assert words(admitted.ranking.candidates) == expected
        assert admitted.model.name == MODEL
        assert admitted.peek.model == model


def test_what_was_worked_out_is_remembered_per_route_and_tenant(snapshot: Snapshot) -> None:
    rankings = {
        alias: [admit(authenticated(snapshot, _ask(MODEL), alias=alias)).ranking for _ in range(2)]
        for alias in ("ours", "nobody", "byok", "beta", "theirs")
    }
    assert all(first is second for first, second in rankings.values())
    assert len({id(first) for first, _ in rankings.values()}) == 5


@pytest.mark.parametrize(
    ("alias", "model", "kind", "part"),
    [
        ("ours", "test/nothing-like-it-x", ModelNotResolved, "lists what this key may call"),
        ("ours", "test/tallk", ModelNotResolved, "did you mean test/talk?"),
        ("ours", "z" * LONGEST_NAME * 50, ModelNotResolved, "'zzz"),
        ("theirs", "test/tallk", ModelNotResolved, "did you mean test/m?"),
        ("narrow", MODEL, ModelNotPermitted, "virtualApiKeyAlias=narrow"),
        ("narrow", PINNED, ModelNotPermitted, "test/m"),
        ("ours", "test/talk", NoCandidates, "no endpoint of interface open_ai"),
        ("byok", f"alpha@{MODEL}@open_ai", NoCandidates, "only BYOK credentials, which are for beta"),
        ("lost", MODEL, NoCandidates, "none of the BYOK credentials that this key's route lists is there"),
        ("beta", f"alpha@{MODEL}@open_ai", NoCandidates, "this key's route permits beta"),
    ],
)
def test_refusals(snapshot: Snapshot, alias: str, model: str, kind: type[Fault], part: str) -> None:
    for _ in range(2):
        with pytest.raises(kind) as caught:
            admit(authenticated(snapshot, _ask(model), alias=alias))
        assert part in caught.value.message
        assert len(caught.value.message) < 500
    assert all(not snapshot.supply.of(tenant).reaches for tenant in (NOBODY, THEM))


def test_a_model_outside_the_keys_list_is_refused_from_memory_too(snapshot: Snapshot) -> None:
    admit(authenticated(snapshot, _ask(MODEL)))
    with pytest.raises(ModelNotPermitted):
        admit(authenticated(snapshot, _ask(MODEL), alias="narrow"))


def _answer(model: str) -> dict[str, Any]:
    return {"model": model, "input": "go on", "previous_response_id": "resp-1"}


def test_a_response_is_continued_where_it_was_made_or_not_at_all(snapshot: Snapshot) -> None:
    path = "/gateway/v1/responses"
    with pytest.raises(Unsupported, match="alpha@test/answer@responses"):
        admit(authenticated(snapshot, _answer("test/answer"), path=path))
    with pytest.raises(Unsupported, match="has 2 for beta@test/answer@responses"):
        admit(authenticated(snapshot, _answer("beta@test/answer@responses"), path=path))
    admitted = admit(authenticated(snapshot, _answer("test/answer"), path=path, alias="byok"))
    assert words(admitted.ranking.candidates) == "beta+mine"
