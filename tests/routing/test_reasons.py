"""Each sentence names the rule that left nothing, and only things that the key's owner may know."""

from typing import Any

import pytest
from tests.support.routes import CHAT, MODEL, NOBODY, THEM, US, catalog_of, model_yaml, route, supply_of

from aimesh.core.ids import InterfaceId, TenantId
from aimesh.routing.reasons import SHOWN, why_none

KNOWN = catalog_of(
    {"alpha": 1, "beta": 2, "gamma": 3},
    more=model_yaml("test/off", "provider: alpha, interfaces: [open_ai], as: up, enabled: false"),
)
SUPPLY = supply_of(KNOWN, built_in="alpha", ours="gamma+mine omega+far", theirs="beta+theirs")

TABLE = [
    (NOBODY, {}, MODEL, "anthropic", ["no endpoint of interface anthropic", "open_ai"]),
    (NOBODY, {}, f"alpha@{MODEL}@open_ai", "anthropic", ["no endpoint of interface anthropic"]),
    (NOBODY, {}, "test/off", "open_ai", ["switched off"]),
    (NOBODY, {}, "alpha@test/off@open_ai", "open_ai", ["Endpoint alpha@test/off@open_ai", "switched off"]),
    (
        NOBODY,
        {},
        f"beta@{MODEL}@open_ai",
        "open_ai",
        ["Endpoint beta@", "has no usable credential; an administrator can add one for beta"],
    ),
    (
        NOBODY,
        {"providers": ["beta"]},
        MODEL,
        "open_ai",
        ["No endpoint of test/m that this key's route permits has a usable credential", "one for beta"],
    ),
    (
        NOBODY,
        {"providers": ["omega"]},
        MODEL,
        "open_ai",
        ["served by alpha, beta, gamma, and this key's route permits omega"],
    ),
    (NOBODY, {"mode": "provider"}, MODEL, "open_ai", ["this key's route permits no provider at all"]),
    (
        US,
        {"mode": "provider", "providers": ["gamma"]},
        f"alpha@{MODEL}@open_ai",
        "open_ai",
        ["Endpoint alpha@", "is served by alpha, and this key's route permits gamma"],
    ),
    (NOBODY, {"mode": "byok"}, MODEL, "open_ai", ["only BYOK credentials, of which there are none"]),
    (
        US,
        {"mode": "byok", "credentials": ["far"]},
        MODEL,
        "open_ai",
        ["only the BYOK credentials far, which are for omega"],
    ),
    (
        US,
        {"mode": "byok", "credentials": ["gone", "theirs"]},
        MODEL,
        "open_ai",
        ["none of the BYOK credentials that this key's route lists is there: gone, theirs"],
    ),
    (
        THEM,
        {"mode": "byok"},
        f"alpha@{MODEL}@open_ai",
        "open_ai",
        ["only BYOK credentials, which are for beta"],
    ),
]


@pytest.mark.parametrize(("tenant", "members", "asked", "interface", "parts"), TABLE)
def test_the_sentence_names_the_rule(
    tenant: TenantId, members: dict[str, Any], asked: str, interface: str, parts: list[str]
) -> None:
    wanted = route(**members)
    found, spoken = KNOWN.found[asked], InterfaceId(interface)
    holdings = SUPPLY.of(tenant)
    assert SUPPLY.ranking(holdings, wanted, found, spoken).candidates == ()
    sentence = why_none(wanted, found, spoken, holdings.held)
    for part in parts:
        assert part in sentence


def test_a_pinned_endpoint_of_another_interface_is_told_apart() -> None:
    both = catalog_of(
        {"alpha": 1},
        more=model_yaml("test/both", "provider: alpha, interfaces: [open_ai, anthropic], as: up"),
    )
    held = supply_of(both, built_in="alpha").of(NOBODY).held
    sentence = why_none(route(), both.found["alpha@test/both@open_ai"], InterfaceId("anthropic"), held)
    assert sentence.startswith("Endpoint alpha@test/both@open_ai does not speak anthropic")


def test_a_long_list_is_cut() -> None:
    names = [f"name-{number:03}" for number in range(SHOWN + 7)]
    held = SUPPLY.of(US).held
    sentence = why_none(route(mode="byok", credentials=names), KNOWN.found[MODEL], CHAT, held)
    assert "name-019 and 7 more" in sentence
    assert "name-020" not in sentence
