from decimal import Decimal

from aimesh.catalog.overlay import one_interface_each, overlaid_model, overlaid_provider
from aimesh.catalog.schema import (
    EndpointEntry,
    Limits,
    ModelEntry,
    Paths,
    PriceEntry,
    ProviderEntry,
    TraitSettings,
)
from aimesh.core.kind import Kind
from aimesh.core.money import Currency

PROVIDER = ProviderEntry(
    name="P",
    base_urls={"openai": "https://a/v1", "anthropic": "https://a"},
    auth="x_api_key",
    speaks={"open_ai": Paths(path="/own"), "anthropic": Paths()},
    traits=TraitSettings(developer_role=False),
)


def test_what_is_not_set_keeps_its_value() -> None:
    assert overlaid_provider(PROVIDER, ProviderEntry()) == PROVIDER
    model = ModelEntry(name="m", kind=Kind.CHAT, context=5, aliases=("x",))
    assert overlaid_model(model, ModelEntry(name="m")) == model


def test_mappings_and_traits_merge_by_key() -> None:
    over = ProviderEntry(
        base_urls={"openai": "https://b/v1"},
        speaks={"responses": Paths(), "open_ai": Paths()},
        traits=TraitSettings(anthropic_beta=False),
    )
    made = overlaid_provider(PROVIDER, over)
    assert made.base_urls == {"openai": "https://b/v1", "anthropic": "https://a"}
    assert made.speaks == {"open_ai": Paths(), "anthropic": Paths(), "responses": Paths()}
    assert made.traits == TraitSettings(developer_role=False, anthropic_beta=False)
    assert (made.name, made.auth) == ("P", "x_api_key")


def test_one_base_url_for_everything_replaces_those_of_families() -> None:
    made = overlaid_provider(PROVIDER, ProviderEntry(base_url="https://c"))
    assert (made.base_url, made.base_urls) == ("https://c", {})


def test_endpoints_merge_by_provider_and_interface() -> None:
    price = PriceEntry(currency=Currency.CNY, per_image=Decimal(1))
    base = ModelEntry(
        name="m",
        endpoints=(
            EndpointEntry(provider="p", interfaces=("open_ai", "responses"), upstream="a", price=price),
        ),
    )
    over = ModelEntry(
        name="m",
        endpoints=(
            EndpointEntry(provider="p", interfaces=("open_ai",), limits=Limits(rpm=5), enabled=False),
            EndpointEntry(provider="q", interfaces=("open_ai",), upstream="z"),
        ),
    )
    made = overlaid_model(base, over)
    assert made.endpoints == (
        EndpointEntry(
            provider="p",
            interfaces=("open_ai",),
            upstream="a",
            price=price,
            limits=Limits(rpm=5),
            enabled=False,
        ),
        EndpointEntry(provider="p", interfaces=("responses",), upstream="a", price=price),
        EndpointEntry(provider="q", interfaces=("open_ai",), upstream="z"),
    )


def test_one_interface_each() -> None:
    split = one_interface_each(
        (EndpointEntry(provider="p", interfaces=("open_ai", "responses"), upstream="a"),)
    )
    assert [each.interfaces for each in split] == [("open_ai",), ("responses",)]


def test_what_is_switched_off_below_is_switched_on_above() -> None:
    base = ModelEntry(
        name="m",
        enabled=False,
        endpoints=(EndpointEntry(provider="p", interfaces=("open_ai",), enabled=False),),
    )
    over = ModelEntry(
        name="m",
        enabled=True,
        endpoints=(EndpointEntry(provider="p", interfaces=("open_ai",), enabled=True),),
    )
    made = overlaid_model(base, over)
    assert (made.enabled, made.endpoints[0].enabled) == (True, True)
    kept = overlaid_model(base, ModelEntry(name="m"))
    assert (kept.enabled, kept.endpoints[0].enabled) == (False, False)
