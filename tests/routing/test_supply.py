import pytest
from msgspec import structs
from tests.support.routes import (
    CHAT,
    MODEL,
    NOBODY,
    THEM,
    US,
    catalog_of,
    credential,
    make,
    model_yaml,
    ranking_of,
    route,
    supply_of,
    words,
)

from aimesh.catalog.snapshot import Endpoint
from aimesh.core.ids import CredentialId, EndpointName, InterfaceId, TenantId
from aimesh.routing import supply as module
from aimesh.routing.candidate import Candidate, Credential
from aimesh.routing.supply import Reach, Supply

KNOWN = catalog_of(
    {"alpha": 1, "beta": 2},
    more=model_yaml("test/only-beta", "provider: beta, interfaces: [anthropic], as: up")
    + model_yaml("test/off", "provider: alpha, interfaces: [open_ai], as: up, enabled: false")
    + model_yaml("test/no-name", "provider: alpha, interfaces: [open_ai]"),
)
AT_ALPHA = EndpointName(f"alpha@{MODEL}@open_ai")


def _models(supply: Supply, tenant: TenantId, **members: object) -> list[str]:
    wanted = route(**members)
    return [str(model.name) for model in supply.models(supply.of(tenant), wanted, str(members))]


def test_the_models_of_a_route_are_those_it_can_reach() -> None:
    supply = supply_of(KNOWN, built_in="alpha", ours="beta+mine")
    assert _models(supply, NOBODY) == ["test/m"]
    assert _models(supply, US) == ["test/m", "test/only-beta"]
    assert _models(supply, US, mode="provider", providers=["alpha"]) == ["test/m"]
    assert _models(supply, US, mode="provider", providers=["beta"]) == ["test/m", "test/only-beta"]
    assert _models(supply, NOBODY, mode="provider", providers=["beta"]) == []
    assert _models(supply, US, mode="byok", credentials=["gone"]) == []
    assert _models(supply, US, mode="byok") == ["test/m", "test/only-beta"]
    assert _models(supply, NOBODY, mode="byok") == []


def test_lists_of_models_are_remembered_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LISTS", 3)
    supply = supply_of(KNOWN, built_in="alpha")
    holdings = supply.of(NOBODY)
    first = supply.models(holdings, route(), "0")
    assert supply.models(holdings, route(), "0") is first
    for number in range(1, 10):
        supply.models(holdings, route(), str(number))
        assert len(holdings.models) <= 3


def test_tenants_without_credentials_of_their_own_share_their_holdings() -> None:
    supply = supply_of(KNOWN, built_in="alpha", ours="beta+mine", theirs="beta+mine")
    assert supply.of(NOBODY) is supply.of(TenantId("another"))
    assert len({id(supply.of(tenant)) for tenant in (NOBODY, US, THEM)}) == 3


def test_rankings_are_kept_with_their_tenant_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 5)
    supply = supply_of(KNOWN, built_in="alpha", ours="beta+mine")
    reach = Reach(KNOWN.models[MODEL], ranking_of(supply, KNOWN, route()))
    names = [(str(number), str(MODEL), CHAT) for number in range(40)]
    for number, name in enumerate(names):
        ours, others = supply.of((US, NOBODY)[number % 2]), supply.of((NOBODY, US)[number % 2])
        supply.keep(ours, name, reach)
        supply.keep(ours, name, reach)
        assert ours.reaches[name] is reach
        assert name not in others.reaches
        # The oldest went, and only they.
        assert {*ours.reaches, *others.reaches} == set(names[max(0, number - 4) : number + 1])


def test_a_supply_that_goes_is_let_go_of_by_and_by() -> None:
    supply = supply_of(KNOWN, built_in="alpha beta", ours="beta+mine")
    for number in range(10):
        holdings = supply.of((US, NOBODY)[number % 2])
        reach = Reach(KNOWN.models[MODEL], ranking_of(supply, KNOWN, route()))
        supply.keep(holdings, (str(number), str(MODEL), CHAT), reach)
    assert supply.forget(9)
    assert len(supply.of(US).reaches) + len(supply.of(NOBODY).reaches) == 1
    assert not supply.forget(9)
    assert not supply.of(NOBODY).reaches
    # It works all the same.
    assert words(ranking_of(supply, KNOWN, route()).candidates) == "alpha beta+mine beta"


def test_a_built_in_candidate_is_made_once_and_nothing_before_it_is_asked_for() -> None:
    made: list[tuple[str, str]] = []

    def counting(endpoint: Endpoint, given: Credential) -> Candidate:
        made.append((endpoint.name, given.id))
        return make(endpoint, given)

    supply = Supply(KNOWN, [credential("alpha"), credential("beta+mine")], counting)
    assert made == []
    for tenant in (US, NOBODY, US):
        ranking_of(supply, KNOWN, route(), tenant=tenant)
    assert made.count((AT_ALPHA, "alpha/default")) == 1


def test_one_certain_candidate_is_found_for_those_who_may_use_it() -> None:
    supply = supply_of(KNOWN, built_in="alpha", ours="alpha+mine")
    mine, built_in = CredentialId("us:mine"), CredentialId("alpha/default")

    def found(name: EndpointName, wanted: CredentialId, tenant: TenantId) -> str:
        candidate = supply.candidate(name, wanted, tenant)
        return "" if candidate is None else words([candidate])

    assert found(AT_ALPHA, mine, US) == "alpha+mine"
    assert found(AT_ALPHA, mine, THEM) == ""
    assert {found(AT_ALPHA, built_in, tenant) for tenant in (US, THEM, NOBODY)} == {"alpha"}
    assert found(AT_ALPHA, CredentialId("gone"), US) == ""
    assert found(EndpointName(f"beta@{MODEL}@open_ai"), mine, US) == ""
    assert found(EndpointName("alpha@test/off@open_ai"), built_in, US) == ""
    assert found(EndpointName("nowhere@m@open_ai"), built_in, US) == ""


def test_a_credential_is_its_tenants_though_names_and_ids_are_alike() -> None:
    ours = credential("alpha+mine", US)
    theirs = structs.replace(credential("alpha+mine", THEM), id=ours.id)
    supply = supply_of(KNOWN, more=[ours, theirs])
    for tenant in (US, THEM):
        (candidate,) = ranking_of(supply, KNOWN, route(mode="byok"), tenant=tenant).candidates
        assert candidate.tenant == tenant
        assert candidate.head.reveal() == f"secret alpha+mine of {tenant}".encode()
        again = supply.candidate(AT_ALPHA, ours.id, tenant)
        assert again is not None
        assert again.head == candidate.head


def test_an_interface_that_nobody_speaks_has_an_empty_ranking() -> None:
    supply = supply_of(KNOWN, built_in="alpha beta")
    assert ranking_of(supply, KNOWN, route(), interface=InterfaceId("task")).candidates == ()
